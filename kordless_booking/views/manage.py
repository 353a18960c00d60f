"""Manage pages: the customer finds a booking, sees it, and cancels it.

The booking may have been changed elsewhere, so a page shows it as Kordless had it ten seconds ago at most, and whatever
changes it asks Kordless live. When the response to a change is lost, the booking is looked up again, and the page says
what is true.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import product
from typing import Any, Final

import msgspec
from django.core import signing
from django.db import DatabaseError
from django.http import HttpResponse
from django.utils.http import escape_leading_slashes
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from kordless_booking import exceptions
from kordless_booking.api.deadline import deadline
from kordless_booking.api.resources import Booking, Contact, ServiceDetail
from kordless_booking.api.times import is_same_time, round_to_second
from kordless_booking.booking.choices import Choices
from kordless_booking.booking.receipt import ManageLink
from kordless_booking.booking.tokens import InvalidToken
from kordless_booking.changes import BookingChange, is_known_canceled, mark_change_in_progress, publish_change
from kordless_booking.forms import FindForm, ReasonForm, throttled_number
from kordless_booking.logs import log_event
from kordless_booking.mail.appointment_data import find_terms
from kordless_booking.mail.short_link import find_link
from kordless_booking.normalization import contact_spellings
from kordless_booking.presentation import calendar_event, timezones
from kordless_booking.presentation.locales import best_supported_language
from kordless_booking.presentation.texts import DisplayTimes, booking_location, booking_place_clock, change_deadline
from kordless_booking.upstream import booking_cache
from kordless_booking.upstream.phone_region import find_phone_region
from kordless_booking.upstream.requester import current_requester
from kordless_booking.views.address_limits import build_rejection, rate_limit, take_client_permits
from kordless_booking.views.book_again import book_again_link
from kordless_booking.views.cells import format_start, parse_start
from kordless_booking.views.decorators import widget_view
from kordless_booking.views.display import display_times
from kordless_booking.views.extensions import fill_slots
from kordless_booking.views.guesses import take_guess
from kordless_booking.views.invites import calendar_event_for, calendar_links, calendar_response
from kordless_booking.views.links import SeeOther
from kordless_booking.views.page import build_page, embed_event
from kordless_booking.views.problems import Problem, broken_link, log_problem, support_contacts, throttled
from kordless_booking.views.rendering import render
from kordless_booking.views.request import WidgetRequest
from kordless_booking.views.retry_after import set_retry_after
from kordless_booking.views.summary import BookingView, booking_view, find_service, is_changeable
from kordless_booking.views.throttle import Use

log = logging.getLogger("kordless_booking.views")

FOUND_LINK_SECONDS: Final = 2 * 3600
"""Seconds for which the link to a booking works that was found by number and contact. Links in mails work longer
(MANAGE_LINK_DAYS)."""


DONE_SECONDS: Final = 300
"""Seconds for which the booking's page says what was just done. Its URL may be reloaded, kept and passed on."""


class Done(StrEnum):
    """Change that was just made to a booking, for its page to say."""

    MOVED = "moved"
    CANCELED = "canceled"
    CANCELED_BEFORE = "canceled_before"
    """Somebody wanted to cancel it, and it was canceled already."""


@widget_view("GET", "POST", no_store=True)
def find(visit: WidgetRequest) -> HttpResponse:
    """Find a booking by confirmation number and contact.

    Whatever is wrong with them, the answer is the same, so that nobody can test which numbers or contacts exist.
    """
    if visit.request.method != "POST":
        return _find_page(visit, FindForm(auto_id=visit.field_ids, contacts=visit.account.requested_contacts()))
    region = _region_for(visit, visit.request.POST.get("contact", ""))
    form = FindForm(
        visit.request.POST, auto_id=visit.field_ids, region=region, contacts=visit.account.requested_contacts()
    )
    if not form.is_valid():
        return _find_page(visit, form, status=422)
    requested = form.numbers_and_contact()
    rejection = rate_limit(visit, "find")
    # The last of the numbers has nothing that only some of its spellings have.
    guess = take_guess(visit, throttled_number(requested[0][-1])) if requested and not rejection else Use()
    if rejection := rejection or (build_rejection("number", guess.seconds) if guess.seconds else None):
        return set_retry_after(_find_page(visit, form, problem=rejection, status=429), rejection.seconds)
    try:
        found = _lookup(visit, *requested) if requested else None
    except exceptions.Unavailable as error:
        # Kordless didn't say.
        guess.release()
        log_problem(visit, "lookup_failed", level=logging.ERROR, status=503, error=error)
        text = _("We can’t reach the booking system right now. Please try again in a moment.")
        return set_retry_after(_find_page(visit, form, problem=text, status=503), error.retry_after)
    if found is None:
        log_event(log, logging.INFO, "lookup_rejected")
        return _find_page(visit, form, problem=_not_found_text(form), status=404)
    guess.release()
    terms = None
    with suppress(DatabaseError):
        # Whom the booking is with, and for how many. The page works without.
        terms = find_terms(visit.account, found[0])
    link = ManageLink.for_terms(
        terms,
        number=found[0],
        contact=found[1],
        expires=int(visit.now.timestamp()) + FOUND_LINK_SECONDS,
        timezone=visit.choices.timezone,
    )
    return SeeOther(visit.links.url("manage", link.to_token(visit.account.name)))


def _not_found_text(form: FindForm) -> str:
    match form.only:
        case "email":
            return _("We can’t find a booking with this number and this email address. Please check both.")
        case "phone":
            return _("We can’t find a booking with this number and this phone number. Please check both.")
    return _("We can’t find a booking with this number and this email or phone number. Please check both.")


def _region_for(visit: WidgetRequest, contact: str) -> str | None:
    """Return where a phone number without a country code is from; None for an email address, which needs no region."""
    # A shorter deadline, so that the time for the lookup itself isn't used up.
    with deadline(visit.account.browse_seconds):
        return None if "@" in contact else find_phone_region(visit.account, visit.catalog)


def _lookup(visit: WidgetRequest, numbers: Sequence[str], contact: str) -> tuple[str, str] | None:
    """Look a booking up. Return its number and the spelling of the contact that Kordless accepts; None when none is.

    A booking that was made elsewhere may have either spelling of an international email address. All are tried
    whatever the reason of the first refusal, so that it doesn't show in the time that the answer takes.
    """
    if (requester := current_requester()) is not None:
        requester.is_guessing = True
    for number, spelling in product(numbers, contact_spellings(contact)):
        with suppress(exceptions.NotFound, exceptions.ContactRefused, exceptions.BadRequest, exceptions.Refused):
            visit.client.lookup(number, spelling)
            return number, spelling
    return None


@widget_view("GET", no_store=True)
def open_short_link(visit: WidgetRequest, code: str) -> HttpResponse:
    """Lead from the short link of a text message to the booking's page, in the customer's language.

    Raises Problem for a code that leads to no booking, or to one that is over, and for a client that tries many.
    """
    # Taken before the database is asked, so that parallel guesses count too. A right code costs nothing: many phones
    # may have the address of one network.
    guess = take_client_permits(visit, "short_link")
    if guess.seconds:
        here = (visit.request.path, pgettext("button", "Try again"))
        raise throttled(build_rejection("short_link", guess.seconds), guess.seconds, main_link=here)
    try:
        found = find_link(visit.account, code, visit.now)
    except DatabaseError:
        # Nobody knows whether the code is a right one.
        guess.release()
        raise
    if found is None:
        raise broken_link()
    guess.release()
    known, choices = found.preferences, visit.choices.appearance()
    if known and not choices.lang:
        choices = choices.replace(lang=best_supported_language(known.language), hours=choices.hours or known.hours)
    return SeeOther(visit.links.url("manage", found.link.to_token(visit.account.name), choices=choices))


@widget_view("GET", no_store=True)
def show(visit: WidgetRequest, token: str) -> HttpResponse:
    """Show the booking as Kordless has it."""
    managed = load_managed_booking(visit, token)
    context = _context(managed, visit)
    page, booking = build_page(visit, context["title"]), managed.booking
    context |= fill_slots(visit, page, "manage_after_summary", service=booking.service_slug or "", booking=booking)
    return render(visit, "kordless_booking/manage/booking.html", page, context)


@widget_view("GET", "POST", no_store=True)
def cancel(visit: WidgetRequest, token: str) -> HttpResponse:
    """Ask once for confirmation, then cancel. Canceling twice changes nothing more."""
    managed = load_managed_booking(visit, token)
    if managed.booking.status == "canceled":
        return SeeOther(managed.done_url(visit, Done.CANCELED_BEFORE))
    if answer := too_late_page(visit, managed, "cancel_refused"):
        return answer
    if visit.request.method != "POST":
        return _cancel_page(visit, managed)
    form = reason_form(visit)
    shown = managed.shown_start(visit)
    if shown is not None and not is_same_time(shown, managed.booking.start):
        log_problem(visit, "cancel_refused", level=logging.INFO, status=409)
        text = _("Your booking was rescheduled after you opened this page. This is its new time. Nothing was changed.")
        return _cancel_page(visit, managed, text, status=409)
    if form is not None and not form.is_valid():
        return _cancel_page(visit, managed, status=422)
    reason = form.text() if form else ""
    check_change_limit(visit, managed)
    try:
        with changing(visit, managed, BookingChange.CANCELLED, reason):
            visit.client.cancel(managed.link.number, managed.link.contact, seconds=change_timeout(visit))
        is_ours = True
    except exceptions.NotSent as error:
        return change_failed_page(visit, "cancel_not_sent", error, lambda text: _cancel_page(visit, managed, text))
    except (exceptions.OutcomeUnknown, exceptions.Refused, exceptions.BadRequest) as error:
        found = refetch(visit, managed)
        # Unchanged after a lost response may only mean "not yet", so the page doesn't say that nothing happened.
        if found is None or (found.status != "canceled" and isinstance(error, exceptions.OutcomeUnknown)):
            text = _(
                "We couldn’t confirm the cancellation. Please check your booking again in a minute. You can also "
                "cancel it again; it can’t be canceled twice."
            )
            return change_failed_page(
                visit, "cancel_unknown", error, lambda _default: _cancel_page(visit, managed, text)
            )
        if found.status != "canceled":
            raise Problem(
                "cancel_refused",
                422,
                _("This booking can’t be canceled online"),
                _("It may be too late to cancel it. Please contact us directly. Your booking is unchanged."),
                main_link=managed.back_link(visit),
                error=error,
            ) from None
        # Refused, yet canceled: somebody else has canceled it, and has announced it.
        is_ours = isinstance(error, exceptions.OutcomeUnknown)
    if is_ours:
        managed.publish_change(visit, BookingChange.CANCELLED, reason, status="canceled")
    if managed.booking.service_slug:
        visit.catalog.invalidate_slots(managed.booking.service_slug)
    log_event(log, logging.INFO, "booking_canceled")
    return SeeOther(managed.done_url(visit, Done.CANCELED if is_ours else Done.CANCELED_BEFORE))


def too_late_page(visit: WidgetRequest, managed: ManagedBooking, event: str) -> HttpResponse | None:
    """Answer a change for which it is too late: with the booking's page, which says so. None while it isn't.

    `event` is the log's name for it. A link leads there; a form, whose page was open since before, is told in place.
    """
    if not managed.is_too_late(visit):
        return None
    if visit.request.method != "POST":
        return SeeOther(managed.url(visit, "manage"))
    log_problem(visit, event, level=logging.INFO, status=409)
    context = _context(managed, visit)
    # What was typed as the reason stays in sight, for whoever calls to say it.
    form = reason_form(visit) if visit.request.POST.get("reason") else None
    context |= {"closed": "", "problem": context["closed"], "form": form}
    page = build_page(visit, context["title"])
    return render(visit, "kordless_booking/manage/booking.html", page, context, 409)


@widget_view("GET", no_store=True)
def calendar(visit: WidgetRequest, token: str) -> HttpResponse:
    """Return the booking as a calendar file, with a higher SEQUENCE than any before."""
    managed = load_managed_booking(visit, token)
    return calendar_response(managed.invite(visit))


@dataclass(frozen=True)
class ManagedBooking:
    """Booking whose customer has proved the right to manage it."""

    token: str
    """Encrypted `link`, for URLs."""
    link: ManageLink
    booking: Booking
    """As Kordless returned it: for this request, or for a page that only shows it a moment ago."""
    timezone: str
    """Time zone in which its times are shown (IANA name)."""
    chosen_timezone: str | None
    """Time zone in the query, which the links carry on; None where there is none."""
    visitor_timezone: str | None
    """Time zone of the visitor, from the query or the link.

    None where neither says it: then `timezone` is the booking's, and perhaps another one.
    """

    @property
    def contacts(self) -> tuple[str | None, ...]:
        """Email and phone that a change of it is told to, as far as they are known."""
        known = self.booking.contact
        return (self.link.contact, *((known.email, known.phone) if known else ()))

    def url(self, visit: WidgetRequest, name: str) -> str:
        return visit.links.url(name, self.token, choices=self.carried_choices(visit))

    def back_link(self, visit: WidgetRequest) -> tuple[str, str]:
        """Return URL and label of the link back to the booking's page."""
        return self.url(visit, "manage"), _("Back to your booking")

    def carried_choices(self, visit: WidgetRequest) -> Choices:
        """Return the choices that the booking's pages carry on: the appearance, and the visitor's zone."""
        return visit.choices.appearance().replace(timezone=self.chosen_timezone)

    def done_url(self, visit: WidgetRequest, done: Done, start: datetime | None = None) -> str:
        """Return the URL of the booking's page that says what was done. `start` is where the booking was moved to.

        Signed for this booking, so that no link of anybody's making says that it was moved or canceled.
        """
        start = round_to_second(start or self.booking.start)
        proof = signing.dumps([done.value, format_start(start)], salt=self._salt(visit))
        return visit.links.url("manage", self.token, choices=self.carried_choices(visit), done=proof)

    def done(self, visit: WidgetRequest) -> Done | None:
        """Return what the URL proves to have been done, as far as the booking still is as it says."""
        done, start = self._proved_done(visit)
        if done is None:
            return None
        canceled = self.booking.status == "canceled"
        if done is Done.MOVED:
            return done if not canceled and start == format_start(round_to_second(self.booking.start)) else None
        return done if canceled else None

    def is_older_than_done(self, visit: WidgetRequest) -> bool:
        """Return True when the URL proves a change that this booking doesn't show."""
        return self._proved_done(visit)[0] is not None and self.done(visit) is None

    def _proved_done(self, visit: WidgetRequest) -> tuple[Done | None, str]:
        return _read_done(visit, self.link.number)

    def shown_field(self, visit: WidgetRequest) -> tuple[str, str]:
        """Return a hidden field with the booking's start, for a form that changes the booking as it is shown."""
        return "shown", signing.dumps(format_start(self.booking.start), salt=self._salt(visit))

    def shown_start(self, visit: WidgetRequest) -> datetime | None:
        """Return the start that the posted form has shown, or None when it doesn't say."""
        try:
            return parse_start(signing.loads(visit.request.POST.get("shown", ""), salt=self._salt(visit)))
        except (signing.BadSignature, TypeError):
            return None

    def _salt(self, visit: WidgetRequest) -> str:
        return _proof_salt(visit, self.link.number)

    def publish_change(self, visit: WidgetRequest, change: BookingChange, reason: str, **changes: Any) -> None:
        """Publish what the customer has just changed, and for which reason, as a signal and a mail."""
        # Kordless's response may lack the contact. The link has one that Kordless has just accepted.
        proof = self.link.contact
        contact = self.booking.contact or (Contact(email=proof) if "@" in proof else Contact(phone=proof))
        changed = msgspec.structs.replace(self.booking, contact=contact, **changes)
        preferences = visit.preferences(self.visitor_timezone)
        publish_change(
            change, changed, account=visit.account.name, now=visit.now, preferences=preferences, reason=reason
        )

    def detail(self, visit: WidgetRequest) -> ServiceDetail | None:
        """Return the booking's service, or None when Kordless doesn't have it anymore or can't be asked."""
        return find_service(visit, self.booking.service_slug)

    def is_too_late(self, visit: WidgetRequest) -> bool:
        """Return True when the notice period has begun, and the account takes no change online then."""
        if not visit.account.enforce_notice or not is_changeable(self.booking, visit.now):
            return False
        # Where the service can't be read nobody knows its notice, and Kordless decides.
        detail = self.detail(visit)
        deadline = change_deadline(detail.calendar.cancellation_policy if detail else None, self.booking.start)
        return deadline is not None and deadline < visit.now

    def invite(self, visit: WidgetRequest) -> calendar_event.CalendarEvent:
        """Return the calendar event of the booking."""
        detail = self.detail(visit)
        return calendar_event_for(
            visit,
            self.booking,
            timezone=self.timezone,
            title=self.booking.service_name or (detail.service.name if detail else pgettext("label", "Booking")),
            location=booking_location(self.booking, detail),
            link=visit.links.url("manage", self.token, choices=Choices(lang=visit.choices.lang)),
            terms=self.link.build_terms(self.booking, self.timezone),
            # Versions are not stored, so the current minute is the number: it only ever grows.
            sequence=int(visit.now.timestamp()) // 60,
        )

    def display_times(self, visit: WidgetRequest, start: datetime, end: datetime) -> DisplayTimes:
        """Return the booking's time in words, or one that it may move to."""
        place = booking_place_clock(self.booking, self.detail(visit))
        is_visitors = self.visitor_timezone is not None
        return display_times(visit, start, end, self.timezone, place, is_visitors=is_visitors)

    def view(self, visit: WidgetRequest) -> BookingView:
        """Return the context of parts/booking.html."""
        is_visitors = self.visitor_timezone is not None
        terms = self.link.build_terms(self.booking, self.timezone)
        return booking_view(
            visit, self.booking, self.detail(visit), self.timezone, terms=terms, is_visitors_zone=is_visitors
        )


def _proof_salt(visit: WidgetRequest, number: str) -> str:
    return f"kordless_booking.manage:{visit.account.name}:{number}"


def _read_done(visit: WidgetRequest, number: str) -> tuple[Done | None, str]:
    """Return what the URL proves to have been done to the booking, and the start then; (None, "") without a proof."""
    proof = visit.request.GET.get("done", "")
    try:
        value, start = signing.loads(proof, salt=_proof_salt(visit, number), max_age=DONE_SECONDS)
        return Done(value), start
    except (signing.BadSignature, TypeError, ValueError):
        return None, ""


def load_managed_booking(
    visit: WidgetRequest, token: str, *, max_age_seconds: int = booking_cache.VIEW_SECONDS
) -> ManagedBooking:
    """Load the booking behind a manage link from Kordless; for a GET, as it was at most `max_age_seconds` ago.

    Raises Problem for a broken or expired link and for a client that wants too many, and NotFound when the booking
    doesn't exist anymore.
    """
    try:
        link = ManageLink.from_token(token, visit.account.name, visit.now.timestamp())
    except InvalidToken:
        raise broken_link() from None
    visit.catalog.prefetch_organization()
    bookings, is_live = visit.access.bookings, visit.request.method == "POST"
    cached = None if is_live else bookings.get(link.number, link.contact, max_age_seconds=max_age_seconds)
    if cached is not None:
        managed = _managed_booking(visit, token, link, cached)
        # A change whose invalidation the cache has lost, because it was down or isn't shared after all.
        if not managed.is_older_than_done(visit):
            return managed
    _check_view_limit(visit, token, link.number)

    def look_up() -> Booking:
        return visit.client.lookup(link.number, link.contact)

    try:
        # Before a change, the lookup of nobody else will do: it has to be later than the click.
        fetch = bookings.refresh if is_live or cached else bookings.fetch
        booking = fetch(link.number, link.contact, look_up)
    except exceptions.BadRequest as error:
        # The link holds what Kordless has accepted before: a 400 now means the same to the visitor as a 404.
        raise exceptions.NotFound(operation="lookup", status=error.status) from error
    return _managed_booking(visit, token, link, booking)


def _managed_booking(visit: WidgetRequest, token: str, link: ManageLink, booking: Booking) -> ManagedBooking:
    # Kordless didn't say: then what was canceled here, or by its webhook, must not look as if it still stood.
    if not booking.status and is_known_canceled(booking.confirmation_number, account=visit.account.name):
        booking = msgspec.structs.replace(booking, status="canceled")
    visitor_timezone = visit.choices.timezone or timezones.canonical_timezone(link.timezone)
    timezone = visitor_timezone or timezones.business_timezone(booking.timezone) or "UTC"
    return ManagedBooking(token, link, booking, timezone, visit.choices.timezone, visitor_timezone)


def _check_view_limit(visit: WidgetRequest, token: str, number: str) -> None:
    """Raise Problem (429) for a client that has bookings read from Kordless too often, and for a link that is.

    Many clients with one link find its booking cached, but not one that Kordless doesn't know anymore.
    """
    # A change that is done has to be said, too.
    is_change = visit.request.method == "POST" or _read_done(visit, number)[0] is not None
    scope = "view_change" if is_change else "view"
    if rejection := rate_limit(visit, scope) or rate_limit(visit, scope, number.casefold()):
        match, url = visit.request.resolver_match, visit.links.url("manage", token)
        is_own_page = match is not None and match.url_name == "manage"
        # The query with the proof of a change stays.
        here = escape_leading_slashes(visit.request.get_full_path())
        link = (here, pgettext("button", "Try again")) if is_own_page else (url, _("Back to your booking"))
        raise throttled(rejection, rejection.seconds, main_link=link)


@contextmanager
def changing(visit: WidgetRequest, managed: ManagedBooking, change: BookingChange, reason: str) -> Iterator[None]:
    """Send a change of the booking in the `with` block. However it ends, no page shows the booking as it was before."""
    # Before the request: Kordless's webhook may arrive before its response does.
    mark_change_in_progress(visit.access.cache, visit.account.name, managed.link.number, change, reason)
    try:
        yield
    finally:
        visit.access.bookings.invalidate(managed.link.number)


def reason_form(visit: WidgetRequest, reason: str = "") -> ReasonForm | None:
    """Return the form that asks for the reason of a change, as it was posted or with `reason`; None while it is off."""
    if not visit.account.ask_reason:
        return None
    return ReasonForm(
        visit.request.POST if visit.request.method == "POST" else None,
        auto_id=visit.field_ids,
        initial={"reason": reason},
        is_required=visit.account.ask_reason == "required",
        form_id=change_form_id(visit),
    )


def change_form_id(visit: WidgetRequest) -> str:
    """Return the DOM id of the form that sends a change: the field for its reason stands before all buttons."""
    return f"{visit.target_id}-change"


def check_change_limit(visit: WidgetRequest, managed: ManagedBooking) -> None:
    """Raise Problem (429) for a client that changes bookings too often."""
    if rejection := rate_limit(visit, "change"):
        raise throttled(rejection, rejection.seconds, main_link=managed.back_link(visit))


def change_timeout(visit: WidgetRequest) -> float:
    """Return the seconds that a change may take, so that time is left for looking up its result."""
    account = visit.account
    # At least half of it, because a site may set BROWSE_SECONDS close to BOOKING_SECONDS.
    return max(account.booking_seconds / 2, account.booking_seconds - account.browse_seconds)


def refetch(visit: WidgetRequest, managed: ManagedBooking) -> Booking | None:
    """Return the booking as it is after a lost response or a refusal; None when it can't be looked up."""
    try:
        return visit.client.lookup(managed.link.number, managed.link.contact)
    except (exceptions.Unavailable, exceptions.BadRequest):
        return None


def change_failed_page(
    visit: WidgetRequest, event: str, error: exceptions.KordlessError, page: Callable[[str], HttpResponse]
) -> HttpResponse:
    """Return the confirmation question again, with what is known.

    `page` renders it with the text for the case that nothing was sent. A caller that knows less may ignore that text.
    """
    log_problem(visit, event, level=logging.ERROR, status=503, error=error)
    response = page(_("We can’t reach the booking system right now. Your booking is unchanged; please try again soon."))
    return set_retry_after(response, error.retry_after)


def _why_closed(booking: Booking, now: datetime) -> str:
    """Return why a booking can't be changed online anymore; "" for a canceled one, whose heading says so."""
    if booking.status == "canceled":
        return ""
    if booking.end <= now:
        return _("This booking is over, so it can’t be changed online.")
    if booking.start <= now:
        return _("This booking has already begun, so it can’t be changed online.")
    # A status that Kordless may add.
    return _("This booking can’t be changed online.")


def _too_late_text(*, has_contacts: bool) -> str:
    if has_contacts:
        return _("It’s too late to change or cancel this booking online.")
    return _("It’s too late to change or cancel this booking online. Please contact us directly.")


def _late_notice(managed: ManagedBooking, detail: ServiceDetail | None, now: datetime) -> str:
    """Return the notice for a booking that begins within the business's notice period; "" for any other.

    Only Kordless knows whether it still takes a change then, so the buttons stay.
    """
    deadline = change_deadline(detail.calendar.cancellation_policy if detail else None, managed.booking.start)
    if deadline is None or deadline >= now:
        return ""
    return _("Your appointment is soon, so it may be too late to change or cancel it online.")


def _cancel_page(
    visit: WidgetRequest, managed: ManagedBooking, problem: str = "", *, status: int | None = None
) -> HttpResponse:
    shared = _context(managed, visit)
    context = {
        **shared,
        "action": managed.url(visit, "manage-cancel"),
        "hidden": [managed.shown_field(visit)],
        "keep_url": managed.url(visit, "manage"),
        "policy": shared["booking"].policy,
        "problem": problem,
        "form": reason_form(visit),
        "form_id": change_form_id(visit),
    }
    page = build_page(visit, _("Cancel this booking?"))
    return render(visit, "kordless_booking/manage/cancel.html", page, context, status or (503 if problem else 200))


def _find_page(visit: WidgetRequest, form: FindForm, *, problem: str = "", status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form,
        "action": visit.links.url("manage-find", choices=visit.choices),
        "errors": form.errors,
        "problem": problem,
        # Not beside a wrong number: only where this page can't help for a while.
        "support": support_contacts(visit) if status in {429, 503} else None,
        "hidden": [],
    }
    page = build_page(visit, _("Find your booking"), address=context["action"], name="manage-find")
    return render(visit, "kordless_booking/manage/find.html", page, context, status)


def _context(managed: ManagedBooking, visit: WidgetRequest) -> dict[str, Any]:
    """Return the context that the pages of a booking share."""
    # A form sent by GET replaces the query of its action with its fields, so the choices travel as hidden fields.
    carried = managed.carried_choices(visit).query_items()
    booking, detail = managed.booking, managed.detail(visit)
    too_late = managed.is_too_late(visit)
    changeable = is_changeable(booking, visit.now) and not too_late
    view = managed.view(visit)
    done, event = "", None
    match managed.done(visit):
        case Done.MOVED:
            done, event = _("Your booking has been rescheduled."), embed_event("rescheduled", booking)
        case Done.CANCELED:
            # Nothing else to say: the heading says that it is canceled.
            event = embed_event("cancelled", booking)
        case Done.CANCELED_BEFORE:
            # No event: the page around the widget has heard of it, or isn't concerned.
            pass
    support = support_contacts(visit)
    closed = "" if changeable else _why_closed(booking, visit.now)
    if too_late:
        closed = _too_late_text(has_contacts=support is not None)
        # Instead of the buttons, not besides.
        support = {**support, "lead": _("Please contact us directly:")} if support else None
    late = _late_notice(managed, detail, visit.now) if changeable else ""
    return {
        "title": view.headline if booking.status == "canceled" else pgettext("heading", "Your booking"),
        # What happens next, where something has to.
        "lead": view.lead_text if booking.status == "pending" and (changeable or too_late) else "",
        "booking": view,
        # Nobody puts what is over into a calendar.
        "calendar": calendar_links(managed.invite(visit), managed.url(visit, "manage-calendar"))
        if booking.end > visit.now
        else None,
        "can_change": changeable,
        "too_late": too_late,
        "closed": closed,
        "late": late,
        "support": support if closed or late else None,
        "cancel_url": managed.url(visit, "manage-cancel"),
        "reschedule_url": managed.url(visit, "reschedule"),
        "again": None if changeable or too_late else _again_link(visit, managed, detail),
        "book_again": book_again_link(
            visit, managed.link.build_terms(booking, managed.timezone), detail, managed.carried_choices(visit)
        ),
        "cancel_hidden": carried,
        "reschedule_hidden": carried,
        "done": done,
        "event": event,
    }


def _again_link(visit: WidgetRequest, managed: ManagedBooking, detail: ServiceDetail | None) -> dict[str, str]:
    """Return the link to book the same again: the service's times, with the same host and party size.

    Leads to the list of services where the service isn't offered anymore.
    """
    choices = managed.carried_choices(visit)
    if detail is None or not detail.service.bookable:
        return {"url": visit.links.url("services", choices=choices), "label": _("See all services")}
    terms = managed.link.build_terms(managed.booking, managed.timezone)
    url = visit.links.service_url("slots", detail.service.slug, terms.choices_to_book_again(choices))
    return {"url": url, "label": pgettext("button", "Book again")}
