"""Parsing of events, whatever their spelling; anything else is rejected without an exception."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.webhooks.events import CANCELLED, UPDATED, UnreadableEvent, parse_event
from tests.support.deliveries import booking_document, event_body

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=12,
)


def test_the_documented_event():
    """Every field of it, in our words."""
    event = parse_event(event_body())
    booking = event.booking
    assert event.kind == "booking.created"
    assert event.at == datetime(2026, 12, 1, 14, 59, tzinfo=UTC)
    assert booking is not None
    assert (booking.confirmation_number, booking.status, booking.service_id) == (
        "BOOK_AB12CD34",
        "confirmed",
        "srv_haircut",
    )
    assert (booking.start, booking.end) == (
        datetime(2026, 12, 2, 15, tzinfo=UTC),
        datetime(2026, 12, 2, 16, tzinfo=UTC),
    )
    assert booking.contact is not None
    assert booking.contact.email == "canary@example.com"


def test_other_spellings():
    """Snake case, another name for the number, the booking right under data, or right at the top."""
    renamed = {"number": "BOOK_XY99ZZ00", "start_at": "2026-12-02T15:00:00Z", "ends_at": "2026-12-02T16:00:00+00:00"}
    for document in (
        {"event": "booking.created", "data": {"booking": renamed}},
        {"event": "booking.created", "data": renamed},
        {"type": "booking.created", "data": None, **renamed},
    ):
        booking = parse_event(json.dumps(document).encode()).booking
        assert booking is not None
        assert booking.confirmation_number == "BOOK_XY99ZZ00"
        assert booking.start == datetime(2026, 12, 2, 15, tzinfo=UTC)


@pytest.mark.parametrize("kind", ["booking.cancelled", "booking.canceled"])
@pytest.mark.parametrize("status", ["confirmed", "pending", "cancelled", "", None])
def test_a_cancellation_is_canceled_whatever_it_says(kind: str, status: str | None):
    """Kordless may fill the body in before it cancels."""
    event = parse_event(event_body(kind, status=status))
    assert event.kind == CANCELLED
    assert event.booking is not None
    assert event.booking.status == "canceled"


def test_a_move_by_another_name():
    """`booking.rescheduled` is what the documentation calls `booking.updated`."""
    assert parse_event(event_body("booking.rescheduled")).kind == UPDATED


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": {"booking": "?"}}, {"data": [1], "more": Decimal(1)}])
def test_unknown_kinds_are_welcome(body: dict):
    """With all they say, and no booking made of it."""
    document = {"event": "customer.created", **body}
    event = parse_event(json.dumps(document, default=str).encode())
    assert (event.kind, event.booking) == ("customer.created", None)
    assert event.document.keys() == document.keys()


def test_unknown_fields_are_no_trouble():
    """Anywhere in a known kind."""
    assert parse_event(event_body(shoe_size=43, contact={"name": "C", "pets": ["cat"]})).booking is not None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"<html>",
        b"\xff\xfe{}",
        b'{"event": NaN}',
        b"[" * 100_000,
        b'{"event": "a", "event": "b"}',
        b"{}",
        b'{"event": ""}',
        b'{"event": "two words"}',
        b'{"event": "line\\nbreak"}',
        b'{"event": ["booking.created"]}',
        json.dumps({"event": "x" * 101}).encode(),
        b'{"event": "booking.created"}',
        b'{"event": "booking.created", "data": {}}',
        event_body(confirmation_number=None),
        event_body(confirmation_number="x" * 201),
        event_body(startsAt="tomorrow"),
        event_body(startsAt="2026-12-02T15:00:00"),
        event_body(endsAt="2026-12-02T14:00:00Z"),
    ],
)
def test_a_body_that_is_no_event_is_recognized(body: bytes):
    """With a reason that holds nothing of the body."""
    with pytest.raises(UnreadableEvent) as caught:
        parse_event(body)
    assert "canary" not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
    assert str(caught.value)


def test_a_moment_that_makes_no_sense_is_none():
    """The event counts all the same."""
    assert parse_event(event_body(at="yesterday")).at is None


def test_its_repr_is_silent():
    """It holds a person's name and address."""
    event = parse_event(event_body())
    assert "canary" not in f"{event!r} {event}".lower()


@given(body=st.binary(max_size=300) | anything.map(lambda document: json.dumps(document).encode()))
def test_arbitrary_bodies_are_read_or_rejected(body: bytes):
    """Never another error."""
    with suppress(UnreadableEvent):
        assert parse_event(body).kind


@given(changes=st.dictionaries(st.sampled_from(sorted(booking_document())), anything, max_size=4), at=anything)
def test_arbitrary_fields_are_read_or_rejected(changes: dict, at: object):
    """Also where only single fields of a booking are strange."""
    body = json.dumps(
        {"event": "booking.updated", "timestamp": at, "data": {"booking": booking_document(**changes)}}
    ).encode()
    with suppress(UnreadableEvent):
        assert parse_event(body).booking is not None


def test_a_fraction_of_a_second_makes_no_change():
    """An echo of what the page knows has the same times, so it is not published as a move."""
    plain = parse_event(event_body(startsAt="2026-12-02T15:00:00Z", endsAt="2026-12-02T16:00:00Z"))
    for echo in ("15:00:00.250Z", "14:59:59.999999Z", "15:00:00.000Z"):
        times = {"startsAt": f"2026-12-02T{echo}", "endsAt": "2026-12-02T16:00:00.1Z"}
        assert parse_event(event_body(**times)).booking == plain.booking
