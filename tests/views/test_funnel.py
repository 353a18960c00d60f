"""Funnel counts of a visitor's steps: each step once, also when its page is cached, and never a query."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings
from time_machine import Traveller

from kordless_booking import conf
from kordless_booking.funnel import counters
from kordless_booking.sandbox import Sandbox
from kordless_booking.upstream.registry import background_worker
from tests.support.visitor import HTMX, JANE, Page, Visitor

pytestmark = [pytest.mark.django_db, pytest.mark.long]

CHROME = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"}


@pytest.fixture(autouse=True)
def _nothing_yet(site: Settings) -> Iterator[None]:
    counters.stage_counter.drain()
    yield
    counters.stage_counter.drain()


class Browser(Visitor):
    """A visitor who says where each request comes from, as browsers do."""

    def once(self, url: str, sent: dict[str, str] | None = None, **headers: str) -> Any:
        before = f"http://testserver{self.responses[-1].url}" if self.responses else ""
        name = "HX-Current-URL" if "HX-Request" in self.headers else "Referer"
        return super().once(url, sent, **{**CHROME, name: before, **headers})


@pytest.fixture(params=["page", "fragment"])
def browser(request: pytest.FixtureRequest, client: Client) -> Browser:
    """By whole pages, and with htmx after the first one."""
    browser = Browser(client)
    browser.open("/book/")
    if request.param == "fragment":
        browser.headers = dict(HTMX)
    return browser


def counted() -> dict[str, int]:
    """Return and clear the counts, by "stage service placement"."""
    taken = counters.stage_counter.drain()
    return dict(Counter({f"{k.stage} {k.service or '-'} {k.placement}": number for k, number in taken.items()}))


def book(browser: Visitor) -> Any:
    """From the services to the confirmation, with a look at another day."""
    times = browser.open(browser.responses[-1].link("Haircut"))
    times = browser.open(list(times.days.values())[-1])
    form = browser.open(next(iter(times.times.values())))
    return browser.send(form, "Book appointment", **JANE)


def test_each_step_counts_once(browser: Browser) -> None:
    """However the pages come, and however many days are looked at."""
    assert book(browser).number
    steps = {f"{stage} haircut page": 1 for stage in ("service", "slot", "contact", "booked")}
    assert counted() == {"visit - page": 1, **steps}


def test_other_details_under_a_used_key_are_no_step(browser: Browser) -> None:
    """Nothing was written down to be booked; whoever goes on from there is counted as anybody is."""
    times = browser.open(browser.responses[-1].link("Styling class"))
    form = browser.open(next(iter(times.times.values())))
    assert browser.send(form, "Book appointment", **JANE).number
    before = counted()
    assert browser.send(form, "Book appointment", **{**JANE, "name": "John Doe"}).status == 409
    assert browser.open(form.url).status == 409
    assert counted() == {}
    again = browser.open(browser.responses[-1].link("Book this time for someone else"))
    assert browser.send(again, "Book appointment", **{**JANE, "name": "John Doe"}).number
    steps = {f"{stage} styling-class page": 1 for stage in ("slot", "contact", "booked")}
    assert counted() == steps
    assert steps.items() <= before.items()


def test_a_form_with_mistakes_counts_when_it_is_right(browser: Browser) -> None:
    """And a page that is shown again is no new step."""
    times = browser.open(browser.responses[-1].link("Haircut"))
    form = browser.open(next(iter(times.times.values())))
    browser.open(form.url)
    again = browser.send(form, "Book appointment", **{**JANE, "email": "", "phone": ""})
    assert again.status == 422
    assert "contact haircut page" not in (before := counted())
    assert before["slot haircut page"] == 1
    assert browser.send(again, "Book appointment", **JANE).number
    assert counted() == {"contact haircut page": 1, "booked haircut page": 1}


def test_the_same_form_twice_is_one(browser: Browser) -> None:
    """A double click, and a reload of the confirmation."""
    times = browser.open(browser.responses[-1].link("Haircut"))
    form = browser.open(next(iter(times.times.values())))
    first = browser.send(form, "Book appointment", **JANE)
    assert browser.send(form, "Book appointment", **JANE).number == first.number
    browser.open(first.url)
    found = counted()
    assert (found["contact haircut page"], found["booked haircut page"]) == (1, 1)


def test_a_booking_whose_answer_was_lost_is_booked_once(browser: Browser, sandbox: Sandbox, clock: Any) -> None:
    """When Kordless says so at last."""
    sandbox.faults.add("status", "create", times=1, status=500, carried_out=True)
    waiting = book(browser)
    assert "booked haircut page" not in counted()
    clock.shift(60)
    assert browser.open(waiting.url).number
    browser.open(waiting.url)
    assert counted() == {"booked haircut page": 1}


def test_a_rejected_booking_is_not_counted_as_booked(browser: Browser, sandbox: Sandbox) -> None:
    """The form was sent, though; the times that follow are no new opening of the service."""
    sandbox.faults.add("status", "create", times=1, status=409)
    book(browser)
    found = counted()
    assert found["contact haircut page"] == 1
    assert found["service haircut page"] == 1
    assert "booked haircut page" not in found


def test_a_page_from_memory_counts_like_any_other(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """And costs no query either."""
    client.get("/book/haircut/", headers=CHROME)
    counted()
    with django_assert_num_queries(0):
        for _ in range(3):
            client.get("/book/haircut/", headers=CHROME)
    assert counted() == {"visit haircut page": 3, "service haircut page": 3}


def test_an_open_page_that_asks_again_counts_nothing(client: Client) -> None:
    """A repeated request of an open page is not counted, whether its content has changed or not."""
    version = client.get("/book/haircut/")["KB-Version"]
    for seen in (version, "older"):
        client.get("/book/haircut/", headers={**CHROME, **HTMX, "KB-Seen": seen})
    assert counted() == {}


def test_what_is_not_there_does_not_count(client: Client, sandbox: Sandbox) -> None:
    """No service of a visitor's own making, and no page of a problem."""
    assert client.get("/book/no-such-service/", headers=CHROME).status_code == 404
    sandbox.faults.add("key_revoked")
    assert client.get("/book/color-consultation/", headers=CHROME).status_code >= 400
    assert counted() == {}


def test_a_frame_on_another_site(client: Client) -> None:
    """All the way through: the snippet's own word in the address says so."""
    browser = Browser(client)
    browser.open("/book/?embed=1", Referer="https://shop.example/", **{"Sec-Fetch-Dest": "iframe"})
    assert book(browser).number
    assert set(counted()) == {
        "visit - embed",
        *(f"{stage} haircut embed" for stage in ("service", "slot", "contact", "booked")),
    }


def test_inside_a_page_of_the_site(client: Client) -> None:
    """The page's own showing is the visit; what follows says which stage it is for."""
    page = client.get("/page/", headers=CHROME)
    assert page.status_code == 200
    assert counted() == {"visit - inline": 1}
    inline = {
        **CHROME,
        "HX-Request": "true",
        "HX-Target": "kb-inline-widget",
        "HX-Current-URL": "http://testserver/page/",
    }
    client.get("/book/haircut/?lang=en", headers=inline)
    assert counted() == {"service haircut inline": 1}
    client.get("/book/haircut/?day=2026-12-09&lang=en", headers=inline)
    assert counted() == {}


def test_each_business_has_its_own(two_accounts: Settings, client: Client) -> None:
    """By the account's name."""
    client.get("/north/check-up/", headers=CHROME)
    client.get("/south/haircut/", headers=CHROME)
    assert {key.account for key in counters.stage_counter.drain()} == {"north", "south"}


def test_each_view_of_a_month_without_times_is_lost_demand(
    client: Client, sandbox: Sandbox, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """By the month that is shown, also from memory, and without a query; a page with times counts nothing."""
    client.get("/book/haircut/", headers=CHROME)
    assert counters.lost_demand_counter.drain() == {}
    sandbox.faults.add("no_slots")
    with django_assert_num_queries(0):
        for _ in range(2):
            client.get("/book/beard-trim/", headers=CHROME)
    [(key, number)] = counters.lost_demand_counter.drain().items()
    assert (key.service, key.placement, key.month, number) == ("beard-trim", "page", date(2026, 12, 1), 2)


def test_a_page_that_goes_on_to_a_later_month_is_lost_demand_of_the_one_before(
    client: Client, sandbox: Sandbox
) -> None:
    """Of the chosen day's month: the page says that the next free time is later."""
    sandbox.faults.add("no_slots", days=50)
    page = client.get("/book/haircut/?day=2026-12-09", headers=CHROME).content.decode()
    assert "The next free time is" in page
    assert [key.month for key in counters.lost_demand_counter.drain()] == [date(2026, 12, 1)]


def test_an_empty_page_inside_a_host_page_is_lost_demand_once(client: Client, sandbox: Sandbox) -> None:
    """The script says which step was shown: another clock or time zone shows the same empty month once more."""
    sandbox.faults.add("no_slots")
    inline = {**CHROME, "HX-Request": "true", "HX-Target": "kb-inline-widget"}
    before = "/page/"
    for address, is_counted in [
        ("/book/beard-trim/?lang=en", True),
        ("/book/beard-trim/?hours=24&lang=en", False),
        ("/book/beard-trim/zone/?hours=24&lang=en", False),
        ("/book/beard-trim/?tz=Asia%2FTokyo&hours=24&lang=en", False),
        ("/book/beard-trim/?month=2027-01&tz=Asia%2FTokyo&hours=24&lang=en", True),
    ]:
        page = client.get(address, headers={**inline, "HX-Current-URL": f"http://testserver{before}"})
        assert page.status_code == 200
        assert sum(counters.lost_demand_counter.drain().values()) == is_counted, address
        before = address


def test_it_can_be_turned_off(site: Settings, client: Client) -> None:
    """Then nothing at all is counted."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "FUNNEL": False}
    browser = Browser(client)
    browser.open("/book/")
    assert book(browser).number
    client.get("/page/", headers=CHROME)
    assert counted() == {}


def test_a_guess_counts_when_it_is_taken(client: Client) -> None:
    """Pointing at a service or a time is no step; the script says when what it fetched ahead is shown."""
    browser = Browser(client)
    browser.open("/book/")
    browser.headers = dict(HTMX)
    times = browser.open(browser.responses[-1].link("Haircut"))
    url, time = times.url, next(iter(times.times.values()))
    browser.responses.pop()
    counters.stage_counter.drain()
    for step, address in (("service haircut page", url), ("slot haircut page", time)):
        browser.once(address, **{"KB-Ahead": "1"})
        browser.responses.pop()
        assert counted() == {}
        # As the script sends it: with `cache: "no-store"`, browsers add the second header.
        taken = browser.once(address, **{"KB-Taken": "1", "Cache-Control": "no-cache"})
        assert (taken.status, taken.html) == (204, "")
        assert counted() == {step: 1}


def prefetched_form(client: Client) -> tuple[Browser, str, Page]:
    """Go to the times by htmx, and prefetch the form of the first: the browser, the form's address, and the form."""
    browser = Browser(client)
    browser.open("/book/")
    browser.headers = dict(HTMX)
    times = browser.open(browser.responses[-1].link("Haircut"))
    address = next(iter(times.times.values()))
    form = browser.once(address, **{"KB-Ahead": "1"})
    counters.stage_counter.drain()
    return browser, address, form


def test_a_form_that_was_guessed_is_counted_when_it_is_sent(client: Client, sandbox: Sandbox) -> None:
    """The form says itself that it was shown, so that the press that opened it is one request."""
    browser, _address, form = prefetched_form(client)
    _, action, fields = form.form("Book appointment")
    wrong = browser.once(action, {**fields, **JANE, "name": "", "kb-taken": "1"})
    assert wrong.status == 422
    assert counted() == {"slot haircut page": 1}
    assert browser.send(wrong, "Book appointment", **JANE).number
    assert counted() == {f"{stage} haircut page": 1 for stage in ("contact", "booked")}


def test_a_form_that_was_guessed_is_counted_for_its_own_service(
    client: Client, site: Settings, clock: Traveller
) -> None:
    """A draft that has expired, sent to the address of a made-up service, makes no row of that name."""
    browser, _address, form = prefetched_form(client)
    _, action, fields = form.form("Book appointment")
    made_up = action.replace("/haircut/", "/made-up/")
    assert made_up != action
    browser.once(made_up, {**fields, **JANE, "kb-taken": "1"})
    assert counted() == {}
    clock.shift(conf.get_account("kordless_booking").draft_seconds + 60)
    browser.once(made_up, {**fields, **JANE, "kb-taken": "1"})
    assert counted() == {"slot haircut page": 1}


def test_the_late_report_of_a_form_counts_and_asks_kordless_nothing(
    client: Client, sandbox: Sandbox, clock: Traveller
) -> None:
    """It is sent when the visitor leaves the form: its time may be taken by then, and was shown all the same."""
    browser, address, _form = prefetched_form(client)
    clock.shift(120)
    asked = len(sandbox.requests)
    assert browser.once(address, **{"KB-Taken": "1"}).status == 204
    assert counted() == {"slot haircut page": 1}
    background_worker.join()
    assert len(sandbox.requests) == asked
