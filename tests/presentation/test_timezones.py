"""Names of zones: only real ones get in, old ones become today's, and offsets read as in a browser."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, available_timezones

import pytest
from babel.core import get_global
from hypothesis import given, settings
from hypothesis import strategies as st

from kordless_booking.presentation.timezones import (
    business_timezone,
    canonical_timezone,
    get_timezone,
    offset_text,
    timezone_aliases,
    timezones_by_country,
    zone_country,
)

REAL = available_timezones() - {"Factory", "localtime"}
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
# What Python 3.11's ZoneInfo answers with IsADirectoryError, OSError, ValueError or ZoneInfoNotFoundError.
HOSTILE = ["America", "a" * 300, "a\0b", "../../etc/passwd", "/etc/passwd", "", "\ud800", "__init__.py", "leapseconds"]
HOSTILE += ["europe/paris", "US/Pacific-New", "posixrules", "localtime", "Factory", "tzdata.zi", " UTC", "UTC\n"]


@pytest.mark.parametrize("name", [*HOSTILE, None])
def test_what_is_no_zone_is_none(name):
    """Nothing raises and nothing unreal gets through, whatever a query string holds."""
    assert canonical_timezone(name) is None


@given(st.text(max_size=40))
@settings(max_examples=200)
def test_any_text_is_a_zone_or_none(text):
    """A text is either the exact name of a zone or None."""
    assert (canonical_timezone(text) is None) == (text not in REAL)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("Europe/Kiev", "Europe/Kyiv"),
        ("Asia/Saigon", "Asia/Ho_Chi_Minh"),
        ("America/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("America/Godthab", "America/Nuuk"),
        ("Pacific/Truk", "Pacific/Chuuk"),
        ("Africa/Timbuktu", "Africa/Bamako"),
        ("Iceland", "Atlantic/Reykjavik"),
        ("US/Pacific", "America/Los_Angeles"),
        ("Europe/Oslo", "Europe/Oslo"),
        ("Etc/UTC", "UTC"),
        ("Zulu", "UTC"),
        ("UTC", "UTC"),
        ("Etc/GMT+5", "Etc/GMT+5"),
    ],
)
def test_an_old_name_becomes_todays(old, new):
    """Renamed zones get their new name; places of their own keep theirs, though the database shares their rules."""
    assert canonical_timezone(old) == new


@pytest.mark.parametrize("name", sorted(REAL))
def test_a_new_name_keeps_the_clock(name):
    """Every name of the database is accepted, and its successor shows the same time all year."""
    today = canonical_timezone(name)
    assert today is not None
    assert canonical_timezone(today) == today
    for day in range(0, 366, 15):
        moment = NOW + timedelta(days=day)
        assert moment.astimezone(get_timezone(today)).utcoffset() == moment.astimezone(ZoneInfo(name)).utcoffset()


def test_only_places_are_listed():
    """The list to choose from has no Etc, no bare abbreviations, nothing twice, and every entry has its country."""
    names = timezones_by_country()
    assert len(names) > 400
    assert len(set(names)) == len(names)
    assert not [n for n in names if "/" not in n or n.startswith(("Etc/", "SystemV/", "posix/", "right/", "US/"))]
    assert all(canonical_timezone(name) == name and len(zone_country(name) or "") == 2 for name in names)


def test_old_zone_names_are_found_by_the_search():
    """A zone knows what it was called, and one that never changed has no other name."""
    assert "Europe/Kiev" in timezone_aliases("Europe/Kyiv")
    assert timezone_aliases("Europe/Berlin") == ()


def test_a_zone_is_only_made_from_a_known_name():
    """`zone` is no way around the table: an unknown name is a ValueError, never a file access."""
    assert get_timezone("Asia/Kolkata").key == "Asia/Kolkata"
    for name in HOSTILE:
        with pytest.raises(ValueError, match="not a time zone"):
            get_timezone(name)


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (0, "GMT"),
        (120, "GMT+2"),
        (345, "GMT+5:45"),
        (-210, "GMT-3:30"),
        (840, "GMT+14"),
        (-720, "GMT-12"),
        (-30, "GMT-0:30"),
    ],
)
def test_offsets_are_written_as_browsers_write_them(minutes, text):
    """Hours without a leading zero, minutes only when there are some, nothing at all for Greenwich."""
    assert offset_text(NOW.astimezone(timezone(timedelta(minutes=minutes)))) == text


def test_offsets_follow_the_language():
    """French counts from UTC, Arabic spells Greenwich its own way, an unknown language is English."""
    moment = NOW.astimezone(ZoneInfo("Europe/Paris"))
    assert offset_text(moment, "fr") == "UTC+1"
    assert offset_text(moment, "ar") == "غرينتش\u200e+1"
    assert offset_text(moment, "xx") == "GMT+1"


def test_a_naive_time_has_no_offset():
    """A naive time is a mistake of the caller and says so."""
    with pytest.raises(ValueError, match="naive"):
        offset_text(datetime(2026, 1, 1))  # noqa: DTZ001 (what is tested)


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("America/New_York", "America/New_York"),
        ("america/new_york", "America/New_York"),
        ("America/New York", "America/New_York"),
        ("US/Eastern ", "America/New_York"),
        (" Asia/Calcutta", "Asia/Kolkata"),
        ("EUROPE/KIEV", "Europe/Kyiv"),
        ("Eastern Standard Time", "America/New_York"),
        ("w. europe standard time", "Europe/Berlin"),
        ("India Standard Time", "Asia/Kolkata"),
        ("Romance  Standard Time", "Europe/Paris"),
        ("UTC-11", "Etc/GMT+11"),
        ("utc", "UTC"),
        ("Z", None),
        ("GMT+2", "Etc/GMT-2"),
        ("UTC -05:00", "Etc/GMT+5"),
        ("+0300", "Etc/GMT-3"),
        ("GMT+00:00", "UTC"),
        ("GMT+14", "Etc/GMT-14"),
        ("GMT+15", None),
        ("GMT+5:30", None),
        ("Eastern Time", None),
        ("New York", None),
        ("", None),
        (None, None),
    ],
)
def test_a_zone_is_understood_as_businesses_type_it(typed, zone):
    """IANA names in any case, names of Windows, offsets in hours; what is left is None, not UTC."""
    assert business_timezone(typed) == zone


@pytest.mark.parametrize("name", sorted(get_global("windows_zone_mapping")))
def test_every_zone_of_windows_is_known(name):
    """By CLDR's windowsZones, as Babel has it."""
    assert get_timezone(business_timezone(name))


@given(st.text(max_size=40))
def test_any_text_of_a_business_is_a_zone_or_none(text):
    """Nothing raises, and what comes out is a zone."""
    zone = business_timezone(text)
    assert zone is None or get_timezone(zone)


@pytest.mark.parametrize(("typed", "offset"), [("GMT+2", 2), ("UTC-05:00", -5), ("+14", 14), ("GMT-12", -12)])
def test_an_offset_has_its_own_sign(typed, offset):
    """POSIX names have the opposite one."""
    assert NOW.astimezone(get_timezone(business_timezone(typed))).utcoffset() == timedelta(hours=offset)
