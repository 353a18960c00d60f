"""Next free times: on the list of services, and for pages of the site around the widget."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from django.core.exceptions import ImproperlyConfigured
from django.template import engines
from django.test import Client, RequestFactory
from pytest_django import Settings
from selectolax.lexbor import LexborHTMLParser

from kordless_booking.api.session import wsgi_transport
from kordless_booking.sandbox import Sandbox
from kordless_booking.upstream.registry import background_worker, fetch_pool
from kordless_booking.views import next_free as next_free_times
from kordless_booking.views.next_free import MAX_NEXT_TIMES
from kordless_booking.views.steps import MAX_UNFILTERED
from tests.support.held_transport import HeldTransport
from tests.support.html_rules import broken
from tests.support.salon import open_salon
from tests.support.site_cache import empty_cache, finish_fetches
from tests.support.spaces import plain_spaces
from tests.support.visitor import Visitor

pytestmark = pytest.mark.django_db

ZONE = "?tz=Asia/Tokyo"


@pytest.fixture
def next_free(site: Settings) -> Settings:
    """Return the plain site with the next free times switched on."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "NEXT_FREE": True}
    return site


def tag(text: str = '{% next_free service="haircut" %}', path: str = "/page/") -> LexborHTMLParser:
    """Render a template with the tag, as the page at a path."""
    template = engines["django"].from_string("{% load kordless_booking %}" + text)
    return LexborHTMLParser(template.render({}, RequestFactory().get(path)))


def links(page: LexborHTMLParser) -> dict[str, str]:
    return {plain_spaces(node.text()): node.attributes["href"] or "" for node in page.css("a")}


def next_texts(any_visitor: Visitor, path: str = "/book/") -> dict[str, str]:
    """Return the text of each service's card that says one, by name."""
    found = {}
    for card in any_visitor.open(path).tree.css(".kb-service"):
        for fact in card.css(".kb-facts span"):
            if (text := plain_spaces(fact.text()).strip()).startswith("Next"):
                found[card.css_first("a").text()] = text
    return found


def test_the_list_of_services_says_what_is_cached_of_the_next_free_times(
    next_free: Settings, any_visitor: Visitor, sandbox: Sandbox
):
    """Nothing of a service that nobody has looked at, and it costs no request."""
    assert next_texts(any_visitor) == {}
    any_visitor.open("/book/haircut/")
    finish_fetches()
    sent = len(sandbox.requests)
    assert next_texts(any_visitor, "/book/?hours=12") == {"Haircut": "Next: today, 10:30 AM"}
    page = any_visitor.open("/book/?hours=12")
    assert page.texts(".kb-hint") == ["Times in New York."]
    assert broken(page, whole="<html" in page.html) == []
    background_worker.join()
    assert len(sandbox.requests) == sent


def test_the_list_says_next_free_times_by_the_clock_that_counts(next_free: Settings, any_visitor: Visitor):
    """A haircut takes place in New York, so its time is New York's, and the list says so to a visitor from Tokyo."""
    any_visitor.open("/book/haircut/")
    assert next_texts(any_visitor, "/book/?tz=Asia/Tokyo") == {"Haircut": "Next: today, 10:30 AM"}
    assert any_visitor.open("/book/?tz=Asia/Tokyo").texts(".kb-hint") == ["Times in New York."]
    assert any_visitor.open("/book/?tz=America/New_York").texts(".kb-hint") == []


@pytest.mark.parametrize(
    ("now", "text"),
    [
        (datetime(2026, 12, 2, 4, 59, tzinfo=UTC), "Next: tomorrow, 9:00 AM"),
        (datetime(2026, 12, 2, 5, 0, tzinfo=UTC), "Next: today, 9:00 AM"),
    ],
)
def test_today_becomes_tomorrow_at_midnight_of_the_clock_that_counts(
    next_free: Settings, any_visitor: Visitor, sandbox: Sandbox, now: datetime, text: str
):
    """A minute before midnight in New York the first time is tomorrow's, a minute later today's."""
    with time_machine.travel(now, tick=False):
        empty_cache()
        sandbox.clock.set(now)
        any_visitor.open("/book/haircut/")
        assert next_texts(any_visitor)["Haircut"] == text


def test_a_booking_takes_its_time_off_the_list_at_once(next_free: Settings, any_visitor: Visitor):
    """What is invalidated isn't said any more."""
    any_visitor.open("/book/haircut/")
    assert next_texts(any_visitor) == {"Haircut": "Next: today, 10:30 AM"}
    any_visitor.book()
    assert next_texts(any_visitor) == {}


def test_a_list_without_next_free_times_has_no_other_byte(site: Settings, any_visitor: Visitor):
    """With the setting and nothing cached, and without the setting and everything cached, the list is the same."""
    cold = any_visitor.open("/book/?hours=24").html
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "NEXT_FREE": True}
    assert any_visitor.open("/book/?hours=24").html == cold
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "NEXT_FREE": False}
    any_visitor.open("/book/haircut/")
    assert next_texts(any_visitor, "/book/?hours=24") == {}


def test_a_long_list_of_services_says_no_next_free_times(next_free: Settings, any_visitor: Visitor):
    """Each is a read of the cache, and noise among so many."""
    open_salon(next_free, MAX_UNFILTERED + 1)
    any_visitor.open("/book/haircut/")
    assert next_texts(any_visitor) == {}


def test_the_tag_links_the_next_free_times_to_their_forms(
    site: Settings, client: Client, monkeypatch: pytest.MonkeyPatch
):
    """Also on a page that is the first to ask; the text says the day as people do, and whose clock it is."""
    # On a busy machine half a second can pass before a thread asks at all.
    monkeypatch.setattr(next_free_times, "WAIT_SECONDS", 25)
    assert links(tag()) == {}  # the first request is for the list of services
    fetch_pool.join()
    page = tag('{% next_free service="haircut" count=2 %}', "/page/?service=other&host=nobody&party=9")
    found = links(page)
    assert list(found) == ["Today, 10:30 AM", "Today, 11:00 AM"]
    assert page.css_first("p").text() == "Times in New York."
    assert all(node.attributes["rel"] == "nofollow" for node in page.css("a"))
    form = Visitor(client).open(found["Today, 11:00 AM"])
    assert form.heading == "Your details"
    assert "11:00 AM" in plain_spaces(form.text)


def test_the_tag_says_no_clock_to_whoever_has_chosen_it(site: Settings, client: Client):
    """A time by the clock that the visitor has chosen needs no city."""
    Visitor(client).open("/book/haircut/")
    assert tag(path="/page/?kb-tz=America/New_York").css("p") == []
    assert tag(path="/page/" + ZONE).css_first("p").text() == "Times in New York."


def test_the_tag_sends_one_request_at_most(site: Settings, sandbox: Sandbox):
    """For the list of services where it isn't cached, else for the free times, and none for what is cached."""
    for expected in (["organization"], ["availability"], [], []):
        sent = len(sandbox.requests)
        tag()
        finish_fetches()
        assert [each.operation for each in sandbox.requests[sent:]] == expected


@pytest.mark.parametrize("service", ["no-such-thing", "", "a/b", "<script>", "manage", "\u202e" * 200])
def test_the_tag_shows_nothing_for_a_service_that_is_not_offered(site: Settings, sandbox: Sandbox, service: str):
    """A made-up name costs no request, however often."""
    tag()
    fetch_pool.join()
    sent = len(sandbox.requests)
    template = "{% load kordless_booking %}{% next_free service=name %}"
    html = engines["django"].from_string(template).render({"name": service}, RequestFactory().get("/page/"))
    fetch_pool.join()
    assert html.strip() == ""
    assert len(sandbox.requests) == sent


@pytest.mark.parametrize(
    ("kind", "options"), [("status", {"status": 500}), ("key_revoked", {}), ("html", {}), ("hang", {"seconds": 1.0})]
)
def test_the_tag_shows_nothing_when_kordless_is_ill(site: Settings, sandbox: Sandbox, kind: str, options: dict):
    """The page around it is shown, and doesn't wait for an answer that doesn't come."""
    tag()
    fetch_pool.join()
    sandbox.faults.add(kind, **options)
    assert links(tag()) == {}


def test_the_tag_does_not_wait_for_a_slow_kordless(site: Settings, sandbox: Sandbox):
    """The page is made while the request is under way, and its answer is for the next page."""
    tag()
    fetch_pool.join()
    slow = HeldTransport(wsgi_transport(sandbox))
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "TRANSPORT": slow, "BROWSE_SECONDS": 25}
    assert links(tag()) == {}
    assert slow.has_arrived.wait(20)
    slow.may_answer.set()
    fetch_pool.join()
    assert list(links(tag())) == ["Today, 10:30 AM", "Today, 11:00 AM", "Today, 11:30 AM"]


def test_the_tag_needs_the_request(site: Settings):
    """Without the context processor it says what to add."""
    with pytest.raises(ImproperlyConfigured, match="request context processor"):
        engines["django"].from_string("{% load kordless_booking %}{% next_free service='x' %}").render({})


@pytest.mark.parametrize(("count", "shown"), [(-1, 1), (0, 1), (5, 5), (10**6, MAX_NEXT_TIMES)])
def test_the_tag_shows_at_least_one_time_and_at_most_twelve(site: Settings, client: Client, count: int, shown: int):
    """Any number is bounded."""
    Visitor(client).open("/book/haircut/")
    assert len(links(tag(f'{{% next_free service="haircut" count={count} %}}'))) == shown


def test_a_template_of_the_sites_own_gets_the_request(next_free: Settings, any_visitor: Visitor, tmp_path: Path):
    """Rendered for each visitor, with what the site's context processors add."""
    own = tmp_path / "kordless_booking/parts/next_free.html"
    own.parent.mkdir(parents=True)
    own.write_text("<p>{{ request.path }} {{ times|length }}</p>")
    any_visitor.open("/book/haircut/")
    finish_fetches()
    next_free.TEMPLATES = [{**next_free.TEMPLATES[0], "DIRS": [tmp_path, *next_free.TEMPLATES[0]["DIRS"]]}]
    assert [tag(path=path).css_first("p").text() for path in ("/page/", "/offers/")] == ["/page/ 3", "/offers/ 3"]


def test_only_zone_and_language_of_the_pages_query_count(next_free: Settings, any_visitor: Visitor):
    """The rest of it is the site's own, or somebody else's who has made the link."""
    next_free.KORDLESS_BOOKING = {**next_free.KORDLESS_BOOKING, "EMBED_ORIGINS": ["https://shop.example"]}
    any_visitor.open("/book/haircut/")
    finish_fetches()
    html = tag(
        path="/page/?kb-embed=1&kb-accent=ff0000&kb-theme=clinic&kb-thanks=https://shop.example/x&kb-lang=de&lang=fr"
    ).html
    assert "lang=de" in (html or "")
    assert not any(each in (html or "") for each in ("embed", "accent", "theme", "thanks"))
