"""Erasure targets: one for each kind of row that holds personal data or expires.

- `Attempts`: booking attempts.
- `Appointments`: appointments, and the mails about them.
- `Counts`: funnel counts, counts of lost demand and of rejected deliveries.
- `Deliveries`: webhook deliveries.
- `BookingProjections`: published states of bookings.
- `ConsentProofs`: proofs of consent.

Each can also export what it would erase of a person. An export leaves out hashes: they say nothing about anybody.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from django.db.models import F, Model, Q, QuerySet
from django.utils import timezone

from kordless_booking.booking.attempt import Attempt, decrypt_row
from kordless_booking.booking.hashes import number_hashes
from kordless_booking.booking.placement import RESEND_WINDOW
from kordless_booking.booking.preferences import VisitorPreferences
from kordless_booking.booking.tokens import InvalidToken
from kordless_booking.erasure.base import ErasureResult, Person, iter_strings
from kordless_booking.mail.appointment_data import AppointmentData
from kordless_booking.models import (
    Appointment,
    BookingAttempt,
    BookingProjection,
    CampaignCount,
    ConsentProof,
    FunnelCount,
    LostDemandCount,
    OutgoingMail,
    RejectedDeliveryCount,
    WebhookDelivery,
)
from kordless_booking.webhooks.events import UnreadableEvent, parse_event
from kordless_booking.webhooks.stored_body import BODY_RETENTION, BodyUnavailable, decrypt_body

FORM_EXPIRES_AFTER: Final = timedelta(days=2)
"""Age from which no form can be sent again: DRAFT_SECONDS is a day at most."""
_OPEN: Final = [state.value for state in BookingAttempt.State if state.is_open]
_EMPTY: Final = dict.fromkeys(("encrypted", "body_hash", "email_hash", "phone_hash", "number_hash", "address_hash"), "")
"""Columns with personal data, or with a hash of it, and their value when emptied."""


class Attempts:
    """Erasure target that deletes rows whose form can't be sent anymore, and empties younger ones.

    A row keeps its form from being booked twice, so while that form may still be sent the row is emptied, not deleted.
    An attempt with an open outcome holds the request, to be sent again with the same idempotency key. Without it nobody
    could ever find out whether there is a booking, so it stays for its day unless `including_open` is set.
    """

    name = "booking attempts"
    models: tuple[type[Model], ...] = (BookingAttempt,)

    def erase_person(
        self, person: Person, now: datetime, *, accounts: list[str] | None, including_open: bool
    ) -> ErasureResult:
        result = ErasureResult()
        for row in _rows_of(person, accounts):
            if number := _number(row):
                person.numbers.add(number)
            # A request is under way with what the row holds, and its result will be written to the row.
            if row.state == BookingAttempt.State.PLACING and row.claimed_until > now:
                result.keep("being sent at this moment; run this again in a minute", personal=True)
            elif row.state in _OPEN and row.created_at > now - RESEND_WINDOW and not including_open:
                result.keep("may still become a booking; --including-open erases them too", personal=True)
            elif row.created_at < now - FORM_EXPIRES_AFTER:
                row.delete()
                result.deleted += 1
            else:
                result.emptied += _empty(row, now)
        return result

    def export_person(self, person: Person, *, accounts: list[str] | None) -> Iterator[dict[str, Any]]:
        for row in _rows_of(person, accounts):
            if number := _number(row):
                person.numbers.add(number)
            exported = {
                "account": row.account,
                "service": row.service,
                "start": _text(row.start),
                "state": row.state,
                "received": _text(row.created_at),
                "last_change": _text(row.changed_at),
            }
            yield exported | _attempt_content(row, person)

    def erase_older_than(self, moment: datetime, now: datetime, *, accounts: list[str] | None) -> ErasureResult:
        # By the last change, so that an attempt that is still being resolved isn't old.
        old = (
            _attempts_in(accounts)
            .filter(changed_at__lt=moment)
            .exclude(state=BookingAttempt.State.PLACING, claimed_until__gt=now)
        )
        deleted, _ = old.filter(created_at__lt=now - FORM_EXPIRES_AFTER).delete()
        emptied = sum(_empty(row, now) for row in old.exclude(encrypted="", email_hash="", phone_hash=""))
        return ErasureResult(deleted, emptied)


def _attempt_content(row: BookingAttempt, person: Person) -> dict[str, Any]:
    """Return what is encrypted in a row: the request while its outcome is open, the booking once it is placed."""
    if not row.encrypted:
        return {}
    try:
        if row.state == BookingAttempt.State.PLACED:
            placed = decrypt_row("answer", row, None)
            return {name: placed[name] for name in ("booking", "answers", "metadata") if name in placed}
        attempt = Attempt.from_row(row, None)
    except InvalidToken:
        _count_unreadable(person, Attempts.name)
        return {}
    content = {
        "request": attempt.request,
        "attribution": dict(attempt.attribution),
        "preferences": _preferences(attempt.preferences),
        "consents": attempt.consents,
        "answers": attempt.answers,
        "metadata": dict(attempt.metadata),
    }
    plain: dict[str, Any] = _plain({name: value for name, value in content.items() if value})
    return plain


def _attempts_in(accounts: list[str] | None) -> QuerySet[BookingAttempt]:
    rows = BookingAttempt.objects.all()
    return rows if accounts is None else rows.filter(account__in=accounts)


def _rows_of(person: Person, accounts: list[str] | None) -> Iterator[BookingAttempt]:
    """Yield rows with the person's hashes, and those that were written before there were hashes but can be read."""
    known = Q(email_hash__in=person.hashes) | Q(phone_hash__in=person.hashes)
    unmarked = Q(email_hash="", phone_hash="", state__in=_OPEN) & ~Q(encrypted="")
    for row in _attempts_in(accounts).filter(known | unmarked):
        if row.email_hash or row.phone_hash or _is_of(person, row):
            yield row


def _is_of(person: Person, row: BookingAttempt) -> bool:
    try:
        # No token is too old to be erased.
        contact = Attempt.from_row(row, None).request.contact
    except InvalidToken:
        return False
    # Kordless and the form may spell a contact differently, such as a phone number with spaces.
    return person.matches(contact.email) or person.matches(contact.phone)


def _number(row: BookingAttempt) -> str | None:
    """Return the confirmation number of a placed attempt, or None."""
    if row.state != BookingAttempt.State.PLACED:
        return None
    try:
        return str(decrypt_row("answer", row, None)["booking"]["confirmation_number"])
    except (InvalidToken, KeyError, TypeError):
        return None


def _empty(row: BookingAttempt, now: datetime) -> int:
    """Empty the row. Return 1, or 0 when a process has begun to send it since it was read.

    Raises the claim, so that a process that read the row before can't send it afterwards.
    """
    state, refusal = row.state, row.rejection
    if state in {BookingAttempt.State.WAITING, BookingAttempt.State.HELD} and not row.outcome_unknown:
        # Never sent, so it can be given up with a clear answer to its visitor.
        state, refusal = BookingAttempt.State.REJECTED.value, "NotSent"
    elif state in _OPEN:
        # May have been sent. It is never sent again, and its visitor is told to contact the business.
        state = BookingAttempt.State.OUTCOME_UNKNOWN.value
    return BookingAttempt.objects.filter(pk=row.pk, claim=row.claim, state=row.state).update(
        **_EMPTY, state=state, rejection=refusal, retry_at=None, claim=F("claim") + 1, changed_at=now
    )


class Appointments:
    """Erasure target that deletes appointments, and their mails with them.

    The booking itself stays at Kordless; only no mail is sent about it anymore.
    """

    name = "appointments with mail"
    models: tuple[type[Model], ...] = (Appointment, OutgoingMail)

    def erase_person(
        self, person: Person, now: datetime, *, accounts: list[str] | None, including_open: bool
    ) -> ErasureResult:
        matching = []
        for row, data in _appointments_of(person, accounts):
            matching.append(row.pk)
            # Collected before the rows are gone: later targets know bookings by their number alone.
            if data:
                person.numbers.add(data.booking.confirmation_number)
        return _deleted(Appointment.objects.filter(pk__in=matching))

    def export_person(self, person: Person, *, accounts: list[str] | None) -> Iterator[dict[str, Any]]:
        for row, data in _appointments_of(person, accounts):
            if data is None:
                _count_unreadable(person, self.name)
                continue
            person.numbers.add(data.booking.confirmation_number)
            mails = row.mails.order_by("queued_at", "pk").values("kind", "state", "queued_at", "changed_at")
            yield _plain(
                {
                    "account": row.account,
                    "booking": data.booking,
                    "preferences": _preferences(data.preferences),
                    **({"answers": data.answers} if data.answers else {}),
                    **({"reason": data.reason} if data.reason else {}),
                    "last_change": _text(row.notified_at),
                    "mails": [
                        {
                            "kind": mail["kind"],
                            "state": mail["state"],
                            "queued": _text(mail["queued_at"]),
                            "last_change": _text(mail["changed_at"]),
                        }
                        for mail in mails
                    ],
                }
            )

    def erase_older_than(self, moment: datetime, now: datetime, *, accounts: list[str] | None) -> ErasureResult:
        return _deleted(_appointments_in(accounts).filter(end__lt=moment))


def _appointments_of(
    person: Person, accounts: list[str] | None
) -> Iterator[tuple[Appointment, AppointmentData | None]]:
    """Yield the person's rows with what is encrypted in them, None where that can't be read."""
    hashes = person.hashes
    for row in _appointments_in(accounts).iterator():
        is_known = not hashes.isdisjoint({row.email_hash, row.phone_hash})
        try:
            data = AppointmentData.from_row(row)
        except InvalidToken:
            data = None
        # Read as well: the hash may be of another spelling, such as a phone number without its country code.
        if is_known or (data and (person.matches(data.contact.email) or person.matches(data.contact.phone))):
            yield row, data


def _appointments_in(accounts: list[str] | None) -> QuerySet[Appointment]:
    rows = Appointment.objects.all()
    return rows if accounts is None else rows.filter(account__in=accounts)


def _deleted(rows: QuerySet[Appointment]) -> ErasureResult:
    # `delete()` also counts the mails that go with them.
    return ErasureResult(rows.delete()[1].get(Appointment._meta.label, 0))


class Counts:
    """Erasure target that deletes rows by their day, which is one of the site's TIME_ZONE.

    For the funnel's counts, and the counts of lost demand and of rejected deliveries. They contain nothing personal,
    and are only deleted by age.
    """

    def __init__(
        self, name: str, model: type[FunnelCount | LostDemandCount | CampaignCount | RejectedDeliveryCount]
    ) -> None:
        self.name = name
        self.models: tuple[type[Model], ...] = (model,)
        self._model = model

    def erase_person(
        self, person: Person, now: datetime, *, accounts: list[str] | None, including_open: bool
    ) -> ErasureResult:
        # A count is about nobody, so there is nothing to erase.
        return ErasureResult()

    def export_person(self, person: Person, *, accounts: list[str] | None) -> Iterator[dict[str, Any]]:
        return iter(())

    def erase_older_than(self, moment: datetime, now: datetime, *, accounts: list[str] | None) -> ErasureResult:
        old = self._model._default_manager.filter(day__lt=timezone.localdate(moment, timezone.get_default_timezone()))
        deleted, _ = (old if accounts is None else old.filter(account__in=accounts)).delete()
        return ErasureResult(deleted)


class Deliveries:
    """Erasure target that empties bodies, and deletes rows that are a month old.

    A row identifies duplicates for as long as Kordless may still send one. Its body isn't needed for that.
    """

    name = "webhook deliveries"
    models: tuple[type[Model], ...] = (WebhookDelivery,)

    def erase_person(
        self, person: Person, now: datetime, *, accounts: list[str] | None, including_open: bool
    ) -> ErasureResult:
        result, matching = ErasureResult(), []
        for row, body in _readable_deliveries(person, accounts):
            if body is None:
                result.keep("encrypted with a SECRET_KEY that is gone; only --older-than can erase them", personal=True)
                continue
            person.numbers |= _numbers(body)
            matching.append(row.pk)
        result.emptied = WebhookDelivery.objects.filter(pk__in=matching).update(encrypted="")
        return result

    def export_person(self, person: Person, *, accounts: list[str] | None) -> Iterator[dict[str, Any]]:
        for row, body in _readable_deliveries(person, accounts):
            if body is None:
                _count_unreadable(person, self.name)
                continue
            person.numbers |= _numbers(body)
            yield {
                "account": row.account,
                "event": row.kind,
                "received": _text(row.received_at),
                "body": json.loads(body),
            }

    def erase_older_than(self, moment: datetime, now: datetime, *, accounts: list[str] | None) -> ErasureResult:
        old = _deliveries_in(accounts).filter(received_at__lt=moment)
        deleted, _ = old.filter(received_at__lt=now - BODY_RETENTION).delete()
        return ErasureResult(deleted, old.exclude(encrypted="").update(encrypted=""))


def _readable_deliveries(person: Person, accounts: list[str] | None) -> Iterator[tuple[WebhookDelivery, str | None]]:
    """Yield the person's deliveries with their bodies, and those that can't be decrypted with None."""
    # Bodies are encrypted and have no hash of the contact: each one must be decrypted and searched.
    for row in _deliveries_in(accounts).exclude(encrypted="").iterator():
        try:
            # Without the time, because an expired body that isn't emptied yet is personal all the same.
            body = decrypt_body(row, None)
        except BodyUnavailable:
            yield row, None
            continue
        document: Any = json.loads(body)
        # Any text, not only the contact's fields: events of unknown kinds have fields that nobody knows.
        if any(person.matches(text) for text in iter_strings(document)):
            yield row, body


def _deliveries_in(accounts: list[str] | None) -> QuerySet[WebhookDelivery]:
    rows = WebhookDelivery.objects.all()
    return rows if accounts is None else rows.filter(account__in=accounts)


def _numbers(body: str) -> set[str]:
    try:
        booking = parse_event(body.encode()).booking
    except UnreadableEvent:
        return set()
    return {booking.confirmation_number} if booking else set()


class BookingProjections:
    """Erasure target that deletes rows whose time has passed.

    A projection contains a keyed hash of the number, a time and a state, but no name. It keeps an old delivery from
    being published as a new change, so it stays until the booking's time has passed.
    """

    name = "booking projections"
    models: tuple[type[Model], ...] = (BookingProjection,)

    def erase_person(
        self, person: Person, now: datetime, *, accounts: list[str] | None, including_open: bool
    ) -> ErasureResult:
        rows = _projections_in(accounts).filter(number_hash__in=number_hashes(person.numbers))
        result = ErasureResult()
        result.deleted, _ = rows.filter(_passed(now)).delete()
        for _row in rows:
            result.keep("in the future; they hold a time and a keyed hash, and nothing personal", personal=False)
        return result

    def export_person(self, person: Person, *, accounts: list[str] | None) -> Iterator[dict[str, Any]]:
        for row in _projections_in(accounts).filter(number_hash__in=number_hashes(person.numbers)).order_by("pk"):
            yield {
                "account": row.account,
                "start": _text(row.start),
                "created": row.created,
                "canceled": row.canceled,
                "last_change": _text(row.changed_at),
            }

    def erase_older_than(self, moment: datetime, now: datetime, *, accounts: list[str] | None) -> ErasureResult:
        deleted, _ = _projections_in(accounts).filter(_passed(now), changed_at__lt=moment).delete()
        return ErasureResult(deleted)


def _projections_in(accounts: list[str] | None) -> QuerySet[BookingProjection]:
    rows = BookingProjection.objects.all()
    return rows if accounts is None else rows.filter(account__in=accounts)


def _passed(now: datetime) -> Q:
    # Null when only the cancellation was reported: no time that could pass is known.
    return Q(start__lt=now) | Q(start__isnull=True)


class ConsentProofs:
    """Erasure target that deletes proofs of consent: by contact, or with a booking that was found before."""

    name = "proofs of consent"
    models: tuple[type[Model], ...] = (ConsentProof,)

    def erase_person(
        self, person: Person, now: datetime, *, accounts: list[str] | None, including_open: bool
    ) -> ErasureResult:
        return ErasureResult(_proofs_of(person, accounts).delete()[0])

    def export_person(self, person: Person, *, accounts: list[str] | None) -> Iterator[dict[str, Any]]:
        for row in _proofs_of(person, accounts).order_by("given_at", "pk"):
            yield {
                "account": row.account,
                "service": row.service,
                "name": row.name,
                "version": row.version,
                "text": row.text,
                "language": row.language,
                "given": _text(row.given_at),
            }

    def erase_older_than(self, moment: datetime, now: datetime, *, accounts: list[str] | None) -> ErasureResult:
        return ErasureResult(_proofs_in(accounts).filter(given_at__lt=moment).delete()[0])


def _proofs_of(person: Person, accounts: list[str] | None) -> QuerySet[ConsentProof]:
    hashes = person.hashes
    theirs = Q(email_hash__in=hashes) | Q(phone_hash__in=hashes) | Q(number_hash__in=number_hashes(person.numbers))
    return _proofs_in(accounts).filter(theirs)


def _proofs_in(accounts: list[str] | None) -> QuerySet[ConsentProof]:
    rows = ConsentProof.objects.all()
    return rows if accounts is None else rows.filter(account__in=accounts)


def _count_unreadable(person: Person, name: str) -> None:
    person.unreadable[name] = person.unreadable.get(name, 0) + 1


def _preferences(preferences: VisitorPreferences | None) -> dict[str, Any] | None:
    """Return a visitor's preferences with a name for each of the terms, which tokens hold as a list."""
    if preferences is None:
        return None
    terms = preferences.terms
    return msgspec.structs.asdict(preferences) | {"terms": msgspec.structs.asdict(terms) if terms else None}


def _text(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None


def _plain(value: Any) -> Any:
    """Return structures of ours as JSON has them, without the fields that are empty."""
    return msgspec.json.decode(msgspec.json.encode(value))
