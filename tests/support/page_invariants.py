"""Invariants of every response, whatever the fault."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from kordless_booking.sandbox import SANDBOX_KEY
from tests.faults.expected import Fault
from tests.support.fault_scenario import PHONE, TYPED
from tests.support.visitor import Page

if TYPE_CHECKING:
    import pytest

ABOUT_VISITORS = ("kordless_booking.views", "kordless_booking.booking")
NEVER_SHOWN = (
    "Traceback",
    "kordless.ai",
    "127.0.0.1",
    SANDBOX_KEY,
    "Bad Gateway",
    "alert('proxy')",
    "<script>alert",
    "<img src=x",
    "evil.example",
    "elsewhere.example",
    "faults",
    "None",
)


def events(caplog: pytest.LogCaptureFixture) -> list[tuple[str, int]]:
    """(event, level) of every line about a visitor or a booking, in order."""
    lines = [record for record in caplog.records if record.name in ABOUT_VISITORS]
    return [(record.getMessage().split()[0].removeprefix("event="), record.levelno) for record in lines]


def check_page(page: Page, fault: Fault, act: str) -> None:
    """Plain words, the right status, a way on, and everything that was typed."""
    status, event = fault.outcomes[act]
    assert (page.status, event) == (status, event), page.text[:400]
    for words in NEVER_SHOWN:
        assert words not in page.html, words
    if status >= 400:
        assert page.heading
        ways_on = "a.kb-button[href], .kb-back a[href], form button, button[formaction]"
        assert page.tree.css(ways_on), "no way on"
    if status == 503 and event != "api_key_rejected" and act != "attempt":
        assert int(page.response["Retry-After"]) >= 1
    if act == "create" and status in {422, 503}:
        assert page.alert
        fields = page.form("Book appointment")[2]
        assert {name: fields[name] for name in TYPED} == TYPED
    if act == "lookup" and status >= 400:
        assert page.alert
        assert page.form("Find booking")[2]["contact"] == PHONE
    if act == "create" and event == "service_not_found":
        assert page.link("See all services").fields["form_input"]  # type: ignore[attr-defined]
    assert page.response["Cache-Control"] if status >= 400 else True


def check_log(caplog: pytest.LogCaptureFixture, fault: Fault, act: str) -> None:
    """One line of the right event about the visitor, as loud as it should be, with nothing personal anywhere."""
    status, event = fault.outcomes[act]
    logged = events(caplog)
    assert [name for name, _level in logged][-1:] == ([event] if event else [])
    assert sum(record.name == ABOUT_VISITORS[0] for record in caplog.records) <= 1
    if status == 503:
        assert logged[-1][1] >= (logging.WARNING if event == "rate_limited" else logging.ERROR)
    for secret in (SANDBOX_KEY, PHONE, PHONE.lstrip("+"), *filter(None, TYPED.values())):
        assert secret not in caplog.text, secret
