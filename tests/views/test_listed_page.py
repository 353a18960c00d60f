"""Pages of times that are made without the service's own settings, because permits are short."""

from collections import Counter

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from kordless_booking.sandbox import Limits, Sandbox
from kordless_booking.upstream.registry import fetch_pool
from tests.support.odd_businesses import use_odd_business
from tests.support.permits import use_browse_permits
from tests.support.site_cache import empty_cache
from tests.support.visitor import JANE, Page, Visitor, start_of

pytestmark = [pytest.mark.django_db, pytest.mark.long]

PARIS = "/book/haircut/?tz=Europe/Paris&host=host_sarah"


@pytest.fixture(autouse=True)
def _documented_quota(site: Settings, sandbox: Sandbox) -> None:
    """Use the quota that Kordless documents, here and in the sandbox."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "REQUESTS_PER_MINUTE": 60, "CREATIONS_PER_MINUTE": 10}
    sandbox.limits = Limits()


def pop_request_counts(sandbox: Sandbox) -> Counter[str]:
    """Return the number of requests to Kordless, by operation, and forget them."""
    fetch_pool.join()
    found = Counter(request.operation for request in sandbox.requests)
    sandbox.clear_requests()
    return found


def run_short(sandbox: Sandbox, leave: int = 10) -> None:
    """Leave few permits for pages."""
    use_browse_permits(leave)
    sandbox.clear_requests()


def watch(visitor: Visitor, page: Page) -> Page:
    """Ask as the open page does by itself."""
    [node] = page.tree.css("[data-kb-watch]")
    version = (node.attributes["data-hx-headers"] or "").split('"')[3]
    return visitor.once(node.attributes["data-hx-get"] or "", **{"KB-Seen": version, "HX-Request": "true"})


def has_venue_clock(page: Page) -> bool:
    """Return True if the times are by the clock of the venue, and not by the visitor's."""
    return "Times in New York." in page.text


def test_a_cold_page_costs_one_call_less_while_permits_are_short(visitor: Visitor, sandbox: Sandbox):
    """The list of services has the name, the price and the length, and the slots have the clock."""
    run_short(sandbox)
    page = visitor.open("/book/haircut/")
    assert pop_request_counts(sandbox) == {"organization": 1, "availability": 1}
    assert (page.status, page.heading) == (200, "Haircut")
    assert all(words in page.text for words in ("$45", "1 hr", "New York"))
    assert page.times


def test_with_permits_to_spare_a_cold_page_has_the_settings(visitor: Visitor, sandbox: Sandbox):
    """More than half of them."""
    run_short(sandbox, leave=26)
    assert has_venue_clock(visitor.open(PARIS))
    assert pop_request_counts(sandbox)["service"] == 1


def test_the_contact_step_waits_for_the_settings(visitor: Visitor, sandbox: Sandbox):
    """It says where to come and what canceling costs, and a booking is placed as ever."""
    run_short(sandbox)
    form = visitor.open(next(iter(visitor.open("/book/haircut/").times.values())))
    assert pop_request_counts(sandbox)["service"] == 1
    assert "123 Main Street" in form.text
    assert visitor.send(form, "Book appointment", **JANE).number


def test_once_the_settings_are_cached_everybody_gets_the_page_with_them(visitor: Visitor, sandbox: Sandbox):
    """The page that was stored without them isn't served again."""
    run_short(sandbox)
    without = visitor.open(PARIS)
    assert not has_venue_clock(without)
    assert not has_venue_clock(visitor.open(PARIS))
    assert pop_request_counts(sandbox)["availability"] == 1
    visitor.open(next(iter(without.times.values())))
    for reader in (visitor, Visitor(Client())):
        assert has_venue_clock(reader.open(PARIS))


def test_an_open_page_keeps_its_clock_when_the_settings_arrive(
    visitor: Visitor, sandbox: Sandbox, clock: time_machine.Traveller
):
    """Unchanged it hears nothing; when a time is taken, it gets the page in the way in which it was made."""
    run_short(sandbox)
    page = visitor.open(PARIS)
    first = next(iter(page.times.values()))
    visitor.open(first)
    assert watch(visitor, page).status == 204
    sandbox.book_by_phone("haircut", start_of(first), "host_sarah")
    clock.shift(400)
    changed = watch(visitor, page)
    assert (changed.status, has_venue_clock(changed)) == (200, False)
    assert first not in changed.times.values()
    assert watch(visitor, changed).status == 204
    assert has_venue_clock(visitor.open(PARIS)), "only for the open page"


def test_an_open_page_with_the_settings_is_not_replaced_by_one_without(visitor: Visitor, sandbox: Sandbox):
    """The cache lost them: the page stays as it is until they are back."""
    page = visitor.open(PARIS)
    assert has_venue_clock(page)
    empty_cache()
    run_short(sandbox)
    visitor.open(PARIS.replace("haircut", "beard-trim"))
    assert watch(visitor, page).status == 204
    assert pop_request_counts(sandbox)["service"] == 0


def test_the_list_of_time_zones_does_without_the_settings_too(visitor: Visitor, sandbox: Sandbox):
    """It only says which zone is the current one."""
    run_short(sandbox)
    page = visitor.open("/book/haircut/")
    pop_request_counts(sandbox)
    assert visitor.open(page.link("Change time zone")).status == 200
    assert pop_request_counts(sandbox) == {}


def test_a_page_beyond_the_usual_window_waits_for_the_settings(visitor: Visitor, sandbox: Sandbox):
    """Only they say how far ahead the service can be booked."""
    run_short(sandbox)
    page = visitor.open("/book/bridal-styling/?month=2027-03")
    assert page.texts(".kb-month .kb-sub") == ["February \u2013 April 2027"]
    assert pop_request_counts(sandbox)["service"] == 1


@pytest.mark.parametrize("query", ["", "?tz=Asia/Tokyo"])
def test_a_page_whose_slots_name_no_zone_waits_for_the_settings(visitor: Visitor, sandbox: Sandbox, query: str):
    """No clock is guessed; a visitor who has chosen one needs none."""
    sandbox.faults.add("missing_fields", "availability", fields=["timezone"], every=1)
    run_short(sandbox)
    page = visitor.open(f"/book/haircut/{query}")
    assert ("New York" if not query else "Tokyo") in page.text
    assert pop_request_counts(sandbox)["service"] == (0 if query else 1)


def test_the_last_permit_gone_the_page_is_made_of_what_is_cached(visitor: Visitor, sandbox: Sandbox):
    """Also right after somebody was refused the settings: that refusal is not everybody's."""
    run_short(sandbox)
    page = visitor.open(PARIS)
    run_short(sandbox, leave=0)
    assert visitor.once(next(iter(page.times.values()))).status in {429, 503}
    assert visitor.open("/book/haircut/?tz=Europe/Berlin&host=host_sarah").times
    assert sandbox.requests == []


def test_a_made_up_service_costs_nothing_while_permits_are_short(visitor: Visitor, sandbox: Sandbox):
    """Neither its times nor its settings are requested once the list is cached."""
    run_short(sandbox)
    visitor.open("/book/haircut/")
    pop_request_counts(sandbox)
    assert visitor.once("/book/made-up/").status == 404
    assert pop_request_counts(sandbox) == {}


def test_a_shortage_shows_more_services_than_it_would_with_their_settings(site: Settings, sandbox: Sandbox):
    """Forty cold services in one minute: with two calls each, its permits would be enough for 25 at most."""
    use_odd_business(site, sandbox, "many-services")
    slugs = [f"service-{number}" for number in range(40)]
    shown = [slug for slug in slugs if Visitor(Client()).once(f"/book/{slug}/").status == 200]
    assert len(shown) >= 30
