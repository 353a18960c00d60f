"""Erasure target of people who were named in somebody else's booking: as a guest, or in an answer to a question."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import msgspec
from django.db.models import Model, QuerySet

from kordless_booking.booking.attempt import Attempt, decrypt_row
from kordless_booking.booking.tokens import InvalidToken, reencrypt_token
from kordless_booking.erasure.base import ErasureResult, Person
from kordless_booking.mail.appointment_data import AppointmentData
from kordless_booking.models import Appointment, BookingAttempt
from kordless_booking.questions.answers import Answer, convert_answers
from kordless_booking.questions.fields import Guest

_AROUND: Final = "<>()[]{}.,;:!?\"'"
"""Characters around an address in a sentence."""
_ERASED: Final = "\u2026"


class Guests:
    """Erasure target that removes a person's contacts from the answers of other people's bookings.

    A guest goes with their name. The booking is its booker's, and stays. What was typed without an email address, or a
    phone number in the middle of a text, can't be found by a contact.
    """

    name = "guests of others"
    models: tuple[type[Model], ...] = ()
    """None of its own: rows of other targets, whose bookers they belong to."""

    def erase_person(
        self, person: Person, now: datetime, *, accounts: list[str] | None, including_open: bool
    ) -> ErasureResult:
        result = ErasureResult()
        for row, _answers, left, payload in _rows_with(person, accounts):
            if payload is None:
                # It is sent again as it was, or it would be another booking.
                result.keep("guest of a booking that may still be sent; run this again tomorrow", personal=True)
                continue
            encrypted = _encrypt(row, payload, left)
            if type(row)._default_manager.filter(pk=row.pk, encrypted=row.encrypted).update(encrypted=encrypted):
                result.emptied += 1
            else:
                result.keep("being changed at this moment; run this again in a minute", personal=True)
        return result

    def export_person(self, person: Person, *, accounts: list[str] | None) -> Iterator[dict[str, Any]]:
        for row, answers, left, _payload in _rows_with(person, accounts):
            # Nothing else of the booking: it is somebody else's.
            yield {
                "account": row.account,
                "start": row.start.isoformat() if row.start else None,
                "named_in": [found for answer in answers if (found := _part_of(person, answer, left)) is not None],
            }

    def erase_older_than(self, moment: datetime, now: datetime, *, accounts: list[str] | None) -> ErasureResult:
        # They go with the rows that they are in.
        return ErasureResult()


_Row = BookingAttempt | Appointment
_Found = tuple[_Row, tuple[Answer, ...], tuple[Answer, ...], dict[str, Any] | AppointmentData | None]


def _rows_with(person: Person, accounts: list[str] | None) -> Iterator[_Found]:
    """Yield other people's rows that name the person, with their answers as they are and as they are without them.

    The last value is the row's content; None for an attempt whose outcome is open.
    """
    hashes = person.hashes
    for row in _in(BookingAttempt.objects.exclude(encrypted=""), accounts).iterator():
        if hashes.isdisjoint({row.email_hash, row.phone_hash}):
            yield from _look_through(person, row, _read_attempt)
    for row in _in(Appointment.objects.all(), accounts).iterator():
        if hashes.isdisjoint({row.email_hash, row.phone_hash}):
            yield from _look_through(person, row, _read_appointment)


def _look_through(person: Person, row: Any, read: Any) -> Iterator[_Found]:
    try:
        answers, payload = read(row)
    except InvalidToken:
        return
    left = tuple(each for answer in answers if (each := remove_person(answer, person)) is not None)
    if left != answers:
        yield row, answers, left, payload


def _read_attempt(row: BookingAttempt) -> tuple[tuple[Answer, ...], dict[str, Any] | None]:
    if BookingAttempt.State(row.state).is_open:
        return Attempt.from_row(row, None).answers, None
    payload = decrypt_row("answer", row, None)
    return convert_answers(payload.get("answers")), payload


def _read_appointment(row: Appointment) -> tuple[tuple[Answer, ...], AppointmentData]:
    data = AppointmentData.from_row(row)
    return data.answers, data


def _encrypt(row: _Row, payload: dict[str, Any] | AppointmentData, left: tuple[Answer, ...]) -> str:
    if isinstance(payload, AppointmentData):
        return msgspec.structs.replace(payload, answers=left).encrypt(row.account)
    others = {name: value for name, value in payload.items() if name != "answers"}
    # As old as it was: an erasure must not keep the others' data for longer.
    answers = {"answers": msgspec.to_builtins(left)} if left else {}
    return reencrypt_token("answer", row.account, row.encrypted, others | answers)


def remove_person(answer: Answer, person: Person) -> Answer | None:
    """Return an answer without the person's contacts, and without their name where it is a list of guests.

    None when nothing is left of it.
    """
    value = answer.value
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        left = [each for each in value if not (isinstance(each, dict) and person.matches(each.get("email")))]
        if left == value:
            return answer
        lines = [Guest(each.get("name", ""), each.get("email", "")).text for each in left if isinstance(each, dict)]
        return msgspec.structs.replace(answer, value=left, text="\n".join(lines)) if left else None
    if not isinstance(value, str) or not answer.is_free_text:
        return answer
    if person.matches(value):
        return None
    return msgspec.structs.replace(answer, value=_without(value, person), text=_without(answer.text, person))


def _without(text: str, person: Person) -> str:
    """Return a text without the words that are a contact of the person's."""

    def replace(match: re.Match[str]) -> str:
        word = match[0]
        bare = word.strip(_AROUND)
        return word.replace(bare, _ERASED) if person.matches(bare) else word

    return re.sub(r"\S+", replace, text)


def _part_of(person: Person, answer: Answer, left: tuple[Answer, ...]) -> dict[str, Any] | None:
    """Return what an answer says of the person: their entry among guests, else the text that names them."""
    if answer in left:
        return None
    if isinstance(answer.value, list):
        theirs = [each for each in answer.value if isinstance(each, dict) and person.matches(each.get("email"))]
        return {"question": answer.title, "answer": theirs}
    return {"question": answer.title, "answer": answer.text}


def _in(rows: QuerySet[Any], accounts: list[str] | None) -> QuerySet[Any]:
    return rows if accounts is None else rows.filter(account__in=accounts)
