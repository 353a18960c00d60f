"""Problem page for a draft whose key was used by an attempt with other details."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from kordless_booking import exceptions
from kordless_booking.booking.choices import Choices
from kordless_booking.booking.draft import Draft
from kordless_booking.booking.steps import Step
from kordless_booking.presentation import timezones
from kordless_booking.presentation.texts import party_text, venue_timezone
from kordless_booking.views.cells import format_start
from kordless_booking.views.problems import Problem
from kordless_booking.views.request import WidgetRequest
from kordless_booking.views.words import clocks


def already_requested(
    visit: WidgetRequest, chosen: Draft, choices: Choices, *, sent: bool, kept: str | None, all_kept: bool
) -> Problem:
    """Build the problem. Its page links to the same time under a new key, and to the search for a booking.

    `choices` are those under which the time was chosen. `sent` is True when a form was posted, False when a page was
    only opened. `kept` is the encrypted form input, and `all_kept` says that it is complete.

    The visitor may be somebody else, so the page reveals nothing of the earlier attempt, neither its details nor its
    state.
    """
    day = chosen.start.astimezone(timezones.get_timezone(chosen.zone)).date()
    around = choices.replace(tz=chosen.zone, month=None, day=day, party_size=chosen.party_size)
    # The same link as for a click on the time: it is checked to be free, and then gets a draft with a key of its own.
    afresh = visit.service_url("contact", chosen.service, around, kept=kept, start=format_start(chosen.start))
    said = (
        409,
        _("This time was already requested from this page"),
        _("Nothing new was booked and nothing was changed. Everything you typed is kept.")
        if all_kept
        else _("Nothing new was booked and nothing was changed."),
    )
    ways: dict[str, Any] = {
        "main_link": (afresh, _("Book this time for someone else")),
        "secondary_link": (visit.url("manage-find"), _("Find that booking")),
        "step": Step.CONTACT,
        "summary": _summary(visit, chosen),
    }
    if sent:
        return Problem("create_different_request", *said, **ways)
    return Problem("already_requested", *said, **ways)


def _summary(visit: WidgetRequest, chosen: Draft) -> dict[str, Any]:
    """Return the context of parts/summary.html, from the draft in the visitor's own URL."""
    try:
        detail = visit.catalog.service(chosen.service).value
    except exceptions.KordlessError:
        detail = None
    site = venue_timezone(detail.calendar.location, detail.calendar.timezone) if detail else None
    return {
        "service": detail.service.name if detail else chosen.service,
        "clocks": clocks(visit, chosen.start, chosen.end, chosen.zone, site),
        "host": chosen.host_name or "",
        "party": party_text(chosen.party_size),
    }
