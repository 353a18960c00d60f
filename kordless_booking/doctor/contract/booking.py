"""The part of the comparison that books once and cancels: creation, replay, look-up, cancel.

Whatever happens, each booking that an answer has named is canceled, and what can't be is told with its number.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any, Final

from kordless_booking.doctor.contract.facts import Findings
from kordless_booking.doctor.contract.prober import NoAnswer, Prober, Stopped
from kordless_booking.doctor.contract.reading import (
    Document,
    ServiceTimes,
    is_beyond,
    judge_location,
    judge_times,
    look_up,
    member,
)
from kordless_booking.doctor.finding import printable

if TYPE_CHECKING:
    from kordless_booking.api.raw import RawResponse

MARGIN: Final = timedelta(days=1)
"""Time that the booked slot is farther away than the notice for cancellations."""
CANCEL_ATTEMPTS: Final = 6
"""Attempts to cancel, with the email address and the phone number in turn."""
CANCEL_PAUSES: Final = 10
"""Times the usual pause after a failed attempt: 15 seconds, so that a minute's quota has ended before the last one."""
CREATE_ATTEMPTS: Final = 2
_NO_VERDICT: Final = frozenset({408, 425})
"""Statuses of a server that gave up waiting, or postponed the request."""
_NUMBER: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
_OTHER_CONTACT: Final = "contract-check-other@example.com"


@dataclass(frozen=True)
class TestContact:
    """Contact of the test booking."""

    name: str
    email: str
    """Empty for none."""
    phone: str
    """Empty for none."""

    __test__ = False

    @property
    def addresses(self) -> list[str]:
        """Email and phone, those that there are."""
        return [each for each in (self.email, self.phone) if each]

    def document(self) -> dict[str, str]:
        """Return the contact as it is sent."""
        return {name: value for name, value in vars(self).items() if value}


@dataclass
class BookingRun:
    """One test booking."""

    prober: Prober
    findings: Findings
    service: ServiceTimes
    contact: TestContact
    warn: Callable[[str], None]
    """Called with what an operator has to do, which may name a confirmation number. It is no part of the report."""
    _open: list[str] = field(default_factory=list)
    """Confirmation numbers of bookings that aren't canceled."""
    _accepted: str = ""
    """Contact that a look-up has accepted; empty until then."""
    _unknown: Document | None = None
    """Time for which a booking may exist whose number isn't known."""

    def run(self) -> None:
        """Book, compare, cancel. Raises Stopped; nothing is left booked then, or `warn` was called."""
        slot = self._choose_slot()
        try:
            self._book_and_judge(slot)
        finally:
            self._cancel_all()

    def _choose_slot(self) -> Document:
        notice = timedelta(hours=self.service.notice_hours) + MARGIN
        free = [slot for slot in self.service.slots if is_beyond(slot, notice) and slot.get("availableCapacity") != 0]
        if not free:
            raise Stopped("nothing was booked: no free time of the service is far enough away to be canceled")
        # The last one: the one that visitors want least.
        return free[-1]

    def _body(self, slot: Document, notes: str) -> dict[str, Any]:
        return {
            "org_slug": self.prober.org_slug,
            "service_slug": self.service.slug,
            "starts_at": slot.get("startsAt"),
            "ends_at": slot.get("endsAt"),
            "timezone": self.service.timezone,
            "contact": self.contact.document(),
            "party_size": 1,
            "host_id": slot.get("hostId"),
            "team_id": slot.get("teamId"),
            "notes": notes,
        }

    def _create(self, slot: Document, notes: str, key: str) -> RawResponse:
        """Create a booking, and remember its number. With no usable answer, ask once more with the same key."""
        body = self._body(slot, notes)
        # Known only from the answer on, and KeyboardInterrupt may come before that.
        self._unknown = slot
        for attempt in range(CREATE_ATTEMPTS):
            try:
                answer = self._send_create(body, key)
            except NoAnswer:
                if attempt + 1 == CREATE_ATTEMPTS:
                    raise
            except Stopped:
                if attempt == 0:
                    self._unknown = None
                raise
            else:
                refused = 400 <= answer.status < 500 and answer.status not in _NO_VERDICT
                if refused or self._remember(answer):
                    self._unknown = None
                    return answer
        raise Stopped("a creation was answered without a confirmation number")

    def _send_create(self, body: Document, key: str) -> RawResponse:
        return self.prober.send("create", "POST", "/bookings", document=body, idempotency_key=key)

    def _remember(self, answer: RawResponse) -> bool:
        number = _number_of(answer)
        if number and number not in self._open:
            self._open.append(number)
        return bool(number)

    def _book_and_judge(self, slot: Document) -> None:
        notes = "Test booking by kordless_doctor --contract. It is canceled at once."
        key = f"contract-{secrets.token_hex(12)}"
        created = self._create(slot, notes, key)
        self._judge_contact(created)
        if not self._open:
            raise Stopped(f"nothing was booked: the creation was answered with {created.status}")
        number = self._open[0]
        self._judge_created(created, number)
        self._judge_replay(slot, notes, key, number)
        self._judge_lookups(number)
        self._judge_cancel(number)

    def _judge_contact(self, created: RawResponse) -> None:
        # A 409 or 422 is about the time.
        if created.status == 400 or created.status < 300:
            for code, given, other in (
                ("email_alone", self.contact.email, self.contact.phone),
                ("phone_alone", self.contact.phone, self.contact.email),
            ):
                if given and not other:
                    self.findings.judge(code, created.status < 300, str(created.status))

    def _judge_created(self, created: RawResponse, number: str) -> None:
        booking = member(created.document, "booking")
        missing = [name for name in ("confirmation_number", "status", "start_at", "end_at") if name not in booking]
        observation = f"{created.status}{' without ' if missing else ''}{', '.join(missing)}"
        self.findings.judge("created", created.status == 201 and not missing, observation)
        usual = bool(_NUMBER.fullmatch(number))
        self.findings.judge("numbers", usual, "only these" if usual else "it has other characters")
        if "status" in booking:
            known = booking["status"] in ("confirmed", "pending")
            self.findings.judge("statuses", known, str(booking["status"]) if known else "another status")
        invite = bool(member(created.document, "calendar_invite").get("ics_url"))
        self.findings.judge("invites", invite, "an invite" if invite else "no invite")
        judge_times(self.findings, (booking[name] for name in ("start_at", "end_at") if name in booking))
        judge_location(self.findings, booking.get("location"))

    def _judge_replay(self, slot: Document, notes: str, key: str, number: str) -> None:
        again = self._create(slot, notes, key)
        same = _number_of(again) == number
        observation = f"{again.status}, {'the same booking' if same else 'another booking or none'}"
        self.findings.judge("replay_same", same, observation)
        other = self._create(slot, f"{notes} Another body.", key)
        found = _number_of(other)
        got = "no booking" if not found else "the first booking" if found == number else "another booking"
        self.findings.judge("replay_other", other.status == 422, f"{other.status}, {got}")

    def _judge_lookups(self, number: str) -> None:
        for code, contact, name in (
            ("lookup_by_email", self.contact.email, "email address"),
            ("lookup_by_phone", self.contact.phone, "phone number"),
        ):
            if not contact:
                self.findings.explain(code, f"the test booking has no {name}")
                continue
            answer = look_up(self.prober, number, contact)
            found = answer.status == 200 and (_number_of(answer) or "").casefold() == number.casefold()
            self.findings.judge(code, found, str(answer.status))
            if found:
                self._accepted = contact
            judge_times(self.findings, _times_of(answer))
        answer = look_up(self.prober, number, _OTHER_CONTACT)
        if answer.status != 403:
            self.findings.judge("error_403", False, f"{answer.status} for another contact")

    def _judge_cancel(self, number: str) -> None:
        contact = self._accepted or self.contact.addresses[0]
        answer = self._cancel(number, contact)
        status = member(answer.document, "booking").get("status")
        canceled = answer.status == 200 and status == "canceled"
        if canceled:
            self._open.remove(number)
        spelt = "canceled" if status == "canceled" else "another status"
        self.findings.judge("canceled", canceled, f"{answer.status}, {spelt}" if status else str(answer.status))
        if canceled:
            again = self._cancel(number, contact)
            self.findings.judge("cancel_twice", again.status == 422, str(again.status))

    def _cancel(self, number: str, contact: str) -> RawResponse:
        path = f"{self.prober.booking_path(number)}/cancel"
        return self.prober.send("cancel", "POST", path, query={"contact": contact})

    def _cancel_all(self) -> None:
        """Cancel what is booked. Warn of what may still be booked, also after KeyboardInterrupt."""
        if self._unknown is not None:
            self.warn(
                "A test booking may exist that can't be canceled from here: look in Kordless for "
                f"{printable(self.service.slug)} at {printable(self._unknown.get('startsAt'))} by "
                f"{printable(self.contact.name)}, and cancel it."
            )
        for number in list(self._open):
            canceled = False
            try:
                contacts = islice(cycle(self.contact.addresses), CANCEL_ATTEMPTS)
                canceled = any(self._is_canceled_after_attempt(number, contact) for contact in contacts)
            finally:
                if not canceled:
                    self.warn(f"The test booking {printable(number)} could not be canceled: cancel it in Kordless.")

    def _is_canceled_after_attempt(self, number: str, contact: str) -> bool:
        try:
            if self._cancel(number, contact).status < 300:
                return True
            # Perhaps an earlier attempt was carried out, and its answer was lost.
            answer: RawResponse | None = look_up(self.prober, number, contact)
        except Stopped:
            answer = None
        canceled = answer is not None and member(answer.document, "booking").get("status") == "canceled"
        if not canceled and self.prober.pace:
            self.prober.pause(CANCEL_PAUSES * self.prober.pace)
        return canceled


def _number_of(answer: RawResponse) -> str | None:
    number = member(answer.document, "booking").get("confirmation_number")
    return number if isinstance(number, str) and number.strip() and answer.status < 300 else None


def _times_of(answer: RawResponse) -> list[object]:
    booking = member(answer.document, "booking")
    return [booking[name] for name in ("start_at", "end_at") if name in booking]
