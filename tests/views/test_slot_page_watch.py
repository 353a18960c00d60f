"""An open page of times asks whether all is as it was, and hears nothing when it is."""

from datetime import timedelta

import pytest
from pytest_django import Settings

from kordless_booking.sandbox import Sandbox
from tests.support.clock import NOW
from tests.support.visitor import HTMX, JANE, Page, Visitor, start_of

pytestmark = [pytest.mark.django_db, pytest.mark.long]


def watch(page: Page) -> tuple[str, dict[str, str]]:
    """(address, headers) of what the page asks by itself."""
    [node] = page.tree.css("[data-kb-watch]")
    version = node.attributes["data-hx-headers"] or ""
    assert version.startswith('{"KB-Seen":"')
    return node.attributes.get("data-hx-get") or "", {"KB-Seen": version.split('"')[3], "HX-Request": "true"}


@pytest.mark.parametrize("query", ["", "?host=host_sarah", "?month=2026-12&tz=Asia/Kathmandu", "?party=1&hours=24"])
def test_unchanged_is_nothing(visitor: Visitor, sandbox: Sandbox, query: str):
    """204 without a body and without asking Kordless, for the very view that is open, also in another minute."""
    page = visitor.open(f"/book/haircut/{query}")
    address, headers = watch(page)
    sandbox.clear_requests()
    for _ in range(2):
        answer = visitor.once(address, **headers)
        assert (answer.status, answer.html) == (204, "")
        assert answer.response["Cache-Control"] == "private, no-cache"
        assert "Content-Security-Policy" not in answer.response
    assert sandbox.requests == []


def test_the_minute_alone_changes_nothing(visitor: Visitor, clock):
    """The clock on the page is no change."""
    address, headers = watch(visitor.open("/book/haircut/"))
    clock.shift(61)
    assert visitor.once(address, **headers).status == 204


def test_a_taken_time_changes_the_page(visitor: Visitor, sandbox: Sandbox, clock):
    """The page comes without it, and with a new word for how it is."""
    page = visitor.open("/book/haircut/?host=host_sarah")
    address, headers = watch(page)
    first = next(iter(page.times.values()))
    sandbox.book_by_phone("haircut", start_of(first), "host_sarah")
    clock.shift(400)
    answer = visitor.once(address, **headers)
    assert answer.status == 200
    assert first not in answer.times.values()
    address, headers = watch(answer)
    assert visitor.once(address, **headers).status == 204


def test_fewer_seats_change_the_page(visitor: Visitor, sandbox: Sandbox, clock):
    """Where it says how many places are left."""
    page = visitor.open("/book/styling-class/")
    address, headers = watch(page)
    sandbox.book_by_phone("styling-class", start_of(next(iter(page.times.values()))))
    clock.shift(400)
    assert visitor.once(address, **headers).status == 200


def test_a_page_without_times_is_watched_too(visitor: Visitor, sandbox: Sandbox, clock):
    """Something may become free."""
    sandbox.faults.add("no_slots", "availability")
    address, headers = watch(visitor.open("/book/haircut/?month=2026-12"))
    assert visitor.once(address, **headers).status == 204
    sandbox.faults.clear()
    clock.shift(400)
    assert visitor.once(address, **headers).times


def test_the_times_that_a_booking_may_move_to(visitor: Visitor):
    """The same for a page that is somebody's own."""
    confirmed = visitor.book()
    manage = visitor.open(confirmed.link("Change or cancel"))
    address, headers = watch(visitor.open(f"{manage.url}reschedule/"))
    answer = visitor.once(address, **headers)
    assert answer.status == 204
    assert answer.response["Cache-Control"] == "no-store, private"


def test_what_was_typed_goes_along(visitor: Visitor, sandbox: Sandbox):
    """A page that somebody came back to keeps what they typed also in the list that is refreshed."""
    form = visitor.choose()
    sandbox.faults.add("status", "create", times=1, status=409)
    back = visitor.send(form, "Book appointment", **JANE)
    [node] = back.tree.css("[data-kb-watch]")
    [kept] = back.tree.css(f"{node.attributes['data-hx-include']} input")
    sent = {"form_input": kept.attributes["value"] or ""}
    address, headers = node.attributes["data-hx-post"] or "", watch(back)[1]
    assert visitor.once(address, sent, **headers).status == 204
    page = visitor.once(address, sent, **HTMX)
    form = visitor.open(next(iter(page.times.values())))
    assert form.form("Book appointment")[2]["email"] == JANE["email"]


def test_another_word_is_answered_with_the_page(visitor: Visitor, site: Settings):
    """Whatever it is."""
    page = visitor.open("/book/haircut/")
    address, _headers = watch(page)
    for word in ("", "x", "é", "0" * 5000):
        assert visitor.once(address, **{"KB-Seen": word}).status == 200
    assert visitor.once("/book/", **{"KB-Seen": "None"}).status == 200


def test_the_address_pins_what_is_open(visitor: Visitor):
    """A month and a day, so that a new first free day doesn't turn the page."""
    page = visitor.open("/book/haircut/")
    address, _headers = watch(page)
    assert "month=2026-11-29" in address
    assert f"day={(NOW + timedelta(days=0)):%Y-%m-%d}" in address
