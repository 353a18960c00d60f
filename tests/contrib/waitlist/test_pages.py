"""The link on the page of times, the form, and the page of an entry."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking import hooks
from kordless_booking.contrib.waitlist.entries import EntryData
from kordless_booking.contrib.waitlist.models import WaitlistEntry
from kordless_booking.funnel import counters
from kordless_booking.models import FunnelCount
from kordless_booking.sandbox import Sandbox
from tests.support.clock import NOW
from tests.support.phone_messages import PHONE
from tests.support.visitor import HTMX, Visitor
from tests.support.waitlist import FORM_URL, JANE, TODAY, join_waitlist, message_url

pytestmark = pytest.mark.django_db

Booked = dict[datetime, list[str]]


def data() -> EntryData:
    """Return what the only entry holds."""
    return EntryData.from_row(WaitlistEntry.objects.get())


# The link


def test_the_page_of_times_links_to_the_form_with_what_the_visitor_has_chosen(visitor: Visitor):
    """Zone, host and party go along; nothing personal is in the URL."""
    page = visitor.open("/book/haircut/?tz=Europe/Paris&host=host_sarah")
    assert page.link("Tell me when another time is free") == "/book/waitlist/haircut/?tz=Europe/Paris&host=host_sarah"
    assert visitor.follow("Tell me when another time is free").heading == "Tell me when a time is free"
    assert "Tell me when a time is free" in visitor.open("/book/head-spa/?month=2026-12").text


def test_links_of_optional_apps_below_the_times_are_one_quiet_block(visitor: Visitor):
    """They share the widget's class for them, and load no style sheet of their own."""
    page = visitor.open("/book/haircut/")
    assert page.html.count('<p class="kb-after') == 1
    assert "kordless_waitlist/" not in page.html


def test_the_link_costs_a_warm_page_no_query_and_no_request(visitor: Visitor, sandbox: Sandbox):
    """It is made with the page, and cached with it."""
    visitor.open("/book/haircut/")
    sandbox.clear_requests()
    with CaptureQueriesContext(connection) as queries:
        visitor.open("/book/haircut/")
    assert list(queries) == []
    assert list(sandbox.requests) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"WAITLIST": False},
        {"MAIL": False, "MESSENGER": ""},
        {"MESSENGER": "", "CONTACT_FIELDS": {"email": "hidden"}},
    ],
    ids=["switched off", "sends nothing", "asks for no contact that it can write to"],
)
def test_a_site_that_can_tell_nobody_has_no_byte_of_it(visitor: Visitor, waiting: Settings, changes: dict[str, object]):
    """The pages are those of a site without the app, and the form isn't there."""
    waiting.KORDLESS_BOOKING = {**waiting.KORDLESS_BOOKING, **changes}
    with_app = [visitor.open(url).html for url in ("/book/haircut/", "/book/head-spa/?month=2026-12")]
    assert visitor.open(FORM_URL).status == 404
    with hooks.temporary_hooks():
        without = [visitor.open(url).html for url in ("/book/haircut/", "/book/head-spa/?month=2026-12")]
    assert with_app == without


# The form


def test_an_entry_is_stored_sealed_with_the_visitors_choices(visitor: Visitor, booked: Booked):
    """Contact, zone, host and party are encrypted; the row's columns say nothing of the person."""
    url = f"{FORM_URL}?tz=Europe/Paris&host=host_sarah&lang=de&hours=24"
    page = visitor.open(url)
    assert page.form("Benachrichtigen")[2]["provider"] == "host:host_sarah"
    page = visitor.send(page, "Benachrichtigen", contact=" Jane@Example.com ", until=TODAY, part="evening")
    assert page.status == 200
    row, found = WaitlistEntry.objects.get(), data()
    assert (found.contact, found.part, found.timezone, found.language) == (
        "Jane@example.com",
        "evening",
        "Europe/Paris",
        "de",
    )
    # The salon's clock counts, because customers come there.
    assert (found.zone, found.host_id, found.provider_name, found.hours) == (
        "America/New_York",
        "host_sarah",
        "Sarah",
        "24",
    )
    columns = " ".join(str(value) for name, value in vars(row).items() if name != "encrypted")
    assert "example.com" not in columns.lower()
    assert JANE not in " ".join(visitor.urls)
    assert "jane@" not in page.html.lower()


def test_the_form_begins_with_the_last_day_of_the_page_that_the_visitor_came_from(visitor: Visitor):
    """Five weeks from this one, and later from a later page; never beyond what can be booked or waited for."""
    assert visitor.open(FORM_URL).form("Tell me")[2]["until"] == "2027-01-02"
    assert visitor.open(f"{FORM_URL}?month=2027-01-03").form("Tell me")[2]["until"] == "2027-01-26"


@pytest.mark.parametrize("query", ["", "?day=2026-12-20", "?until=2026-12-24&day=2026-12-20", "?not=67"])
def test_the_form_begins_with_the_last_day_of_a_page_that_was_opened_further_on(visitor: Visitor, query: str):
    """The latest date follows the page of times, which shows later weeks when the first have no free time."""
    page = visitor.open(f"/book/head-spa/{query}")
    assert page.texts(".kb-month h2") == ["January \u2013 February 2027"]
    form = visitor.open(page.link("Tell me when another time is free"))
    # WAITLIST_DAYS ends before the page does.
    assert form.form("Tell me")[2]["until"] == "2027-01-26"


def test_while_a_time_that_fits_is_free_the_form_leads_there(visitor: Visitor):
    """Nobody waits for what can be booked; nothing is stored, and nothing typed is lost."""
    page = visitor.send(visitor.open(FORM_URL), "Tell me", contact=JANE, part="morning")
    assert page.status == 422
    assert "is free right now" in page.text
    assert page.form("Tell me")[2]["contact"] == JANE
    assert page.form("Tell me")[2]["part"] == "morning"
    assert WaitlistEntry.objects.count() == 0
    assert visitor.follow("Show the free times").heading == "Haircut"


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"contact": ""}, "Please enter an email address or a phone number."),
        ({"contact": "jane"}, "Please enter an email address or a phone number."),
        ({"contact": "jane@"}, "Please check the email address."),
        ({"contact": "12345"}, "Please check the phone number."),
        ({"contact": "+1 900 555 0123"}, "cell phone"),
        ({"until": ""}, "Please enter a date from Tuesday, December 1, 2026 to Tuesday, January 26, 2027."),
        ({"until": "2026-11-30"}, "Please enter a date from"),
        ({"until": "2028-01-01"}, "Please enter a date from"),
        ({"until": "2026-02-31"}, "Please enter a date from"),
        ({"until": "tomorrow"}, "Please enter a date from"),
    ],
)
def test_invalid_input_is_explained_and_kept(visitor: Visitor, booked: Booked, answers: dict[str, str], words: str):
    """422, a text at the field, and everything as it was typed."""
    sent = {"contact": JANE, "until": TODAY, "part": "evening", **answers}
    page = visitor.send(visitor.open(FORM_URL), "Tell me", **sent)
    assert page.status == 422
    assert words in page.alert.replace("\xa0", " ")
    assert {name: page.form("Tell me")[2][name] for name in sent} == sent
    assert WaitlistEntry.objects.count() == 0


@given(
    contact=st.text(max_size=400),
    until=st.text(max_size=60),
    part=st.text(max_size=30),
    provider=st.text(max_size=400),
    code=st.text(max_size=40),
)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_whatever_is_posted_gets_a_page(
    visitor: Visitor, contact: str, until: str, part: str, provider: str, code: str
):
    """Never a 500, and no entry for a contact that nobody could write to."""
    fields = {"contact": contact, "until": until, "part": part, "provider": provider, "code": code}
    response = visitor.client.post(FORM_URL, fields, headers={"Sec-Fetch-Site": "same-origin"})
    assert response.status_code in {303, 422, 429}
    assert WaitlistEntry.objects.count() == 0 or response.status_code == 303


def test_a_form_that_is_sent_twice_is_one_entry(visitor: Visitor, booked: Booked):
    """A double click, or Back and once more."""
    page = visitor.open(FORM_URL)
    first = visitor.send(page, "Tell me", contact=JANE, until=TODAY)
    second = visitor.send(page, "Tell me", contact=JANE, until=TODAY)
    assert first.url == second.url
    assert WaitlistEntry.objects.count() == 1


def test_a_contact_has_three_entries_at_the_same_time(visitor: Visitor, booked: Booked):
    """However it is spelled; one that is stopped makes room."""
    for contact in (JANE, "JANE@example.com", " jane@Example.com"):
        assert join_waitlist(visitor, contact).status == 200
    fourth = join_waitlist(visitor)
    assert fourth.status == 422
    assert "three requests" in fourth.alert
    first = WaitlistEntry.objects.order_by("pk").first()
    assert first is not None
    visitor.send(visitor.open(f"/book/waitlist/{EntryData.from_row(first).code}"), "Stop these messages")
    assert join_waitlist(visitor).status == 200


def test_a_contact_and_a_client_can_not_send_forms_without_end(visitor: Visitor, booked: Booked, waiting: Settings):
    """The contact by ten a day, the client as with the form that books."""
    for _number in range(10):
        join_waitlist(visitor)
        WaitlistEntry.objects.all().delete()
    assert join_waitlist(visitor).status == 429
    waiting.KORDLESS_BOOKING = {**waiting.KORDLESS_BOOKING, "BOOKINGS_PER_ADDRESS": 2}
    found = [join_waitlist(visitor, f"guest{number}@example.com").status for number in range(3)]
    assert found == [200, 200, 429]


def test_a_filled_honeypot_is_reported_and_nothing_is_stored(visitor: Visitor, booked: Booked):
    """The form that comes back has no such field."""
    page = visitor.send(visitor.open(FORM_URL), "Tell me", contact=JANE, until=TODAY, kb_hp="x")
    assert page.status == 422
    assert "kb_hp" not in page.form("Tell me")[2]
    assert WaitlistEntry.objects.count() == 0


def test_while_kordless_fails_the_form_is_kept(visitor: Visitor, booked: Booked, sandbox: Sandbox, clock: Traveller):
    """503, with everything that was typed; sending it later works."""
    page = visitor.open(FORM_URL)
    clock.shift(timedelta(days=2))
    for operation in ("organization", "service", "availability"):
        sandbox.faults.add("status", operation, status=500)
    failed = visitor.send(page, "Tell me", contact=JANE, until="2026-12-04", part="evening")
    assert failed.status == 503
    assert failed.form("Tell me")[2]["contact"] == JANE


def test_what_was_typed_for_a_booking_is_kept_on_the_way(visitor: Visitor):
    """From the form to the times, to the waitlist, and back to a form."""
    form = visitor.choose("haircut")
    button = form.link("Choose another time")
    button.fields |= {"name": "Ada", "email": JANE}  # type: ignore[attr-defined]
    times = visitor.open(button)
    page = visitor.open(times.link("Tell me when another time is free"))
    assert page.heading == "Tell me when a time is free"
    assert page.form("Tell me")[2]["contact"] == JANE
    wrong = visitor.send(page, "Tell me", contact="jane@")
    back = visitor.open(wrong.link("Back to the times"))
    again = visitor.open(next(iter(back.times.values())))
    assert again.form("Book appointment")[2]["name"] == "Ada"


def test_a_cross_origin_post_stores_nothing(visitor: Visitor, booked: Booked):
    """Another site's page can't enter anybody."""
    fields = {"contact": JANE, "until": TODAY}
    response = visitor.client.post(FORM_URL, fields, headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403
    assert WaitlistEntry.objects.count() == 0


def test_an_entry_is_counted_in_the_funnel(visitor: Visitor, booked: Booked):
    """Once, with its service."""
    join_waitlist(visitor)
    assert counters.flush()
    rows = FunnelCount.objects.filter(stage="waitlist").values_list("service", "placement", "count")
    assert list(rows) == [("haircut", "page", 1)]


# The page of an entry


def test_the_page_of_an_entry_is_masked_and_in_any_layout(visitor: Visitor, booked: Booked):
    """Whole, and as a fragment; the contact can be known again by its owner only."""
    url = join_waitlist(visitor).url
    for headers in ({}, HTMX):
        page = visitor.open(url, **headers)
        assert page.heading == "You’re on the list"
        assert "j…@example.com" in page.text
        assert JANE not in page.html
    assert urlsplit(url).path.startswith("/book/waitlist/")


def test_the_short_link_opens_the_page_in_the_language_of_the_entry(visitor: Visitor, booked: Booked):
    """A phone may have another one; an address that names a language keeps it."""
    url = urlsplit(join_waitlist(visitor, PHONE, url=f"{FORM_URL}?lang=en").url).path
    german = {"Accept-Language": "de"}
    assert visitor.open(url, **german).query["lang"] == "en"
    assert visitor.open(f"{url}?lang=fr", **german).tree.css_first("html").attributes["lang"] == "fr"


def test_getting_the_page_changes_nothing_and_posting_it_ends_the_entry(visitor: Visitor, booked: Booked):
    """A mail scanner that opens every link stops nothing."""
    page = join_waitlist(visitor)
    visitor.open(page.url)
    assert WaitlistEntry.objects.count() == 1
    stopped = visitor.send(visitor.open(page.url), "Stop these messages")
    assert (stopped.status, stopped.heading) == (200, "No more messages")
    assert WaitlistEntry.objects.count() == 0
    assert visitor.open(page.url).status == 404


def test_a_mail_programs_one_click_ends_all_entries_of_the_contact(visitor: Visitor, client: Client, booked: Booked):
    """RFC 8058: a POST from anywhere, without cookies or an origin. Those of others stay."""
    join_waitlist(visitor)
    join_waitlist(visitor)
    join_waitlist(visitor, "other@example.com")
    response = client.post(message_url(), {"List-Unsubscribe": "One-Click"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 200
    assert [EntryData.from_row(row).contact for row in WaitlistEntry.objects.all()] == ["other@example.com"]


def test_whoever_has_several_entries_can_stop_them_together(visitor: Visitor, booked: Booked):
    """The button is there only then."""
    join_waitlist(visitor)
    assert "all my requests" not in visitor.open(message_url()).text
    join_waitlist(visitor)
    visitor.send(visitor.open(message_url()), "Stop the messages of all my requests")
    assert WaitlistEntry.objects.count() == 0


@pytest.mark.parametrize("fields", [{"all": "1"}, {"List-Unsubscribe": "One-Click"}])
def test_whoever_enters_a_strangers_contact_neither_sees_nor_stops_its_other_entries(
    visitor: Visitor, client: Client, booked: Booked, fields: dict[str, str]
):
    """Only who gets the messages has the link that does; a guess of the rest of a code is a wrong code."""
    join_waitlist(visitor, "other@example.com")
    alone = join_waitlist(visitor, "other@example.com").text
    join_waitlist(visitor)
    page = join_waitlist(visitor)
    assert page.text.replace("j…@", "o…@") == alone
    code = urlsplit(page.url).path
    assert client.get(f"{code}000000").status_code == 404
    client.post(f"{code}000000", fields)
    assert WaitlistEntry.objects.count() == 4
    assert client.post(code, fields).status_code == 200
    contacts = sorted(EntryData.from_row(row).contact for row in WaitlistEntry.objects.all())
    assert contacts == [JANE, "other@example.com", "other@example.com"]


def test_all_entries_of_a_contact_are_stopped_also_those_from_before_a_new_key(
    visitor: Visitor, booked: Booked, waiting: Settings
):
    """The rows of before have another hash of the contact."""
    join_waitlist(visitor)
    waiting.SECRET_KEY_FALLBACKS = [waiting.SECRET_KEY]
    waiting.SECRET_KEY = "another-key-of-at-least-fifty-characters-for-this-test"
    join_waitlist(visitor)
    assert len(set(WaitlistEntry.objects.values_list("contact_hash", flat=True))) == 2
    visitor.send(visitor.open(message_url()), "Stop the messages of all my requests")
    assert WaitlistEntry.objects.count() == 0


def test_a_form_that_was_corrected_after_back_is_another_entry(visitor: Visitor, booked: Booked):
    """It takes the place of the first, unless a message went to it: the row remembers who rests."""
    form = visitor.open(FORM_URL)
    wrong = visitor.send(form, "Tell me", contact="jnae@example.com", until=TODAY)
    right = visitor.send(form, "Tell me", contact=JANE, until=TODAY, part="evening")
    assert (data().contact, data().part) == (JANE, "evening")
    assert "Evening" in right.text
    assert visitor.open(wrong.url).status == 404
    WaitlistEntry.objects.update(notified_at=NOW)
    form = visitor.open(FORM_URL)
    first = visitor.send(form, "Tell me", contact=JANE, until=TODAY, part="evening")
    WaitlistEntry.objects.update(notified_at=NOW)
    second = visitor.send(form, "Tell me", contact=JANE, until=TODAY, part="afternoon")
    assert first.url != second.url
    assert WaitlistEntry.objects.count() == 3


def test_a_wrong_code_is_a_404_and_guessing_is_limited(visitor: Visitor, waiting: Settings):
    """As with the links of messages about bookings."""
    assert visitor.open("/book/waitlist/0123456789abcdef").status == 404
    waiting.KORDLESS_BOOKING = {**waiting.KORDLESS_BOOKING, "LOOKUPS_PER_ADDRESS": 2}
    found = [visitor.open(f"/book/waitlist/{number:016}").status for number in range(3)]
    assert found[-1] == 429
