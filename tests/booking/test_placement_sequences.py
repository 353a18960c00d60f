"""Placing under any sequence of mishaps: never more than one booking, and in the end the truth."""

from collections.abc import Callable
from datetime import datetime, timedelta

import httpx
import pytest
import stamina
import time_machine
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kordless_booking.api.client import Kordless
from kordless_booking.api.resources import Contact, NewBooking
from kordless_booking.booking.attempt import Attempt
from kordless_booking.booking.availability import has_slot_for
from kordless_booking.booking.placement import (
    DifferentRequest,
    Outcome,
    Pending,
    Placed,
    Rejected,
    place_booking,
    resume,
)
from kordless_booking.exceptions import SlotTaken
from kordless_booking.models import BookingAttempt
from kordless_booking.sandbox import Limits, Sandbox
from tests.support.clock import NOW
from tests.support.placement import Network, attempt_at, client_of, creates, edited

pytestmark = pytest.mark.django_db

MISHAPS = {
    "ok": None,
    "lost": ("status", {"status": 500, "carried_out": True}),
    "failed": ("status", {"status": 500}),
    "hang": ("hang", {}),
    "hang_after": ("hang", {"carried_out": True}),
    "cut": ("reset", {}),
    "rubbish": ("broken_json", {}),
    "too_many": ("status", {"status": 429, "retry_after": 5}),
    "key_revoked": ("key_revoked", {}),
    "gone": ("status", {"status": 404}),
}
UNREACHED = {"no_connection", "connect_timeout"}
EVENTS = st.sampled_from([*MISHAPS, *sorted(UNREACHED), "taken", "killed", "killed_after", "evicted"])
ENTRANCES = st.sampled_from(["resume", "post", "early", "after another body"])


class World:
    """A sandbox, the way to it, and an attempt, whose every outcome is checked against what is booked.

    `lists`: what is never sent is compared with a list of slots that is true. `holds`: a new attempt is held at first.
    """

    def __init__(self, sandbox: Sandbox, *, lists: bool = False, holds: bool = False) -> None:
        self.sandbox = sandbox
        self.network = Network(sandbox)
        self.client: Kordless = client_of(self.network)
        self.attempt: Attempt = attempt_at(self.client)
        self.now: datetime = NOW
        self.honest = True
        self.is_slot_gone = self._is_slot_gone if lists else None
        self.holds = holds

    def _is_slot_gone(self, request: NewBooking) -> bool:
        return not has_slot_for(self.client.availability("haircut", NOW, NOW + timedelta(days=4)), request)

    def mine(self) -> list[str]:
        """The numbers of this visitor's bookings."""
        return [booking["number"] for booking in self.sandbox.bookings() if booking["email"]]

    def step(self, event: str, entrance: str) -> Outcome | None:
        """One mishap, and somebody who asks. None: the process died."""
        self.network.before = self._before(event)
        self.network.after = self._die if event == "killed_after" else lambda: None
        self.sandbox.faults.clear()
        if mishap := MISHAPS.get(event):
            kind, options = mishap
            self.sandbox.faults.add(kind, "create", times=1, **options)
        if event == "evicted":
            self.honest = False
            with self.sandbox.store.write() as db:
                db.execute("DELETE FROM replays")
        self.now += timedelta(seconds=1 if entrance == "early" else 40)
        if entrance == "after another body":
            self.turn_another_body_away()
        try:
            if entrance == "post" or not BookingAttempt.objects.filter(key=self.attempt.key).exists():
                outcome: Outcome | None = place_booking(
                    "default",
                    self.client,
                    self.attempt,
                    self.now,
                    is_slot_gone=self.is_slot_gone,
                    address_hash="a",
                    hold_until=self.now + timedelta(seconds=5) if self.holds else None,
                )
            else:
                outcome = resume(
                    "default",
                    self.client,
                    self.attempt.key,
                    self.attempt.body_digest(),
                    self.now,
                    is_slot_gone=self.is_slot_gone,
                )
        except SystemExit:
            return None
        self.check(outcome)
        return outcome

    def turn_another_body_away(self) -> None:
        """Somebody else sends the same form: a conflict in every state, without any effect."""
        rows = list(BookingAttempt.objects.values())
        if not rows or rows[0]["state"] == "rejected":
            return
        sent = len(creates(self.sandbox))
        other = edited(self.attempt, contact=Contact(name="Somebody Else", email="else@example.com"))
        assert place_booking("default", self.client, other, self.now) == DifferentRequest()
        assert list(BookingAttempt.objects.values()) == rows
        assert len(creates(self.sandbox)) == sent

    def _die(self) -> None:
        raise SystemExit(9)

    def _before(self, event: str) -> Callable[[], None]:
        def mishap() -> None:
            match event:
                case "no_connection":
                    raise httpx.ConnectError("refused")
                case "connect_timeout":
                    raise httpx.ConnectTimeout("too slow")
                case "killed":
                    self._die()
                case "taken" if not self.sandbox.bookings():
                    self.sandbox.book_by_phone(
                        "haircut", self.attempt.request.start, host_id=self.attempt.request.host_id
                    )

        return mishap

    def check(self, outcome: Outcome | None) -> None:
        """Check that the outcome is true."""
        match outcome:
            case Placed(booking):
                assert self.mine() == [booking.confirmation_number]
            case Rejected(after_unknown_outcome=False):
                assert self.mine() == []
            case Rejected(error, after_unknown_outcome=True):
                assert not self.honest or not isinstance(error, SlotTaken) or self.mine() == []
            case Pending():
                assert 1 <= outcome.seconds <= 61
        assert len(self.mine()) <= 1


@pytest.mark.long
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(EVENTS, ENTRANCES), min_size=1, max_size=7), lists=st.booleans(), holds=st.booleans())
@example([("lost", "post"), ("gone", "resume")], False, False)
@example([("killed_after", "post"), ("ok", "after another body")], False, False)
@example([("cut", "post"), ("no_connection", "post")], False, False)
@example([("killed_after", "post"), ("connect_timeout", "resume")], False, False)
@example([("killed_after", "post"), ("too_many", "resume"), ("no_connection", "post")], False, False)
@example([("lost", "post"), ("evicted", "resume"), ("ok", "post")], False, False)
@example([("lost", "post"), ("too_many", "resume"), ("ok", "resume")], True, False)
@example([("killed_after", "post"), ("ok", "post")], True, False)
@example([("ok", "post"), ("killed_after", "resume"), ("too_many", "resume")], True, True)
@example([("ok", "post"), ("no_connection", "resume"), ("taken", "post")], True, True)
def test_any_sequence_of_mishaps_ends_in_the_truth_and_at_most_one_booking(db, steps, lists, holds):
    """Whatever happens, each outcome is true when it is returned, and once the mishaps end, so is the last."""
    BookingAttempt.objects.all().delete()
    with time_machine.travel(NOW, tick=False), stamina.set_testing(True, attempts=2, cap=True):
        sandbox = Sandbox(":memory:", now=NOW, limits=Limits.off())
        try:
            world = World(sandbox, lists=lists, holds=holds)
            for event, entrance in steps:
                outcome = world.step(event, entrance)
                if isinstance(outcome, Rejected) and BookingAttempt.objects.get().state == "rejected":
                    assert BookingAttempt.objects.get().encrypted == ""
                    break
            for _ in range(3):
                outcome = world.step("ok", "resume")
            assert not isinstance(outcome, Pending)
            assert isinstance(outcome, Placed) == bool(world.mine()) or not world.honest
            keys: dict[str, set[str]] = {}
            for request in creates(sandbox):
                keys.setdefault(request.headers["idempotency-key"], set()).add(request.body)
            assert all(len(bodies) == 1 for bodies in keys.values())
        finally:
            sandbox.close()
