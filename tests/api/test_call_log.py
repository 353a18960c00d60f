"""The call log: one line per HTTP request, without personal data."""

import contextlib
import logging
import ssl
from typing import Any

import httpx
import pytest

from kordless_booking.api.session import request_id
from kordless_booking.exceptions import KordlessError
from tests.support.api_clients import (
    CALLS,
    CONTACT,
    DOCUMENTS,
    KEY,
    NUMBER,
    ORGANIZATION,
    SERVICE,
    Recorder,
    answering,
    caused_by,
    client,
    refusing,
)


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
        f"event=kordless_call operation=organization status=200 ms={values['ms']} req=req-7f"
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
            answering({"organization": ORGANIZATION, "services": [SERVICE, {"slug": "<canary>/"}, None]}),
            logging.WARNING,
            "dropped=2 where=$.services[1].slug",
        ),
    ],
)
def test_the_line_says_what_went_wrong(
    network: Recorder, level: int, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Rejections are logged at INFO, failures and dropped parts at WARNING, a rejected key and broken TLS at ERROR."""
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
    assert lines(caplog)[0].getMessage().endswith(" req=-")


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
    logged = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    for secret in (CONTACT, "canary", "%2B", NUMBER, KEY, "Jane", "2125550123", "?", "/bookings"):
        assert secret not in logged
