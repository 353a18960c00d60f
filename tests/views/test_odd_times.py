"""Times that are not on a whole second, and times that start together: what is shown is what is booked."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from kordless_booking.sandbox import Sandbox
from kordless_booking.views.slot_page import MAX_TIMES_SHOWN
from tests.support.odd_slots import OddSlots, Slots, book_at, offer
from tests.support.visitor import Visitor

pytestmark = pytest.mark.django_db

BEGIN = datetime(2026, 12, 9, 14, tzinfo=UTC)


def _at(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _lengths(site: Settings, sandbox: Sandbox, *minutes: int, begin: datetime = BEGIN) -> OddSlots:
    """Offer one start with these lengths."""

    def change(slots: Slots) -> Slots:
        one = slots[0] | {"startsAt": _at(begin), "availableCapacity": 1}
        return [one | {"endsAt": _at(begin + timedelta(minutes=length))} for length in minutes]

    return offer(site, sandbox, change)


@pytest.mark.parametrize("fraction", ["500", "123456", "000001"])
def test_a_start_with_a_fraction_of_a_second_is_booked_as_it_is(
    any_visitor: Visitor, site: Settings, sandbox: Sandbox, fraction: str
):
    """Kordless gets the slot's own times, fractions included."""

    def change(slots: Slots) -> Slots:
        ends = {name: slots[0][name].replace("Z", f".{fraction}Z") for name in ("startsAt", "endsAt")}
        return [slots[0] | ends | {"availableCapacity": 1}]

    kordless = offer(site, sandbox, change)
    page = any_visitor.open("/book/haircut/?month=2026-12")
    [url] = page.times.values()
    book_at(any_visitor, url)
    [body] = kordless.bodies
    for name in ("starts_at", "ends_at"):
        assert datetime.fromisoformat(body[name]).microsecond == int(fraction.ljust(6, "0"))


def test_a_link_without_the_fraction_still_finds_its_time(visitor: Visitor, site: Settings, sandbox: Sandbox):
    """Links and bookmarks of an earlier release had whole seconds."""
    begin = BEGIN + timedelta(milliseconds=250)
    kordless = _lengths(site, sandbox, 60, begin=begin)
    book_at(visitor, "/book/haircut/contact/?start=20261209T140000Z")
    [body] = kordless.bodies
    assert datetime.fromisoformat(body["starts_at"]) == begin


def test_times_that_start_together_say_their_length_and_book_it(any_visitor: Visitor, site: Settings, sandbox: Sandbox):
    """Three buttons for nine o'clock, each with its length, each booking its own end."""
    kordless = _lengths(site, sandbox, 30, 60, 90)
    page = any_visitor.open("/book/haircut/?day=2026-12-09")
    assert [*page.times] == ["9:00 AM 30 min", "9:00 AM 1 hr", "9:00 AM 1 hr 30 min"]
    summaries = [book_at(any_visitor, url) for url in page.times.values()]
    assert [body["ends_at"] for body in kordless.bodies] == [_at(BEGIN + timedelta(minutes=m)) for m in (30, 60, 90)]
    for summary, length in zip(summaries, ("9:30 AM", "10:00 AM", "10:30 AM"), strict=True):
        assert length in summary


def test_a_time_that_starts_alone_has_a_short_link_and_no_length(visitor: Visitor, site: Settings, sandbox: Sandbox):
    """Most businesses have one length for each start, and their buttons stay as they are."""
    _lengths(site, sandbox, 60)
    page = visitor.open("/book/haircut/?day=2026-12-09")
    assert [*page.times] == ["9:00 AM"]
    assert "end=" not in "".join(page.times.values())


@pytest.mark.parametrize("end", ["20261209T143100Z", "nonsense"])
def test_an_end_that_nothing_has_books_no_other_length(visitor: Visitor, site: Settings, sandbox: Sandbox, end: str):
    """A length that was taken meanwhile, or never was, leads back to the times."""
    _lengths(site, sandbox, 30, 60)
    page = visitor.open(f"/book/haircut/contact/?start=20261209T140000Z&end={end}")
    assert page.url.startswith("/book/haircut/")
    assert not page.tree.css("form[method=post]")


def test_later_times_leave_out_no_length(visitor: Visitor, site: Settings, sandbox: Sandbox):
    """Times that start together stay on one page, so none is lost between it and the next."""

    def change(slots: Slots) -> Slots:
        return [
            slots[0]
            | {
                "startsAt": _at(BEGIN + timedelta(minutes=5 * number)),
                "endsAt": _at(BEGIN + timedelta(minutes=5 * number + length)),
                "availableCapacity": 1,
            }
            for number in range(MAX_TIMES_SHOWN // 2)
            for length in (5, 10, 15)
        ]

    offer(site, sandbox, change)
    page = visitor.open("/book/haircut/?day=2026-12-09")
    shown = page.hrefs(".kb-time")
    while "Later times" in page.links():
        page = visitor.open(page.link("Later times"))
        shown += page.hrefs(".kb-time")
    assert len(shown) == len(set(shown)) == MAX_TIMES_SHOWN // 2 * 3


def test_a_booking_can_be_moved_to_a_time_of_its_own_length_only(visitor: Visitor, site: Settings, sandbox: Sandbox):
    """Kordless refuses any other, so it isn't offered; the question and its form are about the booking's length."""
    page = visitor.open(visitor.book("haircut", "?day=2026-12-09").link("Change or cancel"))
    _lengths(site, sandbox, 30, 60, begin=BEGIN + timedelta(days=1, hours=1))
    page = visitor.send(page, "Reschedule")
    [(name, url)] = page.times.items()
    assert name == "10:00 AM"
    page = visitor.open(url)
    assert "11:00 AM" in page.text
    assert "&end=" in page.form("Reschedule")[1]
