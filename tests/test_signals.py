"""Signals: sent once per change, after it is stored, with attribution, and receivers can't break a booking."""

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking import signals
from kordless_booking.sandbox import Sandbox
from kordless_booking.signals import ChangeSource, booking_cancelled, booking_created, booking_rescheduled
from tests.support.lost_answers import lose_answers
from tests.support.visitor import JANE, Visitor

pytestmark = pytest.mark.django_db

LETTER = {"utm_source": "river letter", "gclid": "abc"}
SIGNALS = {"created": booking_created, "rescheduled": booking_rescheduled, "cancelled": booking_cancelled}


def test_the_public_names_are_pinned() -> None:
    """Sites import these; a rename is a breaking change."""
    assert signals.__all__ == [
        "ChangeSource",
        "booking_cancelled",
        "booking_created",
        "booking_rescheduled",
        "event_received",
    ]


@pytest.fixture
def visitor(client: Client, site: Settings) -> Visitor:
    """A visitor without JavaScript."""
    return Visitor(client)


@pytest.fixture
def received_signals() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """(signal, what came with it), in the order in which it was sent."""
    received: list[tuple[str, dict[str, Any]]] = []
    listeners = {name: lambda name=name, **arguments: received.append((name, arguments)) for name in SIGNALS}
    for name, signal in SIGNALS.items():
        signal.connect(listeners[name], weak=False)
    yield received
    for name, signal in SIGNALS.items():
        signal.disconnect(listeners[name])


@pytest.fixture
def failing() -> Iterator[None]:
    """A receiver of every signal that raises with something personal in its message."""

    def fall_over(**arguments: Any) -> None:
        raise RuntimeError(f"canary {arguments['booking'].contact}")

    for signal in SIGNALS.values():
        signal.connect(fall_over)
    yield
    for signal in SIGNALS.values():
        signal.disconnect(fall_over)


def test_a_booking_its_move_and_its_end(
    visitor: Visitor, sandbox: Sandbox, received_signals: list[tuple[str, dict[str, Any]]]
):
    """Each is signaled once, with the booking as it then is, the account and the source."""
    confirmation = visitor.book("haircut", "?day=2026-12-09")
    page = visitor.open(confirmation.link("Change or cancel"))
    moved = visitor.send(visitor.open(list(visitor.send(page, "Reschedule").times.values())[-1]), "Reschedule")
    question = visitor.send(moved, "Cancel booking")
    visitor.send(question, "Cancel booking")
    visitor.send(question, "Cancel booking")
    assert [name for name, _arguments in received_signals] == ["created", "rescheduled", "cancelled"]
    created, rescheduled, cancelled = (arguments["booking"] for _name, arguments in received_signals)
    assert {booking.confirmation_number for booking in (created, rescheduled, cancelled)} == {confirmation.number}
    assert created.contact.email == "jane@example.com"
    assert (created.status, cancelled.status) == ("confirmed", "canceled")
    assert rescheduled.start != created.start
    assert {(arguments["account"], arguments["source"]) for _name, arguments in received_signals} == {
        ("default", ChangeSource.WIDGET)
    }


def test_where_the_visitor_came_from(
    visitor: Visitor, sandbox: Sandbox, received_signals: list[tuple[str, dict[str, Any]]]
):
    """It reaches the site's own code, and neither Kordless nor an address."""
    sent = json.dumps({**LETTER, "guest": "private", "utm_term": 7, "utm_medium": "\u0000"})
    visitor.send(visitor.choose(), "Book appointment", **{**JANE, "attribution": sent})
    assert [arguments["attribution"] for _name, arguments in received_signals] == [LETTER]
    assert "river" not in str([(request.headers, request.query, request.body) for request in sandbox.requests])
    assert not any("river" in url or "gclid" in url for url in visitor.urls)


@pytest.mark.parametrize("junk", ["", "{", "[]", '"x"', "null", '{"utm_source": {"a": 1}}', "x" * 5000, "[" * 4000])
def test_attribution_that_is_none(visitor: Visitor, received_signals: list[tuple[str, dict[str, Any]]], junk: str):
    """Whatever else stands in the field, the booking is made and nothing is made up."""
    page = visitor.send(visitor.choose(), "Book appointment", **{**JANE, "attribution": junk})
    assert page.number
    assert [arguments["attribution"] for _name, arguments in received_signals] == [{}]


def test_equal_posts_are_signaled_once(
    visitor: Visitor, sandbox: Sandbox, received_signals: list[tuple[str, dict[str, Any]]]
):
    """Pressed twice, reloaded, sent again from another tab: it is one booking and one signal."""
    _method, action, fields = visitor.choose().form("Book appointment")
    for _ in range(3):
        visitor.open(action, {**fields, **JANE})
    assert [name for name, _arguments in received_signals] == ["created"]
    assert len(sandbox.bookings()) == 1


def test_a_booking_after_a_wait_is_signaled_once(
    visitor: Visitor, sandbox: Sandbox, clock: Traveller, received_signals: list[tuple[str, dict[str, Any]]]
):
    """An open outcome has no signal; the page that resolves it sends one, however often it is opened."""
    lose_answers(sandbox)
    contact = visitor.choose()
    waiting = visitor.send(contact, "Book appointment", **{**JANE, "attribution": json.dumps(LETTER)})
    assert received_signals == []
    sandbox.faults.clear()
    clock.shift(timedelta(minutes=2))
    for _ in range(3):
        assert visitor.open(waiting.url).number
    assert [(name, arguments["attribution"]) for name, arguments in received_signals] == [("created", LETTER)]
    assert len(sandbox.bookings()) == 1


def test_a_receiver_that_raises_breaks_nothing(
    visitor: Visitor,
    failing: None,
    received_signals: list[tuple[str, dict[str, Any]]],
    caplog: pytest.LogCaptureFixture,
):
    """The visitor books, moves and cancels; others still hear of it; our line names the receiver, nobody else."""
    confirmation = visitor.book("haircut", "?day=2026-12-09")
    assert confirmation.heading == "You’re booked"
    page = visitor.open(confirmation.link("Change or cancel"))
    moved = visitor.send(visitor.open(list(visitor.send(page, "Reschedule").times.values())[-1]), "Reschedule")
    assert "rescheduled" in moved.text
    assert "canceled" in visitor.send(visitor.send(moved, "Cancel booking"), "Cancel booking").text
    assert [name for name, _arguments in received_signals] == ["created", "rescheduled", "cancelled"]
    lines = [record for record in caplog.records if "event=receiver_failed" in record.getMessage()]
    assert len(lines) == 3
    assert {record.levelno for record in lines} == {logging.ERROR}
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("kordless_booking")]
    assert not any("canary" in line or "jane@" in line for line in ours)
