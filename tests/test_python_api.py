"""The functions for a site's own code: services, free times, bookings that are placed once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.test import Client
from pytest_django import Settings

from kordless_booking import exceptions, python_api
from kordless_booking.python_api import Result, follow_booking, list_services, next_times, place_booking
from kordless_booking.sandbox import Sandbox
from tests.support.clock import NOW
from tests.support.visitor import Visitor

JANE = {"name": "Jane Doe", "email": "jane@example.com"}


@pytest.fixture
def salon(site: Settings) -> Settings:
    """The site, with an address."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "SITE_URL": "https://salon.example"}
    return site


def book_first(**changes: Any) -> Result:
    """Book the first free haircut of three that are offered."""
    [time, *_] = next_times("haircut")
    order = {"key": "a-key-of-its-own", "timezone": "Europe/Paris", "contact": JANE, **changes}
    return place_booking(service="haircut", start=time.start, end=time.end, **order)


def test_the_python_api_exports_what_its_page_describes() -> None:
    """Everything else in the module may change."""
    assert python_api.__all__ == [
        "FreeTime", "Result", "follow_booking", "list_services", "next_times", "place_booking",
    ]  # fmt: skip


def test_services_are_listed_in_the_order_of_the_business(site: Settings) -> None:
    """Those that the public can book, without SITE_URL too."""
    found = list_services()
    assert "haircut" in [service.slug for service in found]
    assert all(service.bookable for service in found)


@pytest.mark.django_db
def test_next_times_are_those_of_the_page_in_the_zone_that_is_asked_for(salon: Settings, client: Client) -> None:
    """In order, aware, and each with the link at which a person confirms it."""
    found = next_times("haircut", 5, timezone="Asia/Tokyo")
    assert len(found) == 5
    assert [time.start for time in found] == sorted(time.start for time in found)
    assert all(time.start > NOW and time.start.tzinfo == ZoneInfo("Asia/Tokyo") for time in found)
    assert found[0].hosts
    assert found[0].seats >= 1
    assert found[0].book_url.startswith("https://salon.example/book/haircut/contact/?")
    form = Visitor(client).open(found[0].book_url.removeprefix("https://salon.example"))
    assert form.form("Book appointment")


def test_next_times_go_on_after_a_moment_and_beyond_a_month(salon: Settings) -> None:
    """`after` is exclusive; what is asked for beyond the booking window is nothing."""
    first, second = next_times("haircut", 2)
    assert next_times("haircut", 1, after=first.start) == (second,)
    [late] = next_times("haircut", 1, after=NOW + timedelta(days=40))
    assert late.start > NOW + timedelta(days=40)
    assert next_times("haircut", after=NOW + timedelta(days=4000)) == ()
    assert next_times("haircut", 0) == ()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"timezone": "Mars/Olympus"}, "unknown time zone"),
        ({"after": datetime(2026, 12, 1)}, "naive"),  # noqa: DTZ001
        ({"after": datetime.max.replace(tzinfo=UTC), "timezone": "Pacific/Kiritimati"}, "out of range"),
        ({"after": datetime.min.replace(tzinfo=UTC), "timezone": "Pacific/Pago_Pago"}, "out of range"),
    ],
)
def test_times_that_make_no_sense_are_a_value_error(salon: Settings, arguments: dict[str, Any], message: str) -> None:
    """They say what to use instead, before Kordless is asked."""
    with pytest.raises(ValueError, match=message):
        next_times("haircut", **arguments)


def test_a_service_that_does_not_exist_is_not_found(salon: Settings) -> None:
    """As for the client of Kordless's API."""
    with pytest.raises(exceptions.NotFound):
        next_times("no-such-service")


def test_links_need_the_address_of_the_site(site: Settings) -> None:
    """Outside of a request nothing else says where the site is."""
    with pytest.raises(ImproperlyConfigured, match="SITE_URL"):
        next_times("haircut")


@pytest.mark.usefixtures("two_accounts")
def test_an_account_is_named_where_there_are_several() -> None:
    """A name that none has is an error, never another account's services."""
    assert list_services(account="north") != list_services(account="south")
    for name in ("", "west"):
        with pytest.raises(ImproperlyConfigured, match="account"):
            list_services(account=name)


def test_a_wrong_name_is_an_error_with_a_single_account_too(site: Settings) -> None:
    """Else a booking would go to the wrong business after the second one is set up."""
    with pytest.raises(ImproperlyConfigured, match="west"):
        list_services(account="west")


@pytest.mark.django_db(transaction=True)
def test_a_booking_under_one_key_is_placed_once(salon: Settings, sandbox: Sandbox) -> None:
    """The second call returns the booking of the first; another request under its key is refused."""
    placed = book_first(key="the-same-key")
    assert placed.state == "placed"
    assert placed.booking is not None
    [stored] = sandbox.bookings()
    assert placed.booking["confirmation_number"] == stored["number"]
    assert placed.booking["manage_url"].startswith("https://salon.example/book/manage/")
    start, end = placed.booking["start"], placed.booking["end"]
    same = {"key": "the-same-key", "service": "haircut", "start": start, "end": end, "timezone": "Europe/Paris"}
    again = place_booking(**same, contact=JANE)
    assert again.state == "placed"
    assert again.booking is not None
    assert again.booking["confirmation_number"] == stored["number"]
    assert place_booking(**same, contact={**JANE, "name": "Somebody Else"}).state == "reused"
    assert follow_booking(placed.token).state == "placed"
    assert follow_booking("no-token").state == "gone"
    assert len(sandbox.bookings()) == 1


@pytest.mark.django_db(transaction=True)
def test_what_the_form_would_refuse_is_invalid(salon: Settings, sandbox: Sandbox) -> None:
    """With a JSON pointer and a text for each mistake; nothing is sent."""
    refused = book_first(contact={"name": "Jane Doe", "email": "no address"}, answers={"unknown": "x"})
    assert refused.state == "invalid"
    assert {pointer for pointer, _ in refused.errors} >= {"/contact/email", "/answers/unknown"}
    assert sandbox.bookings() == []


@pytest.mark.django_db(transaction=True)
def test_a_booking_inside_of_a_transaction_is_refused_before_anything_is_sent(
    salon: Settings, sandbox: Sandbox
) -> None:
    """A row that is rolled back after the request would guard nothing."""
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        book_first()
    assert sandbox.bookings() == []


@pytest.mark.parametrize("name", ["start", "end"])
@pytest.mark.parametrize("time", [datetime.min, datetime.max])  # noqa: DTZ901 (a zone follows)
def test_a_time_at_the_end_of_the_calendar_is_a_value_error(salon: Settings, name: str, time: datetime) -> None:
    """It has no date in some time zones."""
    for zone in (timezone(timedelta(hours=23)), timezone(-timedelta(hours=23))):
        order: dict[str, Any] = {"start": NOW, "end": NOW, name: time.replace(tzinfo=zone)}
        with pytest.raises(ValueError, match="out of range"):
            place_booking(key="a-key-of-its-own", service="haircut", timezone="Europe/Paris", contact=JANE, **order)


@pytest.mark.parametrize(
    "changes", [{"key": "short"}, {"key": str(uuid4()) * 9}, {"key": "spaces in it"}, {"timezone": "Nowhere"}]
)
def test_an_unusable_key_or_zone_is_a_value_error(salon: Settings, changes: dict[str, str]) -> None:
    """Before the database or Kordless is asked."""
    with pytest.raises(ValueError, match=r"key|time zone"):
        book_first(**changes)
