"""Faults of slots: number, order, time and capacity."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.sandbox_api import NOW, Api


def bent(api: Api, kind: str, **options: Any) -> list[dict[str, Any]]:
    api.sandbox.faults.add(kind, operation="availability", times=1, **options)
    return api.slots()


@pytest.mark.parametrize(("kind", "names"), [("null_host", ("host", "hostId")), ("null_team", ("team", "teamId"))])
def test_nobody(api: Api, kind: str, names: tuple[str, ...]) -> None:
    """Hosts or teams are null in every slot."""
    assert {slot[name] for slot in bent(api, kind) for name in names} == {None}


def test_host_spelling(api: Api) -> None:
    """The host's name goes by another name."""
    assert bent(api, "host_spelling", name="name")[0]["host"]["name"] == "Miguel"


def test_unsorted_and_duplicates(api: Api) -> None:
    """The same slots in another order, or each twice."""
    slots = api.slots()
    mixed = bent(api, "unsorted")
    assert mixed != slots
    assert sorted(mixed, key=lambda slot: (slot["startsAt"], slot["hostId"] != "host_sarah")) == slots
    assert len(bent(api, "duplicates")) == 2 * len(slots)


def test_past(api: Api) -> None:
    """Some slots have begun."""
    now = NOW.isoformat()[:19] + "Z"
    assert sum(slot["startsAt"] < now for slot in bent(api, "past", count=3)) == 3


def test_full_and_odd_capacities(api: Api) -> None:
    """Full slots are listed, or capacities are null or negative."""
    assert [slot["availableCapacity"] for slot in bent(api, "full")[:4]] == [0, 1, 0, 1]
    assert {slot["availableCapacity"] for slot in bent(api, "capacity")} == {None}
    assert {slot["availableCapacity"] for slot in bent(api, "capacity", value=-1)} == {-1}


def test_thousands_and_none(api: Api) -> None:
    """Three thousand different slots, or no slot at all."""
    assert len({slot["startsAt"] for slot in bent(api, "many")}) == 3000
    assert bent(api, "no_slots") == []


def test_no_slots_of_the_next_days_or_of_one_host(api: Api) -> None:
    """The others stay."""
    plain = bent(api, "unknown_fields")
    later = bent(api, "no_slots", days=10)
    assert [slot["startsAt"] for slot in later] == [s["startsAt"] for s in plain if s["startsAt"] >= "2026-12-02T15"]
    assert {slot["hostId"] for slot in bent(api, "no_slots", host="host_sarah")} == {"host_miguel"}
