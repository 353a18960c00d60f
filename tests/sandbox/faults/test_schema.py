"""Faults of the schema: fields, types and spellings."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.sandbox_api import Api


def test_missing_fields(api: Api) -> None:
    """Half of the slots lack their start, or all lack what was said; a single service lacks its name."""
    api.sandbox.faults.add("missing_fields")
    assert ["startsAt" in slot for slot in api.slots()[:4]] == [False, True, False, True]
    assert "name" not in api.get("/org/acme-salon/service/haircut").json()["service"]
    api.sandbox.faults.clear()
    api.sandbox.faults.add("missing_fields", fields=["hostId", "host"], every=1)
    assert not any("hostId" in slot or "host" in slot for slot in api.slots())


def test_unknown_fields(api: Api) -> None:
    """Every object has more than was documented."""
    api.sandbox.faults.add("unknown_fields")
    document = api.get("/org/acme-salon").json()
    assert all(
        "xNewField" in each for each in (document, document["organization"]["branding"], document["services"][0])
    )


def test_naive_and_mixed_times(api: Api) -> None:
    """Times lose their offset, or say the same instant in others."""
    slots = api.slots()
    api.sandbox.faults.add("naive_times", times=1)
    assert not any(slot["startsAt"].endswith("Z") for slot in api.slots())
    api.sandbox.faults.add("mixed_offsets", times=1)
    mixed = [slot["startsAt"] for slot in api.slots()]
    assert {text[-6:] for text in mixed} >= {"+02:00", "-05:00", "+05:45"}
    assert [datetime.fromisoformat(text) for text in mixed] == [
        datetime.fromisoformat(slot["startsAt"]) for slot in slots
    ]


def test_wrong_types(api: Api) -> None:
    """Numbers are texts, lengths are floats, ids are numbers."""
    api.sandbox.faults.add("wrong_types")
    slot = api.slots()[0]
    assert (slot["capacity"], slot["hostId"], slot["host"]["id"]) == ("1", 7, 7)
    settings = api.get("/org/acme-salon/service/haircut").json()["calendarSettings"]
    assert (settings["duration_minutes"], settings["buffer_after"]) == (60.0, "10")
    assert isinstance(settings["duration_minutes"], float)


def test_nulls(api: Api) -> None:
    """Lists are null, or everything optional is."""
    api.sandbox.faults.add("null_lists", times=1)
    assert api.get("/org/acme-salon").json()["services"] is None
    api.sandbox.faults.add("null_fields", times=1)
    document = api.get("/org/acme-salon").json()
    assert document["organization"]["branding"] is document["services"][0]["price"] is None


def test_other_spellings(api: Api) -> None:
    """camelCase and snake_case change places, all the way down."""
    api.sandbox.faults.add("other_spellings")
    document = api.get("/org/acme-salon/service/haircut").json()
    assert document["organization"]["branding"]["primary_color"]
    assert document["calendar_settings"]["cancellationPolicy"]["notice_hours"] == 24
    assert "starts_at" in api.slots()[0]
    assert (
        "startsAt"
        in api.create(api.body(slot={"startsAt": "2026-12-01T14:00:00Z", "endsAt": "2026-12-01T15:00:00Z"})).json()[
            "booking"
        ]
    )


def test_bare_and_quite_other_shapes(api: Api) -> None:
    """The wrapping is gone, or the document is something else altogether."""
    number = api.book()
    api.sandbox.faults.add("bare", times=1)
    assert api.manage(number).json()["confirmation_number"] == number
    for value in ("surprise", [], None, {"slots": "none"}):
        api.sandbox.faults.add("wrong_shape", times=1, value=value)
        assert api.get("/org/acme-salon").json() == value


def test_fractional_times(api: Api) -> None:
    """A booking's times have milliseconds, or say the same instant with three zeros."""
    api.sandbox.faults.add("fractional_times", operation="create", times=1)
    assert api.create().json()["booking"]["start_at"].endswith(":00.250Z")
    api.sandbox.faults.add("fractional_times", operation="create", times=1, milliseconds=0)
    body = api.body()
    booking = api.create(body).json()["booking"]
    assert booking["end_at"] == body["ends_at"].replace("Z", ".000Z")
