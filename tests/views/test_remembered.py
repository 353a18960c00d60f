"""Answers that are given again: to whom, for how long, and never another's."""

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.catalog.reading import Reading
from kordless_booking.conf import account_named
from kordless_booking.sandbox import Sandbox
from kordless_booking.upstream import upstream
from kordless_booking.views import remembered
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[0, 1], ids=["the cache alone", "a second of memory"], autouse=True)
def memory(request: pytest.FixtureRequest, site: Settings) -> None:
    """The plain site, with and without a second of memory."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "MEMORY_SECONDS": request.param}


def test_a_page_given_again_is_not_older_than_its_minute(client: Client, clock: Traveller):
    """The clock on it goes on, and a time that has begun is gone."""
    before = client.get("/book/haircut/?tz=Europe/Paris").content.decode()
    clock.move_to(NOW + timedelta(seconds=59))
    assert client.get("/book/haircut/?tz=Europe/Paris").content.decode() == before
    clock.move_to(NOW + timedelta(seconds=60))
    after = client.get("/book/haircut/?tz=Europe/Paris").content.decode()
    assert "4:00 PM" in before
    assert "4:01 PM" in after


def test_each_answer_is_its_own(client: Client):
    """What a middleware writes on one answer stands on no other, and each has its own request id."""
    client.get("/book/haircut/")
    first, second = client.get("/book/haircut/"), client.get("/book/haircut/")
    assert first["X-Request-ID"] != second["X-Request-ID"]
    first["X-Written-On"] = "the first"
    assert "X-Written-On" not in client.get("/book/haircut/")
    assert first["Content-Security-Policy"] == second["Content-Security-Policy"]


def test_who_asks_in_other_words_gets_another_page(client: Client):
    """The language of the browser, an htmx request and a query are part of what was asked."""
    pages = {
        client.get("/book/haircut/").content,
        client.get("/book/haircut/", headers={"HX-Request": "true", "HX-Target": "kb-stage"}).content,
        client.get("/book/haircut/", headers={"HX-Request": "true", "HX-Target": "kb-inline-side"}).content,
        client.get("/book/haircut/", headers={"Accept-Language": "de"}).content,
        client.get("/book/haircut/?hours=24").content,
        client.get("/book/haircut/", headers={"Accept-Language": "fr"}).content,
    }
    assert len(pages) == 6


@pytest.mark.usefixtures("two_accounts")
def test_two_businesses_never_share_a_page(client: Client):
    """The same words at another mount are another business's page."""
    for _again in range(2):
        assert "North Dental" in client.get("/north/check-up/").content.decode()
        assert "Acme Salon" in client.get("/south/haircut/").content.decode()
        assert client.get("/south/check-up/").status_code == 404


def test_what_travels_for_one_visitor_is_kept_for_nobody(client: Client):
    """A page that carries what somebody typed is made for them alone."""
    mine = client.get("/book/haircut/?kept=sealed-text-of-mine").content.decode()
    assert "sealed-text-of-mine" in mine
    assert "sealed-text-of-mine" not in client.get("/book/haircut/").content.decode()


@pytest.mark.usefixtures("site")
def test_what_this_process_forgot_is_seen_at_once(client: Client, sandbox: Sandbox):
    """Whoever books in this process sees it on the next page, within the second too."""
    page, known = "/book/full-color/?day=2026-12-09", upstream(account_named(None))
    before = client.get(page).content
    slot = next(slot for slot in known.catalog.slots("full-color", NOW.date()).value if slot.start.day == 9)
    sandbox.take("full-color", slot.start)
    assert client.get(page).content == before
    known.catalog.on(Reading(known.shelf)).forget_slots("full-color")
    assert client.get(page).content != before


def test_the_memory_is_bounded(client: Client):
    """The answer given longest ago goes first."""
    client.get("/book/haircut/")
    [(words, answer)] = remembered._answers.items()
    for number in range(remembered.MOST):
        remembered._keep((f"/{number}", *words[1:]), answer)
    assert len(remembered._answers) == remembered.MOST
    assert words not in remembered._answers
