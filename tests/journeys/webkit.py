"""A visitor in WebKitGTK, the engine of Safari, with the methods of tests/journeys/firefox.py."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from tests.journeys.stored_data import STORED
from tests.journeys.webdriver import ELEMENT, Refused, WebDriver, running

PATIENCE_SECONDS = 15
KEYS = {
    "Tab": "\ue004",
    "Enter": "\ue007",
    "Escape": "\ue00c",
    "Space": "\ue00d",
    "PageUp": "\ue00e",
    "PageDown": "\ue00f",
    "End": "\ue010",
    "Home": "\ue011",
    "ArrowLeft": "\ue012",
    "ArrowUp": "\ue013",
    "ArrowRight": "\ue014",
    "ArrowDown": "\ue015",
}
SHIFT = "\ue008"
CAPABILITIES = {
    "browserName": "MiniBrowser",
    "timeouts": {"implicit": PATIENCE_SECONDS * 1000, "script": PATIENCE_SECONDS * 1000, "pageLoad": 60_000},
    "webkitgtk:browserOptions": {"args": ["--automation"]},
}
# Not the click itself: our script holds one that comes before htmx, and nobody else hears it.
HEAR = """
  window.heardClick = false;
  addEventListener("mouseup", () => { window.heardClick = true; }, { capture: true, once: true });
"""
IS_HEARD = "window.heardClick !== false"  # or the page has gone
LISTEN = """(() => {
  window.complaints = [];
  addEventListener("error", ({ message }) => complaints.push(message));
  addEventListener("unhandledrejection", ({ reason }) => complaints.push(String(reason)));
  addEventListener("securitypolicyviolation", ({ violatedDirective }) => complaints.push(violatedDirective));
})()"""


class WebKit:
    """Acts are on the page, or with `frame` inside the frame of that title. `what` is a CSS selector."""

    def __init__(self, driver: WebDriver) -> None:
        self._driver = driver

    @contextmanager
    def tab(self, url: str) -> Iterator[None]:
        """A new window of a browser that knows nothing yet, closed at the end."""
        self._driver.begin(**CAPABILITIES)
        try:
            self.go(url)
            yield
        finally:
            self._driver.end()

    def go(self, url: str) -> None:
        """Open a page in the tab."""
        self._driver.post("url", url=url)
        self.evaluate(LISTEN)

    def reload(self) -> None:
        """Press the browser's button."""
        self._driver.post("refresh")

    def back(self) -> None:
        """Press the browser's button; whoever does waits for what is to be seen next."""
        self._driver.post("back")

    def forward(self) -> None:
        """As `back`, the other way."""
        self._driver.post("forward")

    def resize(self, width: int, height: int) -> None:
        """Make the page this big, in pixels without the window's own bar."""
        self._driver.post("window/rect", width=width, height=height)
        bar = int(self.evaluate("outerHeight - innerHeight"))
        self._driver.post("window/rect", width=width, height=height + bar)
        self.wait_for(f"innerWidth === {width}")

    def see(self, what: str, frame: str = "") -> None:
        """Wait until it is there to be seen."""
        self._on(what, frame, lambda element: self._shown(what, element))
        # What has just been swapped in doesn't work yet.
        self.wait_for("!document.querySelector('.htmx-settling')", frame)

    def click(self, what: str, frame: str = "") -> None:
        """Click it with the mouse; again if the frame hasn't heard it, as happens while it is drawn or grows."""
        for _ in range(5):
            self._on(what, frame, self._press)
            if self.evaluate(IS_HEARD, frame):
                return
        raise AssertionError(f"{what} can't be clicked")

    def fill(self, what: str, text: str, frame: str = "") -> None:
        """Write at the end of a field."""
        self._on(what, frame, lambda element: self._driver.post(f"element/{element}/value", text=text))

    def text(self, what: str, frame: str = "") -> str:
        """The words in an element, also while it fades in, when the driver's own command finds none."""
        self._enter(frame)
        given = [{ELEMENT: self._find(what)}]
        return str(self._driver.post("execute/sync", script="return arguments[0].innerText", args=given))

    def press(self, key: str, times: int = 1, *, shift: bool = False) -> None:
        """Press a key where the focus is."""
        strokes = [{"type": kind, "value": KEYS.get(key, key)} for kind in ("keyDown", "keyUp")] * times
        if shift:
            strokes = [{"type": "keyDown", "value": SHIFT}, *strokes, {"type": "keyUp", "value": SHIFT}]
        self._driver.post("actions", actions=[{"type": "key", "id": "keys", "actions": strokes}])

    def evaluate(self, expression: str, frame: str = "") -> Any:
        """Evaluate a JavaScript expression in the page."""
        self._enter(frame)
        return self._driver.post("execute/sync", script=f"return ({expression})", args=[])

    def wait_for(self, expression: str, frame: str = "") -> None:
        """Wait until a JavaScript expression is true in the page."""
        give_up = monotonic() + PATIENCE_SECONDS
        while not self.evaluate(expression, frame):
            assert monotonic() < give_up, f"{expression} has not come true"

    def complaints(self) -> list[str]:
        """Return the errors of this document since it was loaded; neither driver nor browser shows its console."""
        errors: list[str] = self.evaluate("complaints")
        return errors

    def kept(self, *frames: str) -> list[str]:
        """All that the page's and the frames' origins have stored, cookies that scripts can't see included."""
        found = [f"cookie {cookie['name']} of {cookie['domain']}" for cookie in self._driver.get("cookie")]
        for frame in ("", *frames):
            found += self.evaluate("document.cookie ? [`cookie of ${location.origin}`] : []", frame)
            found += self.evaluate(f"({STORED})()", frame)
        return found

    def picture(self, path: Path) -> None:
        """Save what the page looks like as a PNG."""
        path.write_bytes(b64decode(self._driver.get("screenshot")))

    def _on(self, what: str, frame: str, act: Callable[[str], object]) -> None:
        """Do something with an element; anew when the page has put another one in its place meanwhile."""
        give_up, last = monotonic() + PATIENCE_SECONDS, ""
        while monotonic() < give_up:
            try:
                self._enter(frame)
                act(self._find(what))
            except Refused as refused:
                if refused.kind not in {"stale element reference", "no such element", "no such frame"}:
                    raise
                last = str(refused)
            else:
                return
        raise AssertionError(f"{what} can't be seen, or doesn't stay on the page: {last}")

    def _press(self, element: str) -> None:
        self._driver.post("execute/sync", script=HEAR, args=[])
        self._driver.post(f"element/{element}/click")

    def _shown(self, what: str, element: str) -> None:
        if not self._driver.get(f"element/{element}/displayed"):
            raise Refused("no such element", f"{what} can't be seen")

    def _find(self, what: str) -> str:
        return str(self._driver.post("element", using="css selector", value=what)[ELEMENT])

    def _enter(self, frame: str) -> None:
        self._driver.post("frame", id=None)
        if frame:
            self._driver.post("frame", id={ELEMENT: self._find(f'iframe[title="{frame}"]')})


@contextmanager
def webkit(driver: str, xvfb: str, folder: Path) -> Iterator[WebKit]:
    """A visitor's WebKit, which takes no cookies of third parties."""
    with running(driver, xvfb, folder) as remote:
        yield WebKit(remote)
