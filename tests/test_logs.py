"""Structured logging: one event as a logfmt line, as values on the record, and as JSON."""

import json
import logging
import re
from datetime import UTC, datetime
from logging.config import dictConfig
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.logs import JsonFormatter, error_location, log_event, request_id

log = logging.getLogger("kordless_booking.tests")


@pytest.fixture(autouse=True)
def every_line(caplog: pytest.LogCaptureFixture) -> None:
    """Quiet ones too."""
    caplog.set_level(logging.DEBUG)


def answering(name: str, *, written: logging.LogRecord) -> dict[str, Any]:
    """The record as JSON, made while the request of that name is answered."""
    token = request_id.set(name)
    try:
        line = JsonFormatter().format(written)
    finally:
        request_id.reset(token)
    assert "\n" not in line
    document: dict[str, Any] = json.loads(line)
    return document


def test_words_and_values_agree(caplog: pytest.LogCaptureFixture):
    """Texts with blanks are quoted, nothing is a dash, None is left out, and the caller's own line is named."""
    log_event(log, logging.WARNING, "something", status=503, hint='set "X": 1', empty="", absent=None)
    [record] = caplog.records
    assert record.getMessage() == "event=something status=503 hint='set \"X\": 1' empty=-"
    assert record.__dict__["kordless"] == {"event": "something", "status": 503, "hint": 'set "X": 1', "empty": ""}
    assert record.levelno == logging.WARNING
    assert record.filename == "test_logs.py"


def test_the_request_is_named_at_the_end(caplog: pytest.LogCaptureFixture):
    """When one is being answered and the line doesn't name another."""
    token = request_id.set("one-request")
    try:
        log_event(log, logging.INFO, "first", scope="book")
        log_event(log, logging.INFO, "second", req="another-one")
    finally:
        request_id.reset(token)
    log_event(log, logging.INFO, "third")
    assert [record.getMessage() for record in caplog.records] == [
        "event=first scope=book req=one-request",
        "event=second req=another-one",
        "event=third",
    ]


@given(st.text())
def test_no_text_forges_a_line_or_a_value(text: str):
    """Whatever is said, the line stays one line of ASCII, and reads back as what it was."""
    lines: list[logging.LogRecord] = []
    listening = logging.Handler()
    listening.emit = lines.append  # type: ignore[method-assign]
    log.addHandler(listening)
    try:
        log_event(log, logging.INFO, "event", value=text)
    finally:
        log.removeHandler(listening)
    [record] = lines
    line = record.getMessage()
    assert line.isascii()
    assert line.isprintable()
    assert " req=" not in line.replace(ascii(text), "")
    assert json.loads(JsonFormatter().format(record))["value"] == text


def test_json_has_when_where_and_what(caplog: pytest.LogCaptureFixture):
    """One object a line, with the event's own values beside time, level and logger."""
    log_event(
        log,
        logging.ERROR,
        "webhook_not_recorded",
        delivery="dlv_1",
        status=503,
        kept=False,
        at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    [record] = caplog.records
    record.created = 1_796_140_800.25
    assert answering("", written=record) == {
        "time": "2026-12-01T16:00:00.250+00:00",
        "level": "ERROR",
        "logger": "kordless_booking.tests",
        "event": "webhook_not_recorded",
        "delivery": "dlv_1",
        "status": 503,
        "kept": False,
        "at": "2026-01-01 00:00:00+00:00",
    }


def test_lines_of_others_are_json_too(caplog: pytest.LogCaptureFixture):
    """With their message, and the request that they were written for."""
    logging.getLogger("django.db").info("took %s", "long\nand longer")
    [record] = caplog.records
    document = answering("one-request", written=record)
    assert (document["message"], document["req"], document["logger"]) == (
        "took long\nand longer",
        "one-request",
        "django.db",
    )
    assert "req" not in answering("", written=record)


def test_a_traceback_of_others_stays_in_its_line(caplog: pytest.LogCaptureFixture):
    """Under `trace`."""
    try:
        {}["no such shelf"]
    except KeyError:
        logging.getLogger("django.request").exception("Internal Server Error")
    [record] = caplog.records
    assert "KeyError: 'no such shelf'" in answering("", written=record)["trace"]


def test_the_traceback_is_logged_without_the_message():
    """Innermost first, and not the whole way."""

    def deeper(times: int) -> None:
        if times:
            deeper(times - 1)
        raise LookupError("canary@example.com")

    with pytest.raises(LookupError) as caught:
        deeper(20)
    location = error_location(caught.value)
    assert location["error"] == "LookupError"
    assert re.fullmatch(r"tests\.test_logs:\d+(<tests\.test_logs:\d+){4}", location["at"])
    assert error_location(LookupError("canary")) == {"error": "LookupError", "at": "?"}


def test_it_is_set_up_as_the_docs_say():
    """By its dotted path, in Django's LOGGING."""
    name = "kordless_booking.tests.configured"
    dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": {"()": "kordless_booking.logs.JsonFormatter"}},
            "handlers": {"here": {"class": "logging.NullHandler", "formatter": "json"}},
            "loggers": {name: {"handlers": ["here"]}},
        }
    )
    [handler] = logging.getLogger(name).handlers
    assert isinstance(handler.formatter, JsonFormatter)
