"""The visitor's and the customer's way, in any language: found by what things are, not by their words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from playwright.sync_api import Page

from kordless_booking.sandbox import Sandbox

STEPS = (
    "services",
    "times",
    "time zones",
    "details",
    "details to check",
    "waiting",
    "confirmation",
    "look-up",
    "booking",
    "other times",
    "moving",
    "cancelling",
    "cancelled",
    "a problem",
)
TYPED = {"name": "Ada Lovelace", "email": "ada@example.com", "phone": "+1 212 555 0142"}


def walked(page: Page, site: str, sandbox: Path, dress: str) -> Iterator[str]:
    """Yield the name of each step when the page shows it. `dress` is query text that every address gets."""
    page.goto(f"{site}/book/?{dress}")
    yield "services"
    page.goto(f"{site}/book/haircut/?{dress}&day=2026-12-04")
    yield "times"
    page.goto(f"{site}/book/haircut/zone/?{dress}&q=america")
    yield "time zones"
    page.goto(f"{site}/book/haircut/?{dress}&day=2026-12-04")
    page.locator(".kb-time").nth(1).click()
    _at(page, "contact")
    for name, text in TYPED.items():
        page.locator(f"[name={name}]").fill(text)
    yield "details"
    page.locator("[name=name]").fill("")
    page.locator("[name=email]").fill("ada@example")
    _send(page)
    page.locator("[role=alert]").first.wait_for()
    yield "details to check"
    page.locator("[name=name]").fill(TYPED["name"])
    page.locator("[name=email]").fill(TYPED["email"])
    yield from _waiting(page, sandbox)
    _at(page, "confirmation")
    yield "confirmation"
    number = page.locator(".kb-number").inner_text()
    page.goto(f"{site}/book/manage/?{dress}")
    page.locator("[name=number]").fill(number)
    page.locator("[name=contact]").fill(TYPED["email"])
    yield "look-up"
    _send(page)
    _at(page, "booking")
    booking = page.evaluate("location.href")  # `page.url` hears of an address that a script sets a moment later
    yield "booking"
    page.locator(".kb-primary").first.click()
    _at(page, "slot")
    yield "other times"
    page.locator(".kb-time").last.click()
    _at(page, "move")
    yield "moving"
    page.goto(booking)
    page.locator(".kb-danger").first.click()
    _at(page, "cancel")
    yield "cancelling"
    _send(page)
    _at(page, "booking")
    yield "cancelled"
    page.goto(f"{site}/book/nothing-here/?{dress}")
    yield "a problem"


def book(page: Page, times: str, name: str, email: str) -> None:
    """Book the first free time of a page of times."""
    page.goto(times)
    page.locator(".kb-time").first.click()
    _at(page, "contact")
    page.locator("[name=name]").fill(name)
    page.locator("[name=email]").fill(email)
    _send(page)
    _at(page, "confirmation")


def _waiting(page: Page, sandbox: Path) -> Iterator[str]:
    """Send the form to a Kordless that doesn't answer until the step has been shown: else the page may go on before."""
    with closing(Sandbox(str(sandbox))) as kordless:
        kordless.faults.add("status", operation="create", status=502)
        _send(page)
        _at(page, "attempt")
        yield "waiting"
        kordless.faults.clear()


def _send(page: Page) -> None:
    page.locator("form[method=post] [type=submit]").first.click()


def _at(page: Page, step: str) -> None:
    page.locator(f'[data-kb-step="{step}"]').wait_for()
