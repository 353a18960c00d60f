"""The session around one HTTP request: gate, log, failures, secrets."""

import errno
import socket
import ssl
from typing import Any

import httpx
import pytest
import stamina

from kordless_booking.api import client as client_module
from kordless_booking.api import session
from kordless_booking.api.client import Kordless
from kordless_booking.api.deadline import LOCAL_SHORTAGES
from kordless_booking.api.responses import MAX_BODY_BYTES
from kordless_booking.api.session import DeadlineTransport, wsgi_transport
from kordless_booking.exceptions import KordlessError, OutcomeUnknown, SlotTaken, TooMany, Unreachable
from tests.support.api_clients import (
    BASE,
    CALLS,
    CONTACT,
    DOCUMENTS,
    KEY,
    NEW,
    NUMBER,
    SHORT,
    Recorder,
    RecordingGate,
    answering,
    caused_by,
    client,
    refusing,
)

TRANSPORT_FAILURES: list[tuple[Exception, type[KordlessError], str]] = [
    (caused_by(httpx.ConnectError, ConnectionRefusedError(111, "refused")), Unreachable, "refused"),
    (caused_by(httpx.ConnectError, socket.gaierror(-2, "unknown")), Unreachable, "dns"),
    (caused_by(httpx.ConnectError, ssl.SSLError(1, "bad")), Unreachable, "tls"),
    (caused_by(httpx.ConnectError, OSError(errno.EMFILE, "secret detail")), Unreachable, "no_socket"),
    (httpx.ConnectError("secret detail"), Unreachable, "connect_error"),
    (httpx.ConnectTimeout("secret detail"), Unreachable, "connect_timeout"),
    (httpx.PoolTimeout("secret detail"), Unreachable, "pool_timeout"),
    (httpx.ProxyError("secret detail"), Unreachable, "connect_error"),
    (httpx.UnsupportedProtocol("secret detail"), Unreachable, "unsupported_protocol"),
    (httpx.ReadTimeout("secret detail"), OutcomeUnknown, "read_timeout"),
    (httpx.WriteTimeout("secret detail"), OutcomeUnknown, "timeout"),
    (httpx.ReadError("secret detail"), OutcomeUnknown, "cut"),
    (httpx.WriteError("secret detail"), OutcomeUnknown, "cut"),
    (httpx.RemoteProtocolError("secret detail"), OutcomeUnknown, "protocol_error"),
    (httpx.LocalProtocolError("secret detail"), OutcomeUnknown, "protocol_error"),
    (TimeoutError("secret detail"), OutcomeUnknown, "timeout"),
    (ConnectionResetError("secret detail"), OutcomeUnknown, "cut"),
    (ZeroDivisionError("secret detail"), OutcomeUnknown, "transport_error"),
]


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize(("failure", "expected", "reason"), TRANSPORT_FAILURES)
def test_every_transport_failure_has_its_exception(
    operation: str, failure: Exception, expected: type[KordlessError], reason: str
) -> None:
    """Before anything is sent it is Unreachable, afterwards OutcomeUnknown, and nothing else ever escapes."""
    watch = RecordingGate()
    with pytest.raises(KordlessError) as caught:
        CALLS[operation](client(Recorder(failure), gate=watch))
    assert type(caught.value) is expected
    assert (caught.value.operation, caught.value.reason, caught.value.status) == (operation, reason, None)
    assert "secret detail" not in str(caught.value)
    # What is about this process alone was never sent, and the gate gets its admission back.
    reported = watch.canceled if reason in LOCAL_SHORTAGES else [operation for operation, _answer in watch.finished]
    assert watch.started == reported
    assert {answer for _operation, answer in watch.finished} <= {None}


RUBBISH: list[tuple[bytes, str]] = [
    (b"", "empty"),
    (b"<html>hello</html>", "html"),
    (b"{", "not_json"),
    (b'{"a": NaN}', "not_json"),
    (b'{"a": 1, "a": 1}', "not_json"),
    (b"\xef\xbb\xbf{}", "not_json"),
    (b"{}", "bad_payload"),
    (b"[]", "bad_payload"),
    (b" " * (MAX_BODY_BYTES + 1), "too_large"),
]


@pytest.mark.parametrize("operation", ["organization", "availability", "create"])
@pytest.mark.parametrize(("body", "reason"), RUBBISH)
def test_rubbish_is_an_unknown_outcome_and_a_failure(operation: str, body: bytes, reason: str) -> None:
    """A 200 that can't be read is OutcomeUnknown, and the gate hears that the answer failed.

    Not so for slots that are too large: they are requested again in parts, and no circuit must open before.
    """
    watch = RecordingGate()
    if operation == "create" and body == b"{}":
        body = b'{"booking": {}}'
    with pytest.raises(OutcomeUnknown) as caught:
        CALLS[operation](client(Recorder(httpx.Response(200, content=body)), gate=watch))
    assert (caught.value.reason, caught.value.status) == (reason, 200)
    answer = watch.finished[-1][1]
    assert answer is not None
    assert (answer.status, answer.failed) == (200, (operation, reason) != ("availability", "too_large"))


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_create_without_a_number_is_an_unknown_outcome(status: int) -> None:
    """Success without a confirmation number is no success."""
    booking = {name: value for name, value in SHORT.items() if name != "confirmation_number"}
    with pytest.raises(OutcomeUnknown):
        CALLS["create"](client(answering({"booking": booking}, status)))
    with pytest.raises(OutcomeUnknown):
        CALLS["create"](client(Recorder(httpx.Response(status))))


def test_a_create_may_say_200_or_201() -> None:
    """Both are success."""
    for status in (200, 201):
        booking = client(answering(DOCUMENTS["create"], status)).create(NEW, idempotency_key="k")
        assert booking.confirmation_number == NUMBER


def test_a_redirect_is_never_followed() -> None:
    """The key goes nowhere else: one request, then OutcomeUnknown."""
    network = answering({}, 302, location="https://evil.example/steal")
    with pytest.raises(OutcomeUnknown) as caught:
        client(network).organization()
    assert caught.value.reason == "redirect"
    assert len(network.requests) == 1


def test_the_gate_hears_of_every_answer() -> None:
    """A good answer, a no, and a server error: status and failure as they were."""
    watch = RecordingGate()
    network = Recorder(
        answering(DOCUMENTS["organization"]).answers[0],
        refusing(404, "not_found").answers[0],
        refusing(500).answers[0],
    )
    door = client(network, gate=watch)
    door.organization()
    for _ in range(2):
        with pytest.raises(KordlessError):
            door.organization()
    finished = [(answer.status, answer.failed) for _operation, answer in watch.finished if answer is not None]
    assert finished == [(200, False), (404, False), (500, True)]


class Closed(RecordingGate):
    """A gate that lets nothing pass."""

    def before(self, operation: str) -> None:
        raise TooMany("our own share is used up", operation=operation, reason="budget", retry_after=9)


@pytest.mark.parametrize("operation", CALLS)
def test_a_closed_gate_lets_nothing_out(operation: str) -> None:
    """The gate's exception reaches the caller; nothing is sent, and `after` is not called."""
    network, gate = answering(DOCUMENTS[operation]), Closed()
    with pytest.raises(TooMany) as caught:
        CALLS[operation](client(network, gate=gate))
    assert caught.value.retry_after == 9
    assert (network.requests, gate.finished) == ([], [])


def test_an_interruption_still_tells_the_gate() -> None:
    """A worker that is stopped in the middle gives the gate its answer back and is stopped."""

    class Stop(BaseException):
        pass

    def stop(request: httpx.Request) -> httpx.Response:
        raise Stop

    watch = RecordingGate()
    with pytest.raises(Stop):
        client(stop, gate=watch).organization()
    assert watch.finished == [("organization", None)]


def test_a_request_does_not_tell_its_url() -> None:
    """The repr of what is sent shows no query, because error reports print variables."""
    network = answering(DOCUMENTS["lookup"])
    client(network).lookup(NUMBER, CONTACT)
    assert repr(network.requests[0]) == "<Request>"


@pytest.mark.parametrize("agent", ["", "a\r\nb", "é"])
def test_a_user_agent_fits_a_header(agent: str) -> None:
    """A user agent that could break out of its header is a ValueError."""
    with pytest.raises(ValueError, match="user agent"):
        client(answering({}), user_agent=agent)


def test_tls_can_not_be_turned_off() -> None:
    """A context that doesn't verify is rejected."""
    context = ssl.create_default_context()
    context.check_hostname = False
    with pytest.raises(ValueError, match="verified"):
        DeadlineTransport(context)


def test_a_wsgi_application_can_be_the_network() -> None:
    """An application inside this process answers; what it raises is a cut, not a crash."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"].endswith("/service/broken"):
            raise ConnectionResetError
        start_response("409 Conflict", [("Content-Type", "application/json")])
        return [b'{"type": "conflict"}']

    door = Kordless(api_key=KEY, org_slug="acme-salon", base_url=BASE, transport=wsgi_transport(app))
    with pytest.raises(SlotTaken):
        door.create(NEW, idempotency_key="k")
    with pytest.raises(OutcomeUnknown):
        door.service("broken")


def test_what_is_public_is_pinned() -> None:
    """The names that others build on are these."""
    assert client_module.__all__ == [
        "BOOKING_SECONDS",
        "BROWSE_SECONDS",
        "CREATIONS_PER_MINUTE",
        "QUOTA_SECONDS",
        "REQUESTS_PER_MINUTE",
        "Kordless",
    ]
    assert session.__all__ == [
        "DeadlineTransport",
        "Gate",
        "ResponseMeta",
        "Session",
        "Transport",
        "request_id",
        "validated_base_url",
        "wsgi_transport",
    ]


def test_without_tries_there_is_no_answer() -> None:
    """A site that switched retries off still gets its one try."""
    stamina.set_active(False)
    try:
        network = Recorder(httpx.ConnectError("x"))
        with pytest.raises(Unreachable):
            client(network).organization()
        assert len(network.requests) == 1
    finally:
        stamina.set_active(True)
