"""Calendar entries: parsed back they say what was meant, whatever a business typed."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import translation
from hypothesis import example, given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from kordless_booking.api.resources import Booking, Location
from kordless_booking.normalization import visible_text
from kordless_booking.presentation.calendar_event import (
    CalendarEvent,
    calendar_file,
    event_for_booking,
    google_link,
    outlook_link,
    yahoo_link,
)
from kordless_booking.presentation.locales import supported_languages
from kordless_booking.presentation.timezones import get_timezone
from kordless_booking.presentation.vtimezone import utc_offset_changes
from tests.support.timezones import EVERY_ZONE

START = datetime(2026, 12, 1, 14, tzinfo=UTC)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CONTROLS = ("Cc", "Cs", "Zl", "Zp")


def invite(**changes):
    """An ordinary entry, with changes."""
    given = {
        "uid": "book_ab12@acme-salon.kordless.ai",
        "title": "Haircut · Acme Salon",
        "start": START,
        "end": START + timedelta(hours=1),
        "timezone": "America/New_York",
        "location": Location(type="onsite", value="123 Main St, New York"),
        "organizer_name": "Acme Salon",
        "description": "BOOK_AB12\nBring a towel; or two.",
        "url": "https://site.example/book/manage/x",
    }
    return CalendarEvent(**given | changes)


def event(entry):
    """The one event of the file, read back by icalendar."""
    calendar = Calendar.from_ical(calendar_file(entry, now=NOW))
    (found,) = calendar.walk("VEVENT")
    assert calendar.walk("VALARM") == []
    return found


def written_title(entry) -> str:
    """The title as it stands in the file."""
    return written("SUMMARY", entry)


def written(name, entry) -> str:
    """A text as it stands in the file, unfolded and unescaped by RFC 5545's rules: icalendar 6 unescapes wrongly."""
    text = calendar_file(entry, now=NOW).decode().replace("\r\n ", "")
    (line,) = re.findall(rf"^{name}:(.*)\r$", text, re.MULTILINE)
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], line)


def test_a_calendar_reads_back_what_was_meant():
    """Times, texts, place and address survive the way through the file."""
    found = event(invite())
    assert found["uid"] == "book_ab12@acme-salon.kordless.ai"
    assert found["summary"] == "Haircut · Acme Salon"
    assert found["description"] == "BOOK_AB12\nBring a towel; or two."
    assert found["location"] == "123 Main St, New York"
    assert found["contact"] == "Acme Salon"
    assert found["url"] == "https://site.example/book/manage/x"
    assert found["dtstart"].dt == START
    assert found["dtend"].dt == START + timedelta(hours=1)
    assert found["dtstamp"].dt == NOW
    assert (found["sequence"], found["status"], found["transp"]) == (0, "CONFIRMED", "OPAQUE")


def test_the_file_has_the_form_that_calendars_ask_for():
    """Version, product and the zone's rules in front of the event, no method, in CRLF lines to the end."""
    text = calendar_file(invite(), now=NOW).decode()
    assert text.startswith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:")
    assert text.endswith("END:VCALENDAR\r\n")
    assert "METHOD" not in text
    assert "\r\nDTSTART;TZID=America/New_York:20261201T090000\r\n" in text
    assert "\r\nDTEND;TZID=America/New_York:20261201T100000\r\n" in text
    assert text.index("TZID:America/New_York") < text.index("BEGIN:VEVENT")
    assert text.replace("\r\n", "").isprintable()


@pytest.mark.parametrize(("status", "transp"), [("TENTATIVE", "OPAQUE"), ("CANCELLED", "TRANSPARENT")])
def test_later_versions_replace_earlier_ones(status, transp):
    """The same UID with a higher sequence; a cancelled booking no longer takes the time."""
    found = event(invite(status=status, sequence=3))
    assert found["uid"] == event(invite())["uid"]
    assert (found["status"], found["sequence"], found["transp"]) == (status, 3, transp)


@pytest.mark.parametrize("place", ["UTC", "Etc/UTC", "GMT", "Mars/Olympus", "../../etc/passwd", ""])
def test_without_a_usable_zone_times_are_in_utc(place):
    """An unknown zone never breaks the file."""
    text = calendar_file(invite(timezone=place), now=NOW).decode()
    assert "DTSTART:20261201T140000Z" in text
    assert "VTIMEZONE" not in text


def test_old_zone_names_are_written_as_todays():
    """Calendars know today's names."""
    assert "TZID=Europe/Kyiv:20261201T160000" in calendar_file(invite(timezone="Europe/Kiev"), now=NOW).decode()


@pytest.mark.parametrize("minutes", [0, -60])
def test_an_end_that_is_none_is_left_out(minutes):
    """Strict calendars refuse a file whose event ends when it starts, or before."""
    found = event(invite(end=START + timedelta(minutes=minutes)))
    assert found["dtstart"].dt == START
    assert "dtend" not in found


def test_the_second_of_two_equal_clock_times_is_in_utc():
    """At 01:30 EST the clock shows 01:30 for the second time, which a local time in a file can't say."""
    second = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert b"DTSTART:20261101T063000Z" in calendar_file(invite(start=second, end=second + timedelta(hours=1)))
    first = second - timedelta(hours=1)
    text = calendar_file(invite(start=first, end=first + timedelta(minutes=20))).decode()
    assert "DTSTART;TZID=America/New_York:20261101T013000" in text


def test_the_end_of_the_calendar_does_no_harm():
    """A booking in the year 9999 has no year after it for rules, and is in UTC."""
    late = datetime(9999, 12, 31, 22, tzinfo=UTC)
    assert b"DTSTART:99991231T220000Z" in calendar_file(invite(start=late, end=late))


@given(st.sampled_from(EVERY_ZONE), st.integers(0, 5 * 365 * 96), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_instants_survive_in_every_zone(name, quarters, length):
    """Whatever the zone and the season, a calendar finds the booking at its own instant."""
    start = NOW + timedelta(minutes=15 * quarters)
    found = event(invite(timezone=name, start=start, end=start + timedelta(minutes=15 * length)))
    assert found["dtstart"].dt.astimezone(UTC) == start
    assert found["dtend"].dt.astimezone(UTC) == start + timedelta(minutes=15 * length)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_instants_survive_around_every_clock_change(data):
    """The same in the hours around a change, where local times come twice or never."""
    name = data.draw(st.sampled_from(EVERY_ZONE))
    found = list(utc_offset_changes(name, NOW, NOW + timedelta(days=800))) or [NOW]
    start = data.draw(st.sampled_from(found)) + timedelta(minutes=15 * data.draw(st.integers(-12, 12)))
    read = event(invite(timezone=name, start=start, end=start + timedelta(minutes=45)))
    assert read["dtstart"].dt.astimezone(UTC) == start
    assert read["dtend"].dt.astimezone(UTC) == start + timedelta(minutes=45)
    assert get_timezone(name)


HOSTILE = [
    "Hi\r\nATTENDEE:mailto:evil@x\r\nBEGIN:VALARM",
    "a\rb",
    "a\nEND:VEVENT\nBEGIN:VEVENT\nUID:2",
    "line\u2028separator\u2029and\x85next\x0bline\x0c",
    "\U0001f9d1\u200d\U0001f680" * 100,
    ';,\\"\\n\\,:',
    "\x00\x1b[31m\x7f\x9b",
    "lone\ud800surrogate",
    '"><img src=x onerror=alert(1)>{{7*7}}',
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_stay_texts(text):
    """One event, no alarm, lines of 75 octets at most, valid UTF-8, and the title is the input less its controls."""
    entry = invite(title=text, description=text, organizer_name=text, location=Location(type="custom", value=text))
    found = event(entry)
    assert written_title(entry) == "".join(c for c in text if unicodedata.category(c) not in CONTROLS)
    assert "attendee" not in found
    lines = calendar_file(entry, now=NOW).split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert all(line.decode() is not None for line in lines)


@pytest.mark.long
@given(st.text(max_size=120), st.text(max_size=300))
@example("\\N", "C:\\New\\notes\\N")
@settings(max_examples=120, deadline=None)
def test_any_text_is_carried_safely(title, description):
    """For every text: one event, its title less what doesn't show, its lines kept, folded between characters."""
    entry = invite(title=title, description=description)
    assert event(entry)
    assert written_title(entry) == visible_text(title, multiline=True).replace("\n", "").replace("\t", "")
    lines = calendar_file(invite(title=title, description=description), now=NOW).split(b"\r\n")
    assert max(map(len, lines)) <= 75
    for line in lines:
        line.decode()


@pytest.mark.parametrize(
    ("location", "text"),
    [
        (Location(type="meet_url", value="https://meet.example/x"), "https://meet.example/x"),
        (Location(type="meet_url", value="javascript:alert(1)"), None),
        (Location(type="phone", value="+12125550123"), "By phone: +1 212-555-0123"),
        (Location(type="phone", value="Call the front desk"), "Call the front desk"),
        (Location(type="onsite", value="12 Main St\r\nFloor 2"), "12 Main St\nFloor 2"),
        (Location(type="onsite", value=None), None),
        (None, None),
    ],
)
def test_the_place_is_only_written_when_it_is_one(location, text):
    """A meeting link must be a safe one; an absent place is no empty line."""
    assert event(invite(location=location)).get("location") == text


def test_an_unsafe_link_is_left_out():
    """The URL property can't be escaped, so only a safe address gets there."""
    assert "url" not in event(invite(url="https://x/\r\nATTENDEE:mailto:evil@x"))
    assert "url" not in event(invite(url=None))


def test_a_uid_is_plain_and_never_empty():
    """Line ends can't get into it, and without one there is no entry."""
    assert event(invite(uid="a\r\nb c@d"))["uid"] == "abc@d"
    with pytest.raises(ValueError, match="uid"):
        invite(uid="\r\n")


@pytest.mark.parametrize("field", ["start", "end"])
def test_naive_times_are_rejected(field):
    """A booking without a zone would land at another hour in each calendar."""
    with pytest.raises(ValueError, match="aware"):
        invite(**{field: datetime(2026, 12, 1)})  # noqa: DTZ001 (what is tested)


def test_a_repr_tells_nothing_personal():
    """Titles and numbers stay out of logs."""
    assert "Haircut" not in repr(invite())
    assert "book_ab12" not in repr(invite())


def test_links_open_the_web_calendars_filled_in():
    """Google, Outlook and Yahoo get the texts whole and the times in UTC."""
    entry = invite(title="Cut & color +1 #2", timezone="Europe/Kiev")
    google = parse_qs(urlsplit(google_link(entry)).query)
    assert google["text"] == ["Cut & color +1 #2"]
    assert google["dates"] == ["20261201T140000Z/20261201T150000Z"]
    assert google["ctz"] == ["Europe/Kyiv"]
    assert google["location"] == ["123 Main St, New York"]
    outlook = parse_qs(urlsplit(outlook_link(entry)).query)
    assert (outlook["startdt"], outlook["enddt"]) == (["2026-12-01T14:00:00Z"], ["2026-12-01T15:00:00Z"])
    assert (outlook["subject"], outlook["rru"]) == (["Cut & color +1 #2"], ["addevent"])
    yahoo = parse_qs(urlsplit(yahoo_link(entry)).query)
    assert (yahoo["st"], yahoo["et"]) == (["20261201T140000Z"], ["20261201T150000Z"])
    assert yahoo["desc"] == ["BOOK_AB12\nBring a towel; or two."]


@pytest.mark.parametrize("link", [google_link, outlook_link, yahoo_link])
@pytest.mark.parametrize("text", [*HOSTILE, "漢" * 5000])
def test_links_are_plain_and_short_whatever_the_text(link, text):
    """ASCII, blanks as %20 (Outlook shows a plus as a plus), and short enough to be accepted."""
    url = link(invite(title=text, description=text, location=Location(type="custom", value=text)))
    assert url.startswith("https://")
    assert url.isascii()
    assert "+" not in url
    assert not set(url) & set(' "<>\\\r\n')
    assert len(url) < 8000


def test_a_mails_file_has_an_organizer_and_can_cancel():
    """A name in quotation marks, an address, nothing else; the method is the file's own."""
    hostile = 'Acme "Salon"\r\nATTENDEE:mailto:evil@example.com'
    entry = invite(method="CANCEL", status="CANCELLED", organizer_email="help@salon.example", organizer_name=hostile)
    found = event(entry)
    assert str(found["organizer"]) == "mailto:help@salon.example"
    assert found["organizer"].params["CN"] == "Acme SalonATTENDEE:mailto:evil@example.com"
    assert "attendee" not in found
    assert Calendar.from_ical(calendar_file(entry, now=NOW))["method"] == "CANCEL"
    assert "organizer" not in event(invite())


@pytest.mark.parametrize("method", ["PUBLISH", "CANCEL"])
def test_only_an_organizer_publishes_and_cancels(method):
    """The standard wants to know who."""
    with pytest.raises(ValueError, match="organizer"):
        invite(method=method)


@pytest.mark.parametrize(
    ("address", "attendee"),
    [
        ("jane+salon@example.com", "mailto:jane+salon@example.com"),
        ("o'neil?x=1&y@example.com", "mailto:o'neil%3Fx%3D1%26y@example.com"),
        ("jane@b\u00fccher.example", None),
        ("a@b\r\nATTENDEE:mailto:evil@x", "mailto:a@bATTENDEE%3Amailto%3Aevil@x"),
        ("", None),
    ],
)
def test_a_cancellation_says_whose_it_is(address, attendee):
    """As a mailto address, in which nothing is read as more than an address; none where it has no such spelling."""
    entry = invite(method="CANCEL", organizer_email="help@salon.example", attendee_email=address)
    # As it is written: icalendar 6.1 decodes what it reads.
    written = calendar_file(entry, now=NOW).decode().replace("\r\n ", "").split("\r\n")
    assert [line for line in written if "ATTENDEE" in line] == ([f"ATTENDEE:{attendee}"] if attendee else [])
    assert ("attendee" in event(entry)) == bool(attendee)


ODD = [
    'Cut, color; \\ and "more"',
    "Zwei\r\nZeilen\nund \\n mehr",
    "\U0001f487\u200d\u2640\ufe0f " * 30,
    "\u05ea\u05e1\u05e4\u05d5\u05e8\u05ea \u2067(\u05e8\u05d0\u05e9)\u2069",
    "\u0642\u0635 \u0634\u0639\u0631\u060c " * 20,
    "\u6f22" * 200,
]
LINK = "https://salon.example/book/manage/" + "x" * 500 + "/?lang=ar"


def described(service="Haircut", **more):
    """The event of a booking of this service, with everything that is known about it."""
    booking = Booking(
        confirmation_number="BOOK_AB12",
        status=more.pop("status", "confirmed"),
        start=START,
        end=START + timedelta(hours=1),
    )
    known = {"host": "Sarah", "team": "Hair team", "party": "3 people", "url": LINK, "business": "Acme Salon"}
    return event_for_booking(booking, org_slug="acme-salon", title=service, **known | more)


def test_a_description_says_what_was_booked():
    """Service, host, team, people, number, and at the end the link, in the file and in each of the three links."""
    entry = described()
    text = (
        "Service: Haircut\nWith: Sarah\nTeam: Hair team\n3 people\nConfirmation number: BOOK_AB12\n\n"
        f"Change or cancel your booking here:\n{LINK}"
    )
    assert event(entry)["description"] == text
    for link, name in ((google_link, "details"), (outlook_link, "body"), (yahoo_link, "desc")):
        assert parse_qs(urlsplit(link(entry)).query)[name] == [text]


def test_a_description_leaves_out_what_is_not_known():
    """Nobody is named where the booking doesn't say whom it is with."""
    text = event(described(host="", team="", party="", url=None))["description"]
    assert text == "Service: Haircut\nConfirmation number: BOOK_AB12"


def test_the_description_of_a_canceled_booking_offers_no_change():
    """It says that it is canceled instead."""
    text = event(described(status="canceled", host="", team="", party=""))["description"]
    assert text == "This booking has been canceled.\nService: Haircut\nConfirmation number: BOOK_AB12"


@pytest.mark.parametrize("language", supported_languages())
@pytest.mark.parametrize("text", ODD)
def test_odd_names_survive_in_a_description(language, text):
    """Commas, line breaks, emoji and right-to-left names are read back as they were, each in its line."""
    with translation.override(language):
        entry = described(text, host=text, team=text)
    lines = written("DESCRIPTION", entry).split("\n")
    assert lines[-1] == LINK
    one_line = visible_text(re.sub("[\r\n]+", "", text))
    assert len([line for line in lines if one_line in line]) == 3
    assert max(map(len, calendar_file(entry, now=NOW).split(b"\r\n"))) <= 75


@pytest.mark.parametrize("link", [google_link, outlook_link, yahoo_link])
@pytest.mark.parametrize("text", [*ODD, "\u6f22" * 5000])
def test_a_long_description_keeps_its_link(link, text):
    """A description that is too long for a calendar on the web is shortened, but never its link."""
    url = link(described(text, host=text, team=text))
    assert len(url) < 8000
    query = parse_qs(urlsplit(url).query)
    [found] = query.get("details") or query.get("body") or query["desc"]
    assert found.endswith(f"\n{LINK}")


def test_a_link_that_is_too_long_is_left_out():
    """Half a link leads nowhere."""
    [found] = parse_qs(urlsplit(google_link(described(url="https://x.example/" + "x" * 2000))).query)["details"]
    assert "x.example" not in found
    assert "Confirmation number: BOOK_AB12" in found
