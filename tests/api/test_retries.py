"""Retries: at most one, only where it is safe, and only with enough time left."""

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator

import httpx
import pytest
import stamina

from kordless_booking.api.deadline import deadline
from kordless_booking.api.requests import Operation
from kordless_booking.api.retries import retrying
from kordless_booking.exceptions import KordlessError, NotFound, OutcomeUnknown, TooMany, Unreachable
from tests.support.api_clients import (
    CALLS,
    DOCUMENTS,
    NEW,
    READS,
    WRITES,
    Recorder,
    RecordingGate,
    answering,
    client,
    refusing,
)

ONCE_MORE = [
    httpx.ConnectError("x"),
    httpx.ConnectTimeout("x"),
    httpx.ReadError("x"),
    httpx.RemoteProtocolError("x"),
    refusing(502).answers[0],
    refusing(503).answers[0],
    refusing(504).answers[0],
]


def tls_failure() -> httpx.ConnectError:
    """A failed handshake as httpx raises it."""
    error = httpx.ConnectError("x")
    error.__cause__ = ssl.SSLError(1, "x")
    return error


NEVER_AGAIN = [
    httpx.ReadTimeout("x"),
    httpx.PoolTimeout("x"),
    tls_failure(),
    refusing(500).answers[0],
    refusing(503, Retry_After="3600").answers[0],
    refusing(429).answers[0],
    refusing(404).answers[0],
    refusing(301).answers[0],
    httpx.Response(200, content=b"rubbish"),
]


@pytest.mark.parametrize("operation", READS)
@pytest.mark.parametrize("first", ONCE_MORE)
def test_a_read_gets_a_second_try(operation: str, first: httpx.Response | Exception) -> None:
    """After a failed connection, a cut or a bad gateway the second answer counts, and the gate saw both."""
    network, watch = Recorder(first, answering(DOCUMENTS[operation]).answers[0]), RecordingGate()
    assert CALLS[operation](client(network, gate=watch))
    assert len(network.requests) == 2
    assert (watch.started, len(watch.finished)) == ([operation] * 2, 2)


@pytest.mark.parametrize("operation", READS)
@pytest.mark.parametrize("first", NEVER_AGAIN)
def test_a_read_is_not_tried_again_in_vain(operation: str, first: httpx.Response | Exception) -> None:
    """Time-outs, refusals, rubbish, broken TLS and a server that says when to come back get one try."""
    network = Recorder(first, answering(DOCUMENTS[operation]).answers[0])
    with pytest.raises(KordlessError):
        CALLS[operation](client(network))
    assert len(network.requests) == 1


def test_there_is_no_third_try() -> None:
    """Two failures are the end."""
    network = Recorder(httpx.ConnectError("x"))
    with pytest.raises(Unreachable):
        client(network).organization()
    assert len(network.requests) == 2


@pytest.mark.parametrize("operation", WRITES)
@pytest.mark.parametrize("first", [*ONCE_MORE[2:], *NEVER_AGAIN])
def test_what_was_sent_is_never_sent_again(operation: str, first: httpx.Response | Exception) -> None:
    """A write that may have arrived goes out once; the caller decides what follows."""
    network = Recorder(first, answering(DOCUMENTS[operation]).answers[0])
    with pytest.raises(KordlessError):
        CALLS[operation](client(network))
    assert len(network.requests) == 1


@pytest.mark.parametrize("first", ONCE_MORE[:2])
def test_a_create_that_never_left_is_sent_again_the_same(first: Exception) -> None:
    """Without a connection nothing was sent: once more, with the same key and the same bytes."""
    network = Recorder(first, answering(DOCUMENTS["create"], 201).answers[0])
    client(network).create(NEW, idempotency_key="same")
    one, two = network.requests
    assert one.headers["idempotency-key"] == two.headers["idempotency-key"] == "same"
    assert one.content == two.content


@pytest.mark.parametrize("operation", ["cancel", "reschedule"])
def test_a_cancel_and_a_reschedule_go_out_once(operation: str) -> None:
    """They carry no key that upstream promises to honor, so even a failed connection ends them."""
    network = Recorder(httpx.ConnectError("x"), answering(DOCUMENTS[operation]).answers[0])
    with pytest.raises(Unreachable):
        CALLS[operation](client(network))
    assert len(network.requests) == 1


class Tight(RecordingGate):
    """A gate with one permit."""

    def before(self, operation: str) -> None:
        super().before(operation)
        if len(self.started) > 1:
            raise TooMany(operation=operation, reason="budget")


def test_the_second_try_needs_the_gate_too() -> None:
    """Without a permit for it there is no second try."""
    network, gate = Recorder(httpx.ConnectError("x")), Tight()
    with pytest.raises(TooMany):
        client(network, gate=gate).organization()
    assert (len(network.requests), len(gate.finished)) == (1, 1)


LOOKUP = Operation("lookup", "GET", "/x", lambda document, dropped: None)


def tries(call: Operation[None], error: KordlessError, *, left: float, of: float) -> int:
    """Return the number of attempts at a call that always fails, with `left` of `of` seconds left."""
    count = 0
    with deadline(left), contextlib.suppress(KordlessError):
        for attempt in retrying(call, of):
            with attempt:
                count += 1
                raise error
    return count


@pytest.mark.parametrize(("left", "expected"), [(9.0, 2), (5.0, 2), (3.9, 1), (0.1, 1), (-1.0, 1)])
def test_a_second_try_needs_enough_time(left: float, expected: int) -> None:
    """Only with 40 % of the time left after the pause."""
    assert tries(LOOKUP, Unreachable(reason="refused"), left=left, of=10.0) == expected


def test_other_errors_are_final() -> None:
    """An answer is an answer, and an unknown outcome of unknown reason too."""
    assert tries(LOOKUP, NotFound(), left=9, of=9) == 1
    assert tries(LOOKUP, OutcomeUnknown(reason="read_timeout"), left=9, of=9) == 1


@pytest.fixture
def real_pause() -> Iterator[None]:
    """With stamina as in production."""
    stamina.set_testing(False)
    yield
    stamina.set_testing(True, attempts=2, cap=True)


@pytest.mark.usefixtures("real_pause")
def test_the_pause_is_short_and_random(monkeypatch: pytest.MonkeyPatch) -> None:
    """In production the second try waits between 0.15 and 0.3 seconds."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    for _ in range(20):
        assert tries(LOOKUP, Unreachable(reason="dns"), left=20, of=20) == 2
    assert len(pauses) == 20
    assert all(0.15 <= pause <= 0.3 for pause in pauses)
    assert len(set(pauses)) > 1


def test_a_name_that_was_not_found_may_be_found() -> None:
    """DNS that stumbled once is asked again."""
    error = httpx.ConnectError("x")
    error.__cause__ = socket.gaierror(-3, "temporary failure")
    network = Recorder(error, answering(DOCUMENTS["organization"]).answers[0])
    assert client(network).organization()
