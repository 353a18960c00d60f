"""Django signals that a site can connect receivers to.

`booking_created`, `booking_rescheduled` and `booking_cancelled` are sent once for each change, no matter who made it
and whether this site's own pages or Kordless's webhook reports it first. Receivers get these keyword arguments:

- `booking`: an `api.resources.Booking`, times in UTC, with the contact as far as it is known;
- `service`: its `api.resources.Service` as it is cached, with the set-up's `metadata`; None when it isn't known;
- `account`: name of the account, "default" on a site with a single account;
- `source`: `ChangeSource.WIDGET` for a change made on this site's pages, `ChangeSource.WEBHOOK` for one made elsewhere
  (by phone, by staff). It is also the sender: `connect(receiver, sender=ChangeSource.WEBHOOK)` selects those alone;
- `attribution`: campaign parameters of the visit, such as `{"utm_source": "newsletter"}`; empty when unknown;
- `answers`: what the customer answered to the business's QUESTIONS on this site's pages: a dictionary of values by the
  names of the questions, for each change of the booking in the 30 days after it was made; empty when unknown;
- `metadata`: what the page around the widget said of the booking, `{% booking_widget metadata=… %}`: a dictionary as it
  was given, for each change of the booking in the 30 days after it was made; empty when unknown. It came back through
  the visitor's browser, encrypted: nobody can write it, but a link with it may be passed on, so it is no proof;
- `reason`: why the customer rescheduled or canceled, as typed on this site's pages (ASK_REASON); "" when unknown;
- `consents`: a `consent.GivenConsent` (`name`, `version`, `text`, `language`, `given_at`) for each box of the setting
  CONSENT that was ticked; empty for all but the creation of a booking on this site's pages;
- `replay`: True when staff replayed an old delivery in Django's admin. The arguments are those of the old delivery.

Apps may add arguments of their own (`hooks.signal_arguments`, docs/extending.md), so receivers take `**kwargs`.

Signals about one booking never go back in time, replays excepted: nothing follows a cancellation.

`event_received` is sent for every webhook delivery with a valid signature, also of unknown event types, before any of
the three signals above. Receivers get `event` (a `webhooks.events.Event`), `account`, `delivery` (Kordless's delivery
id), `source` and `replay`.

Errors raised by receivers: on the widget's pages the error is logged, and the visitor's booking and page are not
affected. During a webhook the database transaction is rolled back for all receivers, and Kordless delivers again. So
anything slow, and anything that a rollback can't undo, belongs in the site's task queue: see docs/webhooks.md.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from django.dispatch import Signal

__all__ = ["ChangeSource", "booking_cancelled", "booking_created", "booking_rescheduled", "event_received"]


class ChangeSource(StrEnum):
    """Origin of a change to a booking."""

    WIDGET = "widget"
    """Made on this site's pages, even if the webhook reported it first."""
    WEBHOOK = "webhook"
    """Made elsewhere, for example by phone or by the business's staff."""


booking_created: Final = Signal()
"""A booking was made."""
booking_rescheduled: Final = Signal()
"""A booking was moved to another time, or changed in another way that Kordless reports as `booking.updated`."""
booking_cancelled: Final = Signal()
"""A booking was canceled. Spelled with two l's like Kordless's event `booking.cancelled`."""
event_received: Final = Signal()
"""A webhook delivery with a valid signature arrived, of any event type."""
