"""Reschedule pages: the slot page for the same service and length, then one confirmation."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Final

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from kordless_booking import exceptions
from kordless_booking.api.resources import Booking, ServiceDetail, Slot
from kordless_booking.api.times import is_same_length, is_same_time, round_to_second
from kordless_booking.booking import draft
from kordless_booking.booking.availability import slots_to_move_to, unique_lengths
from kordless_booking.booking.choices import Choices
from kordless_booking.booking.draft import Draft
from kordless_booking.booking.form_input import decrypt_form_input, encrypt_form_input, known_fields
from kordless_booking.booking.receipt import ManageLink
from kordless_booking.booking.terms import Terms
from kordless_booking.changes import BookingChange
from kordless_booking.forms import MAX_REASON
from kordless_booking.funnel.page_views import SEEN_HEADER
from kordless_booking.logs import log_event
from kordless_booking.presentation.texts import format_short
from kordless_booking.upstream import booking_cache
from kordless_booking.views.address_limits import Rejection
from kordless_booking.views.cells import format_start, parse_start, parse_time
from kordless_booking.views.contact_limits import take_contact_permits
from kordless_booking.views.decorators import VERSION_HEADER, widget_view
from kordless_booking.views.display import service_card
from kordless_booking.views.links import SeeOther
from kordless_booking.views.manage import (
    Done,
    ManagedBooking,
    change_failed_page,
    change_form_id,
    change_timeout,
    changing,
    check_change_limit,
    load_managed_booking,
    reason_form,
    refetch,
    too_late_page,
)
from kordless_booking.views.page import build_page
from kordless_booking.views.problems import Problem, log_problem
from kordless_booking.views.rendering import PageRenderer, render
from kordless_booking.views.request import WidgetRequest
from kordless_booking.views.slot_page import (
    AGE_NOTICE_SECONDS,
    SlotLinks,
    choices_for_return,
    describe_age,
    slot_context,
)
from kordless_booking.views.slot_reading import (
    SelectSlots,
    choices_for_day,
    free_slot,
    read_calendar_page,
    start_fetching_calendar_page,
    start_fetching_time,
)
from kordless_booking.views.steps import zone_context

log = logging.getLogger("kordless_booking.views")

_AGAIN: Final = "again"
"""Name in the query of a form that is sent to choose another time, not to reschedule."""


@widget_view("GET", no_store=True)
def slots(visit: WidgetRequest, token: str) -> HttpResponse:
    """Show the times that the booking can be moved to."""
    visit, managed = _load_movable(visit, token)
    if answer := too_late_page(visit, managed, "reschedule_refused"):
        return answer
    if visit.choices.requested_date() is None:
        # Begin where the booking is: whoever moves it most often stays near.
        terms = managed.link.build_terms(managed.booking, visit.choices.timezone or managed.timezone)
        visit = visit.with_choices(visit.choices.replace(day=choices_for_day(visit, terms).day))
    refused = parse_start(visit.request.GET.get("refused", ""))
    return _slots_page(
        visit, managed, taken=visit.request.GET.get("taken", ""), refused=refused, reason=_carried_reason(visit)
    )


def _slots_page(
    visit: WidgetRequest,
    managed: ManagedBooking,
    *,
    taken: str,
    refused: datetime | None,
    reason: str,
    status: int = 200,
) -> HttpResponse:
    """Return the page with the times that the booking can be moved to.

    `taken` is the reason why the visitor was sent back, or "". `refused` is the start that Kordless didn't accept.
    `reason` is what the visitor has typed as theirs, which goes along with each link.
    """
    token = managed.token
    typed = _reason_token(visit, reason)
    start_fetching_calendar_page(visit, managed.booking.service_slug or "")
    with _explaining_removed_service(visit, managed):
        detail = _detail(visit, managed)
        near = refused if taken else None
        read = read_calendar_page(visit, detail, select=_movable_slots(managed, refused), keep_provider=True, near=near)
        notice_text = _taken_notice(visit, detail, taken, refused, others_free=read.view.day is not None)
    choices = _url_choices(managed, visit.choices)

    def here(choices: Choices) -> str:
        # Without the refused time on each of them: the script compares them with what is shown.
        refused_start = format_start(refused) if refused else None
        return visit.links.url(
            "reschedule", token, choices=_url_choices(managed, choices), refused=refused_start, reason=typed
        )

    start = visit.links.url("reschedule-confirm", token, choices=choices.replace(month=None, day=None), reason=typed)
    links = SlotLinks(
        here=here,
        form=visit.links.url("reschedule", token, choices=Choices()),
        hidden=lambda choices: _url_choices(managed, choices).query_items(),
        time=f"{start}{'&' if '?' in start else '?'}start=",
        zone=visit.links.url(
            "reschedule-zone",
            token,
            choices=_url_choices(managed, choices_for_return(read.view)),
            **_carried_query(taken, refused, typed),
        ),
    )
    # The script reports the visitor's zone where nobody knows it, as on the page of a new booking.
    is_visitors = managed.visitor_timezone is not None
    page = build_page(
        visit.with_choices(choices), _("Choose a new time"), autozone=not is_visitors, self_url=here(visit.choices)
    )
    provider_note = _provider_note(managed.link, read.cached.value)
    renderer = PageRenderer(visit, page)
    context = slot_context(
        visit,
        read.view,
        links,
        renderer,
        clocks=read.clocks,
        age_notice=describe_age(visit, read.cached, min_age_seconds=AGE_NOTICE_SECONDS),
        is_visitors_zone=is_visitors,
        booked=managed.booking.start.astimezone(read.view.zone).date(),
    ) | {
        # A booking keeps its host, team and party size.
        "hosts": [],
        "host_select": None,
        "party": None,
        "service": service_card(
            detail.service,
            visit.language,
            party=visit.choices.party_size,
            price_per=visit.account.price_per,
            lengths=[managed.booking.end - managed.booking.start],
            calendar=detail.calendar,
        ),
        "back": dict(zip(("url", "label"), managed.back_link(visit), strict=True)),
        "rescheduling": {
            "number": managed.booking.confirmation_number,
            # In short, and on the clock of the calendar below.
            "old_when": format_short(
                managed.booking.start, managed.booking.end, read.view.zone.key, visit.language, visit.choices.hours
            ),
            "host": "" if provider_note else managed.view(visit).host,
            "provider_note": provider_note,
        },
        "taken": notice_text,
        "unavailable": "",
    }
    if read.view.largest_party is not None:
        # A booking keeps its party, so there is no way to a smaller one.
        context["empty"] |= {"url": "", "label": ""}
    elif context["empty"] and _has_other_length(managed, read.cached.value):
        if context["empty"]["url"]:  # there are other months, or later ones that weren't looked at
            limit = _("Only times that are as long as your booking were looked at.")
            text = f"{context['empty']['text']} {limit}"
        else:
            text = _("There are no free times that are as long as your booking.")
        context["empty"] |= {"text": text}
    response = renderer.render("kordless_booking/steps/slot.html", context, status)
    response[VERSION_HEADER] = context["watch"]["version"]
    return response


@widget_view("GET", no_store=True)
def zone(visit: WidgetRequest, token: str) -> HttpResponse:
    """Show the likely time zones and those of all continents, with a search."""
    # The page shows nothing of the booking but perhaps its zone.
    managed = load_managed_booking(visit, token, max_age_seconds=booking_cache.POLL_SECONDS)

    query = visit.request.GET
    carried = _carried_query(
        query.get("taken", ""),
        parse_start(query.get("refused", "")),
        _reason_token(visit, _carried_reason(visit)),
    )

    def back(choices: Choices) -> str:
        return visit.links.url("reschedule", token, choices=choices, **carried)

    def here(choices: Choices) -> str:
        return visit.links.url("reschedule-zone", token, choices=choices, **carried)

    page = build_page(visit, pgettext("label", "Time zone"))
    renderer = PageRenderer(visit, page)
    context = zone_context(visit, renderer, managed.timezone, None, here, back, carried)
    return renderer.render("kordless_booking/steps/zone.html", context)


@widget_view("GET", "POST", no_store=True)
def confirm(visit: WidgetRequest, token: str) -> HttpResponse:
    """Show the old and the new time once for confirmation, then move the booking."""
    visit, managed = _load_movable(visit, token)
    if answer := too_late_page(visit, managed, "reschedule_refused"):
        return answer
    if visit.request.method == "POST":
        # The service isn't loaded, because moving doesn't need it: one request less that can fail.
        return _move(visit, managed)
    start, end = parse_time(visit.request.GET)
    if start:
        start_fetching_time(visit, managed.booking.service_slug or "", start)
    with _explaining_removed_service(visit, managed):
        detail = _detail(visit, managed)
        moment = free_slot(visit, detail, start, end, select=_movable_slots(managed)) if start else None
    if moment is None:
        reason = _reason(managed, start, end) if start else None
        return SeeOther(
            visit.links.url(
                "reschedule",
                token,
                choices=_url_choices(managed, visit.choices),
                taken=reason,
                reason=_reason_token(visit, _carried_reason(visit)),
            )
        )
    terms = Terms.from_available_time(
        moment, service=detail.service.slug, timezone=managed.timezone, party_size=managed.link.party_size
    )
    return _confirm_page(visit, managed, Draft(terms=terms, issued_at=visit.now.timestamp()))


def _confirm_page(
    visit: WidgetRequest, managed: ManagedBooking, chosen: Draft, problem: str = "", *, status: int | None = None
) -> HttpResponse:
    token = managed.token
    context = {
        "booking": managed.view(visit),
        "new": managed.display_times(visit, chosen.terms.start, chosen.terms.end),
        "action": visit.links.url(
            "reschedule-confirm",
            token,
            choices=managed.carried_choices(visit),
            start=format_start(chosen.terms.start),
            end=format_start(chosen.terms.end),
        ),
        # Signed, so that only a time that was offered can be sent.
        "hidden": [("draft", draft.sign(chosen, _purpose(visit, managed))), managed.shown_field(visit)],
        "back": dict(zip(("url", "label"), managed.back_link(visit), strict=True)),
        "back_url": visit.links.url("reschedule", token, choices=_url_choices(managed, visit.choices)),
        "problem": problem,
        "form": reason_form(visit, _carried_reason(visit)),
        "form_id": change_form_id(visit),
    }
    # A button of the form, which posts what was typed so far.
    context["again_url"] = f"{context['action']}&{_AGAIN}=1"
    page = build_page(visit.with_choices(_url_choices(managed, visit.choices)), _("Reschedule your booking?"))
    status = status or (503 if problem else 200)
    return render(visit, "kordless_booking/manage/reschedule_confirm.html", page, context, status)


def _move(visit: WidgetRequest, managed: ManagedBooking) -> HttpResponse:
    form = reason_form(visit)
    reason = _typed_reason(visit)
    again = visit.links.url(
        "reschedule",
        managed.token,
        choices=visit.choices.appearance().replace(timezone=managed.visitor_timezone),
        reason=_reason_token(visit, reason),
    )
    if _AGAIN in visit.request.GET:
        return SeeOther(again)
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
    if _is_at(managed.booking, chosen.terms.start, chosen.terms.end) and is_same_time(shown, chosen.terms.start):
        # It was there already when the question was asked, so nobody has moved it.
        return SeeOther(
            visit.links.url(
                "reschedule",
                managed.token,
                choices=_url_choices(managed, visit.choices),
                taken="own",
                reason=_reason_token(visit, reason),
            )
        )
    # Else the same form was sent twice, and the first one has moved it.
    if not _is_at(managed.booking, chosen.terms.start, chosen.terms.end):
        # The question was about another time. To answer it now would move a booking that was moved on purpose.
        if not is_same_time(managed.booking.start, shown):
            raise _moved_since(visit, managed)
        if form is not None and not form.is_valid():
            return _confirm_page(visit, managed, chosen, status=422)
        reason = form.text() if form else ""
        check_change_limit(visit, managed)
        permits = take_contact_permits(visit, managed.contacts)
        if permits.rejection:
            raise _too_many_moves(visit, managed, permits.rejection)
        try:
            with changing(visit, managed, BookingChange.RESCHEDULED, reason):
                visit.client.reschedule(
                    managed.link.number,
                    managed.link.contact,
                    start=chosen.terms.start,
                    end=chosen.terms.end,
                    timezone=chosen.terms.timezone,
                    seconds=change_timeout(visit),
                )
        except exceptions.NotSent as error:
            permits.release()
            return change_failed_page(
                visit, "reschedule_not_sent", error, lambda text: _confirm_page(visit, managed, chosen, text)
            )
        except (
            exceptions.OutcomeUnknown,
            exceptions.Refused,
            exceptions.SlotTaken,
            exceptions.BadRequest,
        ) as error:
            if not isinstance(error, exceptions.OutcomeUnknown):
                permits.release()
            if refused := _resolve_failed_move(visit, managed, chosen, error):
                return refused
        # To the second, as the webhook about it is read: else it would be published twice.
        start, end = round_to_second(chosen.terms.start), round_to_second(chosen.terms.end)
        managed.publish_change(visit, BookingChange.RESCHEDULED, reason, start=start, end=end)
        visit.catalog.invalidate_slots(chosen.terms.service)
        log_event(log, logging.INFO, "booking_rescheduled")
    return SeeOther(managed.done_url(visit, Done.MOVED, chosen.terms.start))


def _too_many_moves(visit: WidgetRequest, managed: ManagedBooking, rejection: Rejection) -> Problem:
    """Build the 429 for a contact who has booked or moved too often. Canceling stays possible."""
    # Its text stands whole: it says whose limit that is, and how else to move.
    return Problem(
        "throttled",
        429,
        _("Too many attempts"),
        rejection,
        main_link=managed.back_link(visit),
        retry_after=rejection.seconds,
        tells_wait=True,
    )


def _moved_since(visit: WidgetRequest, managed: ManagedBooking) -> Problem:
    """Build the problem for a form whose booking has moved since the form was shown."""
    when = managed.display_times(visit, managed.booking.start, managed.booking.end).line
    return Problem(
        "reschedule_impossible",
        409,
        _("Your booking was rescheduled in the meantime"),
        _("Nothing was changed just now. Your booking is at this time: %(when)s") % {"when": when},
        main_link=managed.back_link(visit),
        secondary_link=(
            visit.links.url(
                "reschedule",
                managed.token,
                choices=managed.carried_choices(visit),
                reason=_reason_token(visit, _typed_reason(visit)),
            ),
            _("Choose another time"),
        ),
    )


def _movable_slots(managed: ManagedBooking, refused: datetime | None = None) -> SelectSlots:
    """Return the function that chooses the slots that the booking may move to."""
    return partial(slots_to_move_to, start=managed.booking.start, end=managed.booking.end, refused=refused)


def _is_at(booking: Booking, start: datetime, end: datetime) -> bool:
    return is_same_time(booking.start, start) and is_same_time(booking.end, end)


def _has_other_length(managed: ManagedBooking, slots: tuple[Slot, ...]) -> bool:
    own = managed.booking.end - managed.booking.start
    return any(not is_same_length(length, own) for length in unique_lengths(slots))


def _reason(managed: ManagedBooking, start: datetime, end: datetime | None) -> str:
    """Return the value of "taken" for a time that isn't offered: "own" for the booking's own, "1" for any other."""
    return "own" if _is_at(managed.booking, start, end or managed.booking.end) else "1"


def _taken_notice(
    visit: WidgetRequest,
    detail: ServiceDetail,
    reason: str,
    refused: datetime | None,
    *,
    others_free: bool,
) -> str:
    """Return the notice for a visitor who was sent back to the times; "" for one who wasn't.

    `refused` is the start that Kordless didn't accept. While Kordless goes on listing it, nobody else has taken it.
    """
    match reason:
        case "own":
            return _("Your booking is already at this time. Please choose another one.")
        case "1" if refused is None or free_slot(visit, detail, refused) is None:
            if not others_free:
                return _("That time was just taken.")
            return _("That time was just taken. Here are the times that are still free.")
        case "1" | "refused":
            return _(
                "The booking system didn’t accept that time for your booking. Perhaps it was just taken, there "
                "aren’t enough spots, or the person you booked with isn’t free then. Please choose another one."
            )
    return ""


def _carried_query(taken: str, refused: datetime | None, typed: str | None) -> dict[str, str]:
    """Return what the page of time zones carries besides the choices. `typed` is the encrypted reason, if any."""
    found = {
        "taken": taken if taken in {"own", "1", "refused"} else "",
        "refused": format_start(refused) if refused else "",
        "reason": typed or "",
    }
    return {name: text for name, text in found.items() if text}


def _url_choices(managed: ManagedBooking, choices: Choices) -> Choices:
    """Return the choices for a URL, without host, team and party size, which the token has already.

    Without the booking's zone too, where nobody knows the visitor's: the next page would take it for a choice.
    """
    known = managed.visitor_timezone is not None
    timezone = choices.timezone if known else None
    return choices.replace(host_id=None, team_id=None, party_size=1, timezone=timezone)


def _provider_note(link: ManageLink, slots: tuple[Slot, ...]) -> str:
    """Return whose times are shown, or that nobody knows whom the booking is with; "" when there is only one."""
    if len({(slot.host, slot.team) for slot in slots}) < 2:
        return ""
    if link.host_id:
        name = next((slot.host.name for slot in slots if slot.host and slot.host.id == link.host_id), None)
        name = name or link.host_name
        return _("These are the times with %(name)s.") % {"name": name} if name else ""
    if not link.team_id:
        if not any(slot.host for slot in slots):
            return _(
                "We can’t tell from here which team you booked with. Your booking stays with the same team, which "
                "may not be free at all of these times."
            )
        return _(
            "We can’t tell from here who you booked with. Your booking stays with the same person, who may not be "
            "free at all of these times."
        )
    team = [slot for slot in slots if slot.team and slot.team.id == link.team_id]
    name = next((slot.team.name for slot in team if slot.team), None) or link.team_name
    if not name:
        return ""
    if len({slot.host for slot in team}) < 2:
        return _("These are the times with %(name)s.") % {"name": name}
    return _(
        "These are the times with %(name)s. Your booking stays with the same person, "
        "who may not be free at all of these times."
    ) % {"name": name}


def _detail(visit: WidgetRequest, managed: ManagedBooking) -> ServiceDetail:
    """Return the booking's service. Raises NotFound when it was removed, or isn't public anymore."""
    return visit.bookable_service(managed.booking.service_slug or "")


@contextmanager
def _explaining_removed_service(visit: WidgetRequest, managed: ManagedBooking) -> Iterator[None]:
    """Turn NotFound for the booking's service into a Problem that leads back to the booking."""
    try:
        yield
    except exceptions.NotFound as error:
        if error.operation == "organization":
            raise
        raise _service_removed(visit, managed, error) from None


def _service_removed(
    visit: WidgetRequest, managed: ManagedBooking, error: exceptions.KordlessError | None = None
) -> Problem:
    """Build the 404 for a booking whose service has no times anymore that it could move to."""
    return Problem(
        "service_not_found",
        404,
        _("This service isn’t available"),
        _("Your booking is unchanged, but it can’t be rescheduled online anymore. Please contact us directly."),
        main_link=managed.back_link(visit),
        error=error,
    )


def _load_movable(visit: WidgetRequest, token: str) -> tuple[WidgetRequest, ManagedBooking]:
    """Return a booking that can move, and the request with the booking's own choices. Raises Problem when it can't."""
    # An open page asks every half minute whether the times have changed. It has shown the booking itself already.
    is_poll = SEEN_HEADER in visit.request.META
    max_age_seconds = booking_cache.POLL_SECONDS if is_poll else booking_cache.VIEW_SECONDS
    managed = load_managed_booking(visit, token, max_age_seconds=max_age_seconds)
    if managed.booking.status == "canceled" or managed.booking.start <= visit.now:
        raise Problem(
            "reschedule_impossible",
            409,
            _("This booking can’t be rescheduled"),
            _("It has been canceled or has already begun. You are welcome to book a new time."),
            main_link=managed.back_link(visit),
        )
    if not managed.booking.service_slug:
        raise _service_removed(visit, managed)
    return visit.with_choices(_booking_choices(visit.choices, managed)), managed


def _booking_choices(choices: Choices, managed: ManagedBooking) -> Choices:
    """Return the choices with the booking's host, team and party size, which it keeps, as far as its link has them."""
    return choices.replace(
        timezone=choices.timezone or managed.timezone,
        host_id=managed.link.host_id,
        # Where the host is known the team adds nothing: the same person may also have times in another team.
        team_id=None if managed.link.host_id else managed.link.team_id,
        party_size=managed.link.party_size,
    )


def _resolve_failed_move(
    visit: WidgetRequest, managed: ManagedBooking, chosen: Draft, error: exceptions.KordlessError
) -> HttpResponse | None:
    """Handle a lost response or a refusal of a move.

    Looks the booking up, so that the page says what is true. None when it has moved after all.
    """
    found = refetch(visit, managed)
    if found is not None and _is_at(found, chosen.terms.start, chosen.terms.end):
        return None
    # The cached slots offered a time that Kordless doesn't give.
    visit.catalog.invalidate_slots(chosen.terms.service)
    choices = visit.choices.appearance().replace(
        timezone=managed.visitor_timezone, day=choices_for_day(visit, chosen.terms).day
    )
    others = partial(
        visit.links.url,
        "reschedule",
        managed.token,
        choices=choices,
        # Should Kordless go on listing it, the page leaves it out.
        refused=format_start(chosen.terms.start),
        reason=_reason_token(visit, _typed_reason(visit)),
    )
    if isinstance(error, exceptions.SlotTaken):
        log_problem(visit, "slot_conflict", level=logging.INFO, status=409, error=error)
        try:
            return _slots_page(
                visit.with_choices(_booking_choices(choices, managed)),
                managed,
                taken="1",
                refused=chosen.terms.start,
                reason=_typed_reason(visit),
                status=409,
            )
        except exceptions.Unavailable:
            # The next request has its own time to wait for Kordless.
            return SeeOther(others(taken="1"))
    if found is None or isinstance(error, exceptions.OutcomeUnknown):
        text = _(
            "We couldn’t confirm that your booking has been rescheduled. Please check it again in a minute. You can "
            "also send this again; it does no harm."
        )
        return change_failed_page(
            visit, "reschedule_unknown", error, lambda _default: _confirm_page(visit, managed, chosen, text)
        )
    raise Problem(
        "reschedule_refused",
        422,
        _("This booking can’t be rescheduled to that time"),
        _(
            "It may be too late to change it, or the person you booked with isn’t free then. Please choose another "
            "time, or contact us directly. Your booking is unchanged."
        ),
        main_link=managed.back_link(visit),
        secondary_link=(others(taken="refused"), _("Choose another time")),
        error=error,
    ) from None


def _typed_reason(visit: WidgetRequest) -> str:
    """Return the reason that was posted, as far as its field takes it; "" while none is asked for."""
    if not visit.account.ask_reason:
        return ""
    return known_fields(visit.request.POST, {"reason": MAX_REASON}).get("reason", "")


def _reason_token(visit: WidgetRequest, reason: str) -> str | None:
    """Return the reason encrypted, for the URLs from a form to the next one; None when there is none.

    These URLs have the booking's token, too: whoever has one of them can read more than a reason.
    """
    return encrypt_form_input(visit.account.name, {"reason": reason}) if reason else None


def _carried_reason(visit: WidgetRequest) -> str:
    """Return the reason that was typed into an earlier form; "" for none, and while none is asked for."""
    token = visit.request.GET.get("reason") if visit.account.ask_reason else None
    if not token:
        return ""
    limits = {"reason": MAX_REASON}
    return decrypt_form_input(visit.account.name, token, visit.now.timestamp(), limits).get("reason", "")


def _purpose(visit: WidgetRequest, managed: ManagedBooking) -> str:
    """Return the signing purpose of a draft. It names the booking, so that a time chosen for one can't move another."""
    return f"{visit.account.name}:reschedule:{managed.link.number}"
