"""Client of the W3C's WebDriver protocol, for WebKitGTK's own driver, with an invisible screen for its browser.

Own code, because the protocol is plain HTTP with JSON, and the little of it that a journey needs is shorter than a
library's set-up: POST /session/{id}/{command} with the parameters, and {"value": …} back.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import httpx

from tests.support.reserved_port import reserved_port

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The key with which WebDriver marks a reference to an element."""
SCREEN = "560x600x24"
"""Without a window manager the window under the pointer has the focus, and the pointer is in the middle of the screen:
so small that it is inside every window. A window may be larger than the screen.
"""
NARROW = "* { min-width: 0; padding: 0; margin: 0; border: 0; font-size: 1px; -gtk-icon-transform: scale(0); }"
"""GTK style of the browser's own bar, which would otherwise keep the window wider than a phone."""


class Refused(Exception):
    """The browser could not do it; `kind` is WebDriver's name of the error."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind


class WebDriver:
    """A driver, and its sessions with a browser, one after the other."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._session = ""

    def begin(self, **capabilities: Any) -> None:
        """Start the browser; it knows nothing of the session before."""
        self._session = ""
        found = self.post("session", capabilities={"alwaysMatch": capabilities})
        self._session = f"session/{found['sessionId']}/"

    def end(self) -> None:
        """Close the browser."""
        self.delete("")

    def post(self, command: str, **parameters: Any) -> Any:
        """Do one command and answer its result; raises Refused."""
        return self._request("POST", self._session + command, json=parameters)

    def get(self, command: str) -> Any:
        """As `post`, for commands that only ask."""
        return self._request("GET", self._session + command)

    def delete(self, command: str) -> Any:
        """As `post`, for commands that close or clear something."""
        return self._request("DELETE", self._session + command)

    def _request(self, method: str, path: str, **more: Any) -> Any:
        value = self._client.request(method, f"/{path.rstrip('/')}", **more).json()["value"]
        if isinstance(value, dict) and "error" in value:
            raise Refused(value["error"], value["message"])
        return value


@contextmanager
def ended(process: subprocess.Popen[Any]) -> Iterator[None]:
    """End a process that we have started, and wait until it has."""
    with process:
        try:
            yield
        finally:
            process.terminate()


@contextmanager
def screen(program: str, log: IO[bytes]) -> Iterator[str]:
    """An invisible X screen; answers the name of its display."""
    reading, written = os.pipe()
    command = [program, "-displayfd", str(written), "-screen", "0", SCREEN, "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[written], stdout=log, stderr=log)  # noqa: S603 (ours)
    os.close(written)
    with ended(server), os.fdopen(reading) as answer:
        number = answer.readline().strip()
        assert number, "Xvfb did not start."
        yield f":{number}"


@contextmanager
def running(driver: str, xvfb: str, folder: Path) -> Iterator[WebDriver]:
    """The driver of a browser that keeps its data in `folder`, in New York."""
    style = folder / ".config" / "gtk-3.0" / "gtk.css"
    style.parent.mkdir(parents=True)
    style.write_text(NARROW)
    with ExitStack() as stack:
        output = stack.enter_context((folder / "webkit.log").open("wb"))
        display = stack.enter_context(screen(xvfb, output))
        environment = {
            **{name: text for name, text in os.environ.items() if not name.startswith(("XDG_", "DBUS_", "WAYLAND_"))},
            "DISPLAY": display,
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "LANGUAGE": "en_US",
            "TZ": "America/New_York",
            "GDK_BACKEND": "x11",
            "NO_AT_BRIDGE": "1",  # there is no bus for it
        }
        port = stack.enter_context(reserved_port())
        command = [driver, f"--port={port}", "--host=127.0.0.1"]
        server = subprocess.Popen(command, env=environment, stdout=output, stderr=output)  # noqa: S603 (ours)
        stack.enter_context(ended(server))
        # Tries to connect again until the driver listens.
        transport = httpx.HTTPTransport(retries=6)
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=transport, timeout=60, trust_env=False)
        yield WebDriver(stack.enter_context(client))
