"""Times by time of day, and by what a link asks for: the calendar, the chips that say it back, the nearest times."""

import pytest
from django.test import Client
from pytest_django import Settings

from kordless_booking.sandbox import Sandbox
from kordless_booking.views import response_cache
from tests.support.spaces import plain_spaces
from tests.support.visitor import JANE, Page, Visitor

pytestmark = pytest.mark.django_db

TUESDAY = "day=2026-12-08&until=2026-12-08"


def chips(page: Page) -> list[str]:
    """Texts of the chips."""
    return [plain_spaces(text) for text in page.texts(".kb-limits li")]


def weekend_days(page: Page) -> list[str]:
    """Free days of the calendar that are a Saturday or a Sunday."""
    return [day for day in page.days if day.startswith(("Saturday", "Sunday"))]


def test_times_of_day_limit_the_calendar_and_the_times(any_visitor: Visitor):
    """Days without a fitting time are no links, and a chip says the limit and removes it."""
    every_day, page = any_visitor.open("/book/haircut/").days, any_visitor.open("/book/haircut/?after=17:00")
    assert page.times_of_day
    assert all(plain_spaces(each).endswith("PM") and int(each.split(":")[0]) >= 5 for each in page.times_of_day)
    assert 0 < len(page.days) < len(every_day)
    assert chips(page) == ["after 5:00 PM"]
    assert all("after=17:00" in url for url in [*page.days.values(), *page.times.values()])
    assert any_visitor.open(page.hrefs(".kb-limits a")[0]).days == every_day


@pytest.mark.parametrize(
    ("query", "label", "first"),
    [
        ("before=12:00", "before 12:00 PM", "10:30 AM"),
        ("after=14:00&before=16:00", "2:00 PM \u2013 4:00 PM", "2:00 PM"),
        ("after=14:07&hours=24", "after 14:00", "14:00"),
        ("after=16:00&before=09:00", "4:00 PM \u2013 9:00 AM", "4:00 PM"),
    ],
)
def test_each_filter_is_repeated_on_the_page(any_visitor: Visitor, query: str, label: str, first: str):
    """Either end, both, a night, and the visitor's own hour format."""
    page = any_visitor.open(f"/book/haircut/?{query}")
    assert chips(page) == [label]
    assert plain_spaces(page.times_of_day[0]) == first


def test_times_of_day_are_by_the_clock_that_is_shown(any_visitor: Visitor):
    """For a visitor elsewhere who looks by their own clock, "after 8 PM" is in the afternoon of New York."""
    page = any_visitor.open("/book/haircut/?tz=Europe/Berlin&clock=visitor&after=20:00&hours=24")
    assert page.times_of_day
    assert all(each >= "20:00" for each in page.times_of_day)


def test_without_limits_no_byte_of_them_is_in_a_page(client: Client):
    """Neither a chip nor a query, nor the style sheet of later steps."""
    for url in ("/book/haircut/", "/book/"):
        text = client.get(url).content.decode()
        for part in ("kb-limits", "after=", "before=", "until=", "asked="):
            assert part not in text


def test_each_part_of_what_a_link_asks_for_is_shown_and_can_be_removed(any_visitor: Visitor):
    """Days, weekdays, time of day and party; without one of them the others stay."""
    page = any_visitor.open("/book/haircut/?day=2026-12-07&until=2026-12-11&not=13&after=11:00&party=2")
    expected = ["Mon, Dec 7 \u2013 Fri, Dec 11", "not on Monday, Wednesday", "after 11:00 AM", "2 people"]
    assert chips(page) == expected
    for number, url in enumerate(page.hrefs(".kb-limits a")):
        assert chips(any_visitor.open(url)) == [each for each in expected if each != expected[number]]
        assert "Remove: " in page.tree.css(".kb-limits a")[number].attributes["aria-label"]


def test_the_first_fitting_day_of_the_span_is_shown(any_visitor: Visitor):
    """Not its first day, if that is full or left out."""
    page = any_visitor.open("/book/haircut/?day=2026-12-07&until=2026-12-11&not=12")
    assert page.texts(".kb-times .kb-sub") == ["Wednesday, December 9"]


def test_a_span_that_begins_on_this_page_and_is_free_on_the_next_is_found(any_visitor: Visitor):
    """The page of the calendar is none of the visitor's concern."""
    page = any_visitor.open("/book/haircut/?day=2026-12-30&until=2027-01-12&not=123567")
    [heading] = page.texts(".kb-times .kb-sub")
    assert heading.startswith("Thursday")


def test_nothing_free_in_the_span_shows_the_three_nearest_times_as_such(any_visitor: Visitor):
    """A notice that is read out, three times with their dates, and the way to all times of that day."""
    page = any_visitor.open(f"/book/haircut/?{TUESDAY}&after=21:00")
    assert page.texts(".kb-notice") == ["Nothing is free then. These are the nearest times."]
    assert len(page.texts(".kb-nearest li")) == 3
    assert all("Dec 8" in plain_spaces(text) for text in page.texts(".kb-nearest li"))
    assert chips(page) == ["Tuesday, December 8", "after 9:00 PM"]
    assert any_visitor.open(page.hrefs(".kb-limits a")[1]).texts(".kb-times .kb-sub") == ["Tuesday, December 8"]
    assert page.tree.css_first(".kb-notice [data-kb-say]") is not None


def test_a_day_without_any_time_shows_the_nearest_days(any_visitor: Visitor):
    """A closed day is no reason to show another one as if it had been asked for."""
    page = any_visitor.open("/book/haircut/?day=2026-12-13&until=2026-12-13&asked=1")
    if not page.texts(".kb-notice"):
        assert page.texts(".kb-times .kb-sub") == ["Sunday, December 13"]
        page = any_visitor.open("/book/haircut/?day=2026-12-24&until=2026-12-27&not=4567")
    assert page.texts(".kb-notice") == ["Nothing is free then. These are the nearest times."]


def test_a_time_that_does_not_fit_can_be_booked_all_the_same(any_visitor: Visitor):
    """The limit is a view of the times, and not one of the booking."""
    page = any_visitor.open(f"/book/haircut/?{TUESDAY}&after=21:00")
    contact = any_visitor.open(page.hrefs(".kb-nearest a")[0])
    assert "taken" not in contact.url
    assert any_visitor.send(contact, "Book appointment", **JANE).number


def test_the_list_of_services_keeps_what_was_asked_for(any_visitor: Visitor):
    """Without a service, it is said back above the list, and kept for whatever service is chosen next."""
    assert chips(any_visitor.open(f"/book/?{TUESDAY}&party=2")) == ["Tuesday, December 8", "2 people"]
    page = any_visitor.open(f"/book/?{TUESDAY}&after=15:00")
    assert chips(page) == ["Tuesday, December 8", "after 3:00 PM"]
    times = any_visitor.follow("Haircut")
    assert chips(times) == chips(page)
    assert times.texts(".kb-times .kb-sub") == ["Tuesday, December 8"]


def test_an_open_page_keeps_what_was_asked_for(any_visitor: Visitor):
    """What a page of times asks for by itself has it too, or the chips would vanish after a minute."""
    page = any_visitor.open(f"/book/haircut/?{TUESDAY}&after=15:00")
    watch = page.tree.css_first("[data-kb-watch]")
    assert watch is not None
    url = watch.attributes["data-hx-get"] or ""
    assert chips(any_visitor.open(url, **{"HX-Request": "true"})) == chips(page)


def test_links_to_later_times_and_limits_are_apart(any_visitor: Visitor):
    """`later` is a start within a day. Links with its old name show the whole day."""
    whole = any_visitor.open("/book/haircut/?day=2026-12-08").times_of_day
    later = any_visitor.open("/book/haircut/?day=2026-12-08&later=20261208T180000Z").times_of_day
    assert 0 < len(later) < len(whole)
    old = any_visitor.open("/book/haircut/?day=2026-12-08&after=20261208T180000Z")
    assert old.times_of_day == whole
    assert chips(old) == []


def test_warm_pages_with_limits_ask_kordless_nothing(client: Client, sandbox: Sandbox, site: Settings):
    """Whatever is asked for, it is a filter over what is cached, and its page is stored under its own key."""
    client.get("/book/haircut/")
    client.get("/book/haircut/?day=2027-01-12")
    before = len(sandbox.requests)
    for query in ("after=15:00", f"{TUESDAY}&before=12:00", f"{TUESDAY}&before=12:00&not=1"):
        first = client.get(f"/book/haircut/?{query}")
        assert first.status_code == 200
        assert client.get(f"/book/haircut/?{query}").content == first.content
    assert len(sandbox.requests) == before
    assert len({key[2] for key in response_cache._responses}) >= 4


@pytest.mark.parametrize("query", ["not=67", "day=2026-12-07&until=2026-12-31&not=67", "day=2026-12-12&not=67"])
def test_weekdays_that_are_not_wanted_are_free_nowhere(any_visitor: Visitor, query: str):
    """Neither in the calendar, nor on its later pages, nor after another day or host was chosen there."""
    page = any_visitor.open(f"/book/haircut/?{query}")
    assert page.days
    assert not weekend_days(page)
    assert "not on Saturday, Sunday" in chips(page)
    hosts = [url for url in page.hrefs(".kb-hosts a") if "host=" in url]
    for url in [*page.hrefs("a[rel~=next]"), *page.days.values(), *hosts][::9]:
        shown = any_visitor.open(url)
        assert not weekend_days(shown)
        assert "not on Saturday, Sunday" in chips(shown)
    # Removing them shows them.
    every = any_visitor.open(next(url for url in page.hrefs(".kb-limits a") if "not=" not in url))
    assert weekend_days(every)


def test_the_nearest_times_and_the_next_free_day_are_on_no_unwanted_weekday(any_visitor: Visitor):
    """At whatever time of day, and however far away the next free day is."""
    page = any_visitor.open("/book/haircut/?day=2026-12-12&until=2026-12-13&not=67&after=23:00")
    assert page.texts(".kb-notice") == ["Nothing is free then. These are the nearest times."]
    nearest = page.texts(".kb-nearest small")
    assert len(nearest) == 3
    assert not [text for text in nearest if text.startswith(("Sat", "Sun"))]
    page = any_visitor.open("/book/haircut/?not=123456")
    assert page.texts(".kb-times .kb-sub")[0].startswith("Sunday")


def test_a_week_without_a_day_that_is_wanted_has_nothing_free_and_a_way_back(any_visitor: Visitor):
    """All seven weekdays may be left out; the chip says so and removes them."""
    page = any_visitor.open("/book/haircut/?not=1234567")
    assert (page.status, page.days) == (200, {})
    assert any_visitor.open(page.hrefs(".kb-limits a")[0]).days


def test_the_party_size_keeps_the_weekdays_that_are_not_wanted(any_visitor: Visitor):
    """Its form has them, as it has the time of day."""
    page = any_visitor.open("/book/styling-class/?not=67")
    assert [field.attributes["value"] for field in page.tree.css("form.kb-party [name=not]")] == ["67"]
