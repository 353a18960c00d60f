"""A visitor in Chromium, with the same methods as in tests/journeys/firefox.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, BrowserType, FrameLocator, Page, expect

from tests.journeys.booking_steps import settled, wait_for
from tests.journeys.stored_data import STORED

COOKIES = {"allowed": 0, "blocked": 1}
"""profile.cookie_controls_mode, the switch in Chromium's own settings."""
RULES = [
    {
        "id": 1,
        "condition": {"resourceTypes": ["sub_frame"]},
        "action": {
            "type": "modifyHeaders",
            "responseHeaders": [
                {
                    "header": "Content-Security-Policy",
                    "operation": "append",
                    "value": "sandbox allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox",
                }
            ],
        },
    }
]
"""Takes the scripts from every frame, and nothing else: then <noscript> counts as well."""
MANIFEST = {
    "manifest_version": 3,
    "name": "No scripts in frames",
    "version": "1",
    "permissions": ["declarativeNetRequest"],
    "host_permissions": ["<all_urls>"],
    "declarative_net_request": {"rule_resources": [{"id": "frames", "enabled": True, "path": "rules.json"}]},
}

STILL = """title => new Promise((done) => {
  const frame = document.querySelector(`iframe[title="${title}"]`);
  const place = () => JSON.stringify(frame?.getBoundingClientRect());
  const before = place();
  setTimeout(() => done(before && place() === before), 150);
})"""
"""A dialog that opens and grows carries its frame along, and who clicks then hits what was there before."""


class Chromium:
    """Acts are on the page, or with `frame` inside the frame of that title. `what` is a CSS selector."""

    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        self._page: Page
        self._errors: list[str] = []

    @contextmanager
    def tab(self, url: str) -> Iterator[None]:
        """A new tab, closed at the end."""
        self._errors.clear()
        self._page = self._context.new_page()
        self._page.on("console", lambda message: self._errors.append(message.text) if message.type == "error" else None)
        self._page.on("pageerror", lambda error: self._errors.append(str(error)))
        try:
            self._page.goto(url)
            yield
        finally:
            self._page.close()

    def see(self, what: str, frame: str = "") -> None:
        """Wait until it is there to be seen."""
        try:
            expect(self._in(frame).locator(what).first).to_be_visible(timeout=15000)
        except AssertionError as missing:
            raise AssertionError(
                f"{what} can't be seen in {self._in(frame).locator('body').inner_text()!r}"
            ) from missing
        settled(self._in(frame))

    def click(self, what: str, frame: str = "") -> None:
        if frame:
            wait_for(self._page, STILL, frame)
        self._in(frame).locator(what).first.click()

    def fill(self, what: str, text: str, frame: str = "") -> None:
        self._in(frame).locator(what).fill(text)

    def text(self, what: str, frame: str = "") -> str:
        """The words in an element."""
        return self._in(frame).locator(what).inner_text()

    def evaluate(self, expression: str, frame: str = "") -> Any:
        """Evaluate a JavaScript expression in the page."""
        return self._in(frame).locator("html").evaluate(f"() => ({expression})")

    def kept(self, *frames: str) -> list[str]:
        """Every cookie in this browser, and all that the page's and the frames' origins have stored."""
        found = [f"cookie {cookie.get('name')} of {cookie.get('domain')}" for cookie in self._context.cookies()]
        for frame in ("", *frames):
            found += self._in(frame).locator("html").evaluate(STORED)
        return found

    def complaints(self) -> list[str]:
        """Return the errors of pages and frames so far, and clear them."""
        errors, self._errors = self._errors, []
        return errors

    def forget(self) -> None:
        """Drop everything that any site has stored; what a window holds goes with its tab."""
        self._context.clear_cookies()
        session = self._context.new_cdp_session(self._page)
        session.send("Storage.clearDataForOrigin", {"origin": self.evaluate("location.origin"), "storageTypes": "all"})

    def _in(self, frame: str) -> Page | FrameLocator:
        return self._page.locator(f'iframe[title="{frame}"]').content_frame if frame else self._page


@contextmanager
def chromium(
    browser_type: BrowserType, launching: dict[str, Any], folder: Path, *, cookies: str, scripts: bool
) -> Iterator[Chromium]:
    """A visitor's Chromium: cookies of third parties `allowed` or `blocked`, scripts inside frames or not."""
    profile, blocker = folder / "profile", folder / "blocker"
    (profile / "Default").mkdir(parents=True)
    (profile / "Default" / "Preferences").write_text(
        json.dumps({"profile": {"cookie_controls_mode": COOKIES[cookies]}})
    )
    arguments = [*launching["args"]]
    if not scripts:
        blocker.mkdir()
        (blocker / "manifest.json").write_text(json.dumps(MANIFEST))
        (blocker / "rules.json").write_text(json.dumps(RULES))
        arguments += [
            f"--disable-extensions-except={blocker}",
            f"--load-extension={blocker}",
            "--disable-features=DisableLoadExtensionCommandLineSwitch",
        ]
    settings = {**launching, "args": arguments, "timezone_id": "America/New_York", "locale": "en-US"}
    # So tall that nothing is scrolled: a click that scrolls first may be lost between the page and a frame of another.
    settings["viewport"] = {"width": 1280, "height": 2400}
    with browser_type.launch_persistent_context(profile, **settings) as context:
        yield Chromium(context)
