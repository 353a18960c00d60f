"""Typed reading of slots: what the tolerant reader would return, or nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kordless_booking.api import parsing
from kordless_booking.api.client import Kordless
from kordless_booking.api.parsing import SkippedItems, parse_slots
from kordless_booking.api.resources import Slot
from kordless_booking.api.responses import parse_json_strict
from kordless_booking.api.session import wsgi_transport
from kordless_booking.api.typed_slots import parse_typed_slots
from kordless_booking.exceptions import OutcomeUnknown
from kordless_booking.sandbox import SANDBOX_KEY, SANDBOX_ORG, Limits, Sandbox
from tests.support.api_clients import SLOT, START


def read_tolerantly(body: bytes) -> tuple[Slot, ...] | None:
    """Return what the tolerant reader makes of a body; None if it refuses or skips anything."""
    skipped = SkippedItems()
    try:
        found = parse_slots(parse_json_strict(body), skipped)
    except OutcomeUnknown:
        return None
    return None if skipped.count else found


NAMES = st.sampled_from(["Sarah", "Zoë", "", " Tom ", "\u200fنور", "a\tb", 'say "hi"', "x" * 300, "id", "host"])
IDS = st.sampled_from(["host_sarah", "t1", "", " 7", "a/b", "é", "host", "teamId"])
MOMENTS = st.tuples(
    st.integers(1, 28), st.integers(0, 23), st.sampled_from([0, 30]), st.sampled_from(["", ".5", ".123456"])
)
PROVIDERS = st.none() | st.fixed_dictionaries({"id": IDS, "displayName": st.none() | NAMES})


def written(moment: tuple[int, int, int, str], zone: str = "Z") -> str:
    """Write a moment of December 2026 as ISO 8601."""
    day, hour, minute, fraction = moment
    return f"2026-12-{day:02}T{hour:02}:{minute:02}:00{fraction}{zone}"


@st.composite
def regular_slots(draw: st.DrawFn) -> dict[str, Any]:
    """Slots of the documented shape, with whatever texts."""
    start, end = sorted([draw(MOMENTS), draw(MOMENTS)])
    return {
        "startsAt": written(start),
        "endsAt": written(end),
        "capacity": draw(st.integers(0, 9)),
        "availableCapacity": draw(st.integers(0, 9)),
        "serviceId": draw(st.none() | st.sampled_from(["haircut", "srv_haircut"])),
        "hostId": draw(st.none() | IDS),
        "teamId": draw(st.none() | IDS),
        "timezone": draw(st.sampled_from([None, "UTC", "America/New_York"])),
        "host": draw(PROVIDERS),
        "team": draw(PROVIDERS),
    }


@given(listed=st.lists(regular_slots(), max_size=8), ascii_only=st.booleans(), indent=st.sampled_from([None, 1]))
def test_typed_slots_are_those_of_the_tolerant_reader_or_none(
    listed: list[dict[str, Any]], ascii_only: bool, indent: int | None
) -> None:
    """Whatever the texts: in any order, with duplicates, empty ids, and slots that end before they start."""
    body = json.dumps({"slots": listed}, ensure_ascii=ascii_only, indent=indent).encode()
    typed = parse_typed_slots(body)
    if typed is not None:
        assert typed == read_tolerantly(body)


ODD_VALUES = st.sampled_from(
    [None, True, 0, -1, 1.0, 1.5, 10**10, 10**30, "", "3", "soon", "2026-12-01T14:00:00+02:00", "2026-12-01", [], {}]
) | st.sampled_from(
    [{"id": "x"}, {"id": None, "displayName": "x"}, {"id": 7, "displayName": "x"}, {"name": "x", "id": "y"}]
)
CHANGES = st.dictionaries(
    st.sampled_from([*SLOT, "starts_at", "StartsAt", "id", "extra", "available", "host_id"]), ODD_VALUES, max_size=3
)


@given(
    listed=st.lists(st.tuples(CHANGES, st.sets(st.sampled_from(sorted(SLOT)), max_size=1)), max_size=4),
    top=st.sampled_from([{}, {"slots": None}, {"total": 3}, {"Slots": []}]),
)
def test_an_odd_answer_is_declined_or_read_alike(
    listed: list[tuple[dict[str, Any], set[str]]], top: dict[str, Any]
) -> None:
    """Absent, null, renamed, additional and mistyped fields: never another result than the tolerant reader's."""
    items = [{name: value for name, value in (SLOT | changes).items() if name not in gone} for changes, gone in listed]
    body = json.dumps({"slots": items} | top).encode()
    typed = parse_typed_slots(body)
    if typed is not None:
        assert typed == read_tolerantly(body)


REGULAR = json.dumps({"slots": [SLOT, SLOT | {"startsAt": "2026-12-01T14:30:00Z", "hostId": "host_tom", "host": None}]})
PIECES = st.sampled_from(
    ["", ",", '"hostId":"x",', '"hostId":null,', '"\\u0068ostId":null,', '"\\u0022', '\\"', "\\\\", "\\/", "\\u00eb"]
) | st.sampled_from(
    [" ", "\t", "\x00", "{", "}", '"', "NaN", "1e400", "é", "\\ud800", '"capacity":1,', "[", "]", "null", "true", "0"]
)


@given(at=st.integers(0, len(REGULAR)), length=st.integers(0, 3), piece=PIECES)
@example(at=REGULAR.index('"hostId"'), length=0, piece='"hostId":"x",')
@example(at=REGULAR.index('"hostId"'), length=0, piece='"\\u0068ostId":null,')
@example(at=REGULAR.index("host_sarah"), length=0, piece="\\ud800")
@example(at=REGULAR.index("Sarah"), length=0, piece="\x00")
@example(at=0, length=0, piece="\ufeff")
@example(at=len(REGULAR), length=0, piece="]")
def test_a_broken_text_is_declined_or_read_alike(at: int, length: int, piece: str) -> None:
    """Names that come twice, escapes, control characters and anything that is no strict JSON."""
    body = (REGULAR[:at] + piece + REGULAR[at + length :]).encode()
    typed = parse_typed_slots(body)
    if typed is not None:
        assert typed == read_tolerantly(body)


@given(body=st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode(errors="surrogatepass")))
def test_any_bytes_are_declined_without_an_error(body: bytes) -> None:
    """Also bytes that are no UTF-8."""
    typed = parse_typed_slots(body)
    assert typed is None or typed == read_tolerantly(body)


@pytest.mark.parametrize("name", ["hostId", "startsAt", "capacity", "host", "team", "timezone"])
@pytest.mark.parametrize("last", [True, False])
def test_a_name_that_comes_twice_is_declined(name: str, last: bool) -> None:
    """Neither value is trusted, whichever comes last, as in the strict parser."""
    text = json.dumps(SLOT)
    again = f'"{name}": {json.dumps(SLOT[name])}'
    doubled = f"{text[:-1]}, {again}}}" if last else f"{{{again}, {text[1:]}"
    assert parse_typed_slots(f'{{"slots": [{doubled}]}}'.encode()) is None
    assert parse_typed_slots(f'{{"slots": [{text}]}}'.encode()) is not None
    assert parse_typed_slots(f'{{"slots": [], "slots": [{text}]}}'.encode()) is None


def test_slots_in_any_order_are_sorted_and_merged() -> None:
    """By start and host; equal parts are one object each."""
    listed = [
        SLOT | {"startsAt": f"2026-12-{day:02}T14:00:00Z", "endsAt": f"2026-12-{day:02}T15:00:00Z", "hostId": host}
        for day in range(1, 20)
        for host in ("host_sarah", "host_tom", "host_sarah")
    ]
    listed.sort(key=lambda item: item["startsAt"][9], reverse=True)
    body = json.dumps({"slots": listed}).encode()
    typed = parse_typed_slots(body)
    assert typed is not None
    assert typed == read_tolerantly(body)
    assert len(typed) == 38
    for name, number in (("host", 2), ("timezone", 1), ("service_id", 1), ("start", 19)):
        assert len({id(getattr(slot, name)) for slot in typed}) == number, name


def test_more_slots_than_a_response_may_have_are_left_to_the_tolerant_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its refusal has them read in parts."""
    monkeypatch.setattr(parsing, "MAX_SLOTS", 2)
    assert parse_typed_slots(json.dumps({"slots": [SLOT] * 2}).encode()) is not None
    assert parse_typed_slots(json.dumps({"slots": [SLOT] * 3}).encode()) is None


@pytest.mark.parametrize("service", ["haircut", "styling-class", "makeover", "head-spa"])
def test_the_clients_answers_are_read_typed(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The documented shape, with hosts, teams and seats, needs no tolerance."""
    sandbox = Sandbox(":memory:", now=START, limits=Limits.off())
    client = Kordless(
        api_key=SANDBOX_KEY,
        org_slug=SANDBOX_ORG,
        base_url="http://localhost/api/calendar/v1/public",
        transport=wsgi_transport(sandbox),
    )
    monkeypatch.setattr(parsing, "parse_slots", lambda *_: pytest.fail("needed tolerance"))
    assert client.availability(service, START, START + timedelta(days=60))
    sandbox.close()
