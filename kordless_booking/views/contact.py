"""Contact step: the form for the visitor's details, and the booking that posting it places.

The chosen slot travels as a signed draft, first in the URL and then in a hidden field. Whatever goes wrong, the next
page has everything that was typed: in the form itself, or as an encrypted token in a hidden field
(`WidgetRequest.form_input`).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from django.db import DatabaseError
from django.http import HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from kordless_booking import exceptions
from kordless_booking.api.deadline import deadline
from kordless_booking.api.resources import ServiceDetail
from kordless_booking.booking import draft, placement
from kordless_booking.booking.attempt import Attempt
from kordless_booking.booking.attribution import parse_attribution
from kordless_booking.booking.availability import AvailableTime
from kordless_booking.booking.draft import Draft
from kordless_booking.booking.metadata import decrypt_metadata
from kordless_booking.booking.receipt import Receipt
from kordless_booking.booking.steps import Step
from kordless_booking.booking.terms import Terms
from kordless_booking.forms import ContactForm
from kordless_booking.logs import error_location, log_event
from kordless_booking.models import FunnelCount
from kordless_booking.prefetch import brings_report, is_report, prefetch_declined
from kordless_booking.prefill import call_prefill
from kordless_booking.upstream.phone_region import phone_region
from kordless_booking.views import security
from kordless_booking.views.abuse import HONEYPOT, hold_until, reject_reason
from kordless_booking.views.already_requested import already_requested
from kordless_booking.views.cells import parse_time
from kordless_booking.views.client_address import queue_address
from kordless_booking.views.contact_limits import BookingPermits, OverContactLimit
from kordless_booking.views.decorators import widget_view
from kordless_booking.views.empty_form import render_empty_fields
from kordless_booking.views.extensions import fill_slots
from kordless_booking.views.legal import legal_sentence
from kordless_booking.views.links import SeeOther
from kordless_booking.views.outcome import (
    invalidate_after_rejection,
    lost_slot_page,
    redirect_to_outcome,
    slot_check,
)
from kordless_booking.views.package_templates import find_package_templates
from kordless_booking.views.page import build_page
from kordless_booking.views.problems import Problem, cross_origin_post, from_api_error, log_problem, support_contacts
from kordless_booking.views.questions import configured_questions
from kordless_booking.views.rendering import PageRenderer, PageResponse
from kordless_booking.views.request import FORM_INPUT_FIELD, WidgetRequest
from kordless_booking.views.retry_after import set_retry_after
from kordless_booking.views.slot_reading import choices_for_day, free_slot, start_fetching_time, visitor_zone
from kordless_booking.views.stylesheet import brought_style
from kordless_booking.views.summary import find_service, flat_summary, terms_summary

log = logging.getLogger("kordless_booking.views")
_ALSO_NEEDED: Final = "also_needed"
"""Hidden field with the signed names of fields that the site hides, and that Kordless has asked for."""


@widget_view("GET", "POST", no_store=True, prefetchable=True, any_origin=True)
def contact(visit: WidgetRequest, service: str) -> HttpResponse:
    """Show the contact form for the chosen slot; when it is posted, place the booking.

    The query has a `start` when a time was clicked. For a whole page a redirect follows, to a query with a `draft`; a
    fragment is the form at once. A POST is the form itself, unless it comes from a page that keeps form input: then it
    only renders.
    """
    post = visit.request.POST
    if visit.request.method == "POST" and ("draft" in post or FORM_INPUT_FIELD not in post):
        if not security.is_same_origin(visit.request):
            raise cross_origin_post(visit)
        if brings_report(visit.request):
            _record_report(visit, service)
        return _submit(visit, service)
    if visit.is_prefetch and visit.account.prefill:
        # A browser keeps what it has prefetched for some seconds, in which somebody may log out.
        return prefetch_declined()
    token = visit.request.GET.get("draft", "")
    if not token:
        return _begin_draft(visit, service)
    try:
        chosen = _unsign_draft(visit, token, service)
    except draft.ExpiredDraft as old:
        # Before its age matters: a URL that has led to a booking must say so, not offer the same time again.
        if _is_used(visit, old.draft):
            raise _already_requested(visit, old.draft) from None
        return _renew_draft(visit, old.draft)
    except draft.InvalidDraft:
        return _to_slots(visit, service)
    visit = _with_metadata(visit, chosen)
    if _is_used(visit, chosen):
        raise _already_requested(visit, chosen)
    detail = visit.bookable_service(service)
    return _form_page(visit, detail, chosen, _initial_form(visit, detail, chosen.terms))


def _initial_form(visit: WidgetRequest, detail: ServiceDetail, terms: Terms) -> ContactForm:
    """Return the form with what the visitor typed into an earlier one."""
    form = build_contact_form(visit, detail, service=detail.service.slug, party_size=terms.party_size)
    form.initial = dict(form.fit_name(visit.form_input))
    # A field that the visitor has emptied stays empty.
    if visit.account.prefill and not visit.form_input:
        known = _known_details(visit)
        # No details are better than wrong ones that nobody has typed.
        wrong = build_contact_form(
            visit, detail, known, service=detail.service.slug, party_size=terms.party_size
        ).errors
        form.set_prefill(known, wrong=wrong)
    return form


def _known_details(visit: WidgetRequest) -> dict[str, str]:
    """Return what the site's function in PREFILL knows of the visitor; nothing where it fails, which is logged."""
    try:
        return call_prefill(visit.account.prefill, visit.request)
    except Exception as error:  # noqa: BLE001 (a function of the site raises anything)
        log_event(log, logging.ERROR, "prefill_failed", account=visit.account.name, **error_location(error))
        return {}


def build_contact_form(
    visit: WidgetRequest,
    detail: ServiceDetail | None,
    data: Mapping[str, str] | None = None,
    *,
    service: str,
    party_size: int,
    also: Collection[str] = (),
) -> ContactForm:
    """Return the form for a service; for one that can't be read, with less that it requires and guesses.

    `also` are fields that the site hides, and that Kordless has asked for.
    """
    place = detail.calendar.location if detail else None
    own = visit.account.service_settings(service)
    return ContactForm(
        data,
        auto_id=visit.field_ids,
        shown=own.contact_fields,
        also=also,
        region=phone_region(visit.account, detail.calendar.timezone if detail else None),
        by_phone=place is not None and place.type == "phone",
        questions=configured_questions(visit.account, service),
        max_guests=own.max_guests(party_size),
        consents=visit.account.consent,
    )


def _record_report(visit: WidgetRequest, service: str) -> None:
    """Count that the form was shown, where it says so only now that it is sent."""
    try:
        shown = _unsign_draft(visit, visit.request.POST.get("draft", ""), service)
    except draft.ExpiredDraft as old:
        shown = old.draft
    except draft.InvalidDraft:
        return
    # The service of the draft, which is signed. Of an expired one nobody has compared it with the URL's, and each
    # made-up service would be another row.
    visit.record_stage(FunnelCount.Stage.SLOT, shown.terms.service)


def _begin_draft(visit: WidgetRequest, service: str) -> HttpResponse:
    """Sign the clicked time into a draft, and show its form. The draft is in its URL, so a reload keeps the nonce."""
    start, end = parse_time(visit.request.GET)
    if is_report(visit.request) and start is not None:
        # It may come late, when the time is taken by now. That was shown all the same.
        visit.bookable_service(service)
        visit.record_stage(FunnelCount.Stage.SLOT, service)
        return HttpResponse(status=204)
    if start is not None:
        start_fetching_time(visit, service, start)
    detail = visit.bookable_service(service)
    if start is None:
        return _to_slots(visit, service)
    moment = free_slot(visit, detail, start, end)
    if moment is None:
        return _to_slots(visit, service, taken="1", near=start)
    chosen = _draft(visit, detail, moment)
    # The same page may be posted again, by Back or by a reload of the form.
    if visit.form_input and _is_used(visit, chosen):
        raise _already_requested(visit, chosen)
    visit.record_stage(FunnelCount.Stage.SLOT, service)
    return _show_new_draft(visit, detail, chosen)


def _show_new_draft(visit: WidgetRequest, detail: ServiceDetail, chosen: Draft) -> HttpResponse:
    """Redirect to the URL of the draft; show the form at once as a fragment or with form input, which no URL may have.

    A fragment's address is in a header: a redirect would be a second request, which on a slow line takes as long.
    """
    token = draft.sign(chosen, visit.account.name)
    url = _contact_url(visit, chosen, token)
    if not (visit.form_input or visit.fragment):
        return SeeOther(url)
    response = _form_page(visit, detail, chosen, _initial_form(visit, detail, chosen.terms), token=token)
    response.reaches_stage = visit.account.funnel
    _set_address(visit, response, url)
    return response


def _set_address(visit: WidgetRequest, response: HttpResponse, url: str) -> None:
    """Have htmx show this address for the page: what was asked for has another one, or was posted."""
    # A page of the site around the widget keeps its own address.
    if visit.fragment and not visit.inline:
        response["HX-Push-Url"] = url


def _submit(visit: WidgetRequest, service: str) -> HttpResponse:
    """Validate the posted form, place the booking, and redirect to its outcome.

    What may be the same attempt again is checked before anything that could give it a new key.
    """
    # Most often from the cache. A service that is gone or can't be read must not keep the form from its outcome, nor
    # use up the time for the booking.
    with deadline(visit.account.browse_seconds):
        detail = find_service(visit, service)

    def form_for(posted: Draft) -> ContactForm:
        data = visit.request.POST
        # Only what Kordless has asked for on this form: else a script could reveal a field, and have a stranger written
        # to where the site asks for no address.
        also = draft.unsign_fields(data.get(_ALSO_NEEDED, ""), posted, visit.account.name)
        return build_contact_form(visit, detail, data, service=service, party_size=posted.terms.party_size, also=also)

    try:
        chosen = posted = _unsign_draft(visit, visit.request.POST.get("draft", ""), service)
    except draft.ExpiredDraft as old:
        posted = old.draft
        # A draft that was used never expires: the visitor gets the outcome of that attempt, and nothing new is sent.
        used = next((known for known in (old.draft, _renewed(old.draft)) if _is_used(visit, known)), None)
        if used is None:
            form = form_for(posted)
            try:
                return _renew_draft(visit, old.draft, form)
            except exceptions.Unavailable as error:
                log_problem(visit, "create_not_sent", level=logging.ERROR, status=503, error=error)
                return _form_page(visit, None, old.draft, form, problem=_failed_request_message(), status=503)
        chosen = used
    except draft.InvalidDraft:
        return _to_slots(visit, service)
    visit = _with_metadata(visit, chosen)
    # Of the draft as it was posted: a renewed one has another key than the one that was signed for.
    form = form_for(posted)
    if not form.is_valid():
        # Only valid details are ever placed. So an invalid form under a used key has other details than the attempt.
        if _is_used(visit, chosen):
            raise _already_requested(visit, chosen, sent=True)
        return _form_page(visit, _detail(visit, service), chosen, form, status=422)
    if rejection := reject_reason(visit, form):
        status = 429 if rejection.seconds else 422
        response = _form_page(visit, _detail(visit, service), chosen, form, problem=rejection, status=status)
        return set_retry_after(response, rejection.seconds) if rejection.seconds else response
    person = form.contact()
    permits = BookingPermits(visit)
    attribution = parse_attribution(visit.request.POST.get("attribution", ""))
    attempt = _build_attempt(visit, chosen, form, attribution)
    try:
        outcome = placement.place_booking(
            visit.account.name,
            visit.client,
            attempt,
            visit.now,
            creations_per_minute=visit.account.creations_per_minute,
            on_created=lambda: visit.record_stage(FunnelCount.Stage.CONTACT, service),
            is_slot_gone=slot_check(visit),
            address_hash=queue_address(visit),
            hold_until=hold_until(visit, chosen),
            permits=permits,
        )
    except OverContactLimit as over:
        response = _form_page(
            visit, _detail(visit, service), chosen, form, problem=over.rejection, status=429, with_support=True
        )
        return set_retry_after(response, over.rejection.seconds)
    except DatabaseError:
        permits.release()
        log_problem(visit, "attempt_not_written", level=logging.ERROR, status=503)
        # The text doesn't say "nothing has been booked", because an earlier post of this form may have been. Posting
        # the same draft again finds out.
        text = _("We can’t reach the booking system right now. Please try again in a moment.")
        return _form_page(visit, _detail(visit, service), chosen, form, problem=text, status=503)
    if isinstance(outcome, placement.Rejected):
        if not outcome.after_unknown_outcome or isinstance(outcome.error, exceptions.SlotTaken):
            permits.release()
            return _rejected_page(visit, chosen, form, outcome)
        # This error says nothing about an earlier send, which may be booked. So the visitor doesn't get a form with a
        # new key, but the page that finds out.
        invalidate_after_rejection(visit, service, outcome)
        outcome = placement.Pending(seconds=1)
    if isinstance(outcome, placement.DifferentRequest):
        raise _already_requested(visit, chosen, sent=True)
    receipt = Receipt(
        key=chosen.nonce,
        terms=chosen.terms,
        contact=person.email or person.phone or "",
        digest=attempt.body_digest(),
        form_input=dict(visit.form_input),
        sent_at=int(visit.now.timestamp()),
        attribution=attribution,
    )
    return redirect_to_outcome(visit, receipt, outcome)


def _build_attempt(visit: WidgetRequest, chosen: Draft, form: ContactForm, attribution: Mapping[str, str]) -> Attempt:
    """Return the attempt that a valid form asks for."""
    return Attempt(
        chosen.nonce,
        chosen.terms.new_booking(form.contact(), form.notes_text()),
        attribution,
        visit.preferences(chosen.terms.timezone, chosen.terms),
        form.given_consents(visit.now),
        form.answers(),
        # The draft is signed and has an age of its own.
        decrypt_metadata(visit.account.name, chosen.metadata, None),
    )


def _rejected_page(visit: WidgetRequest, chosen: Draft, form: ContactForm, outcome: placement.Rejected) -> HttpResponse:
    """Answer a rejected booking, by the kind of error. Form input is always kept."""
    error, service = outcome.error, chosen.terms.service
    invalidate_after_rejection(visit, service, outcome)
    if isinstance(error, exceptions.SlotTaken):
        log_problem(visit, "slot_conflict", level=logging.INFO, status=409, error=error)
        return _to_slots(visit, service, chosen.terms, taken="2" if outcome.after_unknown_outcome else "1")
    if isinstance(error, exceptions.NotFound):
        raise from_api_error(error)
    # The form keeps its draft and so its key, which may be used again after a rejection. Then the URL of this page
    # leads to the booking that may follow.
    detail = _detail(visit, service)
    match error:
        case exceptions.KeyRefused():
            log_problem(visit, "api_key_rejected", level=logging.CRITICAL, status=503, error=error)
            text = _("Online booking is paused at the moment. Nothing has been booked; your details are still here.")
            return _form_page(visit, detail, chosen, form, problem=text, status=503)
        case exceptions.BadRequest() | exceptions.Refused():
            # The visitor can correct details that Kordless refuses; a request that it can't read is our bug.
            level = logging.INFO if isinstance(error, exceptions.Refused) else logging.WARNING
            log_problem(visit, "request_rejected", level=level, status=422, error=error)
            text = _("The booking system didn’t accept these details. Please check them, or choose another time.")
            if isinstance(error, exceptions.BadRequest):
                form.require_other_contact()
            return _form_page(visit, detail, chosen, form, problem=text, status=422)
    log_problem(visit, "create_not_sent", level=logging.ERROR, status=503, error=error)
    response = _form_page(visit, detail, chosen, form, problem=_failed_request_message(), status=503)
    return set_retry_after(response, error.retry_after)


def _renew_draft(visit: WidgetRequest, old: Draft, form: ContactForm | None = None) -> HttpResponse:
    """Replace an expired draft by a new one when the time is still free; form input is kept."""
    # The draft's own choices: the query of a posted form need not have them.
    terms = old.terms
    visit = visit.with_choices(
        visit.choices.replace(
            timezone=terms.timezone,
            host_id=terms.host_id,
            team_id=terms.team_id,
            party_size=terms.party_size,
            metadata=old.metadata or None,
        )
    )
    start_fetching_time(visit, terms.service, terms.start)
    detail = visit.bookable_service(terms.service)
    moment = free_slot(visit, detail, terms.start, terms.end)
    if moment is None:
        return _to_slots(visit, terms.service, terms, taken="1")
    if form is None:
        # A redirect, by which Back replaces the entry of the old URL instead of adding another.
        return SeeOther(_contact_url(visit, _draft(visit, detail, moment)))
    text = _("You were away for a while, but this time is still free. Please check your details and book again.")
    chosen = replace(_draft(visit, detail, moment), nonce=_renewed(old).nonce)
    return _form_page(visit, detail, chosen, form, problem=text, status=409)


def _renewed(old: Draft) -> Draft:
    """Return an expired draft under the key of the form that follows it: the same each time that it is posted.

    Else going back and sending it once more would give a form with another key, and the booking could be made twice.
    """
    return replace(old, nonce=_nonce(old.nonce))


def _is_used(visit: WidgetRequest, chosen: Draft) -> bool:
    """Return True when the draft's key belongs to an attempt that wasn't rejected. Costs one query."""
    with suppress(DatabaseError):
        # A time that has begun needs no query: its page leads to the free times anyway.
        return chosen.terms.start > visit.now and placement.has_attempt(visit.account.name, chosen.nonce)
    return False  # the page is shown in spite of the database error: posting the form decides


def _already_requested(visit: WidgetRequest, chosen: Draft, *, sent: bool = False) -> Problem:
    return already_requested(visit, chosen.terms, visit.choices, sent=sent, form_input=visit.form_input)


def _form_page(
    visit: WidgetRequest,
    detail: ServiceDetail | None,
    chosen: Draft,
    form: ContactForm,
    *,
    problem: str = "",
    status: int = 200,
    with_support: bool = False,
    token: str = "",
) -> PageResponse:
    """Render the contact form. Without `detail`, the summary has only what the draft knows.

    `with_support` tells below the problem how to reach the business. `token` is the signed draft, where it is known.
    """
    visit.access.mark_draft_open()
    # The zone that the draft was made in: the page must show the time that was clicked.
    choices = visit.choices.replace(timezone=chosen.terms.timezone, day=None, month=None, metadata=None)
    slots = visit.links.service_url("slots", chosen.terms.service, choices_for_day(visit, chosen.terms))
    # The proof of a consent says the text in the language in which it was shown, whatever this browser asks for later.
    action_choices = choices.replace(lang=visit.language) if visit.account.consent else choices
    support = support_contacts(visit) if with_support else None
    token = token or draft.sign(chosen, visit.account.name)
    context: dict[str, Any] = {
        "form": form,
        "action": visit.links.service_url("contact", chosen.terms.service, action_choices),
        "hidden": [
            ("draft", token),
            ("attribution", _attribution(visit)),
            *([(_ALSO_NEEDED, draft.sign_fields(form.also, chosen, visit.account.name))] if form.also else []),
        ],
        "errors": form.errors,
        "problem": problem,
        "support": support,
        "by_phone": form.by_phone,
        "summary": terms_summary(visit, chosen.terms, detail),
        "honeypot": HONEYPOT,
        "honeypot_filled": bool(visit.request.POST.get(HONEYPOT)) if form.is_bound else False,
        "legal": legal_sentence(visit),
        "form_id": f"{visit.target_id}-form",
        # A button of the form, which posts what was typed so far.
        "back_button": {"url": slots, "label": _("Choose another time")},
    }
    page = build_page(
        visit, pgettext("heading", "Your details"), step=Step.CONTACT, address=_contact_url(visit, chosen, token)
    )
    context |= fill_slots(visit, page, "form_before_button", service=chosen.terms.service)
    renderer = PageRenderer(visit, page)
    fields = None
    if not (problem or support) and find_package_templates(Step.CONTACT.template, page.layout):
        fields = render_empty_fields(visit, form, chosen.terms.service, chosen.terms.party_size)
    if fields:
        # Nobody has typed anything, so all that varies is inserted into a page that is the same for everybody.
        context |= {"form": {"rendered_fields": fields}, "summary": flat_summary(context["summary"])}
        # Lists, not tuples: a skeleton has placeholders for what is in them.
        context["hidden"] = [*map(list, context["hidden"])]
        response = renderer.render_cached(Step.CONTACT.template, context, status)
        response.no_store = True
    else:
        response = renderer.render(Step.CONTACT.template, context, status, no_store=True)
    response.content += brought_style(visit)
    if visit.account.prefill:
        # The form may have what the site knows of who is logged in.
        patch_vary_headers(response, ["Cookie"])
    return response


def _draft(visit: WidgetRequest, detail: ServiceDetail, moment: AvailableTime) -> Draft:
    """Build the draft of an available time."""
    terms = Terms.from_available_time(
        moment,
        service=detail.service.slug,
        timezone=visitor_zone(visit, detail),
        party_size=visit.choices.party_size,
    )
    chosen = Draft(terms=terms, issued_at=visit.now.timestamp(), metadata=visit.choices.metadata or "")
    posted = visit.request.POST.get(FORM_INPUT_FIELD) if visit.request.method == "POST" else None
    if not posted or not visit.form_input:
        return chosen
    # The same key when the same page is posted again: a reload or Back must not make a second booking possible. Of what
    # was chosen, and not of the terms: these name the host as soon as only one is left.
    choices = visit.choices
    about = (terms.service, terms.start, choices.host_id, choices.team_id, choices.party_size)
    return replace(chosen, nonce=_nonce(posted, *about))


def _with_metadata(visit: WidgetRequest, chosen: Draft) -> WidgetRequest:
    """Return the request with the draft's metadata, so that the ways back to the times have it."""
    return visit.with_choices(visit.choices.replace(metadata=chosen.metadata or None))


def _nonce(posted: str, *choices: object) -> str:
    """Derive the key of an attempt from what no other page has (encrypted form input, or a key) and what was chosen."""
    about = "\0".join(map(str, (posted, *choices)))
    return salted_hmac("kordless_booking.nonce", about, algorithm="sha256").hexdigest()[:32]


def _unsign_draft(visit: WidgetRequest, token: str, service: str) -> Draft:
    """Verify a draft. Raises ExpiredDraft, or InvalidDraft: also for another service, or a time that has begun."""
    now = visit.now.timestamp()
    chosen = draft.unsign(token, visit.account.name, max_age=visit.account.draft_seconds, now=now)
    if chosen.terms.service != service or chosen.terms.start <= visit.now:
        raise draft.InvalidDraft
    return chosen


def _detail(visit: WidgetRequest, service: str) -> ServiceDetail | None:
    """Return the service, or None when Kordless can't be asked: the form is shown without its details then."""
    try:
        return visit.catalog.service(service).value
    except (exceptions.Unavailable, exceptions.KeyRefused):
        return None


def _to_slots(
    visit: WidgetRequest, service: str, terms: Terms | None = None, *, taken: str = "", near: datetime | None = None
) -> HttpResponse:
    """Show the free times, from which each way on has what was typed (409); redirect there when nothing was.

    `terms` are those whose day is shown. `taken` is the reason, as in the query of the slot page, and `near` the start
    of the lost time, where it isn't that of the terms.
    """
    choices = choices_for_day(visit, terms) if terms else visit.choices
    response = lost_slot_page(visit, service, choices, taken, near=terms.start if terms else near)
    if visit.form_input:
        _set_address(visit, response, visit.links.service_url("slots", service, choices))
    return response


def _contact_url(visit: WidgetRequest, chosen: Draft, token: str = "") -> str:
    """Return the URL of the form. `token` is the signed draft, where it is known."""
    token = token or draft.sign(chosen, visit.account.name)
    choices = visit.choices.replace(month=None, day=None, metadata=None)
    return visit.links.service_url("contact", chosen.terms.service, choices, draft=token)


def _failed_request_message() -> str:
    return _("We can’t reach the booking system right now. Nothing has been booked; please try again in a moment.")


def _attribution(visit: WidgetRequest) -> str:
    """Return the attribution that was posted, for the form that is shown again; "" when it is invalid.

    The script fills it in only once for each page.
    """
    text = visit.request.POST.get("attribution", "")
    return text if parse_attribution(text) else ""
