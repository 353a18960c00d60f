"""Reschedule pages: the slot page for the same service and length, then one confirmation."""

from __future__ import annotations

import logging

from django.http import HttpResponse
from django.utils.translation import gettext as _

from kordless_booking import exceptions
from kordless_booking.api.resources import ServiceDetail
from kordless_booking.booking import draft
from kordless_booking.booking.choices import Choices
from kordless_booking.booking.draft import Draft
from kordless_booking.booking.terms import Terms
from kordless_booking.changes import BookingChange, mark_change_in_progress
from kordless_booking.logs import log_event
from kordless_booking.views.cells import format_start, parse_start
from kordless_booking.views.decorators import VERSION_HEADER, widget_view
from kordless_booking.views.display import service_card
from kordless_booking.views.links import SeeOther
from kordless_booking.views.manage import (
    Done,
    ManagedBooking,
    change_failed_page,
    change_timeout,
    check_change_limit,
    load_managed_booking,
    refetch,
)
from kordless_booking.views.page import build_page
from kordless_booking.views.problems import Problem, log_problem
from kordless_booking.views.rendering import PageRenderer, render
from kordless_booking.views.request import WidgetRequest
from kordless_booking.views.slot_page import AGE_NOTICE_SECONDS, SlotLinks, age_notice, slot_context
from kordless_booking.views.slot_reading import free_slot, read_month, start_fetching_month, start_fetching_time
from kordless_booking.views.steps import zone_context

log = logging.getLogger("kordless_booking.views")


@widget_view("GET", no_store=True)
def slots(visit: WidgetRequest, token: str) -> HttpResponse:
    """Show the times that the booking can be moved to."""
    visit, managed = _load_movable(visit, token)
    return _slots_page(visit, managed, taken=bool(visit.request.GET.get("taken")))


def _slots_page(visit: WidgetRequest, managed: ManagedBooking, *, taken: bool, status: int = 200) -> HttpResponse:
    """Return the page with the times that the booking can be moved to. `taken`: the one that was chosen isn't free."""
    token = managed.token
    start_fetching_month(visit, managed.booking.service_slug or "")
    detail = _detail(visit, managed)
    choices = _url_choices(visit.choices)

    def here(choices: Choices) -> str:
        return visit.links.url("reschedule", token, choices=_url_choices(choices))

    start = visit.links.url("reschedule-confirm", token, choices=choices.replace(month=None, day=None))
    links = SlotLinks(
        here=here,
        form=visit.links.url("reschedule", token, choices=Choices()),
        hidden=lambda choices: _url_choices(choices).query_items(),
        time=f"{start}{'&' if '?' in start else '?'}start=",
        zone=visit.links.url("reschedule-zone", token, choices=choices),
    )
    page = build_page(visit, _("Choose a new time"))
    month = read_month(visit, detail)
    notice = age_notice(visit, month.cached, min_age_seconds=AGE_NOTICE_SECONDS)
    renderer = PageRenderer(visit, page)
    context = slot_context(visit, month.view, links, renderer, notice=notice) | {
        # A booking keeps its host and party size.
        "hosts": [],
        "party": None,
        "service": service_card(detail.service, visit.language),
        "back": {"url": managed.url(visit, "manage"), "label": _("Back to your booking")},
        "rescheduling": {
            "number": managed.booking.confirmation_number,
            "old_when": managed.display_times(visit, managed.booking.start, managed.booking.end).line,
        },
        "taken": _("That time was just taken. Here are the times that are still free.") if taken else "",
    }
    response = renderer.render("kordless_booking/steps/slot.html", context, status)
    response[VERSION_HEADER] = context["watch"]["version"]
    return response


@widget_view("GET", no_store=True)
def zone(visit: WidgetRequest, token: str) -> HttpResponse:
    """Show all time zones, with a search."""
    managed = load_managed_booking(visit, token)

    def back(choices: Choices) -> str:
        return visit.links.url("reschedule", token, choices=choices)

    page, action = build_page(visit, _("Time zone")), visit.links.url("reschedule-zone", token, choices=Choices())
    context = zone_context(visit, page, managed.timezone, action, back)
    return render(visit, "kordless_booking/steps/zone.html", page, context)


@widget_view("GET", "POST", no_store=True)
def confirm(visit: WidgetRequest, token: str) -> HttpResponse:
    """Show the old and the new time once for confirmation, then move the booking."""
    if visit.request.method == "POST":
        # The service isn't loaded, because moving doesn't need it: one request less that can fail.
        return _move(*_load_movable(visit, token))
    visit, managed = _load_movable(visit, token)
    start = parse_start(visit.request.GET.get("start", ""))
    if start:
        start_fetching_time(visit, managed.booking.service_slug or "", start)
    detail = _detail(visit, managed)
    moment = free_slot(visit, detail, start) if start else None
    if moment is None:
        again = visit.links.url("reschedule", token, choices=_url_choices(visit.choices), taken="1" if start else None)
        return SeeOther(again)
    terms = Terms.from_available_time(
        moment, service=detail.service.slug, timezone=managed.timezone, party_size=managed.link.party_size
    )
    return _confirm_page(visit, managed, Draft(terms=terms, issued_at=visit.now.timestamp()))


def _confirm_page(visit: WidgetRequest, managed: ManagedBooking, chosen: Draft, problem: str = "") -> HttpResponse:
    token = managed.token
    context = {
        "booking": managed.view(visit),
        "new": managed.display_times(visit, chosen.terms.start, chosen.terms.end),
        "action": visit.links.url(
            "reschedule-confirm", token, choices=visit.choices.appearance(), start=format_start(chosen.terms.start)
        ),
        # Signed, so that only a time that was offered can be sent.
        "hidden": [("draft", draft.sign(chosen, _purpose(visit, managed))), managed.shown_field(visit)],
        "back_url": visit.links.url("reschedule", token, choices=_url_choices(visit.choices)),
        "problem": problem,
    }
    page, status = build_page(visit, _("Reschedule")), 503 if problem else 200
    return render(visit, "kordless_booking/manage/reschedule_confirm.html", page, context, status)


def _move(visit: WidgetRequest, managed: ManagedBooking) -> HttpResponse:
    again = visit.links.url(
        "reschedule", managed.token, choices=visit.choices.appearance().replace(timezone=managed.timezone)
    )
    try:
        chosen = draft.unsign(
            visit.request.POST.get("draft", ""),
            _purpose(visit, managed),
            max_age=visit.account.draft_seconds,
            now=visit.now.timestamp(),
        )
    except draft.InvalidDraft:
        return SeeOther(again)
    shown = managed.shown_start(visit)
    if chosen.terms.start <= visit.now or shown is None:
        return SeeOther(again)
    # Equal: the same form was sent twice, and the first one has moved it.
    if managed.booking.start != chosen.terms.start:
        # The question was about another time. To answer it now would move a booking that was moved on purpose.
        if managed.booking.start != shown:
            raise _moved_since(visit, managed)
        check_change_limit(visit)
        # Before the request: Kordless's webhook may arrive before its response does.
        mark_change_in_progress(visit.access.cache, visit.account.name, managed.link.number)
        try:
            visit.client.reschedule(
                managed.link.number,
                managed.link.contact,
                start=chosen.terms.start,
                end=chosen.terms.end,
                timezone=chosen.terms.timezone,
                seconds=change_timeout(visit),
            )
        except exceptions.NotSent as error:
            return change_failed_page(
                visit, "reschedule_not_sent", error, lambda text: _confirm_page(visit, managed, chosen, text)
            )
        except (exceptions.OutcomeUnknown, exceptions.Refused, exceptions.SlotTaken) as error:
            if refused := _resolve_failed_move(visit, managed, chosen, error):
                return refused
        managed.publish_change(visit, BookingChange.RESCHEDULED, start=chosen.terms.start, end=chosen.terms.end)
    visit.catalog.invalidate_slots(chosen.terms.service)
    log_event(log, logging.INFO, "booking_rescheduled")
    return SeeOther(managed.done_url(visit, Done.MOVED, chosen.terms.start))


def _moved_since(visit: WidgetRequest, managed: ManagedBooking) -> Problem:
    """Build the problem for a form whose booking has moved since the form was shown."""
    when = managed.display_times(visit, managed.booking.start, managed.booking.end).line
    return Problem(
        "reschedule_impossible",
        409,
        _("Your booking was moved in the meantime"),
        _("Nothing was changed just now. Your booking is at this time: %(when)s") % {"when": when},
        main_link=(managed.url(visit, "manage"), _("Back to your booking")),
        secondary_link=(managed.url(visit, "reschedule"), _("Choose another time")),
    )


def _url_choices(choices: Choices) -> Choices:
    """Return the choices for a URL, without host and party size, which the token has already."""
    return choices.replace(host_id=None, party_size=1)


def _detail(visit: WidgetRequest, managed: ManagedBooking) -> ServiceDetail:
    """Return the booking's service. Raises NotFound when the service was removed."""
    return visit.catalog.service(managed.booking.service_slug or "").value


def _load_movable(visit: WidgetRequest, token: str) -> tuple[WidgetRequest, ManagedBooking]:
    """Return a booking that can move, and the request with the booking's own choices. Raises Problem when it can't."""
    managed = load_managed_booking(visit, token)
    if managed.booking.status == "canceled" or managed.booking.start <= visit.now or not managed.booking.service_slug:
        raise Problem(
            "reschedule_impossible",
            409,
            _("This booking can't be moved"),
            _("It has been canceled or has already begun. You are welcome to book a new time."),
        )
    return visit.with_choices(_booking_choices(visit.choices, managed)), managed


def _booking_choices(choices: Choices, managed: ManagedBooking) -> Choices:
    """Return the choices with the booking's host and party size, which it keeps, as far as its link has them."""
    return choices.replace(
        timezone=choices.timezone or managed.timezone,
        host_id=managed.link.host_id,
        party_size=managed.link.party_size,
    )


def _resolve_failed_move(
    visit: WidgetRequest, managed: ManagedBooking, chosen: Draft, error: exceptions.KordlessError
) -> HttpResponse | None:
    """Handle a lost response or a refusal of a move.

    Looks the booking up, so that the page says what is true. None when it has moved after all.
    """
    found = refetch(visit, managed)
    if found is not None and found.start == chosen.terms.start:
        return None
    # The cached slots offered a time that Kordless doesn't give.
    visit.catalog.invalidate_slots(chosen.terms.service)
    if isinstance(error, exceptions.SlotTaken):
        log_problem(visit, "slot_conflict", level=logging.INFO, status=409, error=error)
        choices = visit.choices.appearance().replace(timezone=managed.timezone)
        try:
            return _slots_page(visit.with_choices(_booking_choices(choices, managed)), managed, taken=True, status=409)
        except exceptions.Unavailable:
            # The next request has its own time to wait for Kordless.
            return SeeOther(visit.links.url("reschedule", managed.token, choices=choices, taken="1"))
    if found is None or isinstance(error, exceptions.OutcomeUnknown):
        text = _(
            "We couldn't confirm that your booking has moved. Please look at your booking again in a minute; "
            "you may also send this again, that does no harm."
        )
        return change_failed_page(
            visit, "reschedule_unknown", error, lambda _default: _confirm_page(visit, managed, chosen, text)
        )
    raise Problem(
        "reschedule_refused",
        422,
        _("This booking can't be moved to that time"),
        _(
            "It may be too late for that, or whom you booked with isn't free then. Please choose another time, "
            "or contact us directly. Your booking is unchanged."
        ),
        main_link=(managed.url(visit, "manage"), _("Back to your booking")),
        error=error,
    ) from None


def _purpose(visit: WidgetRequest, managed: ManagedBooking) -> str:
    """Return the signing purpose of a draft. It names the booking, so that a time chosen for one can't move another."""
    return f"{visit.account.name}:reschedule:{managed.link.number}"
