"""Every page and every state of the widget, one after the other, in any language and at any width."""

from __future__ import annotations

from collections.abc import Iterator

from playwright.sync_api import Page

from tests.journeys import booking_steps
from tests.journeys.demo import Demo


class Tour:
    """Goes by roles and addresses rather than by words, so that it can go in every language.

    `lang` is a language of the widget; `tz` is where the visitor is, far from the salon by default.
    """

    def __init__(
        self, page: Page, demo: Demo, *, lang: str = "en", tz: str = "Europe/Kyiv", script: bool = True
    ) -> None:
        self.page, self.demo, self.lang, self.tz = page, demo, lang, tz
        self.script = script

    def open(self, path: str, step: str, **query: str) -> None:
        """Go to a page under the widget's address and wait for its step."""
        given = {"lang": self.lang, "tz": self.tz, **query}
        self.page.goto(f"{self.demo.url}/book/{path}?" + "&".join(f"{name}={text}" for name, text in given.items()))
        self.at(step)

    def at(self, step: str) -> None:
        booking_steps.at(self.page, step)

    def press(self, selector: str, step: str) -> None:
        """Press the first such link or button and wait for the step it leads to."""
        self.page.locator(selector).first.click()
        self.at(step)

    def fill(self, **fields: str) -> None:
        for name, text in fields.items():
            self.page.locator(f"[name={name}]").fill(text)

    def booking(self) -> Iterator[str]:
        """From the services to the confirmation."""
        self.open("", "service")
        yield "services"
        self.open("haircut/", "slot")
        yield "times on two clocks"
        self.open("haircut/", "slot", taken="1", near=f"{self.demo.sandbox.clock.now():%Y%m%dT%H%M%SZ}")
        yield "a time that was taken"
        self.open("head-spa/", "slot", month=f"{self.demo.sandbox.clock.now():%Y-%m}")
        yield "an empty month"
        day = f"{self.demo.sandbox.clock.now():%Y-%m-%d}"
        self.open("haircut/", "slot", day=day, until=day, after="23:00", host="host_sarah", understood="partly")
        self.page.locator(".kb-limits li").nth(2).wait_for()
        yield "times that were asked for"
        self.open("say/", "say", service="haircut")
        self.fill(words="zzyzx")
        self.press(".kb-search .kb-primary", "say")
        self.page.locator("[role=alert]").first.wait_for()
        yield "words that were not understood"
        self.open("haircut/zone/", "zone")
        yield "likely zones and continents"
        self.open("haircut/zone/", "zone", q="ind")
        yield "zones"
        self.open("haircut/zone/", "zone", q="zzzzz")
        yield "no zone"
        self.open("styling-class/", "slot", tz="America/New_York")
        yield "times of a class"
        self.press(".kb-time", "contact")
        yield "contact"
        self.press(".kb-form .kb-primary", "contact")
        self.page.locator("[aria-invalid=true]").first.wait_for()
        yield "contact with errors"
        self.fill(name="عبد الله Lovelace", email="ada@example.com", phone="+1 212 555 0123")
        self.press(".kb-form .kb-primary", "confirmation")
        yield "confirmation"

    def managing(self) -> Iterator[str]:
        """From the confirmation to a booking that is canceled."""
        number = booking_steps.number_on(self.page)
        self.press(".kb-onward a", "booking")
        yield "booking"
        self.press(".kb-primary", "slot")
        yield "other times"
        self.page.locator(".kb-time").last.click()
        self.at("move")
        yield "move"
        self.press(".kb-primary", "booking")
        yield "moved"
        self.open("manage/", "find")
        yield "find"
        self.fill(number=number, contact="nobody@example.com")
        self.page.locator(".kb-form button").click()
        self.page.locator("[role=alert]").first.wait_for()
        yield "not found"
        self.fill(number=number, contact="ada@example.com")
        self.press(".kb-form button", "booking")
        self.press(".kb-danger", "cancel")
        yield "cancel"
        self.press(".kb-danger", "booking")
        yield "canceled"

    def trouble(self) -> Iterator[str]:
        """Walk through the failures that have a page, and yield the name of each."""
        faults = self.demo.sandbox.faults
        self.open("no-such-page/", "problem")
        yield "no such page"
        self.open("beard-trim/", "slot")
        self.press(".kb-time", "contact")
        self.fill(name="Ada", email="ada@example.com")
        details = booking_steps.address(self.page)
        faults.add("status", "create", status=503)
        self.press(".kb-form .kb-primary", "attempt")
        yield "confirming"
        faults.clear()
        self.page.goto(details)
        self.at("problem")
        yield "already requested"
        faults.add("status", status=503)
        self.open("full-color/", "problem")
        yield "out of order"
        faults.clear()

    def everything(self) -> Iterator[str]:
        """All of it; the names of the states in turn, with the page in each."""
        yield from self.booking()
        yield from self.managing()
        yield from self.trouble()
