"""Times, notices, prices and masked contacts in words: nothing that isn't so, in every zone and language."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import translation
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kordless_booking.api.resources import CancellationPolicy, Price, PriceKind
from kordless_booking.presentation import formatting, texts
from kordless_booking.presentation.clocks import PlaceClock
from kordless_booking.presentation.locales import supported_languages
from kordless_booking.presentation.texts import (
    DisplayTimes,
    change_deadline,
    changeable_until,
    display_times,
    format_range,
    mailed_text,
    mask_contact,
    notice_minutes,
    policy_text,
    price_text,
    short_notice,
    short_times,
)
from kordless_booking.presentation.timezones import get_timezone, timezones_by_country
from tests.support.spaces import plain_spaces

NEW_YORK, KYIV = "America/New_York", "Europe/Kyiv"
NINE = datetime(2026, 12, 8, 14, tzinfo=UTC)
"""9 AM in New York."""
ZONES = st.sampled_from(timezones_by_country())
LENGTHS = st.one_of(st.integers(1, 3 * 1440), st.sampled_from([1440, 2 * 1440, 3 * 1440, 7 * 1440]))


def ends_another_day(start: datetime, end: datetime) -> bool:
    """As the calendar on the wall has it: midnight sharp still belongs to the evening before, but not a whole day."""
    last = (end - timedelta(microseconds=1)).date()
    return last > start.date() or (end.date() > start.date() and start.time() == end.time())


@pytest.mark.parametrize(
    ("length", "zone", "text"),
    [
        (
            timedelta(hours=24),
            NEW_YORK,
            "Tuesday, December 8, 2026, 9:00 AM \u2013 Wednesday, December 9, 2026, 9:00 AM",
        ),
        (timedelta(days=3), NEW_YORK, "Tuesday, December 8, 2026, 9:00 AM \u2013 Friday, December 11, 2026, 9:00 AM"),
        (timedelta(hours=15), NEW_YORK, "Tuesday, December 8, 2026, 9:00 AM \u2013 12:00 AM"),
        (timedelta(hours=9), KYIV, "Tuesday, December 8, 2026, 4:00 PM \u2013 Wednesday, December 9, 2026, 1:00 AM"),
        (timedelta(days=31), NEW_YORK, "Tuesday, December 8, 2026, 9:00 AM \u2013 Friday, January 8, 2027, 9:00 AM"),
        (timedelta(0), NEW_YORK, "Tuesday, December 8, 2026, 9:00 AM"),
        (-timedelta(hours=1), NEW_YORK, "Tuesday, December 8, 2026, 9:00 AM"),
    ],
)
def test_the_end_of_a_long_booking_has_its_date(length: timedelta, zone: str, text: str):
    """The second date is there where it differs, not for midnight sharp, and an end that is none isn't shown."""
    with translation.override("en"):
        assert plain_spaces(format_range(NINE, NINE + length, zone, "en")) == text


def test_a_whole_day_from_midnight_has_both_dates():
    """From one midnight to the next, two equal clock times on one date would read as nothing."""
    midnight = NINE - timedelta(hours=9)
    with translation.override("en"):
        text = format_range(midnight, midnight + timedelta(days=1), NEW_YORK, "en")
    assert plain_spaces(text) == "Tuesday, December 8, 2026, 12:00 AM \u2013 Wednesday, December 9, 2026, 12:00 AM"


def test_an_end_in_the_hour_that_comes_twice_has_its_offset():
    """An hour from 1:30 AM ends at 1:30 AM when the clocks go back."""
    start = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    with translation.override("en"):
        text = format_range(start, start + timedelta(hours=1), NEW_YORK, "en")
    assert plain_spaces(text) == "Sunday, November 1, 2026, 1:30 AM \u2013 1:30 AM (GMT-5)"


@pytest.mark.parametrize("language", supported_languages())
def test_a_long_booking_has_both_dates_in_every_language(language: str):
    """Each end is written as the language writes a date with a time, and nothing but a dash stands between."""
    here = NINE.astimezone(get_timezone(NEW_YORK))
    with translation.override(language):
        text = format_range(NINE, NINE + timedelta(days=3), NEW_YORK, language)
    first, last = (formatting.date_and_time(moment, language) for moment in (here, here + timedelta(days=3)))
    assert text.startswith(first)
    assert text.endswith(last)
    assert text[len(first) : -len(last)].strip(" \xa0") in {"\u2013", "\u2014", "\uff5e", "~"}


@given(
    zone=ZONES,
    language=st.sampled_from(["en", "ar", "he", "id", "ja", "vi", "zh-hant"]),
    minutes=st.integers(0, 3 * 365 * 1440),
    length=LENGTHS,
)
@example(zone=NEW_YORK, language="en", minutes=0, length=1440)
@settings(max_examples=150, deadline=None)
def test_the_end_date_is_shown_exactly_where_it_differs(zone: str, language: str, minutes: int, length: int):
    """For every interval in every zone: the text has the date of the end, unless it is the start's."""
    start = NINE + timedelta(minutes=minutes)
    here, until = (moment.astimezone(get_timezone(zone)) for moment in (start, start + timedelta(minutes=length)))
    with translation.override(language):
        text = format_range(start, start + timedelta(minutes=length), zone, language)
    assert formatting.full_date(here.date(), language) in text
    assert formatting.clock_time(until, language) in text
    if here.date() != until.date():
        assert (formatting.full_date(until.date(), language) in text) is ends_another_day(here, until)


@given(own=ZONES, site=ZONES, minutes=st.integers(0, 3 * 365 * 1440), length=LENGTHS)
@settings(max_examples=150, deadline=None)
def test_each_of_two_clocks_has_its_own_end_date(own: str, site: str, minutes: int, length: int):
    """The visitor's clock and the one on site may have different dates for the end: each is said or left out."""
    start = NINE + timedelta(minutes=minutes)
    end = start + timedelta(minutes=length)
    with translation.override("en"):
        times = display_times(start, end, own, PlaceClock(site, counts=True), "en")
    for text, zone in ((times.when, site), (times.other, own)):
        here, until = (moment.astimezone(get_timezone(zone)) for moment in (start, end))
        if text and here.date() != until.date():
            assert (formatting.full_date(until.date(), "en") in text) is ends_another_day(here, until)


@pytest.mark.parametrize(
    ("notice", "text"),
    [
        (None, ""),
        (0, ""),
        (-3, ""),
        (0.001, ""),
        (1e9, ""),
        (0.25, "Please cancel at least 15 min in advance."),
        (0.5, "Please cancel at least 30 min in advance."),
        (1, "Please cancel at least 1 hour in advance."),
        (1.5, "Please cancel at least 1 hr 30 min in advance."),
        (24.0, "Please cancel at least 24 hours in advance."),
        (24.5, "Please cancel at least 1 day 30 min in advance."),
        (36, "Please cancel at least 36 hours in advance."),
    ],
)
def test_a_notice_is_shown_to_the_minute(notice: float | None, text: str):
    """Half hours are no whole ones; without a notice, or with one that no booking could keep, nothing is said."""
    with translation.override("en"):
        assert plain_spaces(policy_text(CancellationPolicy(notice_hours=notice, text=None))) == text


@given(st.floats(allow_nan=False, min_value=0, max_value=1e15), st.sampled_from(supported_languages()))
@settings(max_examples=100, deadline=None)
def test_no_notice_says_zero(notice: float, language: str):
    """Whatever a business set up: a sentence with a number of its own, or none."""
    with translation.override(language):
        text = policy_text(CancellationPolicy(notice_hours=notice, text=None))
    assert " 0 " not in text
    assert bool(text) is (1 <= round(notice * 60) <= 366 * 24 * 60)


@given(st.none() | st.floats(allow_nan=False, min_value=-1e15, max_value=1e15))
def test_one_notice_period_counts_wherever_it_is_shown(hours: float | None):
    """The sentence, the few words in the head of a step and the minutes agree on what is a mistake."""
    policy = CancellationPolicy(notice_hours=hours, text=None)
    with translation.override("en"):
        assert bool(notice_minutes(policy)) == bool(policy_text(policy)) == bool(short_notice(policy))


def test_the_zone_of_the_other_clock_stands_in_the_line_as_it_does_in_mails():
    """By one text to translate; not where the time says itself whose it is."""
    clocks = DisplayTimes("9:00 AM", "New York", "America/New_York", "3:00 PM", "Berlin", names_other=True)
    with translation.override("en"):
        other = formatting.time_in_zone("3:00 PM", "Berlin")
        assert clocks.line == f"9:00 AM\xa0· {other}"
        assert other == "3:00 PM (Berlin)"
        assert replace(clocks, names_other=False).line == "9:00 AM\xa0· 3:00 PM"


@pytest.mark.parametrize(
    ("price_per", "party", "text"),
    [
        ("", 1, "$33.34"),
        ("", 3, "$33.34 (listed price)"),
        ("booking", 1, "$33.34"),
        ("booking", 3, "$33.34"),
        ("person", 1, "$33.34"),
        ("person", 3, "$33.34 per person, $100.01 in total"),
    ],
)
def test_a_price_beside_a_party_says_what_it_is_for(price_per: str, party: int, text: str):
    """For each, for all, or neither where nobody knows; a total is computed from the exact amount."""
    price = Price(kind=PriceKind.FIXED, amount=Decimal("33.336"), currency="USD")
    with translation.override("en"):
        assert price_text(price, party, price_per, "en") == text


@pytest.mark.parametrize("price_per", ["", "booking", "person"])
def test_words_instead_of_a_price_are_for_everybody(price_per: str):
    """A free service is free for all, a price that varies does for all, and what is unknown stays so."""
    with translation.override("en"):
        assert price_text(Price(kind=PriceKind.FREE), 3, price_per, "en") == "Free"
        assert price_text(Price(kind=PriceKind.VARIABLE), 3, price_per, "en") == "Price varies"
        assert price_text(Price(), 3, price_per, "en") == ""
        assert price_text(Price(kind=PriceKind.FIXED), 3, price_per, "en") == ""


def test_a_total_that_is_nonsense_is_not_shown():
    """The amount of one is still a price, that of all is none anymore."""
    price = Price(kind=PriceKind.FIXED, amount=Decimal(10) ** 12 - 1)
    with translation.override("en"):
        assert price_text(price, 3, "person", "en") == "999,999,999,999.00 (listed price)"


@pytest.mark.parametrize(
    ("contact", "shown"),
    [
        ("jane@example.com", "j…@example.com"),
        ("j@example.com", "j…@example.com"),
        ("münchen@bücher.example", "m…@bücher.example"),
        ("+12125550123", "…23"),
        ("123", "…"),
        ("", ""),
    ],
)
def test_a_contact_is_masked(contact: str, shown: str):
    """The first letter and the domain of an email address, the last two digits of a phone number."""
    assert mask_contact(contact) == shown


@given(st.text(min_size=1, max_size=80), st.from_regex(r"[a-z]{1,20}\.example", fullmatch=True))
def test_a_mask_shows_one_character_of_the_name(name: str, domain: str):
    """Whatever stands before the last at sign."""
    assert mask_contact(f"{name}@{domain}") == f"{name[0]}…@{domain}"


@pytest.mark.parametrize(("language", "shown"), [("en", "j…@example.com"), ("he", "\u2066j…@example.com\u2069")])
def test_a_masked_address_keeps_its_direction_in_a_right_to_left_sentence(language: str, shown: str):
    """Isolated there, because its parts would change places among Hebrew letters."""
    with translation.override(language):
        assert shown in mailed_text("jane@example.com").replace("\u2060", "")


@pytest.mark.parametrize(
    ("zone", "site", "lines"),
    [
        ("America/New_York", None, ["Tue, Dec 1, 9:00 AM"]),
        ("America/Toronto", "America/New_York", ["Tue, Dec 1, 9:00 AM"]),
        ("Europe/Kyiv", "America/New_York", ["Tue, Dec 1, 9:00 AM local time", "4:00 PM your time"]),
        ("Asia/Tokyo", "America/New_York", ["Tue, Dec 1, 9:00 AM local time", "11:00 PM your time"]),
        ("Pacific/Auckland", "America/New_York", ["Tue, Dec 1, 9:00 AM local time", "Wed, Dec 2, 3:00 AM your time"]),
    ],
)
def test_the_short_times_are_a_line_for_each_clock(zone: str, site: str | None, lines: list[str]):
    """The date of the second clock is said only where it is another one."""
    with translation.override("en"):
        place = PlaceClock(site, counts=True) if site else None
        start = datetime(2026, 12, 1, 14, tzinfo=UTC)
        shown = short_times(start, start + timedelta(hours=1), zone, place, "en")
        assert [plain_spaces(line) for line in shown] == lines


@pytest.mark.parametrize(
    ("hours", "lines"),
    [
        (23, ["Tue, Dec 1, 9:00 AM local time", "4:00 PM your time"]),
        (
            72,
            [
                "Tue, Dec 1, 9:00 AM \u2013 Fri, Dec 4, 9:00 AM local time",
                "Tue, Dec 1, 4:00 PM \u2013 Fri, Dec 4, 4:00 PM your time",
            ],
        ),
    ],
)
def test_the_short_times_of_a_long_booking_say_its_end(hours: int, lines: list[str]):
    """By each of two clocks, from 24 hours on."""
    start = datetime(2026, 12, 1, 14, tzinfo=UTC)
    with translation.override("en"):
        place = PlaceClock("America/New_York", counts=True)
        shown = short_times(start, start + timedelta(hours=hours), "Europe/Kyiv", place, "en")
        assert [plain_spaces(line) for line in shown] == lines


# In Berlin, clocks went forward on March 29, 2026 at 2 AM, and back on October 25, 2026 at 3 AM.
@pytest.mark.parametrize(
    ("start", "hours", "zone", "text"),
    [
        ("2026-12-08T14:00Z", 24, NEW_YORK, "Monday, December 7, 2026, 9:00 AM"),
        ("2026-12-08T14:00Z", 0.5, NEW_YORK, "Tuesday, December 8, 2026, 8:30 AM"),
        # 24 hours, of which the clock shows 23 and 25.
        ("2026-03-29T08:00Z", 24, "Europe/Berlin", "Saturday, March 28, 2026, 9:00 AM"),
        ("2026-10-25T08:00Z", 24, "Europe/Berlin", "Saturday, October 24, 2026, 10:00 AM"),
        # The clock shows this time twice.
        ("2026-10-26T00:30Z", 24, "Europe/Berlin", "Sunday, October 25, 2026, 2:30 AM (Berlin · GMT+2)"),
        ("2026-10-26T01:30Z", 24, "Europe/Berlin", "Sunday, October 25, 2026, 2:30 AM (Berlin · GMT+1)"),
    ],
)
def test_the_deadline_of_changes_is_counted_in_real_hours(start: str, hours: float, zone: str, text: str):
    """Over clock changes, too: what is said is the moment at which it begins to be too late."""
    moment = datetime.fromisoformat(start)
    with translation.override("en"):
        clocks = display_times(moment, moment + timedelta(hours=1), zone, None, "en")
        deadline = changeable_until(
            CancellationPolicy(notice_hours=hours), moment, moment - timedelta(days=3), clocks, "en"
        )
    assert plain_spaces(deadline) == f"You can change or cancel until {text}."


@given(
    start=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=ZONES.map(get_timezone)),  # noqa: DTZ001
    zone=ZONES,
)
def test_the_deadline_is_never_on_the_other_side_of_the_notice(start: datetime, zone: str):
    """Whatever zone a start is given in: exactly the notice lies in between, and it says nothing once it has passed."""
    policy = CancellationPolicy(notice_hours=24)
    deadline = change_deadline(policy, start)
    assert deadline is not None
    assert start.astimezone(UTC) - deadline == timedelta(hours=24)
    with translation.override("en"):
        clocks = display_times(start, start + timedelta(hours=1), zone, None, "en")
        assert changeable_until(policy, start, deadline, clocks, "en")
        assert changeable_until(policy, start, deadline + timedelta(seconds=1), clocks, "en") == ""


@pytest.mark.parametrize("hours", [None, 0, -3, 1e9, 0.001])
def test_without_a_sensible_notice_there_is_no_deadline(hours: float | None):
    """None, less than a minute, and what can only be a mistake."""
    assert change_deadline(CancellationPolicy(notice_hours=hours), NINE) is None


def test_the_words_beside_a_time_stay_together():
    """None of “local time” stands alone below the range; a long translation may break."""
    assert texts._keep_words_together("%(when)s local time") == "%(when)s local\xa0time"
    assert texts._keep_words_together("Vor Ort um %(when)s") == "Vor\xa0Ort\xa0um %(when)s"
    long = "%(when)s by the clock of the business"
    assert texts._keep_words_together(long) == long
    assert texts._keep_words_together("%(when)s") == "%(when)s"
