"""One change is one mail, in however many processes it is heard of at one moment."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.processes.conftest import four_processes
from tests.processes.crowd import all_at_once, counted, post
from tests.processes.gunicorn_site import Served
from tests.support.deliveries import delivery, event_body

pytestmark = pytest.mark.processes


@pytest.fixture
def writing(tmp_path: Path, postgres: str) -> Iterator[Served]:
    """As `four`, and it writes to customers."""
    with four_processes(tmp_path, postgres, str(tmp_path / "mail")) as site:
        yield site


def subjects(folder: Path, number: str) -> list[str]:
    """What became of it, by all mails about a booking that were written so far."""
    mails = [file.read_text() for file in folder.glob("mail/*")]
    return [
        re.findall("^Subject: .*: ([a-z ]+)$", mail, re.MULTILINE)[0]
        for mail in mails
        if f"UID:{number.lower()}" in mail
    ]


def settled(site: Served, folder: Path, number: str, mails: int) -> list[str]:
    """The subjects, once so many mails were queued and none of them waits or is on its way."""
    turn = threading.Event()
    for _ in range(200):
        with psycopg.connect(site.database_url) as connection:
            found = connection.execute("SELECT state FROM kordless_booking_outgoingmail").fetchall()
        if len(found) >= mails and {state for (state,) in found}.isdisjoint({"queued", "sending"}):
            break
        turn.wait(0.1)
    assert [state for (state,) in found] == ["sent"] * mails
    return sorted(subjects(folder, number))


@pytest.mark.matrix
def test_a_change_in_many_deliveries_at_once(writing: Served, tmp_path: Path) -> None:
    """The same delivery twenty times, then the same change under twenty ids: one mail each."""
    booked = delivery(event_body(confirmation_number="BOOK_MAIL0001"), delivery_id="dlv_mail")
    answers = all_at_once(lambda _: post(writing, booked), 20)
    assert counted(answers) == {(200, "processed"): 1, (200, "duplicate"): 19}
    assert settled(writing, tmp_path, "BOOK_MAIL0001", 1) == ["confirmed"]
    gone = [
        delivery(
            event_body("booking.cancelled", confirmation_number="BOOK_MAIL0001", status="cancelled", attempt=number),
            delivery_id=f"dlv_gone_{number}",
        )
        for number in range(20)
    ]
    answers = all_at_once(lambda number: post(writing, gone[number]), 20)
    assert counted(answers) == {(200, "processed"): 1, (200, "superseded"): 19}
    assert settled(writing, tmp_path, "BOOK_MAIL0001", 2) == [
        "canceled",
        "confirmed",
    ]
