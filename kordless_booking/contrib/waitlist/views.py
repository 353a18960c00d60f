"""Pages of the waitlist: the form, and the page of one entry, on which it can be stopped."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.db import DatabaseError
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from kordless_booking.api.resources import ServiceDetail, Slot
from kordless_booking.booking.availability import PAGE, calendar_pages
from kordless_booking.booking.choices import provider_value
from kordless_booking.booking.hashes import contact_hash
from kordless_booking.booking.requested_days import RequestedDays
from kordless_booking.contrib.waitlist.entries import (
    DAYS,
    EntryData,
    TooManyEntries,
    add_entry,
    count_entries,
    end_entry,
    find_channels,
    find_entry,
    is_message_code,
)
from kordless_booking.contrib.waitlist.forms import WaitlistForm
from kordless_booking.contrib.waitlist.matching import PARTS, fitting_times
from kordless_booking.contrib.waitlist.message import contact_link
from kordless_booking.contrib.waitlist.models import WaitlistEntry
from kordless_booking.exceptions import KordlessError, NotFound
from kordless_booking.mail.short_link import CODE_LENGTH, generate_code
from kordless_booking.presentation import formatting, timezones
from kordless_booking.presentation.clocks import place_clock
from kordless_booking.presentation.locales import best_supported_language
from kordless_booking.presentation.texts import mask_contact, party_text
from kordless_booking.upstream.phone_region import phone_region
from kordless_booking.upstream.window import Days, bookable_days
from kordless_booking.views.abuse import HONEYPOT, reject_reason
from kordless_booking.views.address_limits import Rejection, build_rejection, take_client_permits
from kordless_booking.views.client_address import Bucket
from kordless_booking.views.decorators import widget_view
from kordless_booking.views.display import display_times
from kordless_booking.views.links import SeeOther
from kordless_booking.views.page import build_page
from kordless_booking.views.problems import log_problem, not_found, support_contacts, throttled
from kordless_booking.views.rendering import render
from kordless_booking.views.request import FORM_INPUT_FIELD, WidgetRequest
from kordless_booking.views.retry_after import set_retry_after
from kordless_booking.views.slot_page import carried_query, part_label, provider_choices
from kordless_booking.views.slot_reading import read_calendar_page, read_clocks
from kordless_booking.views.summary import find_service
from kordless_booking.views.throttle import PermitKeys, take_use

log = logging.getLogger("kordless_booking.waitlist")

FORMS_PER_CONTACT: Final = 10
"""Entries of one contact in a day, also those that were stopped meanwhile: so much can be corrected."""
_DAY_SECONDS: Final = 86400
_CODE_FIELD: Final = "code"
"""Hidden field with the code that the entry will have: the same form sent twice is one entry."""


@dataclass(frozen=True, kw_only=True)
class _Offer:
    """Choices of the form of a service."""

    service: str
    name: str
    zone: str
    today: date
    last: date
    """Last day that can be entered."""
    default: date
    """Last day of the page that the visitor came from."""
    providers: list[tuple[str, str]]
    detail: ServiceDetail | None = None
    window_days: int | None = None


@widget_view("GET", "POST", no_store=True)
def ask(visit: WidgetRequest, service: str) -> HttpResponse:
    """Show the form; when it is posted, store the entry, unless a time that fits is free.

    A POST without the form's own fields comes from a page that keeps what was typed for a booking: it only renders.
    """
    channels = find_channels(visit.account, service)
    if not channels:
        raise not_found()
    if visit.request.method == "POST" and "until" in visit.request.POST:
        return _submit(visit, service, channels)
    offer = _read_offer(visit, service)
    choices = visit.choices
    kept = visit.form_input
    initial = {
        "contact": next((kept[name] for name in channels if kept.get(name)), ""),
        "until": offer.default.isoformat(),
        "part": "",
        "provider": provider_value(host_id=choices.host_id, team_id=None if choices.host_id else choices.team_id),
    }
    form = WaitlistForm(None, initial=initial, **_options(visit, offer, channels))
    return _form_page(visit, offer, form)


def _submit(visit: WidgetRequest, service: str, channels: tuple[str, ...]) -> HttpResponse:
    failed: KordlessError | None = None
    try:
        offer = _read_offer(visit, service)
    except NotFound:
        raise
    except KordlessError as error:
        offer, failed = _unread_offer(visit, service), error
    form = WaitlistForm(visit.request.POST, **_options(visit, offer, channels))
    is_valid = form.is_valid()
    if failed is not None:
        return _failed_page(visit, offer, form, failed)
    if not is_valid:
        return _form_page(visit, offer, form, status=422)
    if rejection := reject_reason(visit, form):
        return _rejected_page(visit, offer, form, rejection)
    data = _entry_data(visit, offer, form)
    try:
        slots = _read_slots(visit, offer, data.until)
    except KordlessError as error:
        return _failed_page(visit, offer, form, error)
    if fitting := fitting_times(slots, data.preferences, visit.now):
        return _form_page(visit, offer, form, free=_free_now(visit, data, service, fitting[0].start), status=422)
    # After the rest, so that correcting a form costs nothing.
    if rejection := _take_contact_use(visit, data.contact):
        return _rejected_page(visit, offer, form, rejection)
    try:
        data = add_entry(visit.account.name, service, data, visit.now)
    except TooManyEntries:
        text = _(
            "There are already three requests with this contact. Please stop one of them, with the link in its message."
        )
        return _form_page(visit, offer, form, problem=text, status=422)
    except DatabaseError:
        log_problem(visit, "waitlist_not_written", level=logging.ERROR, status=503)
        return _form_page(visit, offer, form, problem=_unreachable(), status=503)
    visit.record_stage("waitlist", service)
    return SeeOther(visit.links.url("waitlist-entry", data.code, choices=visit.choices.appearance()))


def _read_offer(visit: WidgetRequest, service: str) -> _Offer:
    """Read the service and the page of times that the visitor came from. Raises KordlessError."""
    detail = visit.bookable_service(service)
    # With all that decides which page that is: without a chosen month it's the first one that has a free day.
    requested = RequestedDays.from_query(visit.query)
    read = read_calendar_page(visit, detail, keep_provider=True, requested=requested)
    window = bookable_days(detail.calendar.booking_window_days)
    offer = _dates(visit, detail.service.name, service, read.clocks.shown, window, page=read.view.start)
    return _Offer(
        **offer,
        providers=_with_chosen(visit, provider_choices(read.view)),
        detail=detail,
        window_days=window,
    )


def _unread_offer(visit: WidgetRequest, service: str) -> _Offer:
    """Return the offer while Kordless can't be asked: what was typed is all that is known."""
    detail = find_service(visit, service)
    zone = read_clocks(visit, detail).shown if detail else visit.choices.timezone or "UTC"
    offer = _dates(visit, detail.service.name if detail else "", service, zone, None)
    return _Offer(**offer, providers=_with_chosen(visit, []), detail=detail)


def _dates(
    visit: WidgetRequest, name: str, service: str, zone: str, window: int | None, *, page: date | None = None
) -> dict[str, Any]:
    """Return the fields of an offer that are made of dates. `page` is the first day of the page that was shown."""
    pages = calendar_pages(visit.now, timezones.get_timezone(zone), window, formatting.first_weekday(visit.language))
    last = min(pages.last, pages.today + timedelta(days=visit.account.extension_setting(DAYS)))
    shown = (page or pages.to_open(visit.choices)) + PAGE - timedelta(days=1)
    return {
        "service": service,
        "name": name,
        "zone": zone,
        "today": pages.today,
        "last": last,
        "default": min(shown, last),
    }


def _with_chosen(visit: WidgetRequest, providers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the hosts and teams to choose from, with the one that was chosen, though it may have no time."""
    choices, posted = visit.choices, visit.request.POST.get("provider", "")
    chosen = provider_value(host_id=choices.host_id, team_id=None if choices.host_id else choices.team_id)
    wanted = [value for value in dict.fromkeys((chosen, posted[:300])) if value]
    unknown = [value for value in wanted if value not in dict(providers) and value.startswith(("host:", "team:"))]
    if unknown and not providers:
        providers = [("", pgettext("label", "Anyone"))]
    return [*providers, *((value, _("The person you chose")) for value in unknown)]


def _options(visit: WidgetRequest, offer: _Offer, channels: tuple[str, ...]) -> dict[str, Any]:
    return {
        "channels": channels,
        "first": offer.today,
        "last": offer.last,
        "providers": offer.providers,
        "region": phone_region(visit.account, offer.detail.calendar.timezone if offer.detail else None),
    }


def _read_slots(visit: WidgetRequest, offer: _Offer, until: date) -> tuple[Slot, ...]:
    """Return all slots until the latest date. Raises KordlessError."""
    days = Days(offer.today, until)
    return visit.catalog.slots(offer.service, days, window_days=offer.window_days).value


def _entry_data(visit: WidgetRequest, offer: _Offer, form: WaitlistForm) -> EntryData:
    given, provider = form.cleaned_data, form.chosen_provider()
    code = visit.request.POST.get(_CODE_FIELD, "")
    names = dict(offer.providers)
    value = provider_value(host_id=provider.host_id, team_id=provider.team_id)
    return EntryData(
        contact=given["contact"],
        until=given["until"],
        part=given["part"],
        zone=offer.zone,
        timezone=visit.choices.timezone,
        language=visit.language,
        hours=visit.choices.hours,
        # One of our own making; with another one nobody would find the entry.
        code=code if len(code) == CODE_LENGTH and code.isascii() and code.isalnum() else generate_code(),
        host_id=provider.host_id,
        team_id=provider.team_id,
        provider_name=names.get(value, "") if value else "",
        party_size=visit.choices.party_size,
    )


def _take_contact_use(visit: WidgetRequest, contact: str) -> Rejection | None:
    """Count one form of this contact. Return the reason to reject it, or None."""
    keys = [PermitKeys.build(f"{visit.account.name}\0waitlist", Bucket(contact_hash(contact)), FORMS_PER_CONTACT)]
    cache = visit.access.cache.throttle_view()
    use = take_use(cache, keys, seconds=_DAY_SECONDS, now=visit.now.timestamp())
    return build_rejection("waitlist", use.seconds) if use.seconds else None


def _free_now(visit: WidgetRequest, data: EntryData, service: str, start: Any) -> dict[str, str]:
    """Return the notice that a time which fits is free already, with the link to the times of its day."""
    local = start.astimezone(timezones.get_timezone(data.zone))
    choices = visit.choices.replace(
        host_id=data.host_id, team_id=data.team_id, month=None, day=local.date(), timezone=visit.choices.timezone
    )
    when = formatting.date_and_time(local, visit.language, visit.choices.hours)
    return {
        # Translators: %(when)s is such as "Monday, December 7, 2026, 10:00 AM".
        "text": _("A time like this is free right now: %(when)s.") % {"when": when},
        "hint": _("If none of them suits you, ask for an earlier date or another time of day below."),
        "url": visit.links.service_url("slots", service, choices),
        "label": pgettext("button", "Show the free times"),
    }


def _unreachable() -> str:
    return _("We can’t reach the booking system right now. Please try again in a moment.")


def _failed_page(visit: WidgetRequest, offer: _Offer, form: WaitlistForm, error: KordlessError) -> HttpResponse:
    log_problem(visit, "waitlist_not_checked", level=logging.ERROR, status=503, error=error)
    response = _form_page(visit, offer, form, problem=_unreachable(), status=503)
    return set_retry_after(response, error.retry_after)


def _rejected_page(visit: WidgetRequest, offer: _Offer, form: WaitlistForm, rejection: Rejection) -> HttpResponse:
    response = _form_page(visit, offer, form, problem=rejection, status=429 if rejection.seconds else 422)
    return set_retry_after(response, rejection.seconds) if rejection.seconds else response


def _form_page(
    visit: WidgetRequest,
    offer: _Offer,
    form: WaitlistForm,
    *,
    problem: str = "",
    free: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    carried = carried_query(visit)
    action = visit.links.url("waitlist-ask", offer.service, choices=visit.choices, **carried)
    code = visit.request.POST.get(_CODE_FIELD, "") or generate_code()
    hidden = [(_CODE_FIELD, code[:CODE_LENGTH])]
    if visit.form_input_token and not form.is_bound:
        # What was typed for a booking, for the way back.
        hidden.append((FORM_INPUT_FIELD, visit.form_input_token))
    elif form.is_bound and (token := visit.request.POST.get(FORM_INPUT_FIELD)):
        hidden.append((FORM_INPUT_FIELD, token))
    context: dict[str, Any] = {
        "form": form,
        "action": action,
        "hidden": hidden,
        "errors": form.errors,
        "problem": problem,
        "free": free,
        "support": support_contacts(visit) if status in {429, 503} else None,
        "service_name": offer.name,
        "party": party_text(visit.choices.party_size),
        "honeypot": HONEYPOT,
        "honeypot_filled": bool(visit.request.POST.get(HONEYPOT)) if form.is_bound else False,
        "back": {
            "url": visit.links.service_url("slots", offer.service, visit.choices, **carried),
            "label": _("Back to the times"),
            "carry": True,
        },
    }
    page = build_page(
        visit,
        _("Tell me when a time is free"),
        address=action,
        form_input_token=visit.form_input_token if visit.request.POST.get(FORM_INPUT_FIELD) else "",
    )
    return render(visit, "kordless_waitlist/ask.html", page, context, status, no_store=True)


@widget_view("GET", "POST", no_store=True, any_origin=True)
def entry(visit: WidgetRequest, code: str) -> HttpResponse:
    """Show an entry, to whoever has the link; a POST ends it.

    From any origin: mail programs send the POST that the header List-Unsubscribe-Post names (RFC 8058), and whoever
    knows the code may end the entry. All entries of the contact are the business of who has the link of a message.
    """
    # Taken before the database is asked, so that parallel guesses count too. A right code costs nothing.
    guess = take_client_permits(visit, "short_link")
    if guess.seconds:
        here = (visit.request.path, pgettext("button", "Try again"))
        raise throttled(build_rejection("short_link", guess.seconds), guess.seconds, main_link=here)
    is_all, is_contact = False, is_message_code(code)
    try:
        found = find_entry(visit.account.name, code)
        if found is not None and visit.request.method == "POST":
            posted = visit.request.POST
            # Mail programs end all: whoever presses their button wants no more mail.
            is_all = is_contact and (bool(posted.get("all")) or posted.get("List-Unsubscribe") == "One-Click")
            end_entry(visit.account.name, code, visit.now, all_of_contact=is_all)
        others = count_entries(visit.account.name, found[1].contact, visit.now) if found and is_contact else 0
    except DatabaseError:
        guess.release()
        raise
    if found is not None:
        guess.release()
    if found is None or visit.request.method == "POST":
        return _ended_page(visit, is_done=visit.request.method == "POST", is_all=is_all)
    row, data = found
    language = best_supported_language(data.language)
    if not visit.choices.lang and language and language != visit.language:
        # The short link of a text message doesn't say it.
        choices = visit.choices.appearance().replace(lang=language, hours=visit.choices.hours or data.hours)
        return SeeOther(visit.links.url("waitlist-entry", code, choices=choices))
    return _entry_page(visit, code, row, data, others)


def _entry_page(visit: WidgetRequest, code: str, row: WaitlistEntry, data: EntryData, entries: int) -> HttpResponse:
    detail = find_service(visit, row.service)
    is_over = row.expires_at <= visit.now
    offered = None
    if row.offered_start and row.offered_end and row.offered_start > visit.now:
        place = place_clock(detail.calendar.location, detail.calendar.timezone) if detail else None
        name, slug, query = contact_link(data, row.service, row.offered_start, row.offered_end)
        choices = visit.choices.appearance().replace(
            timezone=data.timezone, host_id=data.host_id, team_id=data.team_id, party_size=data.party_size
        )
        offered = {
            "clocks": display_times(
                visit,
                row.offered_start,
                row.offered_end,
                data.timezone or data.zone,
                place,
                is_visitors=data.timezone is not None,
            ),
            "url": visit.links.url(name, slug, choices=choices, start=query["start"], end=query["end"]),
        }
    days = visit.choices.appearance().replace(
        timezone=data.timezone, host_id=data.host_id, team_id=data.team_id, party_size=data.party_size
    )
    title = _("This request is over") if is_over else _("A time is free") if offered else _("You’re on the list")
    context: dict[str, Any] = {
        "title": title,
        "is_over": is_over,
        # Isolated: in a right-to-left sentence its dots would change sides.
        "lead": _(
            "We’ll write to %(contact)s when a time that suits you becomes free, once a day at most. First come, first "
            "served: the message doesn’t hold the time for you."
        )
        % {"contact": f"\u2068{mask_contact(data.contact)}\u2069"},
        "service": detail.service.name if detail else row.service,
        "until": formatting.full_date(data.until, visit.language),
        "part": part_label(next(part for part in PARTS if part == data.part)) if data.part else "",
        "host": data.provider_name,
        "party": party_text(data.party_size),
        "offered": offered,
        "times_url": visit.links.service_url("slots", row.service, days),
        "action": visit.links.url("waitlist-entry", code),
        "has_others": entries > 1,
    }
    return render(visit, "kordless_waitlist/entry.html", build_page(visit, title), context, no_store=True)


def _ended_page(visit: WidgetRequest, *, is_done: bool, is_all: bool) -> HttpResponse:
    """Say that no message will come; 404 for a link that leads to no entry, or to one that was ended before."""
    title = _("No more messages") if is_done else _("This link doesn’t work")
    context = {"title": title, "is_done": is_done, "is_all": is_all, "services_url": visit.links.services_url}
    page = build_page(visit, title)
    return render(visit, "kordless_waitlist/ended.html", page, context, 200 if is_done else 404, no_store=True)
