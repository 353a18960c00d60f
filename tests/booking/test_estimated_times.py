"""The estimate that a visitor in the queue gets holds, whoever else comes, and in whatever order pages ask."""

import random
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from kordless_booking.api.client import Kordless
from kordless_booking.api.resources import Booking, Contact, NewBooking
from kordless_booking.booking.attempt import Attempt
from kordless_booking.booking.placement import Outcome, Pending, Placed, place_booking, resume
from kordless_booking.exceptions import TooMany
from tests.support.clock import NOW

pytestmark = pytest.mark.django_db

CREATIONS = 3
"""How many the Kordless of these tests creates in a minute: the queue grows with few attempts."""
MAX_POLL_SECONDS = 30


class CountingKordless:
    """A Kordless that creates `CREATIONS` bookings in any 60 seconds, and says when there is room for another."""

    def __init__(self) -> None:
        self.now = NOW
        self.created: list[datetime] = []

    def create(self, request: NewBooking, **_given: Any) -> Booking:
        """Create a booking, or raise TooMany."""
        lately = [moment for moment in self.created if moment > self.now - timedelta(seconds=60)]
        if len(lately) >= CREATIONS:
            wait = (lately[0] + timedelta(seconds=61) - self.now).total_seconds()
            raise TooMany(operation="create", retry_after=int(wait))
        self.created.append(self.now)
        return Booking(
            confirmation_number=f"BOOK_{len(self.created)}", status="confirmed", start=request.start, end=request.end
        )


def attempt_of(number: int) -> Attempt:
    """Return the attempt of one more visitor, at a slot of its own."""
    start = NOW + timedelta(days=1, hours=number)
    contact = Contact(name="Guest", email=f"guest{number}@example.com")
    request = NewBooking(
        service_slug="haircut", start=start, end=start + timedelta(hours=1), timezone="UTC", contact=contact
    )
    return Attempt(f"{number:032}", request)


def _crowd(seed: int) -> list[tuple[int, str]]:
    """Return a made-up crowd: the seconds between two arrivals, and who comes from which of six addresses."""
    chance = random.Random(seed)  # noqa: S311 (the same crowd each time)
    return [(chance.choice([0, 0, 3, 8, 12]), chance.choice("aaabcdef")) for _ in range(15)]


@pytest.mark.parametrize(
    "arrivals", [_crowd(seed) for seed in range(4)] + [[(0, "a")] * 9 + [(34, "f"), (6, "e"), (8, "d")]]
)
def test_nobody_is_booked_later_than_their_estimate(arrivals: list[tuple[int, str]]):
    """Each page asks when it was announced to; of those that ask in one second, the newest may be the first."""
    kordless = CountingKordless()
    client = cast(Kordless, kordless)
    attempts: dict[int, Attempt] = {}
    due: dict[int, int] = {}
    announced: dict[int, int] = {}
    placed: dict[int, int] = {}
    comes, second = [], 0
    for pause, address in arrivals:
        second += pause
        comes.append((second, address))

    def record(number: int, outcome: Outcome | None, now: int) -> None:
        if isinstance(outcome, Pending):
            due[number] = now + min(outcome.seconds, MAX_POLL_SECONDS)
            if outcome.waiting and number not in announced:
                announced[number] = now + max(outcome.seconds, outcome.longest)
        else:
            assert isinstance(outcome, Placed)
            due.pop(number, None)
            placed[number] = now

    for now in range(second + 1200):
        kordless.now = NOW + timedelta(seconds=now)
        ready = [number for number, moment in due.items() if moment <= now]
        for number in sorted(ready, reverse=bool(now % 2)):
            given_ = attempts[number]
            record(
                number,
                resume(
                    "default", client, given_.key, given_.body_digest(), kordless.now, creations_per_minute=CREATIONS
                ),
                now,
            )
        for number, (moment, address) in enumerate(comes):
            if moment == now:
                attempts[number] = attempt_of(number)
                outcome = place_booking(
                    "default",
                    client,
                    attempts[number],
                    kordless.now,
                    creations_per_minute=CREATIONS,
                    address_hash=address,
                )
                record(number, outcome, now)
        if len(placed) == len(comes):
            break
    assert len(placed) == len(comes), (placed, due)
    # A minute's room comes back one by one, as it was used.
    assert not [number for number, moment in announced.items() if placed[number] > moment + 15], (
        announced,
        placed,
        comes,
    )
