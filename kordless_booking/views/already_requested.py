"""Problem page for a draft whose key was used by an attempt with other details."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from kordless_booking.booking.choices import Choices
from kordless_booking.booking.form_input import is_carried
from kordless_booking.booking.steps import Step
from kordless_booking.booking.terms import Terms
from kordless_booking.views.cells import format_start
from kordless_booking.views.problems import Problem
from kordless_booking.views.request import WidgetRequest
from kordless_booking.views.slot_reading import choices_for_day
from kordless_booking.views.summary import find_service, terms_summary


def already_requested(
    visit: WidgetRequest, terms: Terms, choices: Choices, *, sent: bool, form_input: Mapping[str, str]
) -> Problem:
    """Build the problem. Its page links to the same time under a new key, and to the search for a booking.

    `choices` are those under which the time was chosen. `sent` is True when a form was posted, False when a page was
    only opened. `form_input` goes along to the next form.

    The visitor may be somebody else, so the page reveals nothing of the earlier attempt, neither its details nor its
    state.
    """
    # The same link as for a click on the time: it is checked to be free, and then gets a draft with a key of its own.
    new_booking_url = visit.links.service_url(
        "contact",
        terms.service,
        choices_for_day(visit.with_choices(choices), terms),
        start=format_start(terms.start),
        end=format_start(terms.end),
    )
    texts = (
        409,
        _("This time was already requested from this page"),
        _("Nothing new was booked and nothing was changed. Everything you typed is kept.")
        if form_input and is_carried(visit.account.name, form_input, visit.now.timestamp())
        else _("Nothing new was booked and nothing was changed."),
    )
    ways: dict[str, Any] = {
        "main_link": (new_booking_url, _("Book this time for someone else")),
        "secondary_link": (visit.links.url("manage-find"), _("Find that booking")),
        "form_input": form_input,
        "step": Step.CONTACT,
        # From the terms in the visitor's own URL.
        "summary": terms_summary(visit, terms, find_service(visit, terms.service), with_offer=False),
    }
    if sent:
        return Problem("create_different_request", *texts, **ways)
    return Problem("already_requested", *texts, **ways)
