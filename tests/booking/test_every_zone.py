"""All zones, not some: the days on which their clocks change, their ends of the world, and rules that change later."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from kordless_booking.api.resources import Slot
from kordless_booking.booking.availability import calendar_pages, free_times
from kordless_booking.presentation.calendar_event import CalendarEvent, calendar_file, google_link
from kordless_booking.presentation.timezones import canonical_timezone, get_timezone
from kordless_booking.presentation.vtimezone import utc_offset_changes
from tests.support.spaces import plain_spaces
from tests.support.timezones import EVERY_NAME, EVERY_ZONE, write_zone

NOW = datetime(2026, 11, 1, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def slots_around(moment: datetime, hours: int) -> tuple[Slot, ...]:
    """A slot of a quarter of an hour for each quarter near a moment."""
    begin = moment.replace(minute=0, second=0) - timedelta(hours=hours)
    starts = [begin + QUARTER * step for step in range(8 * hours)]
    return tuple(Slot(start=start, end=start + QUARTER, host=None, available=1, capacity=1) for start in starts)


def midnight(day: date, name: str) -> datetime:
    """When a date begins in a zone."""
    return datetime(day.year, day.month, day.day, tzinfo=get_timezone(name)).astimezone(UTC)


@pytest.mark.long
def test_a_day_on_which_the_clocks_change_has_all_its_quarters():
    """In every zone that changes: 92, 96 and 100 quarters and what lies between, none lost and none on another day."""
    looked_at, lengths = 0, set()
    for name in EVERY_ZONE:
        for change in utc_offset_changes(name, NOW, NOW + timedelta(days=366)):
            day = change.astimezone(get_timezone(name)).date()
            begin, end = midnight(day, name), midnight(day + timedelta(days=1), name)
            times = free_times(slots_around(change, 30), zone=get_timezone(name), now=NOW - timedelta(days=9))[day]
            assert [one.start for one in times] == [begin + QUARTER * step for step in range((end - begin) // QUARTER)]
            walls = [one.local_start.replace(tzinfo=None, fold=0) for one in times]
            assert [one.ambiguous for one in times] == [walls.count(wall) == 2 for wall in walls]
            looked_at += 1
            lengths.add(len(times))
    assert looked_at > 200
    assert {92, 94, 98, 100} <= lengths


def test_the_ends_of_the_world_are_a_day_apart():
    """At +14 and -12 the same slots lie on dates that never meet; each zone's today is its own."""
    evening = datetime(2026, 12, 31, 11, tzinfo=UTC)
    [slot] = slots_around(evening, 1)[4:5]
    dates = {name: next(iter(free_times((slot,), zone=get_timezone(name), now=NOW))) for name in EVERY_ZONE}
    assert (dates["Pacific/Kiritimati"], dates["Etc/GMT-14"]) == (date(2027, 1, 1), date(2027, 1, 1))
    assert (dates["Etc/GMT+12"], dates["Pacific/Niue"]) == (date(2026, 12, 30), date(2026, 12, 31))
    assert set(dates.values()) == {date(2026, 12, 30), date(2026, 12, 31), date(2027, 1, 1)}
    # In weeks that begin with a Friday, as the year does.
    first = {calendar_pages(evening, get_timezone(name), 30, 4).first for name in EVERY_ZONE}
    assert first == {date(2026, 12, 25), date(2027, 1, 1)}


@pytest.mark.long
@given(name=st.sampled_from(EVERY_NAME), minutes=st.integers(0, 3 * 365 * 24 * 60), length=st.integers(5, 1500))
def test_page_and_calendar_agree(name: str, minutes: int, length: int):
    """For every name of every zone, the file that is taken along has the instants that the page shows."""
    start = NOW + timedelta(minutes=minutes + 1)
    slot = Slot(start=start, end=start + timedelta(minutes=length), host=None, available=1, capacity=1)
    [[shown]] = free_times((slot,), zone=get_timezone(canonical_timezone(name) or ""), now=NOW).values()
    entry = CalendarEvent(uid="x", title="x", start=shown.start, end=shown.end, timezone=name)
    [event] = Calendar.from_ical(calendar_file(entry, now=NOW)).walk("VEVENT")
    for written, local in ((event["dtstart"].dt, shown.local_start), (event["dtend"].dt, shown.local_end)):
        assert written.astimezone(UTC) == local.astimezone(UTC)
        if written.utcoffset():
            assert written.replace(tzinfo=None) == local.replace(tzinfo=None)
    assert f"{shown.start:%Y%m%dT%H%M%SZ}" in google_link(entry).replace("%2F", "/")


SHOW = """
import json, sys
from datetime import datetime, timedelta
from kordless_booking.presentation import calendar_event, formatting, timezones
start = datetime.fromisoformat(sys.argv[1])
local = start.astimezone(timezones.get_timezone("Europe/Kyiv"))
end = start + timedelta(hours=1)
entry = calendar_event.CalendarEvent(uid="x", title="x", start=start, end=end, timezone="Europe/Kyiv")
said = formatting.date_and_time(local, "en", "24"), timezones.offset_text(local)
print(json.dumps([*said, calendar_event.calendar_file(entry).decode(), calendar_event.google_link(entry)]))
"""


def shown_with(folder: Path | None, start: datetime) -> list[str]:
    """Return how a process with this time zone database (None is the installed one) shows a booking in Kyiv."""
    more = {"PYTHONTZPATH": str(folder)} if folder else {}
    done = subprocess.run(  # noqa: S603 (ours)
        [sys.executable, "-c", SHOW, start.isoformat()],
        env={**os.environ, **more, "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        check=True,
    )
    texts: list[str] = [plain_spaces(text) for text in json.loads(done.stdout)]
    return texts


@pytest.mark.long
def test_a_booking_outlives_a_change_of_its_zones_rules(tmp_path: Path):
    """Ukraine stays at summer time one day: the instant stays, its clock time moves, and page and calendar agree."""
    start = datetime(2027, 1, 12, 8, tzinfo=UTC)
    write_zone(tmp_path, "Europe/Kyiv", "<+03>-3", 3 * 3600)
    before, after = shown_with(None, start), shown_with(tmp_path, start)
    assert before[:2] == ["Tuesday, January 12, 2027, 10:00", "GMT+2"]
    assert after[:2] == ["Tuesday, January 12, 2027, 11:00", "GMT+3"]
    assert "DTSTART;TZID=Europe/Kyiv:20270112T100000" in before[2]
    assert "DTSTART;TZID=Europe/Kyiv:20270112T110000" in after[2]
    assert "TZOFFSETTO:+0300" in after[2]
    assert "TZOFFSETTO:+0200" not in after[2]
    assert before[3] == after[3]
    assert "20270112T080000Z" in after[3]
