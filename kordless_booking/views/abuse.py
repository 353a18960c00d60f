"""What stands between the contact form and Kordless for those who are no visitors.

Kordless lets ten bookings a minute through, so junk would keep everybody else waiting. Nobody is ever asked to solve
a puzzle; a site that wants one names its own check in HUMAN_CHECK.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kordless_booking.logs import say
from kordless_booking.views import throttle

if TYPE_CHECKING:
    from kordless_booking.booking.draft import Draft
    from kordless_booking.forms import ContactForm
    from kordless_booking.views.visit import Visit

__all__ = ["HONEYPOT", "Objection", "objection", "too_often"]

log = logging.getLogger("kordless_booking.views")

HONEYPOT: Final = "kb_hp_url"
"""A field that people never see and browsers never fill in."""


class Objection(str):
    """What to tell the sender; `seconds` says when to try again, 0 when that is not about time."""

    seconds: int

    def __new__(cls, text: str, seconds: int = 0) -> Objection:
        made = super().__new__(cls, text)
        made.seconds = seconds
        return made


def objection(visit: Visit, chosen: Draft, form: ContactForm) -> Objection | None:
    """Why a valid form is not sent on, or None; waits out the rest of the minimum filling time."""
    if visit.request.POST.get(HONEYPOT):
        say(log, logging.INFO, "honeypot_filled")
        return Objection(_("Something about this request looked automatic. Please check your details and try again."))
    if too_many := too_often(visit, "book"):
        return too_many
    check = visit.account.human_check
    if check and not import_string(check)(visit.request, form):
        say(log, logging.INFO, "human_check_failed")
        return Objection(_("Please confirm that you are a person, and try again."))
    # A script gains nothing by being quicker than a person, and no person is ever told off for being quick.
    remaining = visit.account.minimum_fill_seconds - (visit.now.timestamp() - chosen.made_at)
    if 0 < remaining <= visit.account.minimum_fill_seconds:
        time.sleep(remaining)
    return None


def too_often(visit: Visit, scope: str, who: str | None = None) -> Objection | None:
    """What to tell a client that does something too often."""
    seconds = throttle.wait_for(visit, scope, who)
    if not seconds:
        return None
    say(log, logging.WARNING, "throttled", scope=scope, seconds=seconds)
    minutes = -(-seconds // 60)
    text = ngettext(
        "That was a little too often. Please try again in %(minutes)s minute.",
        "That was a little too often. Please try again in %(minutes)s minutes.",
        minutes,
    )
    return Objection(text % {"minutes": minutes}, seconds)
