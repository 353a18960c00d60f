"""The page for a form, or its address, whose time was requested before by somebody with other details."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from kordless_booking import exceptions
from kordless_booking.booking import zones
from kordless_booking.booking.choices import Choices
from kordless_booking.booking.draft import Draft
from kordless_booking.booking.steps import Step
from kordless_booking.views.cells import format_start
from kordless_booking.views.problems import Problem
from kordless_booking.views.visit import Visit
from kordless_booking.views.words import clocks, party_text, site_zone

__all__ = ["already_requested"]


def already_requested(
    visit: Visit, chosen: Draft, choices: Choices, *, sent: bool, kept: str | None, all_kept: bool
) -> Problem:
    """Build the page that says so, with a way to the same time under a fresh key and one to the look-up.

    `choices` are those under which the time was chosen; `sent` tells a form that was sent from a page that was only
    looked at. `kept` is what was typed, sealed, and `all_kept` whether it is all of it. Nothing on the page is of the
    attempt that was made before: the visitor may be somebody else, so it says neither for whom nor how it stands.
    """
    day = chosen.start.astimezone(zones.zone(chosen.zone)).date()
    around = choices.but(tz=chosen.zone, month=None, day=day, party=chosen.party)
    # By way of the clicked time: it is looked up as ever, and only then gets a draft, and with it a key, of its own.
    afresh = visit.service_url("contact", chosen.service, around, kept=kept, start=format_start(chosen.start))
    said = (
        409,
        _("This time was already requested from this page"),
        _("Nothing new was booked and nothing was changed. Everything you typed is kept.")
        if all_kept
        else _("Nothing new was booked and nothing was changed."),
    )
    ways: dict[str, Any] = {
        "back": (afresh, _("Book this time for someone else")),
        "beside": (visit.url("manage-find"), _("Find that booking")),
        "step": Step.CONTACT,
        "summary": _summary(visit, chosen),
    }
    if sent:
        return Problem("create_different_request", *said, **ways)
    return Problem("already_requested", *said, **ways)


def _summary(visit: Visit, chosen: Draft) -> dict[str, Any]:
    """What the draft in the visitor's own address says, and nothing that was typed."""
    try:
        detail = visit.catalog.service(chosen.service).value
    except exceptions.KordlessError:
        detail = None
    site = site_zone(detail.calendar.location, detail.calendar.timezone) if detail else None
    return {
        "service": detail.service.name if detail else chosen.service,
        "clocks": clocks(visit, chosen.start, chosen.end, chosen.zone, site),
        "host": chosen.host_name or "",
        "party": party_text(chosen.party),
    }
