"""Client of Marionette, Firefox's remote control, over a plain socket.

Own code, because kept libraries need a driver that isn't here: Selenium needs geckodriver, which Debian 12 doesn't
package, and Playwright drives only its own build of Firefox, not the one that people have.

Each message is its length in bytes, a colon, and JSON: [0, id, command, parameters] one way, [1, id, error, result]
back.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The key with which WebDriver marks a reference to an element."""
PREFERENCES: dict[str, Any] = {
    "marionette.port": 0,
    # Whatever is not of this machine goes to a port where nobody listens.
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "datareporting.policy.dataSubmissionEnabled": False,
    "intl.accept_languages": "en-US",
}


class Refused(Exception):
    """Firefox could not do it; `kind` is WebDriver's name of the error."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind


class Marionette:
    """One conversation with a running Firefox."""

    def __init__(self, port: int, *, seconds: float = 60) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self._stream = self._socket.makefile("rb")
        self._last_id = 0
        self._receive()

    def call(self, command: str, **parameters: Any) -> Any:
        """Do one command and answer its result; raises Refused."""
        self._last_id += 1
        message = json.dumps([0, self._last_id, command, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(message), message))
        _, number, error, result = self._receive()
        assert number == self._last_id
        if error:
            raise Refused(error["error"], error["message"])
        return result["value"] if isinstance(result, dict) and set(result) == {"value"} else result

    def close(self) -> None:
        self._stream.close()
        self._socket.close()

    def _receive(self) -> Any:
        length = b""
        while (digit := self._stream.read(1)) != b":":
            if not digit:
                raise EOFError("Firefox has hung up.")
            length += digit
        return json.loads(self._stream.read(int(length)))


@contextmanager
def running(firefox: str, folder: Path, **preferences: Any) -> Iterator[Marionette]:
    """A Firefox with a new profile in `folder`, and its remote control; it is in New York.

    `preferences` are written with two underscores for a dot.
    """
    given = PREFERENCES | {name.replace("__", "."): value for name, value in preferences.items()}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in given.items()]
    (folder / "user.js").write_text("\n".join(lines))
    command = [firefox, "--headless", "--marionette", "--remote-allow-system-access", "--no-remote"]
    with subprocess.Popen(  # noqa: S603 (ours)
        [*command, "--profile", str(folder)],
        env={**os.environ, "TZ": "America/New_York", "HOME": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as browser:
        try:
            assert browser.stdout
            ready = next((line for line in browser.stdout if "Listening on port" in line), None)
            assert ready, "Firefox did not start."
            marionette = Marionette(int(ready.rpartition(" ")[2]))
            try:
                yield marionette
            finally:
                marionette.close()
        finally:
            browser.kill()
