"""What happens around one HTTP try: the gate, the log, failures, secrets."""

import contextlib
import logging
import os
import pickle
import socket
import ssl
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import httpx
import pytest

from kordless_booking.api import client as client_module
from kordless_booking.api import wire
from kordless_booking.api.client import Kordless
from kordless_booking.api.secret import Key
from kordless_booking.api.wire import PunctualTransport, checked_base_url, request_id, wsgi_transport
from kordless_booking.exceptions import (
    KordlessError,
    NotFound,
    OutcomeUnknown,
    SlotTaken,
    TooMany,
    Unreachable,
)
from tests.api.doors import (
    BASE,
    CALLS,
    CONTACT,
    DOCUMENTS,
    END,
    KEY,
    NEW,
    NUMBER,
    ORGANIZATION,
    SERVICE,
    SHORT,
    SLOT,
    START,
    Recorder,
    Watch,
    answering,
    client,
    refusing,
)


def caused_by(kind: type[Exception], cause: Exception) -> Exception:
    """An exception of httpx that came of `cause`, as its transports raise it."""
    error = kind("secret detail")
    error.__cause__ = cause
    return error


TRANSPORT_FAILURES: list[tuple[Exception, type[KordlessError], str]] = [
    (caused_by(httpx.ConnectError, ConnectionRefusedError(111, "refused")), Unreachable, "refused"),
    (caused_by(httpx.ConnectError, socket.gaierror(-2, "unknown")), Unreachable, "dns"),
    (caused_by(httpx.ConnectError, ssl.SSLError(1, "bad")), Unreachable, "tls"),
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
    watch = Watch()
    with pytest.raises(KordlessError) as caught:
        CALLS[operation](client(Recorder(failure), gate=watch))
    assert type(caught.value) is expected
    assert (caught.value.operation, caught.value.reason, caught.value.status) == (operation, reason, None)
    assert "secret detail" not in str(caught.value)
    assert len(watch.asked) == len(watch.told)
    assert {answer for _operation, answer in watch.told} == {None}


RUBBISH: list[tuple[bytes, str]] = [
    (b"", "empty"),
    (b"<html>hello</html>", "html"),
    (b"{", "not_json"),
    (b'{"a": NaN}', "not_json"),
    (b'{"a": 1, "a": 1}', "not_json"),
    (b"\xef\xbb\xbf{}", "not_json"),
    (b"{}", "bad_payload"),
    (b"[]", "bad_payload"),
    (b" " * (2 * 1024 * 1024 + 1), "too_large"),
]


@pytest.mark.parametrize("operation", ["organization", "availability", "create"])
@pytest.mark.parametrize(("body", "reason"), RUBBISH)
def test_rubbish_is_an_unknown_outcome_and_a_failure(operation: str, body: bytes, reason: str) -> None:
    """A 200 that can't be read is OutcomeUnknown, and the gate hears that the answer failed."""
    watch = Watch()
    if operation == "create" and body == b"{}":
        body = b'{"booking": {}}'
    with pytest.raises(OutcomeUnknown) as caught:
        CALLS[operation](client(Recorder(httpx.Response(200, content=body)), gate=watch))
    assert (caught.value.reason, caught.value.status) == (reason, 200)
    answer = watch.told[-1][1]
    assert answer is not None
    assert (answer.status, answer.failed) == (200, True)


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
    watch = Watch()
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
    told = [(answer.status, answer.failed) for _operation, answer in watch.told if answer is not None]
    assert told == [(200, False), (404, False), (500, True)]


class Closed(Watch):
    """A gate that lets nothing pass."""

    def before(self, operation: str) -> None:
        raise TooMany("our own share is used up", operation=operation, reason="budget", retry_after=9)


@pytest.mark.parametrize("operation", CALLS)
def test_a_closed_gate_lets_nothing_out(operation: str) -> None:
    """What the gate raises reaches the caller; nothing is sent and the gate is told nothing."""
    network, gate = answering(DOCUMENTS[operation]), Closed()
    with pytest.raises(TooMany) as caught:
        CALLS[operation](client(network, gate=gate))
    assert caught.value.retry_after == 9
    assert (network.requests, gate.told) == ([], [])


def test_an_interruption_still_tells_the_gate() -> None:
    """A worker that is stopped in the middle gives the gate its answer back and is stopped."""

    class Stop(BaseException):
        pass

    def stop(request: httpx.Request) -> httpx.Response:
        raise Stop

    watch = Watch()
    with pytest.raises(Stop):
        client(stop, gate=watch).organization()
    assert watch.told == [("organization", None)]


def test_slots_of_another_service_are_never_shown() -> None:
    """Where a slot names a service, it must be the one asked for, by slug or by key."""
    other = SLOT | {"serviceId": "something-else"}
    replies = {
        "/availability": {"slots": [other]},
        "/org/acme-salon/service/haircut": {"organization": ORGANIZATION, "service": SERVICE},
    }
    paths: list[str] = []

    def network(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path.removeprefix(httpx.URL(BASE).path))
        return httpx.Response(200, json=replies[paths[-1]])

    door = client(network)
    with pytest.raises(OutcomeUnknown) as caught:
        door.availability("haircut", START, END)
    assert caught.value.reason == "mismatch"
    replies["/org/acme-salon/service/haircut"] = {"service": SERVICE | {"key": "something-else"}}
    assert len(client(network).availability("haircut", START, END)) == 1
    replies["/availability"] = {"slots": [other, SLOT]}
    assert [slot.service_id for slot in door.availability("haircut", START, END)] == ["haircut"]


def test_a_key_other_than_the_slug_is_asked_for_once() -> None:
    """Once the service's key is known, availability costs one request again."""
    network = Recorder(
        answering({"slots": [SLOT | {"serviceId": "srv_7"}]}).answers[0],
        answering({"service": SERVICE | {"key": "srv_7"}}).answers[0],
        answering({"slots": [SLOT | {"serviceId": "srv_7"}]}).answers[0],
    )
    door = client(network)
    assert door.availability("haircut", START, END) == door.availability("haircut", START, END)
    assert len(network.requests) == 3


def test_another_organizations_booking_is_not_found() -> None:
    """A number that belongs to another business is exactly as unknown here as no number at all."""
    with pytest.raises(NotFound):
        client(answering(DOCUMENTS["lookup"]), org_slug="other-salon").lookup(NUMBER, CONTACT)


def lines(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """The records of the door."""
    return [record for record in caplog.records if record.name == "kordless_booking.api"]


def test_each_try_writes_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """Event, operation, status, milliseconds and the visitor's request, in words and as values."""
    caplog.set_level(logging.DEBUG)
    token = request_id.set("req-7f")
    try:
        client(answering(DOCUMENTS["organization"])).organization()
    finally:
        request_id.reset(token)
    (record,) = lines(caplog)
    values: Any = record.__dict__["kordless"]
    assert record.levelno == logging.INFO
    assert record.getMessage() == (
        f"event=kordless_call operation=organization status=200 ms={values['ms']} request=req-7f"
    )
    assert values["operation"] == "organization"


@pytest.mark.parametrize(
    ("network", "level", "words"),
    [
        (refusing(404, "not_found"), logging.INFO, "error=NotFound reason=not_found"),
        (refusing(401, "authentication_error"), logging.ERROR, "error=KeyRefused"),
        (refusing(400, "validation_error"), logging.ERROR, "error=BadRequest"),
        (refusing(429, Retry_After="7"), logging.WARNING, "retry_after=7"),
        (refusing(500, X_Request_Id="up-1"), logging.WARNING, "reason=server_error upstream=up-1"),
        (Recorder(httpx.ReadTimeout("x")), logging.WARNING, "status=- "),
        (
            Recorder(caused_by(httpx.ConnectError, ssl.SSLError(1, "x"))),
            logging.ERROR,
            "error=Unreachable reason=tls",
        ),
        (answering({"organization": ORGANIZATION | {"slug": "x"}, "services": []}), logging.ERROR, "mismatch"),
        (
            answering({"organization": ORGANIZATION, "services": [SERVICE, {"slug": "<canary>"}, None]}),
            logging.WARNING,
            "dropped=2 where=$.services[1].slug",
        ),
    ],
)
def test_the_line_says_what_went_wrong(
    network: Recorder, level: int, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Refusals are news, failures and dropped parts warnings, a refused key and broken TLS errors."""
    caplog.set_level(logging.DEBUG)
    with contextlib.suppress(KordlessError):
        client(network).organization()
    record = lines(caplog)[0]
    assert record.levelno == level
    assert words in record.getMessage()
    assert "<canary>" not in record.getMessage()


@pytest.mark.parametrize("hostile", ["a b", "x\ny", "é", "x" * 65])
def test_hostile_ids_do_not_write_the_log(hostile: str, caplog: pytest.LogCaptureFixture) -> None:
    """An id that is no plain word is a hyphen: no second line, no forged field."""
    caplog.set_level(logging.DEBUG)
    token = request_id.set(hostile)
    try:
        client(answering(DOCUMENTS["organization"])).organization()
    finally:
        request_id.reset(token)
    assert lines(caplog)[0].getMessage().endswith(" request=-")


@pytest.mark.parametrize("operation", CALLS)
def test_nothing_personal_is_logged(operation: str, caplog: pytest.LogCaptureFixture) -> None:
    """At DEBUG for every logger, a full round of answers leaves no contact, number, key or query in the log."""
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "kordless_booking", "stamina"):
        caplog.set_level(logging.DEBUG, logger=name)
    networks = [answering(DOCUMENTS[operation]), refusing(400), refusing(500), Recorder(httpx.ReadError(CONTACT))]
    for network in networks:
        with contextlib.suppress(KordlessError):
            CALLS[operation](client(network))
    told = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    for secret in (CONTACT, "canary", "%2B", NUMBER, KEY, "Jane", "2125550123", "?", "/bookings"):
        assert secret not in told


def frames(trace: TracebackType | None) -> Iterator[dict[str, Any]]:
    """The local variables of every frame of a traceback, the test's own left out."""
    while trace is not None:
        if "tests/api" not in trace.tb_frame.f_code.co_filename.replace(os.sep, "/"):
            yield trace.tb_frame.f_locals
        trace = trace.tb_next


@pytest.mark.parametrize("operation", ["create", "lookup", "cancel", "reschedule"])
def test_an_error_report_shows_nobody(operation: str) -> None:
    """Message, chain and the variables of every frame of ours hold no contact, number or key."""
    for network in (refusing(404, "not_found"), Recorder(httpx.ReadError(CONTACT)), refusing(500)):
        with pytest.raises(KordlessError) as caught:
            CALLS[operation](client(network))
        error = caught.value
        assert error.__cause__ is None
        assert error.__context__ is None
        shown = "".join(traceback.format_exception(error)) + repr(list(frames(error.__traceback__)))
        for secret in (CONTACT, "canary", NUMBER, KEY, "Jane", "2125550123"):
            assert secret not in shown.replace("CALLS[operation](client(network))", "")


def test_a_request_does_not_tell_its_url() -> None:
    """The repr of what is sent shows no query, because error reports print variables."""
    network = answering(DOCUMENTS["lookup"])
    client(network).lookup(NUMBER, CONTACT)
    assert repr(network.requests[0]) == "<Request>"


def test_the_key_shows_nowhere() -> None:
    """Neither the client, its parts nor its key tell the key, and none is pickled."""
    door = client(answering({}))
    shown = repr(door) + str(door) + repr(vars(door)) + repr(Key(KEY)) + f"{Key(KEY)!s}"
    assert KEY not in shown
    assert "acme-salon" in repr(door)
    for thing in (door, Key(KEY), vars(door)["_wire"]):
        with pytest.raises(TypeError):
            pickle.dumps(thing)


@pytest.mark.parametrize("key", ["", "a b", "key\r\nX-Evil: 1", "ключ", "x" * 513, None, 7])
def test_a_key_that_fits_no_header_is_refused(key: Any) -> None:
    """ValueError, without repeating the key."""
    with pytest.raises(ValueError, match="API key") as caught:
        client(answering({}), api_key=key)
    assert str(key or "###") not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.kordless.ai/api/calendar/v1/public",
        "https://api.kordless.ai",
        "http://localhost:8765/x",
        "http://127.0.0.1:8765",
        "http://127.9.9.9",
        "http://[::1]:8765",
    ],
)
def test_safe_base_urls_pass(url: str) -> None:
    """https anywhere, http on loopback; a trailing slash is dropped."""
    assert checked_base_url(url + "/") == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.kordless.ai",
        "http://api.kordless.ai",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://10.0.0.1",
        "ftp://localhost",
        "file:///etc/passwd",
        "https://",
        "https:///x",
        "https://user:hunter2@api.kordless.ai",
        "https://@api.kordless.ai",
        "https://api.kordless.ai/?x=1",
        "https://api.kordless.ai/?",
        "https://api.kordless.ai/#x",
        "https://api.kordless.ai:99999",
        "https://api.kordless.ai:0",
        "https://api.kordless.ai /x",
        "https://[::1",
        "https://api.kordless.ai\r\n",
    ],
)
def test_other_base_urls_are_refused(url: str) -> None:
    """Clear text to elsewhere, credentials, queries and nonsense are a ValueError that repeats no password."""
    with pytest.raises(ValueError, match="base URL") as caught:
        client(answering({}), base_url=url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("agent", ["", "a\r\nb", "é"])
def test_a_user_agent_fits_a_header(agent: str) -> None:
    """A user agent that could break out of its header is a ValueError."""
    with pytest.raises(ValueError, match="user agent"):
        client(answering({}), user_agent=agent)


def test_tls_can_not_be_turned_off() -> None:
    """A context that doesn't verify is refused."""
    context = ssl.create_default_context()
    context.check_hostname = False
    with pytest.raises(ValueError, match="verified"):
        PunctualTransport(context)


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
    assert client_module.__all__ == ["BOOKING_SECONDS", "BROWSE_SECONDS", "Kordless"]
    assert wire.__all__ == [
        "Answer",
        "Gate",
        "PunctualTransport",
        "Wire",
        "checked_base_url",
        "request_id",
        "wsgi_transport",
    ]


def test_closing_twice_is_fine() -> None:
    """A client without connections, or closed already, closes quietly."""
    door = Kordless(api_key=KEY, org_slug="acme-salon", base_url=BASE)
    door.close()
    door.close()
