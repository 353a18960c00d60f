"""Without a mouse: booking, moving and canceling by Tab, arrows, Enter and Space alone, with the focus looked after."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.journeys import booking_steps
from tests.journeys.demo import Demo
from tests.journeys.measurements import focus_is_seen
from tests.journeys.page_in_pieces import slow_line
from tests.support.matrix import thinned


class Keyboard:
    """Ten fingers, no mouse. Wherever Tab leads, the focus has to be seen there."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, key: str, times: int = 1) -> None:
        for _ in range(times):
            self.page.keyboard.press(key)

    def press_for(self, *, step: str, key: str) -> None:
        """Press a key that leads to another step, and wait until it is there."""
        self.press(key)
        booking_steps.at(self.page, step)

    @property
    def focused(self) -> Locator:
        return self.page.locator(":focus")

    def tab_to(self, wanted: Locator, limit: int = 60) -> None:
        """Press Tab until the wanted element has the focus."""
        booking_steps.loaded(self.page)  # while a page loads, the rest of it is yet to come, and so may be the focus
        for _ in range(limit):
            self.press("Tab")
            if self.focused.count():
                assert focus_is_seen(self.page), self.focused.evaluate("element => element.outerHTML")
            if wanted.evaluate("element => element === document.activeElement"):
                return
        pytest.fail(f"{wanted} can't be reached with {limit} presses of Tab")

    def link(self, name: str | re.Pattern[str]) -> Locator:
        return self.page.get_by_role("link", name=name, exact=True).first

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def field(self, label: str) -> Locator:
        return self.page.get_by_label(label, exact=True)

    def arrives(self, step: str, heading: str) -> None:
        """The step is there, and its heading has the focus and is the document's title."""
        booking_steps.at(self.page, step)
        expect(self.focused).to_have_text(heading)
        assert self.focused.evaluate("element => element.localName") == "h1"


@pytest.fixture
def keyboard(page: Page) -> Keyboard:
    """A visitor in New York who has no mouse, on the page that the test opens."""
    return Keyboard(page)


def test_the_whole_way(keyboard: Keyboard, page: Page, demo: Demo):
    """Every step gives the focus to its heading, every error to its summary, every outcome to its words."""
    page.goto(f"{demo.url}/book/")
    keyboard.tab_to(keyboard.link("Color consultation"))
    keyboard.press("Enter")
    keyboard.arrives("slot", "Color consultation")
    expect(page).to_have_title("Color consultation · Acme Salon")
    keyboard.tab_to(page.locator(".kb-day[aria-current]"))
    keyboard.press("Tab")
    expect(keyboard.focused).to_have_class("kb-time")
    keyboard.press("Enter")
    keyboard.arrives("contact", "Your details")
    expect(page).to_have_title("Your details · Acme Salon")

    keyboard.tab_to(keyboard.button("Book appointment"))
    keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    keyboard.tab_to(keyboard.link("Please enter your name."))
    keyboard.press("Enter")
    expect(keyboard.field("Name")).to_be_focused()
    page.keyboard.type("Grace Hopper")
    keyboard.tab_to(keyboard.field("Email (or phone)"))
    page.keyboard.type("grace@example.com")
    keyboard.tab_to(keyboard.button("Book appointment"))
    keyboard.press("Space")
    keyboard.arrives("confirmation", "You’re booked")

    keyboard.tab_to(keyboard.link("Change or cancel"))
    keyboard.press("Enter")
    keyboard.arrives("booking", "Your booking")
    keyboard.tab_to(keyboard.button("Reschedule"))
    keyboard.press("Space")
    keyboard.arrives("slot", "Choose a new time")
    keyboard.tab_to(page.locator(".kb-time").last)
    keyboard.press("Enter")
    keyboard.arrives("move", "Reschedule your booking?")
    keyboard.tab_to(keyboard.button("Reschedule"))
    keyboard.press("Enter")
    expect(keyboard.focused).to_have_text("Your booking has been rescheduled.")
    keyboard.tab_to(keyboard.button("Cancel booking"))
    keyboard.press("Enter")
    keyboard.arrives("cancel", "Cancel this booking?")
    keyboard.tab_to(keyboard.button("Cancel booking"))
    keyboard.press("Space")
    keyboard.arrives("booking", "Booking canceled")
    [booking] = [one for one in demo.sandbox.bookings() if "grace@example.com" in str(one)]
    assert booking["status"] == "canceled"


@pytest.mark.matrix
def test_the_whole_way_without_javascript(browser: Browser, demo: Demo):
    """Plain links and forms do the same; an error's summary has the focus, and the title says where one is."""
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        keyboard = Keyboard(page)
        page.goto(f"{demo.url}/book/")
        keyboard.tab_to(keyboard.link("Beard trim"))
        keyboard.press("Enter")
        booking_steps.at(page, "slot")
        days = page.locator("a.kb-day")
        keyboard.tab_to(days.nth(0))
        keyboard.press("Tab")
        expect(days.nth(1)).to_be_focused()
        [second] = re.findall(r"^.*\d{4}-\d\d-\d\d$", days.nth(1).get_attribute("id") or "")
        keyboard.press("Enter")
        expect(page.locator("a.kb-day[aria-current]")).to_have_id(second)
        keyboard.tab_to(page.locator(".kb-time").first)
        keyboard.press("Enter")
        booking_steps.at(page, "contact")
        keyboard.tab_to(keyboard.button("Book appointment"))
        keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_be_focused()
        keyboard.tab_to(keyboard.link("Please enter your name."))
        keyboard.press("Enter")
        expect(keyboard.field("Name")).to_be_focused()
        keyboard.press("Tab")
        expect(keyboard.field("Email (or phone)")).to_be_focused()
        page.keyboard.type("plain@example.com")
        keyboard.press("Shift+Tab")
        page.keyboard.type("Grace Hopper")
        keyboard.tab_to(keyboard.button("Book appointment"))
        keyboard.press_for(step="confirmation", key="Space")
        expect(page).to_have_title("You’re booked · Acme Salon")
        keyboard.tab_to(keyboard.link("Change or cancel"))
        keyboard.press_for(step="booking", key="Enter")
        keyboard.tab_to(keyboard.button("Reschedule"))
        keyboard.press_for(step="slot", key="Space")
        keyboard.tab_to(page.locator(".kb-time").last, limit=120)
        keyboard.press_for(step="move", key="Enter")
        keyboard.tab_to(keyboard.button("Reschedule"))
        keyboard.press_for(step="booking", key="Enter")
        keyboard.tab_to(keyboard.button("Cancel booking"))
        keyboard.press_for(step="cancel", key="Enter")
        keyboard.tab_to(keyboard.button("Cancel booking"))
        keyboard.press("Space")
        expect(page.get_by_role("heading", level=1)).to_have_text("Booking canceled")


def test_an_errors_summary_has_the_focus_before_the_rest_of_its_page_is_there(browser: Browser, demo: Demo):
    """Without JavaScript, on a slow line: what follows is held back, so that nothing moves, and the summary is not."""
    with browser.new_context(java_script_enabled=False) as context, slow_line(demo.url) as line:
        page = context.new_page()
        page.goto(f"{demo.url}/book/beard-trim/?tz=America/New_York")
        booking_steps.to_contact(page)
        line.send_next()
        page.goto(page.url.replace(demo.url, line.url), wait_until="commit")
        for _ in line.pieces[1:]:
            line.send_next()
        booking_steps.at(page, "contact")
        page.get_by_role("button", name="Book appointment").click(no_wait_after=True)
        line.send_next()
        expect(page.locator(".kb-field")).to_have_count(0)  # the new page has begun
        summary = next(number for number, piece in enumerate(line.pieces) if 'role="alert"' in piece)
        for _ in line.pieces[1 : summary + 1]:
            line.send_next()
        expect(page.get_by_role("alert")).to_be_focused()
        for _ in line.pieces[summary + 1 :]:
            line.send_next()
        booking_steps.at(page, "contact")
        expect(page.get_by_role("alert")).to_be_focused()


def month_of(page: Page) -> dict[tuple[int, int], str]:
    """The ids of the free days by row and column, in order."""
    days: list[tuple[int, int, str]] = page.evaluate(
        "[...document.querySelectorAll('a.kb-day')].map(day =>"
        " [day.parentNode.parentNode.rowIndex, day.parentNode.cellIndex, day.id])"
    )
    return {(row, column): name for row, column, name in days}


@pytest.mark.parametrize("lang", thinned(["en", "ar"]))
def test_the_arrows_move_in_the_month(keyboard: Keyboard, page: Page, demo: Demo, lang: str):
    """Arrows, Home and End by what is on the left and right; Page Down turns the month and keeps the focus in it."""
    ahead, back = ("ArrowLeft", "ArrowRight") if lang == "ar" else ("ArrowRight", "ArrowLeft")
    now = demo.sandbox.clock.now()
    following = f"{now.year + now.month // 12}-{now.month % 12 + 1:02}"
    page.goto(f"{demo.url}/book/bridal-styling/?lang={lang}&tz=America/New_York&month={following}")
    booking_steps.at(page, "slot")
    keyboard.tab_to(page.locator(".kb-day[aria-current]"))
    month = month_of(page)
    days, rows = [*month.values()], sorted({row for row, _ in month})
    first, second = ([name for (row, _), name in month.items() if row == wanted] for wanted in rows[:2])
    above, below = next(
        (name, month[lower, column])
        for (row, column), name in month.items()
        for lower in rows
        if lower > row and (lower, column) in month
    )
    for key, expected in (
        (back, days[0]),
        (ahead, days[1]),
        (back, days[0]),
        ("End", first[-1]),
        (ahead, second[0]),
        ("End", second[-1]),
        ("Home", second[0]),
    ):
        keyboard.press(key)
        expect(keyboard.focused, key).to_have_id(expected)
    way = days.index(above) - days.index(second[0])
    keyboard.press(ahead if way > 0 else back, abs(way))
    for key, expected in (("ArrowDown", below), ("ArrowUp", above)):
        keyboard.press(key)
        expect(keyboard.focused, key).to_have_id(expected)
    keyboard.press(back if way > 0 else ahead, abs(way))
    keyboard.press("Enter")
    expect(page.locator(".kb-day[aria-current]")).to_have_id(second[0])
    expect(keyboard.focused).to_have_id(second[0])
    expect(page.locator("[data-kb-live]")).to_contain_text(page.locator(".kb-times .kb-sub").inner_text())
    keyboard.press("Tab")
    assert keyboard.focused.evaluate("element => !element.closest('table')")
    keyboard.press("Shift+Tab")
    expect(keyboard.focused).to_have_id(second[0])

    title = page.locator(".kb-month .kb-sub")
    before = title.inner_text()
    keyboard.press("PageDown")
    expect(title).not_to_have_text(before)
    expect(page.locator(".kb-day:focus")).to_have_attribute("tabindex", "0")
    assert not set(month_of(page).values()) & set(days)
    expect(page.locator("[data-kb-live]")).to_contain_text(title.inner_text())
    keyboard.press("PageUp")
    expect(title).to_have_text(before)
    expect(keyboard.focused).to_have_id(days[0])


@pytest.mark.matrix
def test_other_keys_are_the_browsers_own(keyboard: Keyboard, page: Page, demo: Demo):
    """Keys with Ctrl, Alt or Shift, and those that mean nothing here, do what they always do and move no focus."""
    page.goto(f"{demo.url}/book/")
    booking_steps.to_times(page, "Haircut")
    keyboard.tab_to(page.locator(".kb-day[aria-current]"))
    here = keyboard.focused.get_attribute("id") or ""
    for key in ("Control+End", "Shift+ArrowRight", "a", "Control+ArrowRight", "Alt+ArrowRight"):
        keyboard.press(key)
        expect(keyboard.focused).to_have_id(here)
