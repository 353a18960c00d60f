"""Bookings that end on a later date: from the button to the mail, the date of the end is there on each clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from kordless_booking.sandbox import Sandbox
from kordless_booking.sandbox.limits import Limits
from kordless_booking.upstream.registry import background_worker, fetch_pool
from tests.support.boats import BOATS, DAY, NIGHT, THREE_DAYS
from tests.support.mail_reader import sent
from tests.support.mail_settings import MAIL
from tests.support.visitor import Visitor

pytestmark = pytest.mark.django_db

HERE = "?day=2026-12-08&tz=America/New_York"
KYIV = "?day=2026-12-08&tz=Europe/Kyiv&hours=24"
ONE_DAY = "Tuesday, December 8, 2026, 9:00 AM \u2013 Wednesday, December 9, 2026, 9:00 AM"
IN_KYIV = "Tuesday, December 8, 2026, 16:00 \u2013 Wednesday, December 9, 2026, 16:00 your time"
ON_SITE = "Tuesday, December 8, 2026, 09:00 \u2013 Wednesday, December 9, 2026, 09:00 local time"


@pytest.fixture
def sandbox(now: datetime, clock: time_machine.Traveller) -> Iterator[Sandbox]:
    """Return a Kordless whose only business rents boats for days."""
    kordless = Sandbox(":memory:", now=now, limits=Limits.off(), businesses=(BOATS,))
    yield kordless
    background_worker.join()
    fetch_pool.join()
    kordless.close()


@pytest.fixture
def writing(site: Settings, account_settings: dict[str, Any]) -> Settings:
    """Return the settings of the plain site with mail on."""
    site.KORDLESS_BOOKING = {**account_settings, **MAIL}
    return site


@pytest.mark.parametrize(
    ("service", "query", "button"),
    [
        (DAY, HERE, "9:00 AM until Wed, Dec 9, 9:00 AM"),
        (NIGHT, HERE, "11:30 PM until Wed, Dec 9, 12:30 AM"),
        (THREE_DAYS, HERE, "9:00 AM until Fri, Dec 11, 9:00 AM"),
        (DAY, KYIV, "09:00 until Wed, Dec 9, 09:00"),
        (DAY, f"{KYIV}&clock=visitor", "16:00 until Wed, Dec 9, 16:00"),
        # An hour that is one date for the visitor and two local time.
        (NIGHT, KYIV, "23:30 until Wed, Dec 9, 00:30"),
        (NIGHT, "?day=2026-12-09&tz=Europe/Kyiv&hours=24&clock=visitor", "06:30"),
    ],
)
def test_a_button_says_when_a_long_time_ends(visitor: Visitor, service: str, query: str, button: str):
    """The date of the end stands on the button, by the clock that the page shows."""
    [found] = visitor.open(f"/book/{service}/{query}").texts(".kb-times li a")
    assert re.sub(r"( ·)? \d+ spots? left(?= ·|$)", "", found) == button


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_end_of_a_long_time_has_room_in_its_button(visitor: Visitor, language: str):
    """What stands below a time decides how wide the day's buttons are, so that no date is split from its time."""
    page = visitor.open(f"/book/{THREE_DAYS}/{HERE}&lang={language}")
    [detail] = page.tree.css(".kb-times .kb-time small")
    assert detail.attributes.get("class") == "kb-widest"


def test_the_folded_summary_of_a_long_booking_says_its_end(any_visitor: Visitor):
    """Whoever books a boat for three days sees until when without unfolding anything."""
    [folded] = any_visitor.choose(THREE_DAYS, HERE).texts(".kb-brief")
    assert folded == "House boat Tue, Dec 8, 9:00 AM \u2013 Fri, Dec 11, 9:00 AM"


def test_every_page_of_a_long_booking_says_its_end_date(any_visitor: Visitor):
    """The form, the confirmation, the manage page, its two questions and the canceled page."""
    form = any_visitor.choose(DAY, HERE)
    assert ONE_DAY in form.text
    assert "Duration 1 day " in form.text
    assert form.texts(".kb-policy") == ["Please cancel at least 1 hr 30 min in advance."]
    done = any_visitor.send(form, "Book appointment", name="Jane", email="jane@example.com")
    assert ONE_DAY in done.text
    manage = any_visitor.open(done.link("Change or cancel"))
    assert ONE_DAY in manage.text
    slots = any_visitor.send(manage, "Reschedule")
    assert slots.texts(".kb-old") == ["Booked for Tue, Dec 8, 9:00 AM \u2013 Wed, Dec 9, 9:00 AM"]
    question = any_visitor.open(next(iter(any_visitor.open(slots.days["Thursday, December 10, 2026"]).times.values())))
    assert ONE_DAY in question.text
    assert "Thursday, December 10, 2026, 9:00 AM \u2013 Friday, December 11, 2026, 9:00 AM" in question.text
    cancel = any_visitor.send(manage, "Cancel booking")
    assert ONE_DAY in cancel.text
    assert ONE_DAY in any_visitor.send(cancel, "Cancel booking").text


def test_both_clocks_of_a_long_booking_say_their_end_dates(visitor: Visitor):
    """The clock local time and the visitor's, each with its own dates."""
    page = visitor.book(DAY, KYIV)
    assert page.texts(".kb-summary dd strong") == [ON_SITE, IN_KYIV]


def test_a_mail_says_the_end_date_of_a_long_booking(writing: Settings, client: Client):
    """In the subject, in the text, in the HTML, and the calendar file ends then."""
    Visitor(client).book(THREE_DAYS, HERE)
    [letter] = sent()
    when = "Tuesday, December 8, 2026, 9:00 AM \u2013 Friday, December 11, 2026, 9:00 AM"
    short = "Tue, Dec 8, 9:00 AM \u2013 Fri, Dec 11, 9:00 AM"
    assert letter.subject == f"House boat, {short}: confirmed"
    assert when in letter.text
    assert when in letter.words
    assert letter.event["dtend"].dt.isoformat() == "2026-12-11T09:00:00-05:00"
