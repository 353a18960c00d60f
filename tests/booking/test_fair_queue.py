"""The queue is shared out over client addresses: nobody who sends many forms holds up those who send one."""

from datetime import timedelta

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kordless_booking.api.client import CREATIONS_PER_MINUTE
from kordless_booking.api.resources import Contact
from kordless_booking.booking import queue
from kordless_booking.booking.attempt import Attempt
from kordless_booking.booking.hashes import address_hash
from kordless_booking.booking.placement import Pending, Placed, Rejected, place_booking, resume
from kordless_booking.exceptions import SlotTaken
from kordless_booking.models import BookingAttempt
from kordless_booking.sandbox import Limits
from tests.support.clock import NOW
from tests.support.placement import KEY, JustBefore, attempt_at, creates, edited, keys_sent, later, row, unsure

pytestmark = pytest.mark.django_db


def come(address: str, number: int) -> BookingAttempt:
    """Put one more attempt of an address into the queue, and return its row: queued, or held outside."""
    arrival = queue.next_arrival("default", NOW)
    attempt = BookingAttempt.objects.create(
        key=f"{number}",
        account="default",
        state=BookingAttempt.State.WAITING,
        address_hash=address,
        arrival=arrival,
        turn=arrival,
        retry_at=NOW + timedelta(seconds=40),
        claimed_until=NOW,
        created_at=NOW,
        changed_at=NOW,
    )
    queue.take_turn(attempt, NOW, creations_per_minute=CREATIONS_PER_MINUTE)
    attempt.refresh_from_db()
    return attempt


def served() -> list[BookingAttempt]:
    """Return the queue in the order in which it is served."""
    return list(BookingAttempt.objects.filter(state=BookingAttempt.State.WAITING).order_by("turn", "pk"))


def test_two_addresses_with_fifty_forms_each_leave_two_places_before_an_honest_visitor():
    """However many come before: the first of an address goes before the second of another."""
    for number in range(100):
        come("bot" if number % 2 else "other bot", number)
    honest = come("honest", 1000)
    assert [attempt.pk for attempt in served()].index(honest.pk) == 2
    assert queue.wait_for(honest, NOW, creations_per_minute=CREATIONS_PER_MINUTE) == 41


def test_an_ipv6_network_counts_as_four_addresses_in_the_queue():
    """Whoever owns it has a new address for each form; four of its addresses go first, as neighbors may."""
    rows = [come(address_hash(f"2001:db8:0:{number:x}::/64", "2001:db8::/48"), number) for number in range(30)]
    assert [each.turn - each.arrival for each in rows[:9]] == [0] * 4 + [CREATIONS_PER_MINUTE + 1] * 4 + [
        2 * CREATIONS_PER_MINUTE + 1
    ]
    assert len(served()) == queue.MAX_WAITING_PER_ADDRESS * queue.ADDRESSES_PER_NETWORK
    neighbor = come(address_hash("2001:db8:1:7::/64", "2001:db8:1::/48"), 100)
    assert neighbor.turn == neighbor.arrival
    assert [each.pk for each in served()].index(neighbor.pk) < CREATIONS_PER_MINUTE


def test_nobody_takes_the_room_of_those_who_are_before_them():
    """Two of ten may still be sent in this minute: the first two may, however often the third asks before them."""
    rows = [come(f"guest {number}", number) for number in range(11)]
    BookingAttempt.objects.update(retry_at=NOW - timedelta(seconds=1))
    BookingAttempt.objects.filter(pk__in=[attempt.pk for attempt in rows[:8]]).update(
        state=BookingAttempt.State.PLACED, changed_at=NOW - timedelta(seconds=20)
    )
    waits = []
    for attempt in rows[8:]:
        attempt.refresh_from_db()
        waits.append(queue.wait_for(attempt, NOW, creations_per_minute=CREATIONS_PER_MINUTE))
    assert waits == [0, 0, queue.ROUND_SECONDS - 20]


def test_at_most_five_of_an_address_are_queued():
    """The sixth is held outside, and joins when one of the five is done."""
    states = [come("bot", number).state for number in range(7)]
    assert states == 5 * ["waiting"] + 2 * ["held"]
    BookingAttempt.objects.filter(key="0").update(state=BookingAttempt.State.PLACED)
    assert come("bot", 7).state == "waiting"


def test_attempts_without_an_address_are_served_as_they_came():
    """Those that an older release wrote, and those whose address nobody knows."""
    rows = [come("", number) for number in range(12)]
    assert served() == rows
    assert all(attempt.turn == attempt.arrival for attempt in rows)


def test_a_closed_tab_keeps_its_place_and_still_counts_for_its_address():
    """Whoever closes five tabs and opens five more comes back behind the others, not as five first ones."""
    first = come("bot", 0)
    others = [come(f"honest {number}", 1 + number) for number in range(3)]
    BookingAttempt.objects.filter(pk=first.pk).update(retry_at=NOW - timedelta(minutes=5))
    second = come("bot", 10)
    assert second.turn == second.arrival + CREATIONS_PER_MINUTE + 1
    assert served() == [first, *others, second]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(addresses=st.lists(st.sampled_from("abcd"), min_size=1, max_size=24))
def test_nobody_waits_longer_than_their_estimate(db, addresses):
    """The first of an address by none, the next by as many as the longest time that its visitor is told allows for."""
    BookingAttempt.objects.all().delete()
    longest: dict[int, int] = {}
    for number, address in enumerate(addresses):
        waiting = come(address, number)
        if waiting.state != BookingAttempt.State.WAITING:
            continue
        longest[waiting.pk] = queue.longest_wait_for(waiting, NOW, creations_per_minute=CREATIONS_PER_MINUTE)
        for attempt in served():
            wait = queue.wait_for(attempt, NOW, creations_per_minute=CREATIONS_PER_MINUTE)
            assert wait <= longest[attempt.pk], (addresses, attempt.turn)
            overtaken_by = [other for other in served() if other.pk > attempt.pk and other.turn < attempt.turn]
            assert len(overtaken_by) <= attempt.turn - attempt.arrival
    for address in set(addresses):
        own = [attempt for attempt in served() if attempt.address_hash == address]
        assert len(own) <= queue.MAX_WAITING_PER_ADDRESS
        assert sorted(own, key=lambda attempt: attempt.pk) == own


def test_a_second_attempt_at_a_slot_waits_until_the_first_is_known(sandbox, network, client):
    """Two of a family at one address: the second is held while the first is being sent, then it is asked for."""
    first = attempt_at(client, "styling-class", key="1" * 32)
    second = Attempt("2" * 32, edited(first, contact=Contact(name="Sister", email="sister@example.com")).request)
    home = address_hash("203.0.113.5")
    during: list[object] = []

    def meanwhile() -> None:
        network.before = lambda: None
        during.append(place_booking("default", client, second, NOW, address_hash=home))

    network.before = meanwhile
    assert isinstance(place_booking("default", client, first, NOW, address_hash=home), Placed)
    assert during == [Pending(2)]
    assert during[0].held
    assert len(creates(sandbox)) == 1
    assert isinstance(resume("default", client, second.key, second.body_digest(), later(NOW, 2)), Placed)
    assert len(sandbox.bookings()) == 2


def test_a_second_attempt_of_a_contact_waits_from_another_address_too(sandbox, network, client, attempt):
    """The same person with two devices, and another person at another address, who need not wait."""
    mine = Attempt("2" * 32, edited(attempt, notes="From my phone").request)
    during: list[object] = []
    stranger = Contact(name="Stranger", email="stranger@example.com")
    other = Attempt("3" * 32, edited(attempt, contact=stranger).request)

    def meanwhile() -> None:
        network.before = lambda: None
        during.append(place_booking("default", client, mine, NOW, address_hash="phone"))
        during.append(place_booking("default", client, other, NOW, address_hash="elsewhere"))

    network.before = meanwhile
    place_booking("default", client, attempt, NOW, address_hash="desk")
    assert during[0] == Pending(2)
    assert isinstance(during[1], Placed)


def test_a_second_attempt_does_not_wait_for_a_closed_tab(sandbox, client, attempt):
    """The first has no outcome, and nobody asks for it anymore: ten seconds after its time the second is sent."""
    unsure(sandbox, client, attempt)
    second = Attempt("2" * 32, edited(attempt, notes="Once more").request)
    assert place_booking("default", client, second, later(NOW, 1)) == Pending(2)
    assert resume("default", client, second.key, second.body_digest(), later(NOW, 3)) == Pending(2)
    outcome = resume("default", client, second.key, second.body_digest(), later(NOW, 13))
    assert isinstance(outcome, Rejected)
    assert isinstance(outcome.error, SlotTaken)


def gone(_request: object) -> bool:
    """Tell that a slot isn't in the list."""
    return True


def test_an_attempt_never_sent_is_rejected_without_a_request_when_its_slot_is_gone(sandbox, client, attempt):
    """As after a conflict: its body is erased, and the same form may be sent again as a new generation."""
    outcome = place_booking("default", client, attempt, NOW, is_slot_gone=gone)
    assert isinstance(outcome, Rejected)
    assert isinstance(outcome.error, SlotTaken)
    assert not outcome.after_unknown_outcome
    assert creates(sandbox) == []
    assert (row().state, row().rejection, row().encrypted, row().address_hash) == ("rejected", "SlotTaken", "", "")
    assert isinstance(place_booking("default", client, attempt, later(NOW, 1)), Placed)
    assert keys_sent(sandbox) == [f"kb-{KEY}-2"]


def test_an_attempt_that_may_have_been_sent_is_always_asked_for(sandbox, client, attempt):
    """Its slot is gone because it was booked by this very attempt, whose response was lost."""
    unsure(sandbox, client, attempt)
    outcome = resume("default", client, KEY, attempt.body_digest(), later(NOW, 40), is_slot_gone=gone)
    assert isinstance(outcome, Placed)
    assert len(creates(sandbox)) == 2
    assert len(sandbox.bookings()) == 1


def test_an_attempt_in_the_queue_whose_slot_is_gone_leaves_it_at_once(sandbox, client, attempt):
    """Its visitor need not wait to hear of it, and nobody waits behind it."""
    sandbox.faults.add("status", "create", times=1, status=429, retry_after=50)
    assert place_booking("default", client, attempt, NOW) == Pending(50, waiting=True)
    outcome = resume("default", client, KEY, attempt.body_digest(), later(NOW, 5), is_slot_gone=gone)
    assert isinstance(outcome, Rejected)
    assert queue.wait_for_new_attempt("default", later(NOW, 5)) == 0
    assert len(creates(sandbox)) == 1


@pytest.mark.parametrize("rejects_first", [True, False])
def test_a_rejection_by_the_list_and_a_send_of_the_same_moment_never_both_happen(
    sandbox, client, attempt, rejects_first
):
    """Two processes have read the queued row; whichever writes first decides, and the other one sees it."""
    sandbox.faults.add("status", "create", times=1, status=429, retry_after=20)
    place_booking("default", client, attempt, NOW)
    now = later(NOW, 40)
    others: list[object] = []

    def resume_attempt(*, rejects: bool) -> object:
        check = gone if rejects else None
        return resume("default", client, KEY, attempt.body_digest(), now, is_slot_gone=check)

    with connection.execute_wrapper(JustBefore("UPDATE", lambda: others.append(resume_attempt(rejects=rejects_first)))):
        mine = resume_attempt(rejects=not rejects_first)
    assert mine == Pending(2)
    assert isinstance(others[0], Rejected if rejects_first else Placed)
    assert len(sandbox.bookings()) == (0 if rejects_first else 1)
    assert isinstance(resume_attempt(rejects=False), Rejected if rejects_first else Placed)


def test_whoever_is_queued_after_a_full_minute_takes_turns_as_well(sandbox, client):
    """Kordless takes one a minute: of three that it had no room for, the other address's goes first."""
    sandbox.limits = Limits(general=None, creations=1, contact=None, retry_after=True)

    def send(number: int, address: str) -> object:
        attempt = attempt_at(client, "styling-class", key=str(number) * 32)
        other = edited(attempt, contact=Contact(name="Guest", email=f"guest{number}@example.com"))
        # Another slot each, so that none waits for another's outcome.
        slot = client.availability("styling-class", NOW, NOW + timedelta(days=20))[number]
        other = edited(other, start=slot.start, end=slot.end)
        place_booking("default", client, other, NOW, address_hash=address, creations_per_minute=1)
        return other.key

    taken = [send(1, "bot"), send(2, "bot"), send(3, "bot"), send(4, "honest")]
    assert [attempt.key for attempt in served()] == [taken[1], taken[3], taken[2]]
