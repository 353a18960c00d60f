"""What a site can listen to.

`booking_created`, `booking_rescheduled` and `booking_cancelled` are sent once for each change, whoever made it and
whoever hears of it first: this site's own pages, or Kordless's webhook. They come with these keyword arguments:

- `booking`: an `api.resources.Booking`, times in UTC, with the contact as far as it is known;
- `account`: the name of the account, "default" for a site with one;
- `source`: `Source.WIDGET` for a change made on this site's pages, `Source.WEBHOOK` for one made elsewhere, by phone or
  by staff. It is the sender as well, so `connect(listener, sender=Source.WEBHOOK)` hears of nothing else;
- `attribution`: where the visitor came from, such as `{"utm_source": "newsletter"}`; empty when nothing is known;
- `replay`: True when staff had an old delivery told again, in Django's admin. It says what it said then.

But for replays, what is told of a booking is never older than what was told of it before: nothing follows its
cancellation.

`event_received` is sent for every genuine delivery of a webhook, of unknown kinds too, with `event` (a
`webhooks.events.Event`), `account`, `delivery` (Kordless's id for it) and `replay`, before any of the three above.

A receiver that raises keeps neither a visitor's booking nor the page from being made: it is logged. During a webhook
it undoes what all receivers have done in the database, and Kordless delivers again. So what can't be undone, and what
takes long, belongs in the site's task queue; docs/webhooks.md shows how.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from django.dispatch import Signal

__all__ = ["Source", "booking_cancelled", "booking_created", "booking_rescheduled", "event_received"]


class Source(StrEnum):
    """Where a change was made."""

    WIDGET = "widget"
    WEBHOOK = "webhook"


booking_created: Final = Signal()
booking_rescheduled: Final = Signal()
booking_cancelled: Final = Signal()
event_received: Final = Signal()
