"""Spam protection of the contact form: honeypot, the site's own spam check, and a minimum fill time.

Kordless accepts ten bookings per minute, so spam would keep everybody else waiting. There is no captcha; a site that
wants one names its own check in SPAM_CHECK.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from kordless_booking.logs import log_event
from kordless_booking.views.address_limits import Rejection, rate_limit
from kordless_booking.views.client_address import client_address as client_address  # noqa: PLC0414 (exported)

if TYPE_CHECKING:
    from kordless_booking.booking.draft import Draft
    from kordless_booking.forms import VisitorForm
    from kordless_booking.views.request import WidgetRequest

log = logging.getLogger("kordless_booking.views")


HONEYPOT: Final = "kb_hp"
"""Name of a hidden field that neither people nor browsers fill in. Browsers and password managers go by words such as
"url", "email" or "name", in the name and in the label, and not by `autocomplete="off"`."""


def reject_reason(visit: WidgetRequest, form: VisitorForm) -> Rejection | None:
    """Return the reason to reject a valid form, or None."""
    if visit.request.POST.get(HONEYPOT):
        log_event(log, logging.INFO, "honeypot_filled")
        # The form that comes back has no such field: whose browser fills it in nevertheless must not be kept out.
        return Rejection(
            _(
                "A field that nobody sees was filled in, perhaps by your browser. Nothing has been booked yet. "
                "Please check your details and send the form again."
            )
        )
    if too_many := rate_limit(visit, "book"):
        return too_many
    check = visit.account.spam_check
    if check and not import_string(check)(visit.request, form):
        log_event(log, logging.INFO, "spam_check_failed")
        return Rejection(_("Please confirm that you’re human, and try again."))
    return None


def hold_until(visit: WidgetRequest, chosen: Draft) -> datetime | None:
    """Return when the form's minimum fill time ends, if it was posted earlier; else None.

    Held instead of rejected: a script gains nothing by being quick, and a quick person gets no error. Nothing sleeps,
    because a script that posts forms early would then occupy every worker.
    """
    minimum = visit.account.minimum_fill_seconds
    remaining = minimum - (visit.now.timestamp() - chosen.issued_at)
    # More than the whole time would be left if another server's clock, which made the draft, were ahead.
    return datetime.fromtimestamp(chosen.issued_at + minimum, UTC) if 0 < remaining <= minimum else None
