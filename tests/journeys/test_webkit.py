"""The widget in WebKit, the engine of Safari and of the browsers on iPhones: on its own page, in a host's, in a frame.

Its driver can't do this: show the console, allow cookies of third parties, go without JavaScript (which it needs
itself), scroll a page to what it clicks in a frame, and wait for Back and Forward inside a frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from kordless_booking.presentation.locales import supported_languages
from tests.journeys.conftest import WEBKIT, XVFB
from tests.journeys.demo import Demo
from tests.journeys.embedding_pages import Elsewhere
from tests.journeys.form_style import check_that_a_form_brings_its_style
from tests.journeys.line_boxes import SPLIT
from tests.journeys.strict_hosts import DIALOGS, SERVICES
from tests.journeys.webkit import WebKit, webkit

pytestmark = [pytest.mark.webkit, pytest.mark.matrix]
TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
LARGE = """(() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("html { font-size: 200% }");
  document.adoptedStyleSheets = [sheet];
})()"""
FOCUS = "document.activeElement.id"
FREE_DAYS = """[...document.querySelectorAll("a.kb-day")].map((day) =>
  [day.parentNode.parentNode.rowIndex, day.id])"""
FIELDS = {"name": "Ada Lovelace", "email": "ada@example.com", "notes": "By the window"}


@pytest.fixture(scope="module")
def elsewhere(strict_elsewhere: Elsewhere) -> Elsewhere:
    """The site of this module is the strict one."""
    return strict_elsewhere


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebKit]:
    """WebKit as it is, which takes no cookies of third parties."""
    assert WEBKIT
    assert XVFB
    with webkit(WEBKIT, XVFB, tmp_path_factory.mktemp("webkit")) as visitor:
        yield visitor


def at(visitor: WebKit, step: str, frame: str = "") -> None:
    """Wait until this step is to be seen; nothing has to be scrolled sideways in it."""
    visitor.see(f'[data-kb-step="{step}"]', frame)
    assert not visitor.evaluate(TOO_WIDE, frame), step


def fill_in(visitor: WebKit, email: str, frame: str = "") -> None:
    """Fill in the contact form."""
    at(visitor, "contact", frame)
    for name, text in (FIELDS | {"email": email}).items():
        visitor.fill(f".kb-field [name={name}]", text, frame)


def book(visitor: WebKit, email: str, frame: str = "") -> None:
    """From the times to the confirmation."""
    at(visitor, "slot", frame)
    visitor.click(".kb-time", frame)
    fill_in(visitor, email, frame)
    visitor.click("form[method=post] .kb-primary", frame)
    at(visitor, "confirmation", frame)


def status(demo: Demo, email: str) -> list[str]:
    """The states of the bookings for this address."""
    return [booking["status"] for booking in demo.sandbox.bookings() if email in str(booking)]


def starts(demo: Demo, email: str) -> list[int]:
    """When the bookings for this address begin."""
    return [booking["starts"] for booking in demo.sandbox.bookings() if email in str(booking)]


def test_books_and_manages_on_a_phone(visitor: WebKit, elsewhere: Elsewhere):
    """The whole way, one mistake included, and no step is wider than the screen."""
    demo = elsewhere.demo
    with visitor.tab(f"{demo.url}/book/"):
        visitor.resize(390, 844)
        at(visitor, "service")
        visitor.click('.kb-service a[href*="/color-consultation/"]')
        at(visitor, "slot")
        visitor.click(".kb-time")
        at(visitor, "contact")
        visitor.click("form[method=post] .kb-primary")
        visitor.see("[aria-invalid=true]")
        visitor.wait_for("document.activeElement.matches('[role=alert]')")
        fill_in(visitor, "phone@example.com")
        visitor.click("form[method=post] .kb-primary")
        at(visitor, "confirmation")
        assert status(demo, "phone@example.com") == ["confirmed"]
        visitor.click("a[href*='/manage/']")
        move_and_cancel(visitor, demo, "phone@example.com")
        assert visitor.complaints() == []


def move_and_cancel(visitor: WebKit, demo: Demo, email: str) -> None:
    """From the booking's page: another time, and then none at all."""
    at(visitor, "booking")
    before = starts(demo, email)
    visitor.click("[formaction*=reschedule], form[action*=reschedule] button, a[href*=reschedule]")
    at(visitor, "slot")
    last = visitor.evaluate("[...document.querySelectorAll('a.kb-day')].at(-1).id")
    visitor.click(f"#{last}")
    visitor.see(f"#{last}[aria-current]")
    visitor.click(".kb-time")
    at(visitor, "move")
    visitor.click("form[method=post] .kb-primary")
    at(visitor, "booking")
    assert before != starts(demo, email)
    visitor.click("[formaction*=cancel], form[action*=cancel] button, a[href*=cancel]")
    at(visitor, "cancel")
    visitor.click("form[action*=cancel] button, form[method=post] .kb-danger")
    at(visitor, "booking")
    assert status(demo, email) == ["canceled"]


def test_finds_a_booking_by_its_number(visitor: WebKit, elsewhere: Elsewhere):
    """With the number in any case and the address; nothing personal stands in the URL."""
    demo = elsewhere.demo
    with visitor.tab(f"{demo.url}/book/color-consultation/"):
        book(visitor, "finder@example.com")
        number = visitor.text(".kb-number")
        visitor.go(f"{demo.url}/book/manage/")
        at(visitor, "find")
        visitor.fill("[name=number]", number.lower())
        visitor.fill("[name=contact]", "finder@example.com")
        visitor.click("form[method=post] .kb-primary")
        at(visitor, "booking")
        assert "finder" not in visitor.evaluate("location.href")
        assert number in visitor.text('[data-kb-step="booking"]')


def go(visitor: WebKit, way: str, frame: str) -> None:
    """Go back or forward by the browser's button, for a frame by a script: its driver would wait for a page."""
    if frame:
        visitor.evaluate(f"void history.{way}()")
    elif way == "back":
        visitor.back()
    else:
        visitor.forward()


@pytest.mark.parametrize("place", ["page", "inline", "frame"])
def test_back_and_forward_keep_what_was_typed(visitor: WebKit, elsewhere: Elsewhere, place: str):
    """By the browser's own buttons, through steps of one document."""
    frame = "Haircut" if place == "frame" else ""
    addresses = {
        "page": f"{elsewhere.book}haircut/",
        "inline": elsewhere.demo.url,
        "frame": f"{elsewhere.url}/?{urlencode({'mode': 'inline', 'link': 'Haircut'})}",
    }
    with visitor.tab(addresses[place]):
        visitor.resize(1280, 900)
        if place == "inline":
            visitor.click('.kb-service a[href*="/haircut/"]')
        at(visitor, "slot", frame)
        visitor.evaluate("void (window.sameDocument = true)", frame)
        visitor.click(".kb-time", frame)
        fill_in(visitor, "ada@example.com", frame)
        go(visitor, "back", frame)
        at(visitor, "slot", frame)
        go(visitor, "forward", frame)
        at(visitor, "contact", frame)
        for name, text in FIELDS.items():
            visitor.wait_for(f"document.querySelector('.kb-field [name={name}]').value === '{text}'", frame)
        assert visitor.evaluate("window.sameDocument", frame) is True


def test_a_reload_inside_a_host_page_shows_the_step_again(visitor: WebKit, elsewhere: Elsewhere):
    """The host's URL stays, and Back leads on to the steps before."""
    address = f"{elsewhere.demo.url}/#book"
    with visitor.tab(address):
        visitor.click('.kb-service a[href*="/haircut/"]')
        at(visitor, "slot")
        visitor.reload()
        at(visitor, "slot")
        visitor.click(".kb-time")
        at(visitor, "contact")
        visitor.reload()
        at(visitor, "contact")
        assert visitor.evaluate("location.href") == address
        visitor.back()
        at(visitor, "slot")
        visitor.back()
        at(visitor, "service")
        assert visitor.evaluate("location.href") == address


@pytest.mark.parametrize("width", [390, 320])
def test_days_are_never_split_in_large_text(visitor: WebKit, elsewhere: Elsewhere, width: int):
    """At 200 %, in every language: one line box for each day and weekday, and nothing to be scrolled sideways."""
    split = {}
    with visitor.tab(f"{elsewhere.book}haircut/"):
        visitor.resize(width, 844)
        for lang in supported_languages():
            visitor.go(f"{elsewhere.book}haircut/?lang={lang}&tz=America/New_York")
            visitor.evaluate(LARGE)
            visitor.see(".kb-times .kb-time")
            found = visitor.evaluate(f"({SPLIT})('.kb-day, .kb-if-no-room')")
            if visitor.evaluate(TOO_WIDE):
                found.append("has to be scrolled sideways")
            if found:
                split[lang] = found
    assert split == {}


def test_a_form_brings_its_style(visitor: WebKit, elsewhere: Elsewhere):
    """Where nothing has loaded it before, the sheet of later steps comes with the form, and its rules apply."""
    check_that_a_form_brings_its_style(visitor, elsewhere.book)


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_the_keys_of_the_month(visitor: WebKit, elsewhere: Elsewhere, lang: str):
    """Arrows go to the next free day and back, Home and End through its week, Page Down and Page Up through months."""
    ahead, back = ("ArrowLeft", "ArrowRight") if lang == "ar" else ("ArrowRight", "ArrowLeft")
    with visitor.tab(f"{elsewhere.book}bridal-styling/?lang={lang}&tz=America/New_York"):
        at(visitor, "slot")
        visitor.wait_for("document.hasFocus() && !!document.querySelector('.kb-js')")
        days: list[tuple[int, str]] = visitor.evaluate(FREE_DAYS)
        weeks = sorted({row for row, _ in days})
        first, second = ([day for row, day in days if row == week] for week in weeks[:2])
        visitor.evaluate("document.querySelector('a.kb-day').focus()")
        for key, expected in (
            (ahead, days[1][1]),
            (back, days[0][1]),
            ("End", first[-1]),
            (ahead, second[0]),
            ("End", second[-1]),
            ("Home", second[0]),
        ):
            visitor.press(key)
            visitor.wait_for(f"{FOCUS} === '{expected}'")
            assert visitor.evaluate("document.activeElement.matches(':focus-visible')")
        visitor.press("Enter")
        visitor.see(f"#{second[0]}[aria-current]")
        visitor.wait_for(f"{FOCUS} === '{second[0]}'")
        title = visitor.text(".kb-month .kb-sub")
        visitor.press("PageDown")
        visitor.wait_for(f"document.querySelector('.kb-month .kb-sub').innerText !== '{title}'")
        visitor.wait_for("document.activeElement.matches('.kb-day[tabindex=\"0\"]')")
        assert visitor.evaluate(FOCUS) not in [day for _, day in days]
        visitor.press("PageUp")
        visitor.wait_for(f"document.querySelector('.kb-month .kb-sub').innerText === '{title}'")
        # Not the first of the days before: others book in this demo, and its times may have been read again since.
        visitor.wait_for("document.activeElement.matches('.kb-day[tabindex=\"0\"]')")
        assert visitor.evaluate(FOCUS) in [day for _, day in days]
        assert visitor.complaints() == []


@pytest.mark.parametrize("mode", ["inline", "popup"])
def test_books_from_another_site(visitor: WebKit, elsewhere: Elsewhere, mode: str):
    """Two widgets on one page, each books once; no policy is broken, and neither site has kept anything."""
    with visitor.tab(f"{elsewhere.url}/?{urlencode({'mode': mode, 'link': list(SERVICES)}, doseq=True)}"):
        visitor.resize(1280, 2400)
        if mode == "popup":
            visitor.evaluate(DIALOGS)
        for link in SERVICES:
            email = f"webkit-{mode}-{link.lower()}@example.com"
            if mode == "popup":
                visitor.click(f'a[href$="{SERVICES[link]}"]')
            book(visitor, email, link)
            if mode == "popup":
                visitor.click("dialog[open] button")
            assert status(elsewhere.demo, email) == ["confirmed"]
        visitor.see(f'html[data-booked="{len(SERVICES)}"]')
        assert visitor.evaluate(
            "receivedEvents.filter(({ name }) => name === 'booked').map(({ link }) => link)"
        ) == list(SERVICES)
        assert visitor.evaluate("refused") == []
        assert visitor.complaints() == []
        assert visitor.kept(*SERVICES) == []


def test_takes_no_cookies_of_third_parties(visitor: WebKit, elsewhere: Elsewhere):
    """The tracker's cookie doesn't come back, so the bookings in frames need none."""
    with visitor.tab(f"{elsewhere.url}/third/"):
        visitor.click("a", "Party")
        visitor.see("#got", "Party")
        assert visitor.text("#got", "Party") == "nothing"
