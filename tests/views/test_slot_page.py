"""The slot step: month, day, times, hosts, people, zone and hours."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.api.session import wsgi_transport
from kordless_booking.booking.availability import PartOfDay
from kordless_booking.sandbox import Limits, Sandbox
from kordless_booking.views.cells import format_start, parse_start
from kordless_booking.views.slot_page import part_label
from tests.support.clock import NOW
from tests.support.odd_answers import OddAnswers, many_hosts
from tests.support.received_requests import count_requests
from tests.support.site_cache import empty_cache
from tests.support.spaces import plain_spaces
from tests.support.visitor import JANE, Page, Visitor, start_of, text_of

pytestmark = pytest.mark.django_db


def at(site: Settings, clock: Traveller, moment: datetime) -> Sandbox:
    """Move the site, its clock and its Kordless to another moment."""
    clock.move_to(moment)
    sandbox = Sandbox(":memory:", now=moment, limits=Limits.off())
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "TRANSPORT": wsgi_transport(sandbox)}
    empty_cache()
    return sandbox


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001 (bounds)
def test_a_start_survives_its_link(moment: datetime):
    """A start written into a link is parsed to the same time, fractions of a second included."""
    assert parse_start(format_start(moment)) == moment


@given(st.text(max_size=30))
def test_anything_else_is_no_start(text: str):
    """Reading a start never raises."""
    found = parse_start(text)
    assert found is None or found.tzinfo is UTC


def test_the_first_free_day_is_chosen(any_visitor: Visitor):
    """Without a choice the current week comes first, the first free day is chosen, its times stand in the answer."""
    page = any_visitor.open("/book/haircut/")
    assert page.texts(".kb-sub") == ["Dec 2026 \u2013 Jan 2027", "Tuesday, December 1"]
    [current] = page.tree.css("table a[aria-current=date]")
    assert plain_spaces(current.attributes["aria-label"] or "") == (
        f"Tuesday, December 1, 2026, {len(page.times)} times available · today"
    )
    assert page.times_of_day[0] == "10:30 AM"


def test_free_days_are_links_and_others_are_not(any_visitor: Visitor):
    """Free days are links named with their full date; the salon's Mondays are plain numbers."""
    page = any_visitor.open("/book/haircut/")
    cells = {text_of(cell): cell.css_first("a") for cell in reversed(page.tree.css("td"))}
    assert plain_spaces(cells["2"].attributes["aria-label"] or "") == "Wednesday, December 2, 2026, 10 times available"
    assert [cells[monday] for monday in ("7", "14", "21", "28")] == [None] * 4
    assert page.texts("th")[0].split() == ["Sun", "S", "Sunday"]
    assert len(page.tree.css("tbody tr")) == 5


def test_a_chosen_day_shows_its_times(any_visitor: Visitor):
    """Following a day's link shows that day, by part of day."""
    page = any_visitor.open("/book/haircut/")
    page = any_visitor.open(page.days["Wednesday, December 9, 2026"])
    assert page.texts(".kb-times .kb-sub") == ["Wednesday, December 9"]
    assert page.texts(".kb-times .kb-label") == ["Morning", "Afternoon", "Evening"]


def test_parts_of_the_day_have_names():
    """Each part is a heading of its own."""
    assert [part_label(part) for part in PartOfDay] == ["Night", "Morning", "Afternoon", "Evening"]


def test_a_day_that_is_not_free_falls_back(visitor: Visitor):
    """A day without times, or in the past, shows the month's first free day instead."""
    for day in ("2026-12-07", "2026-12-25"):
        assert visitor.open(f"/book/haircut/?day={day}").texts(".kb-times .kb-sub") == ["Tuesday, December 1"]
    assert visitor.open("/book/haircut/?day=2026-11-30").texts(".kb-sub")[0] == "Dec 2026 \u2013 Jan 2027"


def test_the_calendar_ends_with_the_booking_window(any_visitor: Visitor):
    """There is a way to the weeks of the booking window and none beyond; what is beyond comes back into it."""
    page = any_visitor.open("/book/haircut/")
    assert "Earlier dates" not in page.links()
    page = any_visitor.open(page.link("Later dates"))
    assert page.texts(".kb-month .kb-sub") == ["January 2027"]
    assert "Later dates" not in page.links()
    assert any_visitor.open(page.link("Earlier dates")).texts(".kb-month .kb-sub") == ["Dec 2026 \u2013 Jan 2027"]
    assert any_visitor.open("/book/haircut/?month=2030-05").texts(".kb-month .kb-sub") == ["January 2027"]
    assert any_visitor.open("/book/haircut/?month=2020-05").texts(".kb-month .kb-sub") == ["Dec 2026 \u2013 Jan 2027"]


@pytest.mark.parametrize("now", [datetime(2026, 11, 29, 15, tzinfo=UTC), datetime(2027, 1, 31, 15, tzinfo=UTC)])
def test_the_end_of_a_month_is_not_the_end_of_the_calendar(
    visitor: Visitor, site: Settings, clock: Traveller, now: datetime
):
    """The calendar begins with the current week and runs on for four more, for one request of free times."""
    sandbox = at(site, clock, now)
    page = visitor.open("/book/haircut/?lang=de")
    first = now.date() - timedelta(days=now.weekday())
    numbers = [str((first + timedelta(days=number)).day) for number in range(35)]
    assert [re.sub(r"\D", "", text_of(cell)) for cell in page.tree.css("td")] == numbers
    assert len(page.days) > 20
    assert count_requests(sandbox, "availability") == 1


def test_the_first_day_of_a_month_says_which(visitor: Visitor):
    """In the cell, and for a screen reader also where the day isn't free, whose link would say the whole date."""
    page = visitor.open("/book/head-spa/?month=2026-12")
    [december, january] = page.tree.css("td[data-kb-month]")
    assert [cell.attributes["data-kb-month"] for cell in (december, january)] == ["Dec", "Jan"]
    assert [text_of(cell) for cell in (december, january)] == ["Dec 1 today", "Jan 1"]


def test_a_link_to_a_month_shows_it_from_its_first_week_and_stays_there(any_visitor: Visitor):
    """A day of it is chosen without another turn of the calendar, and the way back leads to the current week."""
    page = any_visitor.open("/book/bridal-styling/?month=2027-02")
    assert page.texts(".kb-month .kb-sub") == ["January \u2013 March 2027"]
    shown = page.texts("tbody td")
    page = any_visitor.open([*page.days.values()][-1])
    assert "month=2027-01-31" in page.url
    assert page.texts("tbody td") == shown
    while "Earlier dates" in page.links():
        page = any_visitor.open(page.link("Earlier dates"))
    assert "Dec 1" in " ".join(page.texts("tbody td"))


def test_each_free_day_is_reached_by_turning_the_calendar(any_visitor: Visitor):
    """In order and once, from the current week to the end of the booking window."""
    page = any_visitor.open("/book/bridal-styling/")
    days = [*page.days]
    while "Later dates" in page.links():
        page = any_visitor.open(page.link("Later dates"))
        days += page.days
    assert len(set(days)) == len(days)
    dates = [datetime.strptime(day, "%A, %B %d, %Y").date() for day in days]  # noqa: DTZ007 (dates)
    assert dates == sorted(dates)
    assert (dates[-1] - dates[0]).days > 150


def test_a_service_that_is_booked_out_opens_where_it_is_free(any_visitor: Visitor):
    """When nothing was chosen and the weeks shown are full, the next ones with a free day open by themselves."""
    page = any_visitor.open("/book/head-spa/")
    assert page.texts(".kb-sub") == ["January \u2013 February 2027", "Tuesday, January 5"]
    assert page.times


def test_an_empty_month_leads_to_the_next_free_day(any_visitor: Visitor):
    """Weeks that were chosen and are empty say so and link to the next free day."""
    page = any_visitor.open("/book/head-spa/?month=2026-12")
    assert page.texts(".kb-month .kb-sub") == ["Dec 2026 \u2013 Jan 2027"]
    assert not page.days
    assert not page.times
    assert "There are no free times in the weeks shown." in page.text
    page = any_visitor.open(page.link("Next free day: Tuesday, January 5"))
    assert page.texts(".kb-sub") == ["January \u2013 February 2027", "Tuesday, January 5"]


def test_no_free_time_at_all_is_explained(visitor: Visitor, sandbox: Sandbox):
    """When the whole window has nothing, it is said, and Kordless is asked for a few months only."""
    sandbox.faults.add("no_slots", "availability")
    page = visitor.open("/book/head-spa/")
    assert "There are no free times at the moment." in page.text
    assert not page.links(".kb-empty a")
    assert count_requests(sandbox, "availability") <= 4


def test_no_free_time_in_the_months_looked_at_says_how_far_and_leads_on(any_visitor: Visitor, sandbox: Sandbox):
    """Only a few months are looked at: the page names the last day of these, and links to the months after it."""
    sandbox.faults.add("no_slots", "availability", days=130)
    page = any_visitor.open("/book/bridal-styling/")
    assert "There are no free times until March 13." in page.text
    assert "at the moment" not in page.text
    assert count_requests(sandbox, "availability") == 3
    page = any_visitor.open(page.link("See later dates"))
    assert page.texts(".kb-sub") == ["April \u2013 May 2027", "Tuesday, April 20"]
    assert page.times


def test_the_last_months_without_a_free_time_lead_back_to_the_first(any_visitor: Visitor, sandbox: Sandbox):
    """The page never says that there is nothing, as it has not looked at all months itself."""
    sandbox.faults.add("no_slots", "availability")
    page = any_visitor.open(any_visitor.open("/book/bridal-styling/").link("See later dates"))
    assert "There are no free times from March 14 on." in page.text
    assert "until March 13" in any_visitor.open(page.link("Earlier times")).text
    page = any_visitor.open("/book/bridal-styling/?month=2027-01")
    assert "There are no free times from December 27 to April 10." in page.text
    assert count_requests(sandbox, "availability") <= 6


def test_an_unknown_booking_window_hides_no_free_time(visitor: Visitor, sandbox: Sandbox):
    """Kordless may leave the window out, and still have times beyond the usual one."""
    sandbox.faults.add("missing_fields", "service", fields=["booking_window_days"], every=1)
    sandbox.faults.add("no_slots", "availability", days=75)
    page = visitor.open("/book/bridal-styling/")
    assert page.texts(".kb-sub") == ["February \u2013 March 2027", "Tuesday, February 16"]
    assert count_requests(sandbox, "availability") <= 4


def test_a_host_without_a_free_time_in_the_month_leads_to_the_next_one(any_visitor: Visitor, sandbox: Sandbox):
    """The next month with a free time of this host is shown, which a notice says."""
    sandbox.faults.add("no_slots", "availability", days=35, host="host_sarah")
    page = any_visitor.open("/book/haircut/?host=host_sarah&day=2026-12-09")
    assert page.texts(".kb-month .kb-sub") == ["January 2027"]
    assert page.texts(".kb-notice") == ["The next free time with Sarah is Tuesday, January 5."]
    assert all("host=host_sarah" in url for url in page.times.values())
    german = any_visitor.open("/book/haircut/?host=host_sarah&day=2026-12-09&lang=de")
    assert "Dienstag, 5. Januar" in german.texts(".kb-notice")[0]


def test_a_conflict_that_leaves_the_month_empty_leads_to_the_next_free_day(any_visitor: Visitor, sandbox: Sandbox):
    """The free times that the notice promises are on the page."""
    form = any_visitor.choose("haircut", "?day=2026-12-09")
    sandbox.faults.add("status", "create", times=1, status=409)
    sandbox.faults.add("no_slots", "availability", days=35)
    page = any_visitor.send(form, "Book appointment", **JANE)
    assert "That time was just taken. Here are the times that are still free" in page.alert
    assert "The next free time is Tuesday, January 5." in page.texts(".kb-notice")
    assert page.texts(".kb-times .kb-sub") == ["Tuesday, January 5"]
    assert page.times


def test_a_conflict_offers_the_nearest_free_times_first(any_visitor: Visitor, sandbox: Sandbox):
    """Three buttons with date and time, and each leads to the form with what was typed."""
    form = any_visitor.choose("haircut", "?day=2026-12-09")
    sandbox.faults.add("status", "create", times=1, status=409)
    page = any_visitor.send(form, "Book appointment", **JANE)
    nearest = page.links(".kb-nearest button")
    assert len(nearest) == 3
    assert all("Wed, Dec 9" in name for name in nearest)
    starts = [start_of(url) for url in nearest.values()]
    assert starts == sorted(starts)
    assert "jane@example.com" in any_visitor.open([*nearest.values()][1]).html


def test_the_nearest_times_are_asked_for_in_the_address_too(visitor: Visitor):
    """For who had typed nothing yet; without a lost time, or with one that can't be read, there are none."""
    page = visitor.open("/book/haircut/?day=2026-12-09&taken=1&near=20261209T170000Z")
    assert [start_of(url).hour for url in page.links(".kb-nearest a").values()] == [16, 16, 17]
    for query in ("taken=1&near=soon", "taken=1", "near=20261209T170000Z", "taken=9&near=20261209T170000Z"):
        assert not visitor.open(f"/book/haircut/?day=2026-12-09&{query}").tree.css(".kb-nearest"), query


def test_a_conflict_promises_no_free_times_where_there_are_none(any_visitor: Visitor, sandbox: Sandbox):
    """Neither when booking nor when rescheduling."""
    form = any_visitor.choose("haircut", "?day=2026-12-09")
    own = any_visitor.open(any_visitor.book("full-color", "?day=2026-12-09").link("Change or cancel"))
    sandbox.faults.add("status", "create", times=1, status=409)
    sandbox.faults.add("no_slots", "availability")
    empty_cache()
    page = any_visitor.send(form, "Book appointment", **JANE)
    assert not page.times
    assert page.alert == "That time was just taken. Everything you typed is kept."
    times = any_visitor.send(own, "Reschedule")
    assert (
        any_visitor.open(f"{times.url}{'&' if '?' in times.url else '?'}taken=1").alert == "That time was just taken."
    )


def test_only_the_arrows_of_the_calendar_keep_empty_weeks(any_visitor: Visitor):
    """Hosts, people, hours and zone name a day, from which the page goes on to the next free one."""
    page = any_visitor.open(any_visitor.open("/book/haircut/").link("Later dates"))
    assert "month=2027-01-03" in page.url
    links = {name: url for name, url in page.links().items() if "month=" in url}
    assert set(links) == {"Earlier dates"}
    assert any_visitor.open(page.link("Sarah")).texts(".kb-month .kb-sub") == ["January 2027"]
    assert any_visitor.open(page.link("24-hour clock")).texts(".kb-month .kb-sub") == ["January 2027"]
    seats = any_visitor.open(any_visitor.open("/book/styling-class/").link("Later dates"))
    assert "month" not in seats.form("Update")[2]
    assert any_visitor.send(seats, "Update", party="2").texts(".kb-month .kb-sub") == ["January 2027"]


def test_an_empty_month_shows_what_was_searched_for(any_visitor: Visitor, sandbox: Sandbox):
    """There may be times with others, or for fewer people."""
    sandbox.faults.add("no_slots", "availability", days=35, host="host_sarah")
    any_visitor.open("/book/haircut/?host=host_sarah&day=2027-01-09")
    page = any_visitor.open("/book/styling-class/?party=8&month=2026-12")
    assert not page.times
    assert "Only times for 8 people were looked at." in page.text


def test_a_host_who_does_not_do_the_service_leaves_everyones_times(visitor: Visitor, sandbox: Sandbox):
    """It is said, no link has the host anymore, and Kordless is asked for no more than without a host."""
    page = visitor.open("/book/haircut/?host=host_noor")
    assert page.texts(".kb-notice") == ["This person isn’t available for this. Here are everyone’s times."]
    assert len(sandbox.requests) == 3
    assert page.times == visitor.open("/book/haircut/").times
    assert not [url for url in page.hrefs() if "host_noor" in url]
    assert page.texts(".kb-hosts a[aria-current]") == ["Anyone"]
    assert visitor.open(next(iter(page.times.values()))).heading == "Your details"


def test_a_team_that_does_not_do_the_service_leaves_everyones_times(visitor: Visitor, sandbox: Sandbox):
    """As with a host."""
    page = visitor.open("/book/full-color/?team=team_nobody")
    assert page.texts(".kb-notice") == ["This team isn’t available for this. Here are everyone’s times."]
    assert (len(sandbox.requests), bool(page.times)) == (3, True)
    assert not [url for url in page.hrefs() if "team_nobody" in url]


def test_a_host_who_does_not_do_the_service_is_named_where_the_name_is_known(visitor: Visitor, sandbox: Sandbox):
    """It is known from the times of another service, as far as these are cached."""
    visitor.open("/book/color-consultation/")
    sandbox.clear_requests()
    page = visitor.open("/book/haircut/?host=host_noor")
    assert page.texts(".kb-notice") == ["Noor isn’t available for this. Here are everyone’s times."]
    assert len(sandbox.requests) == 2


def test_a_host_without_a_time_at_a_months_end_is_looked_for_in_the_next_month(
    site: Settings, clock: Traveller, client: Client
):
    """The calendar runs on into the next month, so the host's next times are on it. One request brings both."""
    sandbox = at(site, clock, datetime(2027, 1, 15, 15, tzinfo=UTC))
    sandbox.faults.add("no_slots", "availability", days=20, host="host_sarah")
    page = Visitor(client).open("/book/haircut/?host=host_sarah")
    assert page.texts(".kb-hosts a[aria-current]") == ["Sarah"]
    assert page.texts(".kb-sub") == ["January \u2013 February 2027", "Thursday, February 4"]
    assert count_requests(sandbox, "availability") == 1
    page = Visitor(client).open("/book/haircut/?host=host_nobody")
    assert "This person isn’t available for this." in page.text
    assert count_requests(sandbox, "availability") == 1


def test_hosts_are_a_choice_with_anyone_first(any_visitor: Visitor):
    """Several hosts are a choice, Anyone first and chosen; a host's own times are fewer."""
    page = any_visitor.open("/book/haircut/?day=2026-12-09")
    assert page.texts(".kb-hosts a") == ["Anyone", "Miguel", "Sarah"]
    assert page.texts(".kb-hosts a[aria-current]") == ["Anyone"]
    times = page.times_of_day
    assert len(times) == len(set(times))
    page = any_visitor.open(page.link("Miguel"))
    assert page.texts(".kb-hosts a[aria-current]") == ["Miguel"]
    page = any_visitor.open(page.days["Wednesday, December 9, 2026"])
    assert set(page.times_of_day) < set(times)
    assert all("host=host_miguel" in url for url in page.times.values())


def test_the_same_time_with_several_hosts_is_shown_once(visitor: Visitor, sandbox: Sandbox):
    """A time that two hosts have free is one link; it stays as long as one of them is left."""
    offered = {}
    for host in ("", "&host=host_sarah", "&host=host_miguel"):
        offered[host] = visitor.open(f"/book/haircut/?day=2026-12-09{host}").times_of_day
    both = [time for time in offered["&host=host_sarah"] if time in offered["&host=host_miguel"]]
    assert both
    assert all(offered[""].count(time) == 1 for time in both)
    assert set(offered[""]) == {*offered["&host=host_sarah"], *offered["&host=host_miguel"]}


def test_one_host_is_no_choice(visitor: Visitor):
    """A service of a single host asks no question about hosts."""
    assert visitor.open("/book/full-color/").texts(".kb-hosts a") == []


def test_an_unknown_host_can_be_left(visitor: Visitor, sandbox: Sandbox, site: Settings):
    """A host that has nothing free shows no times and a way back to Anyone; one that never was is left at once."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "LOCAL_CACHE_SECONDS": 0}
    sandbox.faults.add("capacity", "availability", value=0)
    page = visitor.open("/book/haircut/?host=host_sarah")
    assert not page.times
    assert "Only times with Sarah were looked at." in page.text
    sandbox.faults.clear()
    sandbox.faults.add("no_slots", "availability", host="host_miguel")
    assert not visitor.open("/book/beard-trim/?host=host_nobody").times
    empty_cache()
    assert visitor.open(page.link("Anyone") + "?hours=12").times
    assert visitor.open("/book/full-color/?host=host_nobody").times


def test_nameless_hosts_are_no_choice(visitor: Visitor, sandbox: Sandbox):
    """When Kordless names no hosts, times are shown without them."""
    sandbox.faults.add("null_host", "availability")
    page = visitor.open("/book/haircut/")
    assert page.texts(".kb-hosts a") == []
    assert page.times


def test_a_class_has_seats(any_visitor: Visitor):
    """A group class says how many places are left and asks how many people come."""
    page = any_visitor.open("/book/styling-class/")
    assert [*page.times] == ["6:30 PM 2 spots left"]
    page = any_visitor.send(page, "Update", party="5")
    assert page.query["party"] == "5"
    assert page.texts(".kb-times .kb-sub") == ["Thursday, December 10"]
    assert [*page.times] == ["6:30 PM 5 spots left"]
    assert "party=5" in next(iter(page.times.values()))
    assert "December 3" not in " ".join(page.days)


def test_a_service_without_seats_asks_nobody_how_many(visitor: Visitor):
    """Where a time is for one, there is no question; a party in the address finds nothing and can be put right."""
    assert "Number of people" not in visitor.open("/book/haircut/").text
    page = visitor.open("/book/haircut/?party=4")
    assert not page.times
    assert visitor.send(page, "Update", party="1").times


def test_the_business_zone_is_the_default(any_visitor: Visitor):
    """Without a chosen zone times are the business's own, the zone is named, and the browser may tell a better one."""
    page = any_visitor.open("/book/haircut/")
    assert "Times shown in New York · GMT-5" in page.text
    [step] = page.tree.css("[data-kb-step]")
    assert "data-kb-detect-zone" in step.attributes
    [step] = any_visitor.open("/book/haircut/?tz=Europe/Kyiv").tree.css("[data-kb-step]")
    assert "data-kb-detect-zone" not in step.attributes
    assert step.attributes["data-kb-zone"] == "Europe/Kyiv"


def test_an_old_zone_name_is_understood(visitor: Visitor):
    """Yesterday's name of a zone is today's."""
    page = visitor.open("/book/haircut/?tz=Europe/Kiev")
    assert "Your time zone: Kyiv" in page.text
    assert "Kiev" not in "".join(page.links().values())


def test_times_move_with_the_zone(visitor: Visitor):
    """The same slots are at other clock times, and some on other days, in another zone."""
    here = visitor.open("/book/late-advice/?day=2026-12-02")
    there = visitor.open("/book/late-advice/?day=2026-12-03&tz=Europe/Kyiv")
    assert here.times_of_day[0] == "6:00 PM"
    assert there.times_of_day[0] == "1:00 AM"
    assert there.texts(".kb-times .kb-label") == ["Night"]
    start = [url.rpartition("start=")[2] for url in (here.times["6:00 PM"], there.times["1:00 AM"])]
    assert start == ["20261202T230000Z"] * 2


def test_a_month_is_whole_at_both_ends_of_the_world(visitor: Visitor):
    """The first and last slots of a month are there 14 hours ahead, 12 behind, and at quarter hours."""
    everywhere = {}
    for zone in ("Pacific/Kiritimati", "Pacific/Chatham", "Asia/Kathmandu", "Etc/GMT+12", "America/New_York"):
        starts = set()
        for month in ("2026-12", "2027-01"):
            page = visitor.open(f"/book/late-advice/?tz={zone}&month={month}")
            for url in page.days.values():
                starts |= {link.rpartition("start=")[2] for link in visitor.open(url).times.values()}
        everywhere[zone] = starts
    here = everywhere["America/New_York"]
    assert here
    assert all(starts == here for starts in everywhere.values())


def test_a_slot_that_crosses_midnight_says_so(visitor: Visitor):
    """A time that ends on another date of the page's clock says which."""
    page = visitor.open("/book/haircut/?tz=Europe/Kyiv&day=2026-12-10&hours=24&clock=visitor")
    late = [name for name in page.times if name.startswith("23:30")]
    assert late == ["23:30 until Fri, Dec 11, 00:30"]


def clock_line(page: Page) -> str:
    """Return the sentence above the times that says by which clock they are."""
    [line] = page.texts(".kb-times .kb-hint")
    return line


def starts(page: Page) -> list[str]:
    """Return the moments of the times on a page."""
    return [url.rpartition("start=")[2] for url in page.times.values()]


def test_each_time_is_by_the_clock_of_the_place_where_the_visitor_comes(any_visitor: Visitor):
    """One time in each button; a sentence says how far the visitor's clock is, and the zone line has their zone."""
    page = any_visitor.open("/book/haircut/?tz=Europe/Kyiv&day=2026-12-09&hours=24")
    assert clock_line(page) == "Times in New York. You’re 7 hours ahead."
    assert page.texts(".kb-times .kb-sub") == ["Wednesday, December 9"]
    assert page.times_of_day[0] == "09:00"
    assert [*page.times] == page.times_of_day
    assert "Your time zone: Kyiv · GMT+2 · 17:00 now" in page.text
    assert page.tree.css("[data-kb-step]")[0].attributes["data-kb-zone"] == "Europe/Kyiv"


def test_the_other_clock_is_a_link_away_and_back(any_visitor: Visitor):
    """The same day's first time stands there too, on its own date; the choice stays when the day changes."""
    page = any_visitor.open("/book/haircut/?tz=Asia/Tokyo&day=2026-12-09&hours=24")
    assert (clock_line(page), page.times_of_day[0]) == ("Times in New York. You’re 14 hours ahead.", "09:00")
    other = any_visitor.open(page.link("Show Tokyo time"))
    assert clock_line(other) == "Times in Tokyo. It’s 14 hours earlier in New York."
    assert (other.times_of_day[-1], other.texts(".kb-times .kb-sub")) == ("23:30", ["Wednesday, December 9"])
    assert starts(page)[0] in starts(other)
    assert "Times shown in Tokyo · GMT+9 · 00:00 now" in other.text
    day = any_visitor.open(other.days["Friday, December 11, 2026"])
    assert clock_line(day).startswith("Times in Tokyo.")
    back = any_visitor.open(day.link("Show New York time"))
    assert clock_line(back).startswith("Times in New York.")
    assert starts(day)[0] in starts(back)


def test_back_from_the_form_leads_to_the_day_of_the_pages_clock(visitor: Visitor):
    """An evening in New York is the next day in Tokyo: the day that was chosen is shown again, by either clock."""
    for query in ("", "&clock=visitor"):
        page = visitor.open(f"/book/haircut/?tz=Asia/Tokyo&day=2026-12-10&hours=24{query}")
        url = [*page.times.values()][-1]
        form = visitor.open(url)
        again = visitor.open(form.link("Choose another time"))
        assert again.texts(".kb-times .kb-sub") == ["Thursday, December 10"]
        assert url.rpartition("start=")[2] in starts(again)


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("haircut/?tz=America/New_York", "Times in New York."),
        ("haircut/?tz=America/Toronto", "Times in New York."),
        ("haircut/", "Times in New York."),
        ("color-consultation/?tz=Europe/Kyiv", "Times in Kyiv."),
        ("late-advice/?tz=Europe/Kyiv", "Times in Kyiv."),
        ("late-advice/?tz=Europe/Kyiv&clock=business", "Times in Kyiv."),
    ],
)
def test_one_clock_is_enough_elsewhere(visitor: Visitor, address: str, line: str):
    """For a call, at the visitor's own place, or where both clocks show the same, nothing is said of a difference."""
    page = visitor.open(f"/book/{address}")
    assert page.times
    assert clock_line(page) == line
    assert not [name for name in page.links() if name.startswith("Show ")]


def test_both_clocks_are_shown_where_nobody_knows_whether_the_visitor_travels(visitor: Visitor):
    """The visitor's counts; the business's is told, can be chosen, and stands second in the summary."""
    page = visitor.open("/book/bridal-styling/?tz=Europe/Kyiv&hours=24")
    assert clock_line(page) == "Times in Kyiv. It’s 7 hours earlier in New York."
    form = visitor.open(next(iter(page.times.values())))
    assert form.texts(".kb-summary dd strong")[0].endswith(" your time")
    assert [text.partition(" ·")[0] for text in form.texts(".kb-summary dd small")[:2]] == ["Kyiv", "New York"]
    assert clock_line(visitor.open(page.link("Show New York time"))) == "Times in New York. You’re 7 hours ahead."


def test_half_hours_between_the_clocks_are_shown(visitor: Visitor):
    """Kathmandu is ten hours and three quarters ahead of New York."""
    page = visitor.open("/book/haircut/?tz=Asia/Kathmandu")
    assert clock_line(page) == "Times in New York. You’re 10 hr 45 min ahead."


def test_clocks_that_differ_for_some_weeks_only(site: Settings, clock: Traveller, client: Client):
    """Bogotá keeps its clocks while New York's go forward: the difference is said from that day on."""
    at(site, clock, datetime(2027, 3, 1, 15, tzinfo=UTC))
    before = Visitor(client).open("/book/haircut/?day=2027-03-12&tz=America/Bogota&hours=24")
    after = Visitor(client).open("/book/haircut/?day=2027-03-16&tz=America/Bogota&hours=24")
    assert clock_line(before) == "Times in New York."
    assert clock_line(after) == "Times in New York. You’re 1 hour behind."


@pytest.mark.parametrize(
    ("address", "held"), [("haircut/", False), ("color-consultation/", True), ("haircut/?clock=visitor", True)]
)
def test_only_times_that_may_become_others_are_held_back(visitor: Visitor, address: str, held: bool):
    """By the clock of the place they stay the same, whatever zone the script finds."""
    for query, expected in (("", held), ("tz=Europe/Kyiv", False)):
        page = visitor.open(f"/book/{address}{'&' if '?' in address else '?'}{query}")
        [step] = page.tree.css("[data-kb-step]")
        assert ("data-kb-hold" in step.attributes) is expected
        assert bool(page.tree.css("[data-kb-own-clock]")) is expected


def test_the_head_says_where_and_until_when(visitor: Visitor):
    """Place and notice stand beside length and price; a call is no address."""
    assert visitor.open("/book/haircut/").texts(".kb-head .kb-facts span") == [
        "1 hr",
        "$45.00",
        "123 Main Street",
        "Cancel up to 24 hours before",
    ]
    assert "Video call" in visitor.open("/book/color-consultation/").texts(".kb-head .kb-facts span")
    assert "By phone" in visitor.open("/book/late-advice/").texts(".kb-head .kb-facts span")


def test_hours_can_be_written_both_ways(any_visitor: Visitor):
    """A link changes between the 12- and the 24-hour clock and stays at the day."""
    page = any_visitor.open("/book/haircut/?day=2026-12-09")
    assert any("PM" in time for time in page.times_of_day)
    page = any_visitor.open(page.link("24-hour clock"))
    assert page.texts(".kb-times .kb-sub") == ["Wednesday, December 9"]
    assert not any("PM" in time for time in page.times_of_day)
    assert "12-hour clock" in page.links()


def test_the_hour_that_comes_twice(site: Settings, clock: Traveller, client: Client):
    """When clocks go back, the same clock time stands there twice, told apart by its offset."""
    at(site, clock, datetime(2026, 10, 12, tzinfo=UTC))
    page = Visitor(client).open("/book/late-advice/?day=2026-11-01&tz=America/New_York")
    first, second = page.times["1:00 AM GMT-4"], page.times["1:00 AM GMT-5"]
    for url, offset in ((first, "GMT-4"), (second, "GMT-5")):
        assert f"1:00 AM \u2013 1:15 AM New York · {offset}" in Visitor(client).open(url).text
    assert first.endswith("start=20261101T050000Z")
    assert second.endswith("start=20261101T060000Z")


@pytest.mark.parametrize(("zone", "day"), [("America/New_York", "2027-03-14"), ("Europe/Berlin", "2026-03-29")])
def test_the_hour_that_never_comes(site: Settings, clock: Traveller, client: Client, zone: str, day: str):
    """When clocks go forward no time stands in the gap, and every shown time leads to a form that says the same."""
    at(site, clock, datetime(int(day[:4]), 3, 10, 12, tzinfo=UTC))
    any_visitor = Visitor(client)
    page = any_visitor.open(f"/book/late-advice/?tz={zone}&day={day}&hours=24")
    assert page.texts(".kb-times .kb-sub")[0].endswith(str(int(day[-2:])))
    assert not [time for time in page.times_of_day if time.startswith("02:")]
    for time, url in zip(page.times_of_day[:2], page.times.values(), strict=False):
        assert f"{time} \u2013" in any_visitor.open(url).text


def test_past_times_are_not_shown(visitor: Visitor, sandbox: Sandbox):
    """Slots that Kordless still lists but that have begun are left out."""
    sandbox.faults.add("past", "availability")
    page = visitor.open("/book/haircut/")
    assert page.times_of_day[0] == "10:30 AM"
    assert all(start_of(url) > NOW for url in page.times.values())


def test_full_times_are_not_shown(visitor: Visitor, sandbox: Sandbox):
    """Slots that Kordless lists with no capacity left are left out."""
    sandbox.faults.add("capacity", "availability", value=0)
    assert not visitor.open("/book/haircut/").times


def test_disorder_changes_nothing(visitor: Visitor, sandbox: Sandbox):
    """Slots in any order, twice, with other offsets and more fields make the same page."""
    plain = visitor.open("/book/haircut/").times
    empty_cache()
    for kind in ("unsorted", "duplicates", "mixed_offsets", "unknown_fields", "null_team"):
        sandbox.faults.add(kind, "availability")
    assert visitor.open("/book/haircut/?hours=12").times_of_day == [name.strip() for name in plain]


def test_an_overlong_window_is_no_trouble(visitor: Visitor, sandbox: Sandbox):
    """A service without a usable booking window still opens, within a window of our own."""
    sandbox.faults.add("missing_fields", "service", fields=["booking_window_days"])
    assert visitor.open("/book/haircut/").times


def test_six_hosts_every_quarter_of_an_hour_are_shown_to_the_end_of_the_month(client: Client, site: Settings):
    """No day, no time and no host is missing, and it costs one request."""
    kordless = OddAnswers(Sandbox(":memory:", now=NOW, limits=Limits.off()), availability=many_hosts(6))
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "TRANSPORT": wsgi_transport(kordless)}
    visitor = Visitor(client)
    page = visitor.open("/book/haircut/?month=2026-12&day=2026-12-31&host=host_person_5")
    assert page.status == 200
    assert len(page.days) == 33
    assert page.texts(".kb-times .kb-sub") == ["Thursday, December 31"]
    assert len(page.times) == 40
    assert kordless.request_counts["availability"] == 1


def test_the_switch_of_clocks_stands_in_the_sentence_that_says_which_counts(any_visitor: Visitor):
    """Beside the date of the day a long name of a city would break it into a column of words."""
    page = any_visitor.open("/book/haircut/?tz=Asia/Kathmandu&day=2026-12-09")
    assert page.texts(".kb-by a") == ["Show Kathmandu time"]
    assert not page.tree.css(".kb-bar .kb-clock a")


def test_the_foot_of_the_times_does_not_repeat_the_link_of_the_head(any_visitor: Visitor):
    """On a phone a second link to the services would cost a line."""
    page = any_visitor.open("/book/haircut/")
    assert page.texts(".kb-back") == ["All services"]
    assert page.texts(".kb-foot a") == ["Change or cancel a booking"]
