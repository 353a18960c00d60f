"""The test kit: bookings through the pages, webhooks, faults and mail, in a Kordless of each test's own."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, SimpleTestCase, TestCase
from pytest_django import Settings

from kordless_booking import conf, testing
from kordless_booking.sandbox import NORTH_ORG, SANDBOX_ORG
from kordless_booking.signals import booking_cancelled, booking_created, booking_rescheduled
from kordless_booking.testing import NOW, Booked, KordlessTestKit, KordlessTestMixin, NotBooked
from kordless_booking.upstream.registry import background_worker, fetch_pool
from tests.support.urlconfs import WITHOUT_WIDGET

Book = Callable[..., Booked]
MAIL = {"MAIL": True, "SITE_URL": "https://salon.example"}
SIGNALS = {"created": booking_created, "updated": booking_rescheduled, "cancelled": booking_cancelled}


def test_the_public_names_are_pinned() -> None:
    """Adopters' tests import these; a rename is a breaking change."""
    assert testing.__all__ == ["NOW", "Booked", "KordlessTestKit", "KordlessTestMixin", "NotBooked"]


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Signals in the order in which they were sent."""
    names: list[str] = []
    receivers = {name: lambda name=name, **_: names.append(name) for name in SIGNALS}
    for name, signal in SIGNALS.items():
        signal.connect(receivers[name], weak=False)
    yield names
    for name, signal in SIGNALS.items():
        signal.disconnect(receivers[name])


def test_a_visitor_books_the_first_free_time(client: Client, kordless_sandbox: KordlessTestKit, book: Book) -> None:
    """By links and forms: the confirmation names the number, and the sandbox has the booking."""
    first = kordless_sandbox.find_free("haircut")[0]
    booked = book(client, service="haircut", name="Ada Lovelace", email="ada@example.com", notes="By the window")
    [row] = kordless_sandbox.sandbox.bookings()
    assert booked.start == first
    assert (row["number"], row["name"], row["email"], row["notes"]) == (
        booked.number,
        "Ada Lovelace",
        "ada@example.com",
        "By the window",
    )
    assert booked.response.status_code == 200
    assert booked.number in booked.response.content.decode()
    assert client.get(booked.url).status_code == 200


def test_a_visitor_books_a_time_of_another_day(client: Client, kordless_sandbox: KordlessTestKit, book: Book) -> None:
    """Also one that the first page has no link to."""
    last = kordless_sandbox.find_free("haircut")[-1]
    assert last > NOW + timedelta(days=7)
    assert book(client, start=last).start == last


def test_as_many_bookings_as_a_test_wants(client: Client, kordless_sandbox: KordlessTestKit, book: Book) -> None:
    """One after the other, at one moment: no quota is used up, and each takes the next free time."""
    numbers = {book(client, service).number for service in ("haircut", "full-color", "head-spa") for _ in range(6)}
    assert len(numbers) == 18


def test_what_the_business_does_is_on_the_pages_two_seconds_later(
    client: Client, kordless_sandbox: KordlessTestKit
) -> None:
    """Also without a webhook, and though no thread refreshes anything."""
    [first, *_] = kordless_sandbox.find_free("beard-trim")
    link = f"/book/beard-trim/contact/?start={first:%Y%m%dT%H%M%SZ}"
    assert link in client.get("/book/beard-trim/").content.decode()
    while first in kordless_sandbox.find_free("beard-trim"):
        kordless_sandbox.sandbox.book_by_phone("beard-trim", first)
    kordless_sandbox.advance(timedelta(seconds=2))
    assert link not in client.get("/book/beard-trim/").content.decode()


def test_a_time_that_is_taken_is_no_booking(client: Client, kordless_sandbox: KordlessTestKit, book: Book) -> None:
    """The error has the page, with what the visitor reads there."""
    first = kordless_sandbox.find_free("haircut")[0]
    while first in kordless_sandbox.find_free("haircut"):
        kordless_sandbox.sandbox.book_by_phone("haircut", first)
    with pytest.raises(NotBooked) as caught:
        book(client, start=first)
    assert caught.value.response is not None
    assert str(caught.value).startswith("the form of the contact step didn't come: /book/haircut/")


@pytest.mark.parametrize(
    ("service", "answers", "message"),
    [
        ("haircut", {"color": "red"}, "the form has no field color; it has "),
        ("haircut", {"email": "nobody"}, "no booking was confirmed: /book/haircut/contact/ answered 422"),
        ("no-such-thing", {}, "the page has no free time: /book/no-such-thing/ answered 404"),
    ],
)
def test_what_is_not_booked_says_why(
    client: Client, kordless_sandbox: KordlessTestKit, service: str, answers: dict[str, str], message: str
) -> None:
    """A field that there isn't, a value that the form refuses, a service that there isn't."""
    with pytest.raises(NotBooked) as caught:
        kordless_sandbox.book(client, service, **answers)
    assert str(caught.value).startswith(message)
    assert kordless_sandbox.sandbox.bookings() == []


def test_faults_are_injected_by_name(client: Client, inject_fault: Callable[..., None], book: Book) -> None:
    """The page says that the time is taken; the fault hits as many requests as it should."""
    inject_fault("status", operation="create", times=1, status=409)
    with pytest.raises(NotBooked, match="answered 409"):
        book(client)
    assert book(client).number


def test_an_unknown_fault_is_answered_with_the_known_ones(inject_fault: Callable[..., None]) -> None:
    """The error has the list."""
    with pytest.raises(ValueError, match=r"unknown fault 'no_luck'; known: .*status"):
        inject_fault("no_luck")


def test_a_read_that_is_repeated_costs_no_pause(client: Client, kordless_sandbox: KordlessTestKit) -> None:
    """Two broken answers, and a delay of minutes: the page comes at once, without a thread."""
    kordless_sandbox.inject_fault("status", operation="availability", times=1, status=503)
    kordless_sandbox.inject_fault("slow", operation="availability", seconds=300)
    waits: list[float] = []
    sleep = time.sleep
    try:
        time.sleep = waits.append
        assert "11:00" in client.get("/book/haircut/").content.decode()
    finally:
        time.sleep = sleep
    assert [seconds for seconds in waits if seconds] == []
    tried = [each for each in kordless_sandbox.sandbox.requests if each.operation == "availability"]
    assert len(tried) > 1


def test_the_business_books_moves_and_cancels(
    client: Client, kordless_sandbox: KordlessTestKit, received: list[str]
) -> None:
    """Each event happens in the sandbox first; its delivery is accepted, and the site's receivers are called."""
    assert kordless_sandbox.deliver_webhook("booking.created", service="haircut").status_code == 200
    [row] = kordless_sandbox.sandbox.bookings()
    kordless_sandbox.deliver_webhook("booking.updated")
    [moved] = kordless_sandbox.sandbox.bookings()
    kordless_sandbox.deliver_webhook("booking.cancelled", number=row["number"])
    [canceled] = kordless_sandbox.sandbox.bookings()
    assert moved["starts"] != row["starts"]
    assert canceled["status"] == "canceled"
    assert received == ["created", "updated", "cancelled"]


def test_a_booking_on_the_site_is_announced_by_its_webhook_too(
    client: Client, book: Book, deliver_webhook: Callable[..., Any], received: list[str]
) -> None:
    """It is the same booking, so receivers are called once."""
    booked = book(client)
    deliver_webhook("booking.created", number=booked.number)
    assert received == ["created"]


@pytest.mark.parametrize("tamper", ["body", "signature", "timestamp", "secret"])
def test_a_spoiled_webhook_is_returned_and_not_raised(
    client: Client, kordless_sandbox: KordlessTestKit, book: Book, received: list[str], tamper: str
) -> None:
    """The site refuses it, and nothing was told to it."""
    book(client)
    assert kordless_sandbox.deliver_webhook("booking.cancelled", tamper=tamper).status_code in (400, 401, 403)
    assert received == ["created"]


def test_a_repeated_webhook_has_the_id_of_the_first(
    client: Client, kordless_sandbox: KordlessTestKit, book: Book, received: list[str]
) -> None:
    """Both are accepted; the second changes nothing."""
    book(client)
    for _ in range(2):
        assert kordless_sandbox.deliver_webhook("booking.cancelled", delivery_id="dlv_1").status_code == 200
    assert received == ["created", "cancelled"]


@pytest.mark.parametrize(
    ("event", "options", "message"),
    [
        ("booking.exploded", {}, "unknown event"),
        ("booking.cancelled", {}, "there is no booking yet"),
        ("booking.updated", {"number": "BOOK_NOWHERE"}, "there is no booking BOOK_NOWHERE"),
    ],
)
def test_an_event_that_can_not_happen_is_an_error(
    kordless_sandbox: KordlessTestKit, event: str, options: dict[str, str], message: str
) -> None:
    """Nothing is delivered, and the error says why."""
    with pytest.raises(ValueError, match=message):
        kordless_sandbox.deliver_webhook(event, **options)


def test_a_dictionary_is_delivered_as_it_is(kordless_sandbox: KordlessTestKit) -> None:
    """A body that the site can't use is refused, and the error has the answer."""
    assert kordless_sandbox.deliver_webhook({"event": 5}, tamper="signature").status_code in (400, 401, 403)
    number = kordless_sandbox.sandbox.book_by_phone("haircut", kordless_sandbox.find_free()[0])
    event = kordless_sandbox.sandbox.build_event("booking.created", number)
    assert kordless_sandbox.deliver_webhook(event).status_code == 200


class TestMail:
    """Mail that the site sends to customers."""

    @pytest.fixture
    def kordless_settings(self) -> Mapping[str, Any]:
        """A site that sends mail."""
        return MAIL

    def test_mail_is_sent_when_the_test_says_so(
        self, client: Client, kordless_sandbox: KordlessTestKit, book: Book
    ) -> None:
        """The confirmation at once, the reminder when the clock has come to it."""
        booked = book(client, start=kordless_sandbox.find_free("haircut")[-1])
        [confirmation] = kordless_sandbox.send_mail()
        assert confirmation.to == ["jane@example.com"]
        kordless_sandbox.travel_to(booked.start - timedelta(hours=23))
        assert len(kordless_sandbox.send_mail()) == 2


@pytest.mark.django_db
def test_two_tests_share_nothing(client: Client) -> None:
    """Neither bookings nor the cache, and what the site had before is there again; no thread was started."""
    before, aliases = conf.accounts(), set(caches)
    threads = set(threading.enumerate())
    for _ in range(2):
        with KordlessTestKit() as kit:
            first = kit.find_free("haircut")[0]
            assert kit.book(client).start == first
            assert datetime.now(UTC) == NOW
            assert not background_worker(lambda: None)
            assert not fetch_pool(lambda: None)
    assert conf.accounts() == before
    assert set(caches) == aliases
    assert set(threading.enumerate()) <= threads
    assert datetime.now(UTC) != NOW


@pytest.mark.django_db
def test_the_real_time_runs_on_where_none_is_given(client: Client) -> None:
    """Then nothing can move the clock, and time-machine isn't needed."""
    with KordlessTestKit(now=None) as kit:
        # Not the first free time, which may begin before the form is sent.
        late = kit.find_free("haircut")[-1]
        assert abs(kit.book(client, start=late).start - datetime.now(UTC)) < timedelta(days=14)
        with pytest.raises(RuntimeError, match="the clock runs by itself"):
            kit.advance(timedelta(hours=1))


@pytest.mark.django_db
def test_each_account_has_a_business_of_its_own(client: Client, settings: Settings) -> None:
    """With the key of the sandbox's, and an organization that the sandbox knows stays."""
    settings.ROOT_URLCONF = "tests.projects.several.urls"
    settings.KORDLESS_BOOKING = {
        "PRICE_PER": "person",
        "ACCOUNTS": {
            "north": {"API_KEY": "live", "ORG_SLUG": NORTH_ORG},
            "south": {"API_KEY": "k", "ORG_SLUG": "mine"},
        },
    }
    with KordlessTestKit() as kit:
        found = conf.accounts()
        assert (found["north"].org_slug, found["south"].org_slug) == (NORTH_ORG, SANDBOX_ORG)
        assert found["south"].price_per == "person"
        kit.book(client, "haircut", account="south")
        assert kit.deliver_webhook("booking.cancelled", account="south").status_code == 200
        assert [(row["org"], row["status"]) for row in kit.sandbox.bookings()] == [(SANDBOX_ORG, "canceled")]


@pytest.mark.django_db
class TestMissing:
    """A site that lacks something gets an error that says what to add."""

    def test_the_setting(self, settings: Settings) -> None:
        """KORDLESS_BOOKING isn't there at all."""
        del settings.KORDLESS_BOOKING
        with pytest.raises(ImproperlyConfigured, match="KORDLESS_BOOKING is not set"), KordlessTestKit():
            pass

    def test_a_key_of_the_setting_is_wrong(self, settings: Settings) -> None:
        """The check's own words, and everything is put back."""
        for raw in ({"THEME": "baroque"}, {"ACCOUNTS": {"south": {"THEME": "baroque"}}}, {"ACCOUNTS": {"south": 5}}):
            settings.KORDLESS_BOOKING = raw
            with pytest.raises(ImproperlyConfigured, match=r"THEME|south"), KordlessTestKit():
                pass
            assert datetime.now(UTC) != NOW

    def test_the_urls(self, client: Client, settings: Settings) -> None:
        """The widget is mounted nowhere."""
        settings.ROOT_URLCONF = WITHOUT_WIDGET
        with KordlessTestKit() as kit, pytest.raises(ImproperlyConfigured, match=r"include\(.kordless_booking.urls.\)"):
            kit.book(client)

    def test_the_app(self, settings: Settings) -> None:
        """The package is installed, but not in INSTALLED_APPS."""
        settings.INSTALLED_APPS = [name for name in settings.INSTALLED_APPS if not name.startswith("kordless_booking")]
        with pytest.raises(ImproperlyConfigured, match="INSTALLED_APPS"), KordlessTestKit():
            pass

    def test_the_package_that_stops_the_clock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is an extra."""
        monkeypatch.setitem(sys.modules, "time_machine", None)
        with pytest.raises(ImproperlyConfigured, match="pip install time-machine"), KordlessTestKit():
            pass

    def test_the_time_zone_of_the_clock(self) -> None:
        """A naive time would be the machine's."""
        with pytest.raises(ValueError, match="time zone"):
            KordlessTestKit(now=datetime(2026, 12, 1))  # noqa: DTZ001 (the mistake)


class MixinTests(KordlessTestMixin, TestCase):
    """The same, with unittest."""

    def test_a_booking_with_the_client_of_the_test(self) -> None:
        """The mixin's methods use `self.client` and `self.kordless`."""
        booked = self.book(service="haircut")
        self.assertContains(booked.response, booked.number)
        assert self.deliver_webhook("booking.cancelled").status_code == 200
        self.inject_fault("status", operation="availability", status=500)
        self.kordless.clear_faults()


class RealTimeTests(KordlessTestMixin, SimpleTestCase):
    """Attributes of the class replace the defaults."""

    kordless_now = None
    kordless_settings = {"PRICE_PER": "person"}  # noqa: RUF012 (as adopters write it)

    def test_the_attributes_of_the_class_count(self) -> None:
        """The clock runs, and the setting is the test's."""
        assert datetime.now(UTC) != NOW
        assert conf.get_account(None).price_per == "person"
