"""Bookable times: hosts, seats, buffers, windows, and simultaneous bookings."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from tests.support.sandbox_api import NOW, Api, assert_rejected


def at(slot: dict[str, object]) -> datetime:
    return datetime.fromisoformat(str(slot["startsAt"]))


def both(api: Api) -> list[dict[str, object]]:
    """The two slots of the first time at which both hosts are free."""
    slots = api.slots()
    start = next(one["startsAt"] for one, two in pairwise(slots) if one["startsAt"] == two["startsAt"])
    return [slot for slot in slots if slot["startsAt"] == start]


def test_slots_come_by_time_and_once_per_host(api: Api) -> None:
    """Two hosts at one time are two slots; no slot comes twice."""
    slots = api.slots()
    assert {slot["hostId"] for slot in slots} == {"host_sarah", "host_miguel"}
    starts = [slot["startsAt"] for slot in slots]
    assert starts == sorted(starts)
    pairs = [(slot["startsAt"], slot["hostId"]) for slot in slots]
    assert len(set(pairs)) == len(pairs) > len(set(starts))


def test_without_a_host_the_first_free_one_is_taken(api: Api) -> None:
    """Anyone means Sarah, then Miguel, then nobody."""
    slot = both(api)[0]
    body = api.body(slot=slot)
    assert [api.create(body).status_code for _ in range(2)] == [201, 201]
    assert [each["host_id"] for each in api.sandbox.bookings()] == ["host_sarah", "host_miguel"]
    assert_rejected(api.create(body), 409, "conflict")


def test_a_named_host_is_the_one_that_is_booked(api: Api) -> None:
    """Naming Miguel leaves Sarah free."""
    sarah, miguel = both(api)
    api.book(slot=miguel, host_id="host_miguel")
    left = api.slots()
    assert sarah in left
    assert miguel not in left
    assert_rejected(api.create(api.body(slot=miguel, host_id="host_miguel")), 409, "conflict")


def test_a_host_is_one_person_in_all_services(api: Api) -> None:
    """A haircut with Sarah takes her coloring times away."""
    color = api.slots("full-color")[0]
    taken = [slot for slot in api.slots() if slot["hostId"] == "host_sarah" and slot["startsAt"] == color["startsAt"]]
    api.book(slot=taken[0], host_id="host_sarah")
    assert color not in api.slots("full-color")


def test_buffers_keep_neighbors_away(api: Api) -> None:
    """Ten minutes after a haircut the next half hour can't begin; the hour after can't either end too close before."""
    slots = [slot for slot in api.slots() if slot["hostId"] == "host_sarah"]
    runs = {slot["startsAt"] for slot in slots}
    middle = next(
        slot for slot in slots
        if {(at(slot) + timedelta(hours=step)).isoformat()[:19] + "Z" for step in (-1, 1)} <= runs
    )  # fmt: skip
    api.book(slot=middle, host_id="host_sarah")
    left = {at(slot) for slot in api.slots() if slot["hostId"] == "host_sarah"}
    assert not left & {at(middle) + timedelta(minutes=step) for step in (-60, -30, 0, 30, 60)}
    touching = api.body(slot={"startsAt": middle["endsAt"], "endsAt": (at(middle) + timedelta(hours=2)).isoformat()})
    assert_rejected(api.create(touching | {"host_id": "host_sarah"}), 409, "conflict")


def test_group_seats_are_counted(api: Api) -> None:
    """Seats go down with each party, party_size asks for enough of them, and a class is full when they are gone."""
    slot = max(api.slots("styling-class"), key=lambda slot: slot["availableCapacity"])
    seats = slot["availableCapacity"]
    assert slot["capacity"] == 8
    assert 3 <= seats <= 8
    api.book("styling-class", slot, party_size=seats - 1)
    left = [each for each in api.slots("styling-class") if each["startsAt"] == slot["startsAt"]]
    assert left[0]["availableCapacity"] == 1
    for_two = api.slots("styling-class", partySize=2)
    assert slot["startsAt"] not in {each["startsAt"] for each in for_two}
    assert_rejected(api.create(api.body("styling-class", slot, party_size=2)), 409, "conflict")
    api.book("styling-class", slot)
    assert slot["startsAt"] not in {each["startsAt"] for each in api.slots("styling-class")}


def test_more_people_than_ever_fit(api: Api) -> None:
    """Nine people have no slot in a class of eight, and get an error that it is impossible."""
    slot = api.slots("styling-class")[0]
    assert api.slots("styling-class", partySize=9) == []
    assert_rejected(api.create(api.body("styling-class", slot, party_size=9)), 422, "unprocessable", "at most 8")
    assert_rejected(api.create(api.body(party_size=2)), 422, "unprocessable", "at most 1")


def test_no_slot_is_in_the_past_or_too_soon(api: Api) -> None:
    """The present moment, and two hours' notice of one service, are the border."""
    first = api.slots()[0]
    api.sandbox.clock.set(at(first))
    assert api.slots()[0]["startsAt"] > first["startsAt"]
    api.sandbox.clock.set(at(first) - timedelta(seconds=1))
    assert api.slots()[0] == first
    color = api.slots("full-color")[0]
    api.sandbox.clock.set(at(color) - timedelta(hours=2))
    assert color not in api.slots("full-color")
    assert_rejected(api.create(api.body("full-color", color)), 422, "unprocessable", "too soon")


def test_the_booking_window_ends_the_offer(api: Api) -> None:
    """Thirty days for the video call, counted in the business's days."""
    slots = api.slots("color-consultation", **{"from": "2026-12-01T00:00:00Z", "to": "2027-01-31T00:00:00Z"})
    assert max(at(slot) for slot in slots) < datetime.fromisoformat("2026-12-23T05:00:00Z")


def test_what_is_offered_can_be_booked(api: Api) -> None:
    """Every listed time of a day is accepted, whichever service it is."""
    for service in ("haircut", "beard-trim", "styling-class", "color-consultation", "late-advice", "head-spa"):
        slots = api.slots(service, **{"from": "2026-12-29T00:00:00Z", "to": "2027-01-31T00:00:00Z"}) or api.slots(
            service
        )
        body = api.body(service, slots[-1])
        assert api.create(body).status_code == 201, service


def test_booked_out_for_weeks(api: Api) -> None:
    """The head spa has its first free time about five weeks ahead."""
    assert api.slots("head-spa", to="2026-12-27T00:00:00Z") == []
    first = api.slots("head-spa", **{"from": "2026-12-27T00:00:00Z", "to": "2027-02-20T00:00:00Z"})[0]
    assert timedelta(days=34) < at(first) - NOW < timedelta(days=42)


def test_taken_by_phone(api: Api) -> None:
    """`take` books what a visitor sees, and only what is free."""
    slot = both(api)[0]
    api.sandbox.book_by_phone("haircut", at(slot), host_id="host_sarah")
    assert slot not in api.slots()
    with pytest.raises(ValueError, match="taken"):
        api.sandbox.book_by_phone("haircut", at(slot), host_id="host_sarah")
    api.sandbox.book_by_phone("haircut", at(slot))
    with pytest.raises(ValueError, match="taken"):
        api.sandbox.book_by_phone("haircut", at(slot))
    with pytest.raises(ValueError, match="unknown service"):
        api.sandbox.book_by_phone("nothing", at(slot))


def test_twenty_threads_want_one_time(api: Api) -> None:
    """One of them gets it, the others a 409."""
    body = api.body("full-color")
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(Api(api.sandbox).create(body).status_code)) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [201] + [409] * 19


def test_racing_with_one_idempotency_key(api: Api) -> None:
    """Twelve equal requests at once are one booking and one answer."""
    body = api.body()
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(Api(api.sandbox).create(body, Idempotency_Key="k").text))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(api.sandbox.bookings()) == 1
