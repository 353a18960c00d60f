"""Bookings by programs of the site's own, which have a token: the same attempts as those of the contact form.

The key of an attempt is derived from the account and the Idempotency-Key alone, so a program that repeats a request
gets the same attempt, also after its token was replaced. Everything that identifies the request is named by the program
(the start and the end, never "the next free one"), so the same request is the same body at any time. What
`booking.placement` promises then holds here too: no attempt is placed twice.

Unlike the form, a key whose attempt was refused stays that attempt's: another request needs another key.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Literal

from django.db import DatabaseError
from django.http import QueryDict
from django.utils.crypto import constant_time_compare

from kordless_booking import exceptions
from kordless_booking.api.deadline import deadline
from kordless_booking.booking import placement
from kordless_booking.booking.attempt import Attempt
from kordless_booking.booking.availability import has_slot_for
from kordless_booking.booking.receipt import Receipt
from kordless_booking.booking.terms import Terms
from kordless_booking.booking.tokens import InvalidToken
from kordless_booking.consent import FIELD_PREFIX as CONSENT_PREFIX
from kordless_booking.hooks import ExtensionSetting
from kordless_booking.models import FunnelCount
from kordless_booking.questions.answers import FIELD_PREFIX as ANSWER_PREFIX
from kordless_booking.questions.fields import GUESTS
from kordless_booking.upstream.window import Days, bookable_days
from kordless_booking.views.contact import build_contact_form
from kordless_booking.views.contact_limits import BookingPermits, OverContactLimit
from kordless_booking.views.outcome import (
    invalidate_after_rejection,
    manage_url,
    publish_placed,
    release_permits,
    slot_check,
)
from kordless_booking.views.problems import log_problem
from kordless_booking.views.program_reads import absolute
from kordless_booking.views.summary import find_service

if TYPE_CHECKING:
    from kordless_booking.api.resources import NewBooking
    from kordless_booking.conf import Account
    from kordless_booking.forms import ContactForm
    from kordless_booking.views.request import WidgetRequest

TOKENS_SETTING: Final = "API_TOKENS"
_HASH: Final = re.compile(r"[0-9a-f]{64}")
TOKEN_PREFIX: Final = "kbt_"  # noqa: S105 (not a token)
"""Beginning of each token, by which secret scanners find one that was published."""
# Visible ASCII, as RFC 9110 has field values; a key in quotation marks is the same without them.
_KEY: Final = re.compile(r"[!#-~]{8,128}")
_RETRIED: Final = (exceptions.NotSent, exceptions.KeyRefused)
"""Errors after which the same request may be sent again: it was never read, or the site had to be mended first."""


def _are_hashes(value: object) -> bool:
    given = value if isinstance(value, list | tuple) else [value]
    return all(isinstance(each, str) and _HASH.fullmatch(each) for each in given)


TOKENS_RULE: Final = ExtensionSetting(
    is_valid=_are_hashes,
    hint="A list of SHA-256 hashes of tokens, as `manage.py kordless_api_token` prints them.",
    default=(),
    convert=lambda value: tuple(value) if isinstance(value, list | tuple) else (value,),
    secret=True,
)
"""Rule of API_TOKENS, which several extensions share: the hashes of the tokens with which programs may book."""


def hash_token(token: str) -> str:
    """Return the SHA-256 of a token, in hexadecimal. A token has 256 random bits, so it needs no slow hash."""
    return sha256(token.encode(errors="surrogatepass")).hexdigest()


def is_known_token(account: Account, token: str) -> bool:
    """Return True for one of the account's tokens. Compares with all of them, each in constant time."""
    given = hash_token(token)
    found = [constant_time_compare(given, known) for known in account.extension_setting(TOKENS_SETTING)]
    return True in found


def parse_key(header: str | None) -> str | None:
    """Return the key in an Idempotency-Key header, quoted or not; None for one that can't be used."""
    key = (header or "").strip()
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    return key if _KEY.fullmatch(key) else None


def attempt_key(account: Account, key: str) -> str:
    """Return the key of the attempt for an Idempotency-Key: the same for all tokens of the account."""
    # Without SECRET_KEY, although a hash of it would be harder to guess: after a rotation, a request that is repeated
    # must still be the same attempt. Nothing is opened by this key.
    return sha256(f"kordless_booking.program\0{account.name}\0{key}".encode()).hexdigest()[:32]


@dataclass(frozen=True, kw_only=True)
class Order:
    """Booking that a program wants."""

    service: str
    start: datetime
    end: datetime
    timezone: str
    """Canonical IANA name of the customer's zone."""
    party: int = 1
    host: str | None = None
    team: str | None = None
    contact: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By the names of the form's fields: `name`, or `first_name` and `last_name`; `email`, `phone`."""
    notes: str = field(default="", repr=False)
    answers: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Answers to the business's questions, by name: texts, numbers, booleans, or lists of texts."""
    guests: tuple[str, ...] = field(default=(), repr=False)
    consents: Mapping[str, str] = field(default_factory=dict)
    """Versions of the texts that the customer has agreed to, by the name of the consent."""

    @property
    def terms(self) -> Terms:
        """Terms of the booking."""
        return Terms(
            service=self.service,
            start=self.start,
            end=self.end,
            timezone=self.timezone,
            host_id=self.host,
            team_id=self.team,
            party_size=self.party,
        )

    def form_data(self, account: Account) -> QueryDict:
        """Return it as the contact form would be posted."""
        data = QueryDict(mutable=True)
        for name, text in (*self.contact.items(), ("notes", self.notes)):
            data[name] = text
        for name, value in self.answers.items():
            data.setlist(
                ANSWER_PREFIX + name,
                [_written(each) for each in value] if isinstance(value, list) else [_written(value)],
            )
        if self.guests:
            data[ANSWER_PREFIX + GUESTS] = "\n".join(self.guests)
        for consent in account.consent:
            # Of another version than the one that applies, the customer has not agreed to this text.
            if self.consents.get(consent.name) == consent.version:
                data[consent.field] = consent.fingerprint
        return data


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


State = Literal[
    "placed", "pending", "unknown", "refused", "taken", "invalid", "reused", "throttled", "not_sent", "gone"
]


@dataclass(frozen=True, kw_only=True)
class Result:
    """Answer to a program.

    ::

        placed     booked: `booking` has the rest
        pending    not known yet, or queued: ask again under `token` after `seconds`
        unknown    nobody knows, and asking again won't tell: a person has to look the booking up
        taken      refused: the time isn't free (anymore)
        refused    refused by Kordless for another reason
        invalid    refused: `errors`
        reused     refused: the key is that of another request
        throttled  refused for `seconds`
        not_sent   nothing was sent: the same request may be sent again after `seconds`
        gone       there is no such attempt
    """

    state: State
    order_terms: Terms | None = None
    booking: Mapping[str, Any] | None = field(default=None, repr=False)
    token: str = field(default="", repr=False)
    """Token of the address under which the outcome can be asked for."""
    seconds: int | None = None
    queued: bool = False
    errors: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Pairs of a JSON pointer and what is wrong there."""
    after_unknown_outcome: bool = False
    """The time may be taken by an earlier try of this very attempt."""


def place_order(visit: WidgetRequest, order: Order, key: str) -> Result:
    """Place an order under an Idempotency-Key, or follow up the attempt that has the key.

    The caller runs it under the deadline of a booking.
    """
    account = visit.account
    # As for the form: a service that can't be read must not keep a program from the outcome of its attempt.
    with deadline(account.browse_seconds):
        detail = find_service(visit, order.service)
    form = build_contact_form(visit, detail, order.form_data(account), service=order.service, party_size=order.party)
    nonce = attempt_key(account, key)
    unknown = _unknown_names(form, order, account)
    permits = BookingPermits(visit)
    try:
        if not form.is_valid() or unknown:
            # Only valid orders are ever placed: the attempt with this key is another one, or the form has changed.
            if placement.has_attempt(account.name, nonce):
                return Result(state="reused")
            return Result(state="invalid", errors=(*unknown, *_form_errors(form)))
        attempt = Attempt(
            nonce,
            order.terms.new_booking(form.contact(), form.notes_text()),
            preferences=visit.preferences(order.timezone, order.terms),
            consents=form.given_consents(visit.now),
            answers=form.answers(),
        )
        receipt = Receipt(
            key=nonce,
            terms=order.terms,
            contact=attempt.request.contact.email or attempt.request.contact.phone or "",
            digest=attempt.body_digest(),
            sent_at=int(visit.now.timestamp()),
        )
        outcome = placement.resume(
            account.name,
            visit.client,
            nonce,
            receipt.digest,
            visit.now,
            creations_per_minute=account.creations_per_minute,
            is_slot_gone=slot_check(visit),
            permits=permits,
        )
        if outcome is None and (errors := _order_errors(visit, order)):
            return Result(state="invalid", errors=errors)
        if outcome is None or _may_be_sent_again(outcome):
            is_slot_gone = _listing_check(visit, order)
            outcome = placement.place_booking(
                account.name,
                visit.client,
                attempt,
                visit.now,
                creations_per_minute=account.creations_per_minute,
                on_created=lambda: visit.record_stage(FunnelCount.Stage.CONTACT, order.service),
                is_slot_gone=is_slot_gone,
                permits=permits,
            )
    except OverContactLimit as over:
        return Result(state="throttled", seconds=over.rejection.seconds)
    except DatabaseError:
        permits.release()
        log_problem(visit, "attempt_not_written", level=logging.ERROR, status=503)
        return Result(state="not_sent")
    if isinstance(outcome, placement.Rejected) and not outcome.after_unknown_outcome:
        permits.release()
    return _build_result(visit, receipt, outcome)


def follow_up(visit: WidgetRequest, token: str) -> Result:
    """Return the outcome of the attempt in a token of `Result.token`, and send it again when that is due.

    The caller runs it under the deadline of a booking.
    """
    account = visit.account
    try:
        receipt = Receipt.from_attempt_token(token, account.name, visit.now.timestamp())
    except InvalidToken:
        return Result(state="gone")
    # Without the digest it is the token of another page, which proves nothing about the attempt.
    if not receipt.digest:
        return Result(state="gone")
    permits = BookingPermits(visit)
    try:
        outcome = placement.resume(
            account.name,
            visit.client,
            receipt.key,
            receipt.digest,
            visit.now,
            creations_per_minute=account.creations_per_minute,
            is_slot_gone=slot_check(visit),
            permits=permits,
        )
    except OverContactLimit as over:
        return Result(state="throttled", seconds=over.rejection.seconds)
    except DatabaseError:
        permits.release()
        log_problem(visit, "database_failed", level=logging.ERROR, status=503)
        return Result(state="not_sent")
    if outcome is None or isinstance(outcome, placement.DifferentRequest):
        return Result(state="gone")
    if isinstance(outcome, placement.Rejected):
        release_permits(visit, receipt, outcome, permits)
    return _build_result(visit, receipt, outcome)


def _may_be_sent_again(outcome: placement.Outcome) -> bool:
    """Return True for an attempt that failed for a reason that has nothing to do with the request."""
    return (
        isinstance(outcome, placement.Rejected)
        and not outcome.after_unknown_outcome
        and not outcome.is_first_report
        and isinstance(outcome.error, _RETRIED)
    )


def _listing_check(visit: WidgetRequest, order: Order) -> Callable[[NewBooking], bool]:
    """Return the function that tells that a time isn't offered, by the list of free times, read like a page's.

    An order for a time, host or party that isn't in it is refused without costing one of Kordless's few creations. The
    form needs no such check: its times come from the list.
    """
    with deadline(visit.account.browse_seconds):
        try:
            window = bookable_days(visit.bookable_service(order.service).calendar.booking_window_days)
            days = Days(order.start.date(), order.start.date())
            listed = visit.catalog.slots(order.service, days, window_days=window).value
        except exceptions.KordlessError:
            # Kordless decides, if it can be asked.
            return slot_check(visit)
    return lambda request: not has_slot_for(listed, request)


def _order_errors(visit: WidgetRequest, order: Order) -> tuple[tuple[str, str], ...]:
    """Return what is wrong with a new order, as far as this site knows. Kordless decides on the rest."""
    if order.end <= order.start:
        return (("/end", "The end is not after the start."),)
    if order.start <= visit.now:
        return (("/start", "This time has begun already."),)
    with deadline(visit.account.browse_seconds):
        try:
            visit.bookable_service(order.service)
        except exceptions.NotFound:
            return (("/service", "There is no such service, or it can't be booked online."),)
        except exceptions.KordlessError:
            # Kordless decides: an attempt that can't be sent says so.
            return ()
    return ()


def _unknown_names(form: ContactForm, order: Order, account: Account) -> tuple[tuple[str, str], ...]:
    """Return an error for each answer or consent that the form doesn't ask for: it would be lost without a word."""
    errors = [
        (f"/contact/{_escaped(name)}", "The form of this service has no such field.")
        for name, text in order.contact.items()
        if text and name not in form.fields
    ]
    if order.notes and "notes" not in form.fields:
        errors.append(("/notes", "The form of this service has no notes."))
    errors += [
        (f"/answers/{_escaped(name)}", "The form of this service has no such question.")
        for name in order.answers
        if ANSWER_PREFIX + name not in form.fields
    ]
    if order.guests and ANSWER_PREFIX + GUESTS not in form.fields:
        errors.append(("/guests", "The form of this service doesn't ask for guests, or not for a party of this size."))
    known = {consent.name for consent in account.consent}
    errors += [
        (f"/consents/{_escaped(name)}", "There is no such consent.") for name in order.consents if name not in known
    ]
    return tuple(errors)


def _form_errors(form: ContactForm) -> tuple[tuple[str, str], ...]:
    return tuple((_pointer(name), str(text)) for name, texts in form.errors.items() for text in texts)


def _pointer(name: str) -> str:
    """Return the JSON pointer of a field of the form."""
    if name == ANSWER_PREFIX + GUESTS:
        return "/guests"
    if name == "notes":
        return "/notes"
    for prefix, place in ((ANSWER_PREFIX, "answers"), (CONSENT_PREFIX, "consents")):
        if name.startswith(prefix):
            return f"/{place}/{name.removeprefix(prefix)}"
    return f"/contact/{name}"


def _escaped(name: str) -> str:
    """Return a name as a part of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def _build_result(visit: WidgetRequest, receipt: Receipt, outcome: placement.Outcome) -> Result:
    terms, token = receipt.terms, receipt.to_token(visit.account.name)
    match outcome:
        case placement.DifferentRequest():
            return Result(state="reused", order_terms=terms)
        case placement.Pending(seconds=seconds, waiting=waiting, held=held):
            visit.access.mark_draft_open()
            return Result(state="pending", order_terms=terms, token=token, seconds=seconds, queued=waiting or held)
        case placement.Placed():
            # Only what this call has recorded is new: a program may ask for the same booking again and again.
            if outcome.notify_contact is not None:
                publish_placed(visit, receipt, outcome)
            booking = outcome.booking
            return Result(
                state="placed",
                order_terms=terms,
                token=token,
                booking={
                    "confirmation_number": booking.confirmation_number,
                    "status": booking.status,
                    "start": booking.start,
                    "end": booking.end,
                    "placed_at": outcome.placed_at.replace(microsecond=0),
                    "manage_url": absolute(visit, manage_url(visit, receipt, booking)),
                },
            )
    invalidate_after_rejection(visit, terms.service, outcome)
    return _rejected_result(visit, receipt, outcome, token)


def _rejected_result(visit: WidgetRequest, receipt: Receipt, outcome: placement.Rejected, token: str) -> Result:
    error, terms, unresolved = outcome.error, receipt.terms, outcome.after_unknown_outcome
    if isinstance(error, exceptions.SlotTaken):
        log_problem(visit, "slot_conflict", level=logging.INFO, status=409, error=error)
        return Result(state="taken", order_terms=terms, after_unknown_outcome=unresolved)
    if unresolved:
        log_problem(visit, "create_unresolved", level=logging.ERROR, status=202, error=error)
        # Refused is final, and so is what nobody sends again. After any other error the next try may resolve it.
        if isinstance(error, exceptions.Refused | exceptions.OutcomeUnknown):
            return Result(state="unknown", order_terms=terms, token=token)
        return Result(state="pending", order_terms=terms, token=token, seconds=placement.RETRY_SECONDS)
    if isinstance(error, _RETRIED):
        log_problem(visit, "create_not_sent", level=logging.ERROR, status=503, error=error)
        return Result(state="not_sent", order_terms=terms, seconds=error.retry_after)
    log_problem(visit, "request_rejected", level=logging.INFO, status=422, error=error)
    if isinstance(error, exceptions.NotFound):
        return Result(
            state="invalid",
            order_terms=terms,
            errors=(("/service", "There is no such service, or it can't be booked online."),),
        )
    return Result(state="refused", order_terms=terms)
