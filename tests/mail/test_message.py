"""Mails as the recipient sees them: text, links, calendar file and headers."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from django.core import mail
from django.test import Client
from django.urls import set_script_prefix
from icalendar import Calendar
from pytest_django import Settings
from time_machine import Traveller

import kordless_booking
from kordless_booking.api.resources import Contact, Location
from kordless_booking.booking.preferences import VisitorPreferences
from kordless_booking.booking.receipt import ManageLink
from kordless_booking.changes import BookingChange, publish_change
from kordless_booking.conf import get_account
from kordless_booking.mail.enqueue import record_and_enqueue
from kordless_booking.mail.message import compose
from kordless_booking.models import OutgoingMail
from kordless_booking.sandbox import Sandbox
from tests.support.clock import NOW
from tests.support.mail_events import FIRST, GERMAN, MOVED, TERMS, booking
from tests.support.mail_reader import Letter, opened, sent
from tests.support.mail_settings import MAIL, SITE
from tests.support.spaces import plain_spaces
from tests.support.terms import make_terms
from tests.support.visitor import Page, Visitor

pytestmark = pytest.mark.django_db

HOSTILE = '"><img src=x onerror=alert(1)>{{ 7|add:7 }}{% load x %}\r\nBcc: evil@example.com\r\n\r\n<script>\u2028'


def written(
    change: BookingChange = BookingChange.CREATED, preferences: VisitorPreferences = GERMAN, **changes: Any
) -> Letter:
    """The newest mail, after a change of the booking."""
    publish_change(change, booking(**changes), account="default", now=NOW, preferences=preferences)
    return sent()[-1]


def test_a_mail_has_the_color_of_the_accent_setting(writing: Settings):
    """It is the color of the pages, whatever Kordless says."""
    assert "#1f6f5c" not in written().part("text/html").get_content()
    writing.KORDLESS_BOOKING = {**writing.KORDLESS_BOOKING, "ACCENT": "#1f6f5c"}
    assert "#1f6f5c" in written(BookingChange.CANCELLED, status="canceled").part("text/html").get_content()


def test_a_mail_is_text_html_and_a_calendar_file(writing: Settings):
    """In the order that mail programs expect; both say the same."""
    letter = written(
        preferences=VisitorPreferences(
            language="en",
            timezone="Europe/Kyiv",
            hours="24",
            terms=make_terms(timezone="Europe/Kyiv", host_name="Sarah", party_size=2),
        )
    )
    assert letter.parts == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
    ]
    for words in (
        "Hello Canary Bird,",
        "Your booking is confirmed.",
        "Haircut",
        "Wednesday, December 2, 2026, 10:00 \u2013 11:00 local time",
        "17:00 \u2013 18:00 your time",
        "Kyiv",
        "New York",
        "123 Main Street, Brooklyn",
        "Sarah",
        "2 people",
        "BOOK_AB12CD34",
        "24 hours",
        "Open the attached file to add the appointment to your calendar.",
        "help@salon.example",
        "You’re receiving this email because you booked with Acme Salon.",
    ):
        assert words in letter.text
        assert words in letter.words
    description = letter.event["description"]
    assert description.startswith("Service: Haircut\nWith: Sarah\n2 people\nConfirmation number: BOOK_AB12CD34\n")
    assert re.search(rf"\nChange or cancel your booking here:\n{SITE}/book/manage/\S+$", description)
    file = letter.part("text/calendar")
    assert file.get_filename() == "booking.ics"
    assert file.get_param("method") == "PUBLISH"
    assert file.get_content_charset() == "utf-8"


def test_no_line_of_a_mail_is_built_from_a_label_and_a_colon():
    """Languages write a colon in ways of their own: French after a space, Chinese as a sign of another width."""
    folder = Path(kordless_booking.__file__).parent / "templates" / "kordless_booking" / "mail"
    for template in folder.iterdir():
        assert not re.findall(r"[%}]}\s*[:(]", template.read_text()), template.name


def test_the_lines_of_a_text_mail_follow_the_patterns_of_its_language(writing: Settings, tmp_path: Path):
    """Label and value, and a time with its zone, are each one text to translate."""
    folder = tmp_path / "fr" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    catalog = Catalog(locale="fr")
    catalog.add("%(label)s: %(value)s", "%(label)s\u00a0: %(value)s", context="label and value")
    catalog.add("%(when)s (%(zone)s)", "%(when)s [%(zone)s]", context="time and time zone")
    with (folder / "django.mo").open("wb") as file:
        write_mo(file, catalog)
    writing.LOCALE_PATHS = [tmp_path]
    letter = written(preferences=VisitorPreferences(language="fr", timezone="Europe/Paris", terms=TERMS))
    assert "\u00a0: BOOK_AB12CD34\n" in letter.part("text/plain").get_content()
    assert "[New York" in letter.text
    assert "[New York]" in letter.subject


def test_what_the_customer_may_do_stands_above_a_policy_of_any_length(writing: Settings):
    """5,000 characters don't push the link to the booking out of reach, in the text as in the HTML."""
    letter = written(preferences=VisitorPreferences(language="en", timezone="UTC", terms=make_terms()))
    for text in (letter.text, letter.words):
        assert 0 < text.index("BOOK_AB12CD34") < text.index("Change or cancel") < text.index("24 hours")


def test_the_headers(writing: Settings):
    """Machine-made and said so, answered by people, each with a name of its own in one thread."""
    one, two = written().message, written(BookingChange.RESCHEDULED, start=MOVED).message
    assert one["From"] == "Acme Salon <bookings@salon.example>"
    assert one["Reply-To"] == "help@salon.example"
    assert one["Auto-Submitted"] == "auto-generated"
    assert one["X-Auto-Response-Suppress"] == "All"
    assert one["Message-ID"].endswith("@salon.example>")
    assert one["Message-ID"] != two["Message-ID"]
    assert one["References"] == two["References"]
    assert "AB12" not in one["Message-ID"].upper()


@pytest.mark.parametrize(
    ("sender", "shown"),
    [
        ("Booking desk <desk@salon.example>", "Booking desk <desk@salon.example>"),
        ("Café Müller <desk@salon.example>", "Café Müller <desk@salon.example>"),
        ('"Salon, Acme" <desk@salon.example>', '"Salon, Acme" <desk@salon.example>'),
        ("", "Acme Salon <webmaster@localhost>"),
    ],
)
def test_the_sender(site: Settings, account_settings: dict[str, Any], sender: str, shown: str):
    """As the settings say; else Django's own, under the business's name."""
    site.KORDLESS_BOOKING = {**account_settings, **MAIL, "MAIL_FROM": sender}
    assert written().message["From"] == shown


def test_a_mail_speaks_the_customers_language_and_clock(writing: Settings):
    """German, on Berlin's clock with 24 hours."""
    letter = written()
    assert letter.html.css_first("html").attributes == {"lang": "de", "dir": "ltr"}
    assert letter.subject.startswith("Haircut, Mi., 2. Dez., 10:00 (New York): ")
    assert "Mittwoch, 2. Dezember 2026" in letter.text
    assert "Ihre Buchung ist bestätigt." in letter.text
    assert "16:00" in letter.text
    assert str(letter.start.tzinfo) == "Europe/Berlin"
    assert letter.start == FIRST


def test_right_to_left(writing: Settings):
    """The whole mail turns round; what Kordless wrote stands apart in it."""
    letter = written(preferences=VisitorPreferences(language="ar", timezone="Africa/Cairo"))
    assert letter.html.css_first("html").attributes == {"lang": "ar", "dir": "rtl"}
    assert "تم تأكيد حجزك" in letter.text
    assert "الأربعاء" in letter.text
    assert letter.html.css_first("h1").text().strip()
    assert "Haircut" in [node.text() for node in letter.html.css("bdi")]
    assert "text-align:left" not in letter.part("text/html").get_content()


@pytest.mark.parametrize(
    ("language", "dir_", "align"), [("ar", "rtl", "right"), ("he", "rtl", "right"), ("de", "ltr", "left")]
)
def test_a_mail_keeps_its_direction_without_the_html_element(writing: Settings, language: str, dir_: str, align: str):
    """Some mail programs drop html and body: then the outer element and each table say language and direction."""
    letter = written(preferences=VisitorPreferences(language=language, timezone="Africa/Cairo"))
    outer = letter.html.css_first("body > *")
    assert (outer.attributes["lang"], outer.attributes["dir"]) == (language, dir_)
    assert {table.attributes["dir"] for table in letter.html.css("table")} == {dir_}
    aligned = [node.attributes["style"] or "" for node in letter.html.css("[style*=text-align]")]
    assert len(aligned) >= 4
    assert all(f"text-align:{align}" in style for style in aligned)


def test_a_right_to_left_subject_reads_from_the_right(writing: Settings):
    """Mail programs take the direction of a subject from its first letter, which may be that of a service's name."""
    letter = written(preferences=VisitorPreferences(language="he", timezone="Africa/Cairo"))
    assert letter.subject.startswith("\u200fHaircut, ")


def test_a_booking_from_elsewhere_is_in_the_sites_language_and_the_business_zone(writing: Settings):
    """Nobody knows how that customer reads."""
    writing.LANGUAGE_CODE = "nl"
    record_and_enqueue(
        get_account(None), booking(service_slug=None, service_id="srv_haircut"), OutgoingMail.Kind.CONFIRMED, now=NOW
    )
    [letter] = sent()
    assert "Haircut" in letter.subject
    assert "woensdag 2 december 2026" in letter.text
    assert "10:00" in letter.text
    assert str(letter.start.tzinfo) == "America/New_York"


def test_for_you_is_shown_in_the_customers_zone_alone(writing: Settings, client: Client):
    """A booking from elsewhere names its zone, in the subject as well; so does the page that the mail leads to."""
    made = booking(timezone="Europe/Kyiv", organization_name="Acme Salon")
    record_and_enqueue(get_account(None), made, OutgoingMail.Kind.CONFIRMED, now=NOW)
    record_and_enqueue(
        get_account(None),
        booking(timezone="Europe/Kyiv", start=MOVED),
        OutgoingMail.Kind.RESCHEDULED,
        now=NOW,
    )
    letter = sent()[-1]
    assert letter.subject == "Haircut, Thu, Dec 3, 10:00 AM (New York): rescheduled"
    assert "5:00 PM \u2013 6:00 PM (Kyiv · GMT+2)\n" in letter.text
    assert ": Wednesday, December 2, 2026, 10:00 AM \u2013 11:00 AM (New York · GMT-5)\n" in letter.text
    assert "your time" not in letter.text
    assert "your time" not in letter.words
    [token] = set(re.findall(r"/book/manage/([\w-]{60,})/", letter.text))
    assert ManageLink.from_token(token, "default", NOW.timestamp()).timezone is None


def test_a_time_alone_says_which_of_two_clocks_it_is_on(visitor: Visitor):
    """In the subject, and where a mail says the time before: the customer comes to a place with another clock."""
    page = visitor.open(visitor.book("haircut", "?day=2026-12-09&tz=Europe/Kyiv").link("Change or cancel"))
    [booked] = sent()
    page = visitor.open(next(iter(visitor.send(page, "Reschedule").times.values())))
    visitor.send(page, "Reschedule")
    _booked, moved = sent()
    for letter in (booked, moved):
        assert "M (New York): " in letter.subject
        assert letter.text.index("(New York · GMT-5)") < letter.text.index("(Kyiv · GMT+2)")
    assert re.search(r"^[\w ]+: .*M \(New York · GMT-5\)$", moved.text, re.MULTILINE)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (OutgoingMail.Kind.REQUESTED, "request received"),
        (OutgoingMail.Kind.CONFIRMED, "confirmed"),
        (OutgoingMail.Kind.RESCHEDULED, "rescheduled"),
        (OutgoingMail.Kind.CANCELLED, "canceled"),
        (OutgoingMail.Kind.REMINDER, "reminder"),
    ],
)
def test_the_subject_of_each_kind_of_mail_begins_with_what_and_when(
    writing: Settings, kind: OutgoingMail.Kind, status: str
):
    """On the clock that the mail shows first, and short enough for the list of mails on a phone."""
    english = VisitorPreferences(language="en", timezone="America/New_York")
    written(preferences=english)
    mail = OutgoingMail.objects.get()
    mail.kind = kind
    letter = opened(compose(mail, NOW))
    assert letter.subject == f"Haircut, Wed, Dec 2, 10:00 AM: {status}"
    assert "Wednesday, December 2, 2026, 10:00 AM \u2013 11:00 AM" in letter.text


@pytest.mark.parametrize(
    "support", ["sales,help@salon.example", "help@localhost", "help@10.0.0.1", "=?utf-8?q?x?=@a.example"]
)
def test_replies_go_to_no_address_that_is_none(writing: Settings, support: str):
    """The setting takes what a mail program reads as two addresses or as none; then they go to the sender."""
    writing.KORDLESS_BOOKING = {**writing.KORDLESS_BOOKING, "SUPPORT_EMAIL": support}
    message = written().message
    assert message["Reply-To"] is None
    assert message["From"] == "Acme Salon <bookings@salon.example>"


def test_a_page_that_does_not_know_the_customers_zone_leaves_it(visitor: Visitor):
    """A customer who books on their own clock and cancels by number gets both mails on that clock."""
    number = visitor.book("haircut", "?day=2026-12-09&tz=Europe/Kyiv").number
    sent()
    manage = visitor.send(visitor.open("/book/manage/"), "Find booking", number=number, contact="jane@example.com")
    visitor.send(visitor.send(manage, "Cancel booking"), "Cancel booking")
    booked, canceled = sent()
    for letter in (booked, canceled):
        assert " your time (Kyiv · GMT+2)" in letter.text
        assert str(letter.start.tzinfo) == "Europe/Kyiv"


def test_an_outage_of_kordless_holds_no_mail_back(writing: Settings, sandbox: Sandbox):
    """Then it says what is known: no name of the service, no place, but the time, the number and the link."""
    sandbox.faults.add("status", "*", status=503)
    letter = written(preferences=VisitorPreferences(language="en", timezone="Europe/Berlin"))
    assert letter.subject == "Booking, Wed, Dec 2, 4:00 PM: confirmed"
    assert "BOOK_AB12CD34" in letter.text
    assert f"{SITE}/book/manage/" in letter.text


def test_a_service_that_nobody_describes_still_has_a_name(writing: Settings, sandbox: Sandbox):
    """The list names it; its place and its own zone are left out."""
    sandbox.faults.add("status", "service", status=503)
    letter = written(preferences=VisitorPreferences(language="en", timezone="Europe/Berlin"))
    assert "Haircut" in letter.subject
    assert "Where" not in letter.text


def manage_page(letter: Letter, client: Client, words: str = "Change or cancel") -> Page:
    """Where the button leads."""
    [link] = [node.attributes["href"] or "" for node in letter.html.css("a") if words in node.text()]
    assert link in letter.text
    assert link.startswith(f"{SITE}/book/")
    return Visitor(client).open(link.removeprefix(SITE))


def test_the_link_leads_to_the_booking(visitor: Visitor, client: Client, sandbox: Sandbox, clock: Traveller):
    """In the mail's language, on the customer's clock, for as long as the settings say, from an absolute address."""
    confirmation = visitor.book("haircut", "?day=2026-12-09&tz=Europe/Kyiv&hours=24")
    [letter] = sent()
    page = manage_page(letter, client)
    assert page.heading == "Your booking"
    assert page.number == confirmation.number
    assert "Kyiv" in page.text
    clock.shift(timedelta(days=401))
    assert manage_page(letter, client).heading == "This link doesn’t work"


def test_a_cancelled_booking_offers_another(writing: Settings, client: Client):
    """There is nothing left to change."""
    written()
    letter = written(
        BookingChange.CANCELLED, VisitorPreferences(language="en", timezone="Europe/Berlin"), status="canceled"
    )
    page = manage_page(letter, client, "Book again")
    assert (page.status, page.heading) == (200, "Haircut")
    assert "manage/" not in letter.text
    assert "Change or cancel" not in letter.words
    assert letter.html.css_first("s") is not None


def test_the_mail_about_a_canceled_booking_books_the_same_again(writing: Settings):
    """The service's times, with the same host and for as many; the services where it isn't offered anymore."""
    terms = make_terms(host_id="host_sarah", host_name="Sarah", team_id="team_hair", party_size=2)
    english = VisitorPreferences(language="en", timezone="America/New_York", terms=terms)
    written(preferences=english)
    letter = written(BookingChange.CANCELLED, english, status="canceled")
    assert f"{SITE}/book/service/haircut/?host=host_sarah&party=2&lang=en" in letter.links
    gone = written(BookingChange.CANCELLED, english, status="canceled", service_slug="gone", confirmation_number="B2")
    assert f"{SITE}/book/?lang=en" in gone.links


def test_addresses_come_from_the_settings_alone(writing: Settings, client: Client):
    """Neither a request's host nor the prefix of a server plays in, and a prefix in SITE_URL does."""
    writing.KORDLESS_BOOKING = {**writing.KORDLESS_BOOKING, "SITE_URL": "https://salon.example/shop"}
    set_script_prefix("/elsewhere/")
    try:
        letter = written()
    finally:
        set_script_prefix("/")
    [link] = [link for link in letter.links if "manage" in link]
    assert link.startswith("https://salon.example/shop/book/manage/")
    assert "testserver" not in letter.message.as_string()


def test_the_calendar_entry_is_the_widgets_own(visitor: Visitor, sandbox: Sandbox, clock: Traveller):
    """The same UID from page and mail; each version is newer than the one before, and the last takes it away."""
    confirmation = visitor.book("haircut", "?day=2026-12-09")
    file = Calendar.from_ical(visitor.open(confirmation.link("Apple (.ics)")).html)
    [own] = file.walk("VEVENT")
    sent()
    clock.shift(30)
    manage = visitor.open(confirmation.link("Change or cancel"))
    moved = visitor.send(visitor.open(list(visitor.send(manage, "Reschedule").times.values())[-1]), "Reschedule")
    sent()
    visitor.send(visitor.send(moved, "Cancel booking"), "Cancel booking")
    booked, rescheduled, cancelled = sent()
    assert {each.event["uid"] for each in (booked, rescheduled, cancelled)} == {own["uid"]}
    assert booked.event["summary"] == own["summary"]
    sequences = [own["sequence"], *(each.event["sequence"] for each in (booked, rescheduled, cancelled))]
    assert sequences[0] <= sequences[1] < sequences[2] < sequences[3]
    assert [each.calendar["method"] for each in (booked, rescheduled, cancelled)] == ["PUBLISH", "PUBLISH", "CANCEL"]
    assert [each.part("text/calendar").get_param("method") for each in (booked, cancelled)] == ["PUBLISH", "CANCEL"]
    assert [each.event["status"] for each in (booked, rescheduled, cancelled)] == ["CONFIRMED"] * 2 + ["CANCELLED"]
    assert rescheduled.start == cancelled.start != booked.start
    assert [each.event.get("attendee") for each in (booked, rescheduled, cancelled)] == [
        None,
        None,
        "mailto:jane@example.com",
    ]
    assert {str(each.event["organizer"]) for each in (booked, cancelled)} == {"mailto:help@salon.example"}


def test_a_move_says_both_times(writing: Settings):
    """The new one first, the old one struck out."""
    english = VisitorPreferences(language="en", timezone="Europe/Berlin")
    written(preferences=english)
    letter = written(BookingChange.RESCHEDULED, english, start=MOVED)
    assert letter.subject == "Haircut, Thu, Dec 3, 10:00 AM (New York): rescheduled"
    assert re.search(r"^[\w ]+: Wednesday, December 2, 2026, 10:00 AM", letter.text, re.MULTILINE)
    assert "December 2" in plain_spaces(letter.html.css_first("s").text())


def test_hostile_texts_stay_texts(writing: Settings):
    """In the subject one line, in HTML words, in the calendar file no second property, and no template code runs."""
    hostile = {
        "service_name": f"Cut{HOSTILE}",
        "organization_name": HOSTILE,
        "location": Location(type="onsite", value=HOSTILE),
        "contact": Contact(name=HOSTILE, email="canary@example.com"),
    }
    letter = written(
        preferences=VisitorPreferences(language="en", timezone="UTC", terms=make_terms(host_name=HOSTILE)), **hostile
    )
    assert letter.subject.startswith('Cut"><img src=x…, Wed, Dec 2, ')
    assert letter.subject.endswith(": confirmed")
    assert letter.message["Bcc"] is None
    assert letter.message.get_all("To") == ["canary@example.com"]
    assert letter.html.css("img, script, iframe, link") == []
    assert "{{ 7|add:7 }}" in letter.text
    assert "Hello," in letter.text
    assert [name for name in letter.event if name in {"BCC", "ATTENDEE"}] == []
    for name in letter.message:
        assert "\n" not in letter.message[name]
    assert len(letter.subject) <= 150


@pytest.mark.parametrize(
    "name", ["Call +1 900 1234567", "www.evil.example", "see https://evil.example/", "a@b.example"]
)
def test_a_name_that_is_a_message_is_not_passed_on(writing: Settings, name: str):
    """Whoever fills in a form with somebody else's address can't write to them."""
    letter = written(
        preferences=VisitorPreferences(language="en"), contact=Contact(name=name, email="canary@example.com")
    )
    assert name not in letter.text
    assert "evil" not in letter.words
    assert letter.text.startswith("Hello,\n")


def test_nothing_is_loaded_and_nothing_is_tracked(writing: Settings):
    """No picture, no style sheet, no script, no address but our own, the map and the support's."""
    letter = written()
    html = letter.part("text/html").get_content()
    assert letter.html.css("img, script, iframe, object, form, input, link") == []
    assert "url(" not in html
    assert "@import" not in html
    hosts = {re.sub(r"^(https?://[^/]+).*", r"\1", link) for link in letter.links if link.startswith("http")}
    assert hosts <= {SITE, "https://www.openstreetmap.org", "https://www.google.com", "https://maps.google.com"}


def test_a_video_call_can_be_joined_from_the_text(writing: Settings):
    """Its address stands in words too."""
    place = Location(type="meet_url", value="https://meet.example/abc")
    assert "https://meet.example/abc" in written(location=place).text


def test_a_site_overrides_all_mails_or_those_of_one_kind(writing: Settings, tmp_path: Path):
    """A template of the same name, or with the kind before it."""
    folder = tmp_path / "kordless_booking" / "mail"
    folder.mkdir(parents=True)
    (folder / "subject.txt").write_text("{{ business }}:\n {{ headline }}\n")
    (folder / "cancelled_mail.html").write_text("<p>Bye, {{ booking.number }}</p>")
    engine = writing.TEMPLATES[0]
    writing.TEMPLATES = [{**engine, "DIRS": [tmp_path]}]
    booked = written(preferences=VisitorPreferences(language="en", timezone="UTC"))
    gone = written(
        BookingChange.CANCELLED, status="canceled", preferences=VisitorPreferences(language="en", timezone="UTC")
    )
    assert (booked.subject, gone.subject) == ("Acme Salon: You’re booked", "Acme Salon: Booking canceled")
    assert gone.words == "Bye, BOOK_AB12CD34"
    assert "You’re booked" in booked.words


@pytest.mark.parametrize(
    ("names", "who", "lines"),
    [
        ({"host_name": "Sarah", "team_name": "Hair team"}, "Sarah (Hair team)", ["With: Sarah", "Team: Hair team"]),
        ({"team_id": "team_hair", "team_name": "Hair team"}, "Hair team", ["Team: Hair team"]),
    ],
)
def test_a_mail_names_host_and_team(writing: Settings, names: dict[str, str], who: str, lines: list[str]):
    """In text, HTML and calendar file; a team alone where Kordless picks the person."""
    letter = written(preferences=VisitorPreferences(language="en", timezone="UTC", terms=make_terms(**names)))
    assert who in letter.text
    assert who in letter.words
    [event] = Calendar.from_ical(str(letter.part("text/calendar").get_content())).events
    assert [line for line in event["description"].splitlines() if line.startswith(("With", "Team"))] == lines


def test_one_mail_for_one_person(writing: Settings):
    """Nobody else is in it."""
    written()
    assert [message.recipients() for message in mail.outbox] == [["canary@example.com"]]


def test_the_manage_link_keeps_host_team_and_party(writing: Settings):
    """From a mail too, a booking can only move to times of its own host, with room for all of its people."""
    terms = make_terms(host_id="host_sarah", host_name="Sarah", team_id="team_hair", party_size=2)
    letter = written(preferences=VisitorPreferences(language="en", timezone="Europe/Kyiv", terms=terms))
    [token] = set(re.findall(r"/book/manage/([\w-]{60,})/", letter.text))
    link = ManageLink.from_token(token, "default", NOW.timestamp())
    assert (link.host_id, link.team_id, link.party_size) == ("host_sarah", "team_hair", 2)
    assert link.timezone == "Europe/Kyiv"


def test_each_mail_says_until_when_the_booking_can_be_changed(writing: Settings, sandbox: Sandbox):
    """By the clock that the mail shows first, in text and HTML; not once it is canceled, nor when it has passed."""
    later = NOW + timedelta(days=8)
    english = VisitorPreferences(language="en", timezone="America/New_York")
    until = "You can change or cancel until Tuesday, December 8, 2026"
    letter = written(start=later, preferences=english)
    assert until in letter.text
    assert until in letter.words
    letter = written(BookingChange.CANCELLED, start=later, status="canceled", preferences=english)
    assert "until" not in letter.text + letter.words
    letter = written(start=NOW + timedelta(hours=3), confirmation_number="BOOK_SOON0000", preferences=english)
    assert "until" not in letter.text + letter.words
