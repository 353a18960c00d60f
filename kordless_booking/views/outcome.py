"""Pages after the contact form was posted: the waiting page, which resumes the attempt, and the confirmation."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import msgspec
from django.db import DatabaseError
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kordless_booking import exceptions
from kordless_booking.api.deadline import deadline
from kordless_booking.api.resources import Booking, NewBooking
from kordless_booking.booking import placement
from kordless_booking.booking.attribution import campaign_source
from kordless_booking.booking.availability import has_slot_for
from kordless_booking.booking.choices import Choices
from kordless_booking.booking.form_input import TOKEN_SECONDS
from kordless_booking.booking.queue import MAX_POLL_SECONDS
from kordless_booking.booking.receipt import ManageLink, Receipt
from kordless_booking.booking.steps import Step
from kordless_booking.booking.terms import Terms
from kordless_booking.booking.tokens import InvalidToken
from kordless_booking.changes import BookingChange, publish_change
from kordless_booking.models import FunnelCount
from kordless_booking.presentation import calendar_event
from kordless_booking.presentation.safe_links import done_url_for
from kordless_booking.presentation.texts import booking_location
from kordless_booking.questions.answers import Answer
from kordless_booking.views.address_limits import Rejection
from kordless_booking.views.already_requested import already_requested
from kordless_booking.views.book_again import book_again_link
from kordless_booking.views.cells import format_start
from kordless_booking.views.contact_limits import BookingPermits, OverContactLimit, release_later
from kordless_booking.views.decorators import widget_view
from kordless_booking.views.extensions import fill_slots
from kordless_booking.views.invites import calendar_event_for, calendar_links, calendar_response
from kordless_booking.views.links import SeeOther
from kordless_booking.views.page import build_page, embed_event
from kordless_booking.views.problems import Problem, broken_link, from_api_error, log_problem, support_contacts
from kordless_booking.views.rendering import render
from kordless_booking.views.request import WidgetRequest
from kordless_booking.views.retry_after import set_retry_after
from kordless_booking.views.slot_reading import choices_for_day
from kordless_booking.views.steps import slots_page
from kordless_booking.views.summary import TermsSummary, booking_view, find_service, terms_summary

CONFIRMATION_FRESH_SECONDS: Final = 15 * 60
"""Seconds for which a confirmation is shown as it was given; after that the booking is looked up."""
RECENT_SECONDS: Final = 60
"""Age, in seconds, up to which a cached list of slots decides that a slot is gone: an older one may have changed."""
RESENT_SECONDS: Final = 60
"""Seconds for which the same form, sent again, leads to the confirmation: a double click, a reload, a retry after a cut
connection. Later the visitor may have moved or canceled the booking, so the form leads to its live page.
"""


@widget_view("GET", no_store=True, may_book=True)
def attempt(visit: WidgetRequest, token: str) -> HttpResponse:
    """Resume the attempt, and show "We're confirming your booking" until its outcome is known.

    Each load may send the same body with the same key again. The page reloads itself.
    """
    try:
        receipt = Receipt.from_attempt_token(token, visit.account.name, visit.now.timestamp())
    except InvalidToken:
        raise broken_link() from None
    # Without the digest, nothing proves that the attempt under this key is this visitor's.
    if not receipt.digest:
        raise broken_link()
    permits = BookingPermits(visit)
    try:
        outcome = placement.resume(
            visit.account.name,
            visit.client,
            receipt.key,
            receipt.digest,
            visit.now,
            creations_per_minute=visit.account.creations_per_minute,
            is_slot_gone=slot_check(visit),
            permits=permits,
        )
    except OverContactLimit as over:
        raise _over_contact_limit(over.rejection) from None
    except DatabaseError:
        permits.release()
        raise
    if outcome is None:
        raise broken_link()
    if isinstance(outcome, placement.DifferentRequest):
        raise _renewed_by_another(visit, receipt)
    if isinstance(outcome, placement.Pending):
        return _waiting_page(visit, receipt.terms, outcome)
    if isinstance(outcome, placement.Rejected):
        return _rejected_page(visit, receipt, outcome, permits)
    return redirect_to_outcome(visit, receipt, outcome)


def _over_contact_limit(rejection: Rejection) -> Problem:
    """Build the 429 for a held attempt whose contact has booked too often. It stays held, and goes on later."""
    return Problem(
        "throttled",
        429,
        _("Too many attempts"),
        rejection,
        next_action="again",
        retry_after=rejection.seconds,
        tells_wait=True,
    )


@widget_view("GET", no_store=True)
def confirmation(visit: WidgetRequest, token: str) -> HttpResponse:
    """Show the booking that was just made, from the token and the catalog. Reloading the page books nothing."""
    receipt, booking = _receipt(visit, token)
    link = manage_url(visit, receipt, booking)
    if visit.now.timestamp() - receipt.placed_at > CONFIRMATION_FRESH_SECONDS:
        return SeeOther(link)
    terms = receipt.terms
    detail = find_service(visit, terms.service)
    shown = booking_view(
        visit,
        booking,
        detail,
        terms.timezone,
        terms=terms,
        fallback_name=terms.service,
        new_contact=receipt.contact,
        answers=_answers(visit, receipt),
    )
    context: dict[str, Any] = {
        "booking": shown,
        "book_again": book_again_link(
            visit, terms, detail, visit.choices.appearance().replace(timezone=terms.timezone)
        ),
        "calendar": calendar_links(_invite(visit, receipt, booking), visit.links.url("confirmation-calendar", token)),
        "manage_link": link,
        "again_url": visit.links.url("services"),
        "done_url": _done_url(visit, booking, terms),
        "support": support_contacts(visit),
        "event": embed_event("booked", booking, terms.service),
    }
    page = build_page(visit, shown.headline, step=Step.CONFIRMATION)
    context |= fill_slots(visit, page, "confirmation_after_summary", service=terms.service, booking=booking)
    return render(visit, Step.CONFIRMATION.template, page, context)


@widget_view("GET", no_store=True)
def confirmation_calendar(visit: WidgetRequest, token: str) -> HttpResponse:
    """Return the booking as a calendar file."""
    receipt, booking = _receipt(visit, token)
    return calendar_response(_invite(visit, receipt, booking))


def redirect_to_outcome(
    visit: WidgetRequest, receipt: Receipt, outcome: placement.Placed | placement.Pending
) -> HttpResponse:
    """Redirect to the page that shows the outcome; publish a new booking first.

    Only the caller whose call recorded the booking publishes it (`Placed.notify_contact`).
    """
    if isinstance(outcome, placement.Pending):
        return SeeOther(visit.links.url("attempt", receipt.to_token(visit.account.name)))
    publish_placed(visit, receipt, outcome)
    placed = msgspec.structs.replace(
        receipt,
        booking=msgspec.structs.replace(outcome.booking, contact=None),
        digest="",
        form_input={},
        sent_at=0,
        attribution={},
        placed_at=int(outcome.placed_at.timestamp()),
    )
    if (visit.now - outcome.placed_at).total_seconds() > RESENT_SECONDS:
        return SeeOther(manage_url(visit, placed, outcome.booking))
    return SeeOther(visit.links.url("confirmation", placed.to_token(visit.account.name)))


def publish_placed(visit: WidgetRequest, receipt: Receipt, outcome: placement.Placed) -> None:
    """Publish a new booking, if this call recorded it, and have its service's times read again."""
    visit.catalog.invalidate_slots(receipt.terms.service)
    if outcome.notify_contact:
        visit.record_stage(FunnelCount.Stage.BOOKED, receipt.terms.service, campaign_source(receipt.attribution))
        slug = outcome.booking.service_slug or receipt.terms.service
        booked = msgspec.structs.replace(outcome.booking, contact=outcome.notify_contact, service_slug=slug)
        publish_change(
            BookingChange.CREATED,
            booked,
            account=visit.account.name,
            now=visit.now,
            attribution=receipt.attribution,
            preferences=visit.preferences(receipt.terms.timezone, receipt.terms),
            answers=outcome.answers,
            metadata=outcome.metadata,
            consents=outcome.consents,
        )


def lost_slot_page(
    visit: WidgetRequest, service: str, choices: Choices, taken: str, *, near: datetime | None = None
) -> HttpResponse:
    """Show the free times to a visitor who has lost theirs (409). The page's controls keep what was typed.

    Redirect to that page when nothing was typed. `taken` is the reason, as in the query of the slot page, and `near`
    the start of the lost time, to which the nearest free ones are offered first. Raises Problem when the times can't
    be read.
    """
    start = format_start(near) if near and taken else None
    url = visit.links.service_url("slots", service, choices, taken=taken, near=start)
    if not visit.form_input:
        return SeeOther(url)
    try:
        return slots_page(visit.with_choices(choices), service, taken=taken, near=near, status=409)
    except exceptions.NotFound as error:
        raise replace(from_api_error(error), form_input=visit.form_input) from None
    except exceptions.KordlessError as error:
        raise _choose_again(visit, error, url) from None


def _choose_again(visit: WidgetRequest, error: exceptions.KordlessError, url: str) -> Problem:
    """Build the problem for an error on the way to the free times, with a link to them."""
    return replace(from_api_error(error), main_link=(url, _("Choose a time")), form_input=visit.form_input)


def slot_check(visit: WidgetRequest) -> Callable[[NewBooking], bool]:
    """Return the function that tells from a recent list of slots that a slot isn't free anymore. It sends no request.

    A conflict that the list shows already need not cost Kordless's few creations.
    """

    def is_gone(request: NewBooking) -> bool:
        listed = visit.catalog.recent_slots(request.service_slug, request.start, max_age_seconds=RECENT_SECONDS)
        return listed is not None and not has_slot_for(listed, request)

    return is_gone


def invalidate_after_rejection(visit: WidgetRequest, service: str, outcome: placement.Rejected) -> None:
    """Invalidate what a rejected booking proves to be outdated in the cache: once, however often its page is loaded.

    Always the free times. NotFound also invalidates the service and the list of services; KeyRefused takes everything
    offline until Kordless accepts the API key again.
    """
    if not outcome.is_first_report:
        return
    error = outcome.error
    visit.catalog.invalidate_slots(service)
    if isinstance(error, exceptions.NotFound):
        visit.catalog.invalidate_service(service)
        visit.catalog.invalidate_organization()
    if isinstance(error, exceptions.KeyRefused):
        visit.catalog.mark_key_refused(error)


def manage_url(visit: WidgetRequest, receipt: Receipt, booking: Booking, choices: Choices | None = None) -> str:
    """Return the path of the manage page of the receipt's booking."""
    link = ManageLink.for_terms(
        receipt.terms,
        number=booking.confirmation_number,
        contact=receipt.contact,
        expires=int(visit.now.timestamp()) + visit.account.manage_link_days * 86400,
        timezone=receipt.terms.timezone,
    )
    return visit.links.url("manage", link.to_token(visit.account.name), choices=choices)


def _waiting_page(visit: WidgetRequest, terms: Terms, outcome: placement.Pending) -> HttpResponse:
    visit.access.mark_draft_open()
    if outcome.waiting:
        # A time that holds, whoever else comes.
        shown_seconds = max(outcome.seconds, outcome.longest)
        text = ngettext(
            "Many people are booking right now. Your booking is next in line and will be placed in about "
            "%(seconds)s second.",
            "Many people are booking right now. Your booking is next in line and will be placed in about "
            "%(seconds)s seconds.",
            shown_seconds,
        ) % {"seconds": shown_seconds}
    elif outcome.held:
        text = _("Your booking will be placed in a moment. Please don’t book again: this page updates by itself.")
    else:
        text = _("This is taking longer than usual. Please don’t book again: this page updates by itself.")
    seconds = min(outcome.seconds, MAX_POLL_SECONDS)
    page = build_page(visit, _("Confirming your booking…"), step=Step.CONTACT, refresh=seconds)
    context = {
        "text": text,
        "seconds": seconds,
        "next_url": visit.request.get_full_path(),
        "summary": _awaited_summary(visit, terms),
    }
    response = render(visit, "kordless_booking/steps/attempt.html", page, context)
    return set_retry_after(response, seconds)


def _awaited_summary(visit: WidgetRequest, terms: Terms) -> TermsSummary:
    """Return what is being booked. Nothing can be decided here anymore, so without length, price and policy."""
    with deadline(visit.account.browse_seconds):
        detail = find_service(visit, terms.service)
    return replace(terms_summary(visit, terms, detail), duration="", price="", policy="")


def release_permits(
    visit: WidgetRequest, receipt: Receipt, outcome: placement.Rejected, permits: BookingPermits
) -> None:
    """Return the permits of an attempt that was rejected on its waiting page, by this very request."""
    # By this very request: the page of a rejected attempt may be loaded again and again.
    if outcome.rejected_at == visit.now and permits.has_permits:
        permits.release()
    elif outcome.rejected_at == visit.now:
        with suppress(DatabaseError):
            release_later(visit, placement.get_counted_contacts(visit.account.name, receipt.key), receipt.sent_at)


def _rejected_page(
    visit: WidgetRequest, receipt: Receipt, outcome: placement.Rejected, permits: BookingPermits
) -> HttpResponse:
    """Answer a rejection that became known on the waiting page: raise a Problem, or show the free times."""
    error, terms = outcome.error, receipt.terms
    invalidate_after_rejection(visit, terms.service, outcome)
    release_permits(visit, receipt, outcome, permits)
    choices = visit.choices.replace(timezone=terms.timezone, party_size=terms.party_size)
    # The link to an attempt works for a day. What was typed is only for the visitor who waits, and so for minutes.
    rejected_at = outcome.rejected_at
    is_new = rejected_at is not None and (visit.now - rejected_at).total_seconds() <= TOKEN_SECONDS
    visit = visit.with_form_input(receipt.form_input if is_new else {})
    if isinstance(error, exceptions.SlotTaken):
        log_problem(visit, "slot_conflict", level=logging.INFO, status=409, error=error)
        reason = "2" if outcome.after_unknown_outcome else "1"
        choices = choices_for_day(visit.with_choices(choices), terms)
        return lost_slot_page(visit, terms.service, choices, reason, near=terms.start)
    if outcome.after_unknown_outcome:
        raise Problem(
            "create_unresolved",
            503,
            _("We couldn’t confirm your booking"),
            _("Please contact us before you book again: your first attempt may have gone through."),
            # Refused is final. After any other error, trying again may still resolve the earlier send.
            next_action="services" if isinstance(error, exceptions.Refused) else "again",
            level=logging.ERROR,
            error=error,
        )
    if isinstance(error, exceptions.NotFound):
        raise replace(from_api_error(error), form_input=visit.form_input)
    raise _choose_again(visit, error, visit.links.service_url("slots", terms.service, choices))


def _renewed_by_another(visit: WidgetRequest, receipt: Receipt) -> Problem:
    """Build the problem for a rejected attempt that another post, with other details, has replaced since."""
    choices = visit.choices.replace(host_id=receipt.terms.host_id, team_id=receipt.terms.team_id)
    # Nothing says when the other post came. Its visitor's own page looks every few seconds.
    is_new = visit.now.timestamp() - receipt.sent_at <= TOKEN_SECONDS
    form_input = receipt.form_input if is_new else {}
    return already_requested(visit, receipt.terms, choices, sent=True, form_input=form_input)


def _answers(visit: WidgetRequest, receipt: Receipt) -> tuple[Answer, ...]:
    """Return what the visitor answered to the business's questions; empty while the database fails.

    From the row, because no URL has room for long answers.
    """
    if not visit.account.asks_for_answers:
        return ()
    with suppress(DatabaseError):
        return placement.find_answers(visit.account.name, visit.now, key=receipt.key)
    return ()


def _receipt(visit: WidgetRequest, token: str) -> tuple[Receipt, Booking]:
    """Decrypt the token of a confirmation. Raises Problem (404) for any other token."""
    try:
        receipt = Receipt.from_confirmation_token(token, visit.account.name, visit.now.timestamp())
    except InvalidToken:
        raise broken_link() from None
    if receipt.booking is None:
        raise broken_link()
    return receipt, receipt.booking


def _done_url(visit: WidgetRequest, booking: Booking, terms: Terms) -> str:
    """Return the URL that "Continue" leads to; "" for none, and where nothing was booked after all."""
    done_url = visit.choices.done_url or visit.account.done_url
    return done_url_for(done_url, terms.service) if done_url and booking.status != "canceled" else ""


def _invite(visit: WidgetRequest, receipt: Receipt, booking: Booking) -> calendar_event.CalendarEvent:
    detail = find_service(visit, receipt.terms.service)
    return calendar_event_for(
        visit,
        booking,
        timezone=receipt.terms.timezone,
        title=booking.service_name or (detail.service.name if detail else receipt.terms.service),
        location=booking_location(booking, detail),
        link=manage_url(visit, receipt, booking, Choices(lang=visit.choices.lang)),
        terms=receipt.terms,
    )
