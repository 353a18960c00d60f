"""Fork server: a process that has loaded the libraries forks each demo server, which starts in half the time.

Own code, because the kept alternatives start less: gunicorn's `--preload` loads one application for its own workers,
and multiprocessing's forkserver runs functions of this process, not a server with an environment of its own.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn, TextIO

from tests.support import clock

ROOT = Path(__file__).resolve().parents[2]
"""Where demo_site is found."""
LIBRARIES = (
    "babel.dates",
    "cryptography.fernet",
    "dj_database_url",
    "django.contrib.admin.options",
    "django.core.cache.backends.locmem",
    "django.core.handlers.wsgi",
    "django.db.backends.sqlite3.base",
    "django.db.migrations",
    "django.db.models",
    "django.forms",
    "django.template.backends.django",
    "django_htmx.middleware",
    "gunicorn.app.wsgiapp",
    "gunicorn.glogging",
    "gunicorn.workers.gthread",
    "httpx",
    "icalendar",
    "kordless_booking.api.client",
    "kordless_booking.presentation.calendar_event",
    "kordless_booking.presentation.palette",
    "kordless_booking.presentation.stylesheet",
    "kordless_booking.sandbox",
    "msgspec",
    "phonenumbers",
    "stamina",
    "whitenoise.storage",
)
"""Modules that the demo needs and that read no settings at import."""
LONGEST = 1_000_000
"""Bytes of an order."""


def serve(listening: socket.socket, log: TextIO, arguments: list[str], environment: dict[str, str]) -> int:
    """Serve with gunicorn on the socket, writing to the log; the number of its first process, which leads its group."""
    order = json.dumps({"arguments": arguments, "environment": environment}).encode()
    socket.send_fds(_opened(), [order], [listening.fileno(), log.fileno()])
    return int(_opened().recv(64))


@cache
def _opened() -> socket.socket:
    """The line to this process's nursery, which ends with it."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with there:
        command = [sys.executable, "-m", __name__, str(there.fileno())]
        nursery = subprocess.Popen(command, pass_fds=[there.fileno()], cwd=ROOT)  # noqa: S603 (ours)

    def close() -> None:
        here.close()
        nursery.wait()

    atexit.register(close)
    return here


def _become(order: dict[str, Any], listening: int, log: int) -> NoReturn:
    """Be gunicorn, as if started from a shell."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(order["environment"])
    clock.follow(os.environ)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.set_inheritable(listening, True)
    sys.argv = ["gunicorn", *order["arguments"], "--bind", f"fd://{listening}"]
    sys.exit(import_module("gunicorn.app.wsgiapp").run())


def _attend(line: socket.socket) -> None:
    """Fork a server for each order until the other end is closed."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for library in LIBRARIES:
        import_module(library)
    while True:
        order, (*handed,), *_ = socket.recv_fds(line, LONGEST, 2)
        if not order:
            return
        born = os.fork()
        if not born:
            os.setpgid(0, 0)
            line.close()
            _become(json.loads(order), *handed)
        os.setpgid(born, born)
        for number in handed:
            os.close(number)
        line.send(str(born).encode())


if __name__ == "__main__":
    _attend(socket.socket(fileno=int(sys.argv[1])))
