"""A visitor in Firefox, and the data that Firefox has stored about the visit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from tests.journeys.marionette import ELEMENT, Marionette, Refused, running

PATIENCE_SECONDS = 15
COOKIES = {"allowed": 0, "blocked": 1}
"""network.cookie.cookieBehavior: all are taken, or none of third parties."""
NO_SCRIPTS_IN_FRAMES = """
  Services.obs.addObserver(
    (frame) => { if (frame.parent && frame.isContent) frame.allowJavascript = false; }, "browsing-context-attached");
"""
KEPT = """
  const [done] = arguments, found = [];
  for (const { host, name } of Services.cookies.cookies) found.push(`cookie ${name} of ${host}`);
  const workers = Cc["@mozilla.org/serviceworkers/manager;1"].getService(Ci.nsIServiceWorkerManager);
  found.push(...Array.from({ length: workers.getAllRegistrations().length }, () => "service worker"));
  Services.qms.listOrigins().callback = ({ result }) =>
    done([...found, ...Array.from(result, (site) => `storage of ${site}`).filter((one) => one.includes("http"))]);
"""
# Not the click itself: our script holds one that comes before htmx, and nobody else hears it.
HEAR = """() => {
  this.heardClick = false;
  addEventListener("mouseup", () => { this.heardClick = true; }, { capture: true, once: true });
}"""
IS_SETTLED = "() => !document.querySelector('.htmx-settling')"  # before that, what is swapped in doesn't work yet
IS_HEARD = "() => this.heardClick !== false"  # or the page has gone
# Without localStorage: a look at it would make one, and Firefox itself knows of each.
IN_A_WINDOW = """() => {
  try {
    return Object.keys(sessionStorage).map((key) => `sessionStorage ${key} of ${location.origin}`);
  } catch (error) {
    if (error.name !== "SecurityError") throw error; // the browser lets nothing be kept here
    return [];
  }
}"""
KEYS = {"Tab": "\ue004", "Escape": "\ue00c", "Enter": "\ue007"}


class Firefox:
    """Acts are on the page, or with `frame` inside the frame of that title. `what` is a CSS selector."""

    def __init__(self, marionette: Marionette) -> None:
        self._call = marionette.call

    @contextmanager
    def tab(self, url: str) -> Iterator[None]:
        """A new tab, closed at the end."""
        home = self._call("WebDriver:GetWindowHandle")
        opened = self._call("WebDriver:NewWindow", type="tab")["handle"]
        self._call("WebDriver:SwitchToWindow", handle=opened)
        self.complaints()
        try:
            self._call("WebDriver:Navigate", url=url)
            yield
        finally:
            self._call("WebDriver:CloseWindow")
            self._call("WebDriver:SwitchToWindow", handle=home)

    def resize(self, width: int, height: int) -> None:
        """Make the window this big, in pixels with its frame."""
        self._call("WebDriver:SetWindowRect", width=width, height=height)

    def see(self, what: str, frame: str = "") -> None:
        """Wait until it is there to be seen."""
        self._on(what, frame, lambda element: self._shown(what, element))
        give_up = monotonic() + PATIENCE_SECONDS
        while not self._outside(IS_SETTLED):
            assert monotonic() < give_up, f"{what} is still being swapped in"

    def click(self, what: str, frame: str = "") -> None:
        """Click it with the mouse; again if no window has heard it, as happens to a frame that has just been drawn."""
        for _ in range(5):
            self._on(what, frame, self._press)
            self._enter(frame)
            if self._outside(IS_HEARD, newSandbox=False):
                return
        raise AssertionError(f"{what} can't be clicked")

    def fill(self, what: str, text: str, frame: str = "") -> None:
        self._on(what, frame, lambda element: self._call("WebDriver:ElementSendKeys", id=element, text=text))

    def text(self, what: str, frame: str = "") -> str:
        """The words in an element."""
        self._enter(frame)
        found = self._call("WebDriver:FindElement", using="css selector", value=what)
        return str(self._call("WebDriver:GetElementText", id=found[ELEMENT]))

    def press(self, key: str) -> None:
        """Press a key where the focus is."""
        strokes = [{"type": kind, "value": KEYS[key]} for kind in ("keyDown", "keyUp")]
        self._call("WebDriver:PerformActions", actions=[{"type": "key", "id": "keys", "actions": strokes}])

    def evaluate(self, expression: str, frame: str = "") -> Any:
        """Evaluate a JavaScript expression in the page."""
        self._enter(frame)
        return self._call("WebDriver:ExecuteScript", script=f"return ({expression})", args=[])

    def wait_for(self, expression: str, frame: str = "") -> None:
        """Wait until a JavaScript expression is true in the page."""
        give_up = monotonic() + PATIENCE_SECONDS
        while not self.evaluate(expression, frame):
            assert monotonic() < give_up, f"{expression} has not come true"

    def kept(self, *frames: str) -> list[str]:
        """Everything that any site has stored in this browser, and what the page's and the frames' windows hold."""
        found = list(self._inside(KEPT))
        for frame in ("", *frames):
            self._enter(frame)
            found += self._outside(IN_A_WINDOW)
        return found

    def complaints(self) -> list[str]:
        """Return the console's errors about pages of this machine so far, and clear them."""
        errors: list[str] = self._inside(
            """const [done] = arguments;
            const errors = Services.console.getMessageArray().filter((one) =>
              one instanceof Ci.nsIScriptError && !(one.flags & one.warningFlag));
            Services.console.reset();
            done(errors.filter(({ sourceName, category }) => /^http/.test(sourceName) || category.startsWith("CSP"))
              .map(({ message }) => message));"""
        )
        return errors

    def forget(self) -> None:
        """Drop everything that any site has stored; what a window holds goes with its tab."""
        self._inside(
            """const [done] = arguments;
            const all = Ci.nsIClearDataService.CLEAR_COOKIES_AND_SITE_DATA;
            Services.clearData.deleteData(all, { onDataDeleted: () => done() });"""
        )

    def forget_pages_at_once(self) -> None:
        """From now on a page that is left is loaded anew on the way back, not taken from memory."""
        self._inside('Services.prefs.setIntPref("browser.sessionhistory.max_total_viewers", 0); arguments[0]();')

    def _on(self, what: str, frame: str, act: Callable[[str], object]) -> None:
        """Do something with an element; anew when the page has put another one in its place meanwhile."""
        give_up, last = monotonic() + PATIENCE_SECONDS, ""
        while monotonic() < give_up:
            self._enter(frame)
            found = self._call("WebDriver:FindElement", using="css selector", value=what)
            try:
                act(found[ELEMENT])
            except Refused as refused:
                if refused.kind not in {"stale element reference", "no such element"}:
                    raise
                last = str(refused)
            else:
                return
        raise AssertionError(f"{what} can't be seen, or doesn't stay on the page: {last}")

    def _press(self, element: str) -> None:
        self._outside(HEAR, newSandbox=False)
        self._call("WebDriver:ElementClick", id=element)

    def _shown(self, what: str, element: str) -> None:
        if not self._call("WebDriver:IsElementDisplayed", id=element):
            raise Refused("no such element", f"{what} can't be seen")

    def _enter(self, frame: str) -> None:
        self._call("WebDriver:SwitchToFrame", id=None)
        if frame:
            found = self._call("WebDriver:FindElement", using="css selector", value=f'iframe[title="{frame}"]')
            self._call("WebDriver:SwitchToFrame", element=found[ELEMENT])

    def _outside(self, function: str, *, newSandbox: bool = True) -> Any:  # noqa: N803 (as Marionette spells it)
        """Call a function with a look into the page but none of its limits: scripts may be off in it."""
        return self._call(
            "WebDriver:ExecuteScript", script=f"return ({function})()", args=[], sandbox="system", newSandbox=newSandbox
        )

    def _inside(self, script: str) -> Any:
        """Run a script in the browser itself; it answers by calling its first argument."""
        self._call("Marionette:SetContext", value="chrome")
        try:
            return self._call("WebDriver:ExecuteAsyncScript", script=script, args=[])
        finally:
            self._call("Marionette:SetContext", value="content")

    def take_scripts_from_frames(self) -> None:
        """From now on no frame runs a script, whoever it belongs to; pages do."""
        self._inside(f"{NO_SCRIPTS_IN_FRAMES} arguments[0]();")


@contextmanager
def firefox(program: str, folder: Path, *, cookies: str, scripts: bool) -> Iterator[Firefox]:
    """A visitor's Firefox: cookies of third parties `allowed` or `blocked`, scripts inside frames or not."""
    behavior = COOKIES[cookies]
    with running(program, folder, network__cookie__cookieBehavior=behavior) as marionette:
        marionette.call("WebDriver:NewSession", timeouts={"implicit": PATIENCE_SECONDS * 1000})
        visitor = Firefox(marionette)
        if not scripts:
            visitor.take_scripts_from_frames()
        yield visitor
