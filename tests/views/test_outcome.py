"""The confirmation, and the page that asks again until there is one."""

from datetime import timedelta

import pytest
from django.core import signing
from django.test import Client
from icalendar import Calendar
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.booking.tokens import encrypt_token
from kordless_booking.models import BookingAttempt
from kordless_booking.sandbox import Limits, Sandbox
from tests.support.lost_answers import lose_answers
from tests.support.mail_settings import MAIL
from tests.support.visitor import HTMX, JANE, Page, Visitor

pytestmark = pytest.mark.django_db

WAITING = "Confirming your booking…"


def creations(sandbox: Sandbox) -> list[str]:
    """The idempotency key of each time that Kordless was asked for a booking."""
    return [request.headers["idempotency-key"] for request in sandbox.requests if request.operation == "create"]


def test_a_confirmation_says_everything(any_visitor: Visitor):
    """Number, service, time with both zones, place as a map link, host, calendars and a way to change it."""
    page = any_visitor.book("haircut", "?tz=Europe/Kyiv&hours=24")
    assert page.heading == "You’re booked"
    assert page.number.startswith("BOOK_")
    for words in (
        "Haircut",
        "Tuesday, December 1, 2026, 10:30 \u2013 11:30 local time New York · GMT-5",
        "17:30 \u2013 18:30 your time Kyiv · GMT+2",
        "With Sarah",
        "Keep this number. You need it to reschedule or cancel your booking.",
        "Email or phone j…@example.com",
        "Plans change. Please tell us at least 24 hours ahead",
    ):
        assert words in page.text, words
    # The headline says it.
    assert "Confirmed" not in page.text
    links = page.links()
    assert links["123 Main Street, Brooklyn, NY 11201 (opens in a new tab)"].startswith("https://")
    assert "/booking.ics" in links["Apple (.ics)"]
    for name in ("Google", "Outlook", "Yahoo"):
        assert links[f"{name} (opens in a new tab)"].startswith("https://")


def test_a_site_that_mails_says_where_the_details_went(
    any_visitor: Visitor, site: Settings, caplog: pytest.LogCaptureFixture
):
    """The address is masked, on a page that nobody stores, and stands in no log; a phone number gets no mail."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, **MAIL}
    page = any_visitor.book()
    assert "We’ve sent the details to j…@example.com." in page.text.replace("\u2060", "")
    assert "Keep this number" not in page.text
    assert "Email or phone" not in page.text
    assert "You can also reach us directly: +1 212 555 0100 help@salon.example" in page.text
    assert "no-store" in page.response["Cache-Control"]
    assert "example.com" not in caplog.text
    page = any_visitor.book(email="", phone="+12125550123", time=1)
    assert "We’ve sent" not in page.text
    assert "Keep this number. You need it to reschedule or cancel your booking." in page.text
    assert "Email or phone …23" in page.text


def test_a_request_that_is_mailed_still_says_what_happens_next(any_visitor: Visitor, site: Settings):
    """That it has to be accepted stands first, then where the details went."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, **MAIL}
    text = any_visitor.book("bridal-styling").text
    assert text.index("still has to be accepted") < text.index("Awaiting confirmation") < text.index("We’ve sent")


def test_an_hour_format_outlives_the_form(visitor: Visitor):
    """Whoever chose the 24-hour clock reads it on the confirmation, too."""
    assert "17:30" in visitor.book("haircut", "?tz=Europe/Kyiv&hours=24").text


def test_a_video_call_is_linked(visitor: Visitor):
    """A meeting link is a link, and opens beside the page without telling where it was clicked."""
    page = visitor.book("color-consultation")
    [link] = [node for node in page.tree.css("a") if "Video call" in node.text()]
    assert link.attributes["href"] == "https://meet.example.com/acme-salon-color"
    assert link.attributes["rel"] == "noopener noreferrer"


def test_a_phone_call_is_linked(visitor: Visitor):
    """The number that calls is a phone link."""
    assert visitor.book("late-advice", phone="+12125550199").links()["By phone: +1 212-555-0123"] == "tel:+12125550123"


def test_a_custom_place_is_plain_words(visitor: Visitor):
    """A place in the business's own words is no link."""
    page = visitor.book("bridal-styling")
    assert "At your place: we call you" in page.text
    assert not [name for name in page.links() if "At your place" in name]


def test_a_pending_booking_is_not_called_confirmed(any_visitor: Visitor):
    """A booking that the business must still accept is called a request."""
    page = any_visitor.book("bridal-styling")
    assert page.heading == "Request sent"
    assert "still has to be accepted" in page.text
    assert "onfirmed" not in page.text
    assert b"STATUS:TENTATIVE" in any_visitor.client.get(page.link("Apple (.ics)")).content


def test_an_unknown_status_is_shown_as_it_is(any_visitor: Visitor, sandbox: Sandbox):
    """A status that nobody has heard of is neither hidden nor called confirmed."""
    sandbox.faults.add("unknown_values", "create")
    page = any_visitor.book()
    assert (page.status, page.heading) == (200, "Your booking")
    assert "waitlisted" in page.text
    assert "onfirmed" not in page.text


def test_a_hostile_place_is_no_link(visitor: Visitor, sandbox: Sandbox):
    """Only what can do nothing but open is linked; anything else of a meeting place is plain words."""
    sandbox.faults.add("hostile")
    page = visitor.book("color-consultation")
    assert "javascript:alert(6)" in page.text
    hrefs = [url.lower().strip() for url in page.links().values()]
    assert not [url for url in hrefs if not url.startswith(("/", "https://", "tel:", "mailto:"))]


def test_the_calendar_file_is_one_event(visitor: Visitor):
    """The file holds one event at the right moment, with the number in its identity and a link to the booking."""
    page = visitor.book("haircut", "?tz=Europe/Kyiv")
    response = visitor.client.get(page.link("Apple (.ics)"))
    assert response["Content-Type"].startswith("text/calendar")
    assert "booking.ics" in response["Content-Disposition"]
    assert response["Cache-Control"] == "no-store, private"
    [event] = Calendar.from_ical(response.content).walk("VEVENT")
    assert event["SUMMARY"] == "Haircut · Acme Salon"
    assert event.decoded("DTSTART").isoformat() == "2026-12-01T17:30:00+02:00"
    assert page.number.lower() in event["UID"].lower()
    again = Calendar.from_ical(visitor.client.get(page.link("Apple (.ics)")).content).walk("VEVENT")[0]
    assert again["UID"] == event["UID"]
    assert "jane@example.com" not in response.content.decode()
    assert visitor.open(str(event["URL"]).replace("http://testserver", "")).heading == "Your booking"


def test_reloading_books_nothing(any_visitor: Visitor, sandbox: Sandbox):
    """A confirmation may be looked at again and again."""
    page = any_visitor.book()
    created = len(creations(sandbox))
    for _again in range(3):
        assert any_visitor.open(page.url).number == page.number
    assert len(creations(sandbox)) == created == len(sandbox.bookings()) == 1


def test_an_older_confirmation_asks_for_the_truth(any_visitor: Visitor, sandbox: Sandbox, clock: Traveller):
    """After a quarter of an hour the confirmation leads to the booking as Kordless knows it now."""
    page = any_visitor.book("haircut", "?day=2026-12-09")
    sandbox.set_status(page.number, "canceled")
    assert any_visitor.open(page.url).heading == "You’re booked"
    clock.shift(timedelta(minutes=16))
    page = any_visitor.open(page.url)
    assert page.heading == "Booking canceled"


def test_a_confirmation_outlives_its_service(visitor: Visitor, sandbox: Sandbox, clock: Traveller):
    """A confirmation is shown even when Kordless answers nothing about its service anymore."""
    page = visitor.book()
    sandbox.faults.add("status", status=500)
    clock.shift(600)
    again = visitor.open(page.url)
    assert (again.status, again.number) == (200, page.number)


def test_a_changed_token_is_rejected(visitor: Visitor):
    """A token that was changed, made up, or made for another page opens nothing, and the page says how to go on."""
    page = visitor.book()
    token, manage = page.url.split("/")[3], page.link("Change or cancel").split("/")[3]
    bent = (
        token[:-1],
        f"{token[:40]}{'A' if token[40] != 'A' else 'B'}{token[41:]}",
        manage[:-1],
        "x",
        "%00",
        "é",
        "x" * 5000,
        "..%2f",
        "gAAAA",
    )
    for kind, other in (("confirmation", manage), ("attempt", token), ("manage", token)):
        for bad in (other, *bent):
            for tail in ("", "booking.ics"):
                refused = visitor.open(f"/book/{kind}/{bad}/{tail}")
                assert refused.status == 404, (kind, bad)
                assert refused.heading in {"This link doesn’t work", "Page not found"}


def test_tokens_of_an_earlier_format_are_broken_links(visitor: Visitor, sandbox: Sandbox, clock: Traveller):
    """Service, time and zone stood beside each other, before they were the terms: a page says so, and nothing fails."""
    values = {
        "key": "0123456789abcdef", "service": "haircut", "zone": "Europe/Paris", "contact": "jane@example.com",
        "start": "2026-12-09T14:00:00Z", "end": "2026-12-09T15:00:00Z", "host_name": "Sarah", "digest": "a",
    }  # fmt: skip
    for page, purpose in (("attempt", "receipt"), ("confirmation", "confirmation")):
        refused = visitor.open(f"/book/{page}/{encrypt_token(purpose, 'default', values)}/")
        assert (refused.status, refused.heading) == (404, "This link doesn’t work")
    old = [1, "haircut", 1796824800, 1796828400, "Europe/Paris", None, "Sarah", None, 1, "0123456789abcdef", 0]
    token = signing.dumps(old, salt="kordless_booking.draft:default", compress=True)
    assert visitor.open(f"/book/haircut/contact/?draft={token}").times
    assert sandbox.bookings() == []


def test_a_confirmation_of_another_account_is_rejected(two_accounts: Settings, client: Client):
    """A token encrypted for one account can't be opened by another."""
    south = Visitor(client, base="/south/")
    page = south.book()
    for url in (page.url, page.link("Change or cancel"), page.link("Apple (.ics)")):
        assert south.open(url).status == 200
        assert south.open(url.replace("/south/", "/north/")).status == 404


def test_another_secret_key_opens_nothing(site: Settings, client: Client):
    """With a new SECRET_KEY old tokens are strangers, unless the old key is kept as a fallback."""
    any_visitor, old = Visitor(client), site.SECRET_KEY
    page = any_visitor.book()
    url = page.link("Change or cancel")
    site.SECRET_KEY = "another key for tests: 8c1fbb8fd2f14c6aa4d0"
    assert any_visitor.open(page.url).status == 404
    site.SECRET_KEY_FALLBACKS = [old]
    assert any_visitor.open(page.url).number == page.number
    assert any_visitor.open(url).number == page.number


def restart(site: Settings) -> None:
    """Another process takes over: what this one has counted in its own steady seconds is gone."""
    site.KORDLESS_BOOKING = dict(site.KORDLESS_BOOKING)


def wait(any_visitor: Visitor, page: Page, clock: Traveller, site: Settings) -> Page:
    """Let the attempt page ask again by itself, as often as it takes."""
    for _round in range(8):
        if page.heading != WAITING:
            break
        clock.shift(int(page.response["Retry-After"]) + 1)
        restart(site)
        page = any_visitor.open(page.url)
    return page


def test_a_lost_answer_becomes_a_booking(any_visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings):
    """Carried out but never answered: the visitor waits, the page asks again with the same key, one booking results."""
    form = any_visitor.choose("haircut", "?day=2026-12-09")
    lose_answers(sandbox)
    page = any_visitor.send(form, "Book appointment", **JANE)
    assert (page.status, page.heading) == (200, WAITING)
    assert "Please don’t book again" in page.text
    sandbox.faults.clear()
    page = wait(any_visitor, page, clock, site)
    assert page.heading == "You’re booked"
    [booking] = sandbox.bookings()
    assert page.number == booking["number"]
    assert len(set(creations(sandbox))) == 1


def test_a_waiting_page_asks_again_by_itself(any_visitor: Visitor, sandbox: Sandbox):
    """With JavaScript by htmx, without it by a refresh; both ask for the same address."""
    form = any_visitor.choose()
    lose_answers(sandbox)
    page = any_visitor.send(form, "Book appointment", **JANE)
    seconds = page.response["Retry-After"]
    [poll] = page.tree.css("[data-kb-poll]")
    assert poll.attributes["data-hx-get"] == page.url
    assert f"delay:{seconds}s" in (poll.attributes["data-hx-trigger"] or "")
    refreshes = [f'<meta http-equiv="refresh" content="{seconds}">' in page.html]
    assert refreshes == [any_visitor.headers == {}]


def test_a_waiting_page_says_what_is_being_booked(
    any_visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings
):
    """Service, time and place stand on it, also when Kordless can't be asked anymore; who books doesn't."""
    form = any_visitor.choose("haircut", "?tz=Europe/Kyiv&hours=24")
    lose_answers(sandbox)
    page = any_visitor.send(form, "Book appointment", **JANE)
    assert page.heading == WAITING
    shown = page.texts(".kb-summary")[0]
    for words in ("Haircut", "December 1, 2026, 10:30", "17:30", "123 Main Street"):
        assert words in shown, words
    for words in (JANE["name"], JANE["email"], "Price", "Duration"):
        assert words not in page.text
    clock.shift(timedelta(hours=2))
    restart(site)
    sandbox.faults.add("status", status=500)
    page = any_visitor.open(page.url)
    assert page.heading == WAITING
    assert "December 1, 2026" in page.texts(".kb-summary")[0]


def test_a_long_wait_is_announced_and_the_page_reloads_sooner(any_visitor: Visitor, sandbox: Sandbox):
    """The page says the whole wait, and asks again within half a minute: much may have changed by then."""
    form = any_visitor.choose()
    sandbox.faults.add("status", "create", status=429, retry_after=75)
    page = any_visitor.send(form, "Book appointment", **JANE)
    assert (page.status, page.heading) == (200, WAITING)
    assert "in about 76 seconds" in page.text
    assert page.response["Retry-After"] == "30"


def test_a_waiting_page_may_be_reloaded_at_will(visitor: Visitor, sandbox: Sandbox):
    """Impatience sends nothing more before its time."""
    form = visitor.choose()
    lose_answers(sandbox)
    page = visitor.send(form, "Book appointment", **JANE)
    created = len(creations(sandbox))
    for _again in range(5):
        assert visitor.open(page.url).heading == WAITING
        assert visitor.send(form, "Book appointment", **JANE).heading == WAITING
    assert len(creations(sandbox)) == created


def test_a_waiting_page_survives_a_restart(visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings):
    """The address alone, opened anywhere, finds the attempt again."""
    form = visitor.choose("haircut", "?day=2026-12-09")
    lose_answers(sandbox)
    page = visitor.send(form, "Book appointment", **JANE)
    sandbox.faults.clear()
    elsewhere = wait(Visitor(Client()), page, clock, site)
    assert elsewhere.heading == "You’re booked"
    assert visitor.open(page.url).number == elsewhere.number
    assert len(sandbox.bookings()) == 1


def test_a_long_form_in_another_script_waits_as_well(
    visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings
):
    """However long what was typed, the waiting page's address stays short enough for servers and for us."""
    name = "".join(chr(0x4E00 + 37 * number) for number in range(120))
    notes = "".join(chr(0x4E00 + 19 * number) for number in range(1000))
    form = visitor.choose("haircut", "?day=2026-12-09")
    lose_answers(sandbox)
    page = visitor.send(form, "Book appointment", **{**JANE, "name": name, "notes": notes})
    assert page.heading == WAITING
    assert len(page.url) < 4000
    sandbox.faults.clear()
    assert wait(visitor, page, clock, site).heading == "You’re booked"
    assert sandbox.bookings()[0]["notes"] == notes


def test_taken_after_an_attempt_with_unknown_outcome(
    any_visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings
):
    """When a later no may be about the visitor's own first try, it is said, and everything typed is kept."""
    form = any_visitor.choose("haircut", "?day=2026-12-09")
    sandbox.faults.add("status", "create", status=502)
    page = any_visitor.send(form, "Book appointment", **{**JANE, "notes": "Careful"})
    assert page.heading == WAITING
    sandbox.faults.clear()
    sandbox.faults.add("status", "create", status=409)
    page = wait(any_visitor, page, clock, site)
    assert "your own first attempt" in page.alert
    assert page.heading == "Haircut"
    page = any_visitor.open(next(iter(page.times.values())))
    assert page.form("Book appointment")[2]["notes"] == "Careful"


def test_rejected_after_an_attempt_with_unknown_outcome(
    visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings
):
    """A later refusal doesn't mean that nothing was booked: the visitor is asked to get in touch."""
    form = visitor.choose("haircut", "?day=2026-12-09")
    sandbox.faults.add("status", "create", status=502)
    page = visitor.send(form, "Book appointment", **JANE)
    sandbox.faults.clear()
    sandbox.faults.add("status", "create", status=422)
    page = wait(visitor, page, clock, site)
    assert (page.status, page.heading) == (503, "We couldn’t confirm your booking")
    assert "contact us before you book again" in page.text


def test_too_many_at_once_stand_in_line(visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings):
    """When Kordless takes no more bookings this minute, the visitor waits in line and is then booked, once."""
    form = visitor.choose("haircut", "?day=2026-12-09")
    sandbox.limits = Limits(general=None, creations=1, contact=None)
    sandbox.faults.add("status", "create", times=1, status=429, retry_after=20)
    page = visitor.send(form, "Book appointment", **JANE)
    assert page.heading == WAITING
    assert "next in line" in page.text
    assert not sandbox.bookings()
    page = wait(visitor, page, clock, site)
    assert page.heading == "You’re booked"
    assert len(sandbox.bookings()) == 1


def test_our_own_rate_limit_makes_a_queue_as_well(site: Settings, client: Client, sandbox: Sandbox, clock: Traveller):
    """Bookings beyond what the key allows a minute are not sent to be rejected: they wait here."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "CREATIONS_PER_MINUTE": 1, "BOOKINGS_PER_ADDRESS": 0}
    any_visitor = Visitor(client)
    forms = [any_visitor.choose("haircut", f"?day=2026-12-{day}") for day in ("09", "10", "11")]
    pages = [any_visitor.send(form, "Book appointment", **JANE) for form in forms]
    assert [page.heading for page in pages] == ["You’re booked", WAITING, WAITING]
    assert len(creations(sandbox)) == 1
    clock.shift(65)
    restart(site)
    assert any_visitor.open(pages[1].url).heading == "You’re booked"
    assert any_visitor.open(pages[2].url).heading == WAITING
    clock.shift(65)
    restart(site)
    assert any_visitor.open(pages[2].url).heading == "You’re booked"
    assert len(sandbox.bookings()) == 3


def test_a_refusal_after_waiting_keeps_what_was_typed(
    visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings
):
    """When one's turn comes and Kordless says no, there is a way back to the times with everything typed."""
    form = visitor.choose("haircut", "?day=2026-12-09")
    sandbox.faults.add("status", "create", times=1, status=429, retry_after=20)
    page = visitor.send(form, "Book appointment", **{**JANE, "notes": "Careful"})
    sandbox.faults.add("key_revoked", "create")
    page = wait(visitor, page, clock, site)
    assert (page.status, page.heading) == (503, "Online booking is paused")
    sandbox.faults.clear()
    clock.shift(60)
    page = visitor.open(page.link("Choose a time"))
    page = visitor.open(next(iter(page.times.values())))
    assert page.form("Book appointment")[2]["notes"] == "Careful"
    assert visitor.send(page, "Book appointment").heading == "You’re booked"


def test_an_attempt_keeps_no_secrets_once_it_is_done(visitor: Visitor):
    """The row of a placed booking holds no contact in plain text."""
    visitor.book()
    [row] = BookingAttempt.objects.all()
    stored = " ".join(str(value) for value in vars(row).values())
    assert "jane" not in stored.lower()
    assert row.state == "placed"


def test_attempts_answer_htmx_and_browsers_alike(visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings):
    """A page opened by a browser may be continued by htmx."""
    form = visitor.choose("haircut", "?day=2026-12-09")
    lose_answers(sandbox)
    page = visitor.send(form, "Book appointment", **JANE)
    sandbox.faults.clear()
    page = wait(Visitor(visitor.client, HTMX), page, clock, site)
    assert page.heading == "You’re booked"
    assert "<html" not in page.html
