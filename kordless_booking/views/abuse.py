"""Abuse protection of the contact form: honeypot, rate limit, the site's own spam check, and a minimum fill time.

Kordless accepts ten bookings per minute, so spam would keep everybody else waiting. There is no captcha; a site that
wants one names its own check in SPAM_CHECK.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kordless_booking.logs import log_event
from kordless_booking.views import throttle

if TYPE_CHECKING:
    from kordless_booking.booking.draft import Draft
    from kordless_booking.forms import ContactForm
    from kordless_booking.views.request import WidgetRequest

__all__ = ["HONEYPOT", "Rejection", "rate_limit", "reject_reason"]

log = logging.getLogger("kordless_booking.views")

HONEYPOT: Final = "kb_hp_url"
"""Name of a hidden field that neither people nor browsers fill in."""


class Rejection(str):
    """Reason why a form is rejected, as a text for the visitor."""

    seconds: int
    """Seconds after which to try again; 0 when waiting doesn't help."""

    def __new__(cls, text: str, seconds: int = 0) -> Rejection:
        made = super().__new__(cls, text)
        made.seconds = seconds
        return made


def reject_reason(visit: WidgetRequest, chosen: Draft, form: ContactForm) -> Rejection | None:
    """Return the reason to reject a valid form, or None.

    Sleeps until the form's minimum fill time has passed, if it was posted earlier.
    """
    if visit.request.POST.get(HONEYPOT):
        log_event(log, logging.INFO, "honeypot_filled")
        return Rejection(_("Something about this request looked automatic. Please check your details and try again."))
    if too_many := rate_limit(visit, "book"):
        return too_many
    check = visit.account.human_check
    if check and not import_string(check)(visit.request, form):
        log_event(log, logging.INFO, "human_check_failed")
        return Rejection(_("Please confirm that you are a person, and try again."))
    # Waits instead of rejecting: a script gains nothing by being quick, and a quick person gets no error. Last, so that
    # a rejected form occupies no worker.
    remaining = visit.account.minimum_fill_seconds - (visit.now.timestamp() - chosen.made_at)
    # More than the whole time would be left if another server's clock, which made the draft, were ahead.
    if 0 < remaining <= visit.account.minimum_fill_seconds:
        time.sleep(remaining)
    return None


def rate_limit(visit: WidgetRequest, scope: str, who: str | None = None) -> Rejection | None:
    """Count one use of `scope`. Return the reason to reject it, or None."""
    seconds = throttle.consume(visit, scope, who)
    if not seconds:
        return None
    log_event(log, logging.WARNING, "throttled", scope=scope, seconds=seconds)
    minutes = -(-seconds // 60)
    text = ngettext(
        "That was a little too often. Please try again in %(minutes)s minute.",
        "That was a little too often. Please try again in %(minutes)s minutes.",
        minutes,
    )
    return Rejection(text % {"minutes": minutes}, seconds)
