"""An outage from its first second to its end: what is known goes on being shown, and Kordless is left in peace."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from kordless_booking.api.session import wsgi_transport
from kordless_booking.clock import Clock
from kordless_booking.conf import get_account
from kordless_booking.sandbox import SANDBOX_KEY
from kordless_booking.upstream.registry import background_worker, services_for
from tests.support.fault_scenario import START, TYPED, FaultScenario, as_query
from tests.support.loopback_server import Line, serving
from tests.support.page_invariants import events
from tests.support.site_cache import empty_cache
from tests.support.visitor import Page, Visitor

SLOTS = "/book/haircut/?day=2026-12-09"
NOTICE = "Times may have changed"
BEHIND_THE_SCENES = threading.Event()
"""Never set: waiting for it lets real time pass."""


def until(scenario: FaultScenario, url: str, right: Callable[[Page], bool], *, within: int) -> Page:
    """Look again every two seconds until the page is as it should be; it must be `within` seconds.

    What is refreshed behind the scenes is waited for. A process looks into the shared cache again after a second of
    real time, so the clock waits for that a little.
    """
    for _ in range(0, within, 2):
        scenario.clock.shift(2)
        deadline = time.perf_counter() + 0.2
        while time.perf_counter() < deadline:
            scenario.clock.shift(0.01)
            BEHIND_THE_SCENES.wait(0.02)
            background_worker.join()
            page = scenario.visitor.open(f"{url}{'&' if '?' in url else '?'}hours=24")
            if right(page):
                return page
    raise AssertionError(page.text[:500])


def request_count(scenario: FaultScenario) -> int:
    """Return the number of requests that Kordless has received."""
    return len(scenario.sandbox.requests)


@pytest.mark.long
def test_a_warm_site_carries_on_through_an_outage(scenario: FaultScenario):
    """Services and times are shown for the whole of it, say that they may have changed, and are right soon after."""
    for page in ("/book/", SLOTS):
        assert NOTICE not in scenario.visitor.open(f"{page}{'&' if '?' in page else '?'}hours=24").text
    times = scenario.visitor.open(f"{SLOTS}&hours=24").times
    scenario.sandbox.faults.add("status", status=503)
    scenario.sandbox.clear_requests()
    scenario.clock.shift(20)
    assert until(scenario, SLOTS, lambda page: NOTICE in page.text, within=60).times == times
    scenario.clock.shift(280)
    assert "Haircut" in until(scenario, "/book/", lambda page: NOTICE in page.text, within=60).text
    for _ in range(20):
        scenario.clock.shift(30)
        page = scenario.visitor.open(f"{SLOTS}&hours=24")
        assert (page.status, page.times) == (200, times)
        assert NOTICE in page.text
        assert scenario.visitor.open("/book/?hours=24").status == 200
    assert request_count(scenario) < 60, "ten minutes of outage cost Kordless no more than one"
    scenario.sandbox.faults.clear()
    assert until(scenario, SLOTS, lambda page: NOTICE not in page.text, within=60).times
    assert until(scenario, "/book/", lambda page: NOTICE not in page.text, within=60).status == 200


def test_a_dead_kordless_is_asked_nothing_more(scenario: FaultScenario, caplog: pytest.LogCaptureFixture):
    """After five failures nothing is asked anymore: a cold page is rejected at once, until Kordless works again."""
    scenario.sandbox.faults.add("hang")
    for _ in range(5):
        scenario.clock.shift(3)
        assert scenario.visitor.open("/book/").status == 503
    assert "event=circuit_opened" in caplog.text
    scenario.clock.shift(3)
    before = request_count(scenario)
    for _ in range(20):
        page = scenario.visitor.open("/book/")
        assert page.status == 503
        assert 1 <= int(page.response["Retry-After"]) <= 15
    assert request_count(scenario) == before
    scenario.sandbox.faults.clear()
    scenario.clock.shift(16)
    assert scenario.visitor.open("/book/").status == 200


def test_a_browse_outage_prevents_no_booking(scenario: FaultScenario):
    """While availability is dead, a form that is open already still books."""
    form = scenario.form()
    scenario.sandbox.faults.add("status", "availability", status=503)
    for party in range(1, 7):
        scenario.clock.shift(3)
        scenario.visitor.open(f"/book/styling-class/?party={party}")
    page = scenario.visitor.send(form, "Book appointment", **TYPED)
    assert page.heading == "You’re booked"


def test_trouble_rings_once_a_minute(
    scenario: FaultScenario, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    """Twenty rejected visitors are twenty lines, one of them an ERROR; a minute later there is one more."""
    # The throttle goes by the monotonic clock, which a test can't travel.
    throttle = services_for(get_account("default")).log_throttle
    monkeypatch.setattr(throttle, "_clock", Clock(monotonic=time.time))
    caplog.set_level(logging.INFO)
    scenario.sandbox.faults.add("redirect")
    for _ in range(20):
        scenario.visitor.open("/book/")
    scenario.clock.shift(61)
    scenario.visitor.open("/book/")
    levels = [level for event, level in events(caplog) if event.startswith("upstream_")]
    assert len(levels) == 21
    assert levels.count(logging.ERROR) == 2
    assert set(levels) == {logging.ERROR, logging.INFO}


def test_a_revoked_key_closes_the_shop(scenario: FaultScenario):
    """Cached times are not offered once the key is rejected; with a valid key, all is as before."""
    form = scenario.form()
    assert scenario.visitor.open(f"{SLOTS}&hours=24").times
    scenario.sandbox.faults.add("key_revoked")
    page = scenario.visitor.send(form, "Book appointment", **TYPED)
    assert (page.status, "Online booking is paused" in page.alert) == (503, True)
    scenario.clock.shift(2)
    for url in (f"{SLOTS}&hours=24", "/book/", f"/book/haircut/contact/?start={as_query(START)}"):
        page = scenario.visitor.open(url)
        assert (page.status, page.heading) == (503, "Online booking is paused")
        assert not page.times
    before = request_count(scenario)
    for _ in range(10):
        scenario.visitor.open("/book/")
    assert request_count(scenario) == before, "no storm of requests with a key that is refused"
    scenario.sandbox.faults.clear()
    scenario.clock.shift(31)
    assert scenario.visitor.open("/book/").status == 200
    assert scenario.visitor.open(f"{SLOTS}&hours=24").times


@pytest.mark.long
def test_a_key_revoked_between_visits_is_noticed_by_looking(scenario: FaultScenario):
    """Without any booking, the next refresh finds out, and from then on nothing is offered."""
    scenario.visitor.open(f"{SLOTS}&hours=24")
    scenario.sandbox.faults.add("key_revoked")
    scenario.clock.shift(16)
    page = until(scenario, SLOTS, lambda page: page.status == 503, within=60)
    assert page.heading == "Online booking is paused"
    assert scenario.visitor.open("/book/").heading == "Online booking is paused"


def test_a_removed_service_leaves_the_list_and_the_typed_text_stays(scenario: FaultScenario):
    """Gone at the very end: it is said, it is not listed anymore, and another service is booked without retyping."""
    form = scenario.form()
    scenario.sandbox.faults.add("service_removed", service="haircut")
    page = scenario.visitor.send(form, "Book appointment", **TYPED)
    assert (page.status, page.heading) == (404, "This service isn’t available")
    page = scenario.visitor.open(page.link("See all services"))
    assert "Haircut" not in page.text
    page = scenario.visitor.open(page.link("Beard trim"))
    page = scenario.visitor.open(next(iter(page.times.values())))
    fields = page.form("Book appointment")[2]
    assert {name: fields[name] for name in TYPED} == TYPED
    assert scenario.visitor.send(page, "Book appointment").heading == "You’re booked"


@pytest.mark.parametrize("known", [True, False])
def test_a_form_with_a_mistake_survives_an_outage(scenario: FaultScenario, known: bool):
    """Corrections need no Kordless: the form comes back with its mistake, even when nothing is known anymore."""
    form = scenario.form()
    scenario.sandbox.faults.add("status", status=503)
    if not known:
        scenario.cold()
    page = scenario.visitor.send(form, "Book appointment", **{**TYPED, "name": ""})
    assert page.status == 422
    assert page.form("Book appointment")[2]["notes"] == TYPED["notes"]


def test_changed_terms_are_shown(scenario: FaultScenario, caplog: pytest.LogCaptureFixture):
    """The confirmation shows the booking as Kordless made it, even when it is longer than the slot that was shown."""
    form = scenario.form()

    def longer(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        body = b"".join(scenario.sandbox(environ, start_response))
        return [body.replace(b"2026-12-09T16:00:00", b"2026-12-09T16:30:00")]

    scenario.change(TRANSPORT=wsgi_transport(longer))
    page = scenario.visitor.send(form, "Book appointment", **TYPED)
    assert page.heading == "You’re booked"
    assert "11:30" in page.text
    assert "event=terms_changed" in caplog.text


def test_a_new_price_is_shown_once_it_is_known(scenario: FaultScenario):
    """A price is only shown, never sent: what a booking costs is Kordless's to say."""
    scenario.sandbox.faults.add("terms_changed", price=99.0)
    assert "$99.00" in scenario.form().text


def test_a_redirect_is_never_followed(http_scenario: FaultScenario):
    """Kordless may send us where it likes: neither the key nor a contact is ever shown to another host."""
    requests: list[bytes] = []

    def script(line: Line) -> None:
        requests.append(line.request())

    form = http_scenario.form()
    with serving(script) as elsewhere:
        http_scenario.sandbox.faults.add("redirect", status=307, location=elsewhere.url)
        assert http_scenario.visitor.send(form, "Book appointment", once=True, **TYPED).status == 303
        http_scenario.cold()
        for url in ("/book/", SLOTS):
            assert http_scenario.visitor.open(url).status == 503
    assert requests == []


def test_a_cold_burst_is_one_request_of_each_kind(scenario: FaultScenario):
    """Twenty visitors of a newsletter at once: the organization, the service and the times are asked for once."""
    scenario.sandbox.clear_requests()
    together, statuses = threading.Barrier(20), []

    def visit() -> None:
        together.wait()
        statuses.append(Visitor(Client()).open(f"{SLOTS}&hours=24").status)

    threads = [threading.Thread(target=visit) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert statuses == [200] * 20
    counted = Counter(request.operation for request in scenario.sandbox.requests)
    assert counted == {"organization": 1, "service": 1, "availability": 1}


def test_a_dead_cache_takes_no_page_down(scenario: FaultScenario, caplog: pytest.LogCaptureFixture):
    """With Redis gone, everything from the services to the booking works on memory, and one line says so."""
    scenario.site.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:9/0"}
    }
    for url in ("/book/", SLOTS):
        assert scenario.visitor.open(url).status == 200
    assert scenario.visitor.send(scenario.form(), "Book appointment", **TYPED).heading == "You’re booked"
    lines = [record for record in caplog.records if "event=cache_unavailable" in record.getMessage()]
    assert {record.levelno for record in lines} == {logging.ERROR}
    assert len(lines) <= 2
    assert "127.0.0.1" not in "".join(page.html for page in scenario.visitor.responses)
    scenario.site.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    empty_cache()


def test_a_read_only_database_books_nothing(scenario: FaultScenario, caplog: pytest.LogCaptureFixture):
    """An attempt that can't be written isn't sent: the form stays, browsing goes on, and one log line says why."""
    form = scenario.form()
    scenario.sandbox.clear_requests()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = ON")
    try:
        page = scenario.visitor.send(form, "Book appointment", once=True, **TYPED)
        assert scenario.visitor.open("/book/").status == 200
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA query_only = OFF")
    assert (page.status, bool(page.alert)) == (503, True)
    assert page.form("Book appointment")[2]["email"] == TYPED["email"]
    assert "create" not in [request.operation for request in scenario.sandbox.requests]
    assert [event for event, _level in events(caplog)] == ["attempt_not_written"]
    assert SANDBOX_KEY not in caplog.text
