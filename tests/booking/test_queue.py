"""The queue of bookings that wait for their turn: with the seconds to wait, and never overtaken."""

from datetime import timedelta

import pytest

from kordless_booking.booking.placement import Pending, Placed, place_booking, resume
from kordless_booking.booking.queue import wait_after_contention, wait_for, wait_for_new_attempt
from kordless_booking.models import BookingAttempt
from kordless_booking.sandbox import Limits
from tests.support.clock import NOW
from tests.support.placement import KEY, attempt_at, client_of, creates, later

pytestmark = pytest.mark.django_db


def waiting(
    number: int,
    *,
    due: float = 40,
    account: str = "default",
    state: BookingAttempt.State = BookingAttempt.State.WAITING,
) -> BookingAttempt:
    """The attempt that came `number` seconds after the first, and is due so many seconds from NOW, as is its claim."""
    return BookingAttempt.objects.create(
        key=f"{account}-{number}",
        account=account,
        state=state,
        retry_at=NOW + timedelta(seconds=due),
        claimed_until=NOW + timedelta(seconds=due if state == BookingAttempt.State.PLACING else 0),
        created_at=NOW - timedelta(minutes=1) + timedelta(seconds=number),
        changed_at=NOW,
    )


def estimated_waits(rows: list[BookingAttempt], creations_per_minute: int = 10) -> list[int]:
    """Return the seconds that each attempt has to wait."""
    return [wait_for(row, NOW, creations_per_minute=creations_per_minute) for row in rows]


def test_whoever_waits_behind_ten_waits_a_minute_longer():
    """Of 25 who are due together, ten go at once, ten a minute later, and five after two."""
    rows = [waiting(number) for number in range(25)]
    assert estimated_waits(rows) == [41] * 10 + [102] * 10 + [163] * 5


def test_of_those_who_are_due_only_the_first_may_try():
    """The others keep their place without asking the rate limiter."""
    rows = [waiting(number, due=-1) for number in range(5)]
    assert estimated_waits(rows, creations_per_minute=2) == [0, 0, 61, 61, 122]


def test_attempts_of_the_same_moment_have_distinct_positions():
    """The row that was written first goes first, whatever the clocks of two processes say."""
    rows = [waiting(0, due=-1)]
    rows.append(BookingAttempt.objects.create(**{**vars_of(rows[0]), "key": "other"}))
    rows.append(waiting(-1, due=-1))
    assert estimated_waits(rows, creations_per_minute=1) == [0, 61, 122]


def vars_of(row: BookingAttempt) -> dict[str, object]:
    """All that a row holds but its number."""
    return {name: value for name, value in vars(row).items() if name not in {"_state", "id"}}


def test_a_closed_tab_is_not_waited_for_and_finds_its_place_again():
    """Ten seconds after its time nobody waits for it; when it asks, it is still the oldest."""
    gone, behind = waiting(0, due=-11), waiting(1, due=-1)
    assert estimated_waits([gone, behind], creations_per_minute=1) == [0, 0]
    BookingAttempt.objects.filter(pk=gone.pk).update(retry_at=NOW + timedelta(seconds=5))
    assert estimated_waits([behind], creations_per_minute=1) == [67]


def test_only_those_who_wait_at_the_same_account_count():
    """Placed and rejected ones, those with unknown outcome, and another business's stand in nobody's way."""
    for number, state in enumerate(
        (
            BookingAttempt.State.PLACING,
            BookingAttempt.State.PLACED,
            BookingAttempt.State.REJECTED,
            BookingAttempt.State.OUTCOME_UNKNOWN,
        )
    ):
        waiting(number, state=state)
    waiting(1, account="north")
    mine = waiting(5, due=-1)
    assert estimated_waits([mine], creations_per_minute=1) == [0]
    assert wait_for_new_attempt("south", NOW) == 0


def raced(row: BookingAttempt, creations_per_minute: int = 10) -> int:
    """Return the wait of an attempt that lost the race for a permit when Kordless has room again in 50 seconds."""
    return wait_after_contention(row, NOW, seconds=50, creations_per_minute=creations_per_minute)


def test_the_position_after_a_lost_race_counts_those_who_will_lose_it_too():
    """Of 35 sent in one moment ten are taken, so ten wait one round, ten wait two, and five three."""
    rows = [waiting(number, state=BookingAttempt.State.PLACING, due=20) for number in range(35)]
    assert [raced(row) for row in rows] == [50] * 20 + [111] * 10 + [172] * 5


def test_the_position_after_a_late_loss_counts_those_who_wait_by_then():
    """Ten were taken and ten wait, so of those being sent none will be taken; a minute later ten may be again."""
    for number in range(10):
        waiting(number, state=BookingAttempt.State.PLACED)
    for number in range(10, 20):
        waiting(number)
    for number in range(20, 29):
        waiting(number, state=BookingAttempt.State.PLACING, due=20)
    assert [raced(waiting(number)) for number in (30, 31)] == [50 + 61, 50 + 122]
    BookingAttempt.objects.filter(state=BookingAttempt.State.PLACED).update(changed_at=NOW - timedelta(seconds=61))
    assert raced(waiting(32)) == 50 + 61
    BookingAttempt.objects.filter(state=BookingAttempt.State.PLACING).update(claimed_until=NOW)
    BookingAttempt.objects.filter(state=BookingAttempt.State.WAITING).exclude(key="default-10").delete()
    assert raced(waiting(33)) == 50


def test_a_newcomer_waits_for_the_first_in_line():
    """And with nobody there, not at all."""
    assert wait_for_new_attempt("default", NOW) == 0
    waiting(0, due=40)
    assert wait_for_new_attempt("default", NOW) == 41
    BookingAttempt.objects.update(retry_at=NOW - timedelta(seconds=2))
    assert wait_for_new_attempt("default", NOW) == 1


def test_a_newcomer_does_not_overtake(sandbox):
    """One who waits goes first, though there is room again when another comes."""
    client = client_of(sandbox)
    first, second = attempt_at(client), attempt_at(client, "beard-trim", key=KEY[::-1])
    sandbox.limits = Limits(general=None, creations=1, retry_after=True)
    place_booking("default", client, attempt_at(client, "styling-class", key="0" * 32), NOW)
    first_wait = place_booking("default", client, first, NOW)
    assert isinstance(first_wait, Pending)
    sandbox.limits = Limits.off()
    second_wait = place_booking("default", client, second, NOW, creations_per_minute=1)
    assert isinstance(second_wait, Pending)
    assert second_wait.waiting
    assert 60 <= second_wait.seconds - first_wait.seconds <= 62
    sent = len(creates(sandbox))
    due = later(NOW, first_wait.seconds)
    assert resume("default", client, second.key, second.body_digest(), due, creations_per_minute=1) == Pending(
        61, waiting=True
    )
    assert len(creates(sandbox)) == sent
    assert isinstance(resume("default", client, first.key, first.body_digest(), due, creations_per_minute=1), Placed)
    assert isinstance(
        resume("default", client, second.key, second.body_digest(), later(due, 61), creations_per_minute=1), Placed
    )


def test_a_wait_counts_those_before_it_who_find_no_room():
    """One of those who come at once has to wait until all before it are through, sent or not yet queued."""
    for number in range(17):
        waiting(number, state=BookingAttempt.State.PLACING, due=20)
    for number in range(17, 22):
        waiting(number, due=50)
    mine = waiting(30, due=50)
    assert estimated_waits([mine]) == [61 + 61]


def test_a_wait_does_not_count_those_who_are_sent_in_their_turn():
    """Ten are being sent a minute after ten others: they have room, and so have those of the next minute."""
    for number in range(10):
        waiting(number, state=BookingAttempt.State.PLACED)
    for number in range(10, 20):
        waiting(number, state=BookingAttempt.State.PLACING, due=20)
    for number in range(20, 25):
        waiting(number, due=50)
    assert estimated_waits([waiting(30, due=50)]) == [61]
