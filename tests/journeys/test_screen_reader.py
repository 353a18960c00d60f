"""Screen reader output: names and roles in Chromium's accessibility tree, step by step."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.journeys import booking_steps
from tests.journeys.accessibility_tree import accessibility_lines, in_order
from tests.journeys.all_pages import Tour
from tests.journeys.demo import Demo
from tests.support.spaces import plain_spaces

FOOT = ('contentinfo "…', 'link "All services"', 'link "Change or cancel a booking"', 'status ""')
WEEK = [f'columnheader "{day}day"' for day in ("Sun", "Mon", "Tues", "Wednes", "Thurs", "Fri", "Satur")]


def hears(page: Page, *wanted: str) -> list[str]:
    """All of it is in the tree, in this order; answers the whole tree."""
    lines = accessibility_lines(page)
    assert in_order(lines, *wanted) == [], "\n".join(lines)
    assert len([line for line in lines if " level=1" in line]) == 1
    assert [line for line in lines if line.startswith(("link", "button", "textbox")) and ' ""' in line] == []
    return lines


@pytest.fixture
def tour(page: Page, demo: Demo) -> Tour:
    """A visitor in the salon's own city."""
    return Tour(page, demo, tz="America/New_York")


def test_booking_by_ear(page: Page, tour: Tour):
    """Services, days, times, form, errors and the confirmation, each with a role and a name."""
    tour.open("", "service")
    hears(
        page,
        'banner "Acme Salon…',
        'navigation "Booking steps"',
        'main "…',
        'heading "What would you like to book?" level=1',
        'heading "Classes" level=2',
        'link "Styling class"',
        FOOT[0],
        *FOOT[2:],
    )
    page.get_by_role("link", name="Styling class").click()
    booking_steps.at(page, "slot")
    expect(page.get_by_role("heading", name="Styling class")).to_be_focused()
    month, chosen = map(plain_spaces, page.locator(".kb-sub").all_inner_texts())
    day = plain_spaces(page.locator(".kb-day[aria-current=date]").get_attribute("aria-label") or "")
    lines = hears(
        page,
        'link "Service"',
        'main "…',
        'link "All services"',
        'heading "Styling class" focused level=1',
        'combobox "Number of people"',
        f'region "{month}"',
        f'heading "{month}" level=2',
        f'table "{month}"',
        *WEEK,
        f'link "{day}"',
        f'region "{chosen}"',
        f'heading "{chosen}" level=2',
        'list "…',
        'link "…',
        'link "Change time zone"',
        'link "24-hour clock"',
        # The link to the services is in the head of this step, and not in the foot as well.
        FOOT[0],
        *FOOT[2:],
    )
    assert day.startswith(chosen)
    assert [line for line in lines if line.startswith("link") and line.endswith('left"')]

    page.locator(".kb-time").first.click()
    booking_steps.at(page, "contact")
    expect(page.get_by_role("heading", name="Your details")).to_be_focused()
    form = (
        'textbox "Email (or phone)"',
        'textbox "Phone (or email)"',
        'textbox "Notes (optional)"',
        'button "Book appointment"',
    )
    hears(
        page,
        'heading "Your details" focused level=1',
        'region "Your appointment"',
        'term "When"',
        'definition "…',
        'term "Price"',
        'definition "$30.00"',
        'textbox "Name" required',
        *form,
        *FOOT,
    )
    page.get_by_role("button", name="Book appointment").click()
    expect(page.get_by_role("alert")).to_be_focused()
    nameless, unreachable = "Please enter your name.", "Please enter an email address or a phone number."
    hears(
        page,
        'heading "Your details" level=1',
        f'alert "There is a problem {nameless} {unreachable}" focused',
        f'link "{nameless}"',
        f'link "{unreachable}"',
        f'textbox "Name" invalid required: {nameless}',
        f'textbox "Email (or phone)" invalid: {unreachable}',
        *form[1:],
    )
    number = booking_steps.book(page)
    expect(page.get_by_role("heading", name="You’re booked")).to_be_focused()
    hears(
        page,
        'heading "You’re booked" focused level=1',
        'region "Your appointment"',
        'term "When"',
        'term "Confirmation number"',
        f'definition "{number} Copy"',
        f'button "Copy": {number}',
        'region "Add to calendar"',
        'link "Google (opens in a new tab)"',
        'link "Apple (.ics)"',
        'link "Change or cancel"',
        *FOOT,
    )


@pytest.mark.matrix
def test_managing_by_ear(page: Page, tour: Tour):
    """Finding, moving and canceling: what is asked, what is pressed, and what became of it."""
    tour.open("color-consultation/", "slot")
    booking_steps.to_contact(page)
    number = booking_steps.book(page)
    tour.open("manage/", "find")
    hears(
        page,
        'heading "Find your booking" level=1',
        'textbox "Confirmation number" required',
        'textbox "Email or phone" required',
        'button "Find booking"',
    )
    booking_steps.find(page, number, "nobody@example.com")
    expect(page.get_by_role("alert")).to_be_focused()
    hears(page, 'heading "Find your booking" level=1', 'alert "We can’t find a booking…', 'textbox "Confirmation…')
    booking_steps.find(page, number, "ada@example.com")
    booking_steps.at(page, "booking")
    expect(page.get_by_role("heading", name="Your booking")).to_be_focused()
    hears(
        page,
        'heading "Your booking" focused level=1',
        'definition "Confirmed"',
        'button "Reschedule"',
        'button "Cancel booking"',
    )
    page.get_by_role("button", name="Reschedule").click()
    booking_steps.at(page, "slot")
    page.locator(".kb-time").last.click()
    booking_steps.at(page, "move")
    expect(page.get_by_role("heading", name="Reschedule your booking?")).to_be_focused()
    hears(
        page,
        'heading "Reschedule your booking?" focused level=1',
        'term "From"',
        'term "To"',
        'button "Reschedule"',
        'link "Choose another time"',
    )
    page.get_by_role("button", name="Reschedule").click()
    moved = page.get_by_role("status").filter(has_text="Your booking has been rescheduled.")
    expect(moved).to_be_focused()
    hears(page, 'heading "Your booking" level=1', 'status "Your booking has been rescheduled." focused')
    page.get_by_role("button", name="Cancel booking").click()
    booking_steps.at(page, "cancel")
    expect(page.get_by_role("heading", name="Cancel this booking?")).to_be_focused()
    hears(
        page,
        'heading "Cancel this booking?" focused level=1',
        'link "Keep booking"',
        'button "Cancel booking"',
    )
    page.get_by_role("button", name="Cancel booking").click()
    expect(page.get_by_role("heading", name="Booking canceled")).to_be_focused()
    hears(page, 'heading "Booking canceled" focused level=1', 'link "Book again"')


@pytest.mark.dates
def test_announcements_of_live_regions(page: Page, tour: Tour):
    """Search results, a chosen day, a wait and its end are announced politely, and no old announcement stays."""
    live = page.locator("[data-kb-live]")
    tour.open("color-consultation/zone/", "zone")
    search = page.get_by_role("searchbox", name="City, country or UTC offset")
    for typed, announcement in (
        ("Kathmandu", "1 time zone found"),
        ("zzzz", "No matching time zone. Try the nearest big city"),
    ):
        search.fill(typed)
        page.keyboard.press("Enter")
        expect(live).to_contain_text(announcement)
        expect(search).to_be_focused()
    tour.open("color-consultation/", "slot")
    expect(live).to_have_text("")
    other = booking_steps.another_day(page)
    other.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".kb-day[aria-current]")).to_be_focused()
    expect(live).to_contain_text(page.locator(".kb-times .kb-sub").inner_text())
    tour.press(".kb-time", "contact")
    tour.fill(name="Ada", email="slow@example.com")
    with booking_steps.unanswered(page, "**/book/color-consultation/contact/**"):
        page.get_by_role("button", name="Book appointment").click()
        expect(live).to_have_text("Booking…")
    booking_steps.at(page, "confirmation")
    expect(live).to_have_text("")


@pytest.mark.matrix
def test_two_clocks_by_ear(page: Page, demo: Demo):
    """For a visitor from afar one sentence before the times says whose clock they are by; the form says both."""
    tour = Tour(page, demo, tz="Europe/Kyiv")
    tour.open("haircut/", "slot", hours="24")
    lines = accessibility_lines(page)
    [sentence] = [at for at, line in enumerate(lines) if "Times in New York. You’re 7 hours ahead." in line]
    first = lines.index(f'link "{page.locator(".kb-time").first.inner_text()}"')
    assert sentence < first
    assert 'link "Show Kyiv time"' in lines[:first]
    tour.press(".kb-time", "contact")
    lines = hears(page, 'term "When"', 'definition "…')
    [when] = [line for line in lines if line.startswith("definition") and " local time " in line]
    assert " local time New York · GMT-" in when
    assert " your time Kyiv · GMT+" in when
