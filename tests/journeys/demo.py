"""The demo site as it is served for real: gunicorn, DEBUG off, hashed and compressed static files."""

import os
import select
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kordless_booking.sandbox import Sandbox
from tests.journeys import fork_server
from tests.support import clock


@dataclass(frozen=True)
class Demo:
    """A running demo: `url` is its root without a slash at the end, `folder` holds its files and its log, `leader` is
    the first of its processes.
    """

    url: str
    folder: Path
    leader: int

    def finish(self) -> None:
        """Let the site end by itself, as an operator would, and wait until it has."""
        ended = os.pidfd_open(self.leader)
        os.kill(self.leader, signal.SIGQUIT)
        found, _, _ = select.select([ended], [], [], 120)
        os.close(ended)
        assert found, self.log()

    @cached_property
    def sandbox(self) -> Sandbox:
        """The Kordless that the demo books with, to set faults in and to look into."""
        return Sandbox(path=str(self.folder / "sandbox.sqlite3"))

    def send_mail(self) -> None:
        """Run `kordless_mail`, as cron does, by our clock. Raises CalledProcessError when it fails."""
        command = [sys.executable, "-m", "tests.support.clock", "manage", "kordless_mail", "--verbosity", "0"]
        given = environment(self.folder, SITE_URL=self.url)
        subprocess.run(command, cwd=fork_server.ROOT, env=given, check=True)  # noqa: S603 (ours)

    def log(self) -> str:
        """Return the log of the site so far."""
        return (self.folder / "demo.log").read_text()


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The demo's whole configuration: everything that it keeps is in the folder, and it goes by our clock."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KORDLESS_", "DJANGO_"))}
    if "KORDLESS_API_KEY" not in more:
        more["KORDLESS_SANDBOX"] = "1"
    return kept | {
        "DJANGO_SETTINGS_MODULE": "tests.journeys.settings",
        "SECRET_KEY": "only for journeys: 8Jw2mQ7zR4tX1vB9nL5cK3",
        "DEBUG": "0",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "DATABASE_URL": f"sqlite:///{folder / 'demo.sqlite3'}",
        "KORDLESS_SANDBOX_FILE": str(folder / "sandbox.sqlite3"),
        "STATIC_ROOT": str(folder / "static"),
        **clock.environment(),
        **more,
    }


def manage(*command: str, folder: Path) -> None:
    """Run a management command of the demo; raises CalledProcessError when it fails."""
    subprocess.run([sys.executable, "manage.py", *command], cwd=fork_server.ROOT, env=environment(folder), check=True)  # noqa: S603 (ours)


def prepare(folder: Path, static: Path) -> None:
    """Make `folder` one that a demo can be served from, its database migrated and its files collected into `static`."""
    (folder / "static").symlink_to(static, target_is_directory=True)
    manage("migrate", "--verbosity", "0", folder=folder)
    manage("collectstatic", "--no-input", "--verbosity", "0", folder=folder)


def furnish(folder: Path, prepared: Path) -> None:
    """Make `folder` a copy of one that is prepared; the static files are the same, and nobody writes to them."""
    shutil.copytree(prepared, folder, dirs_exist_ok=True, symlinks=True)


@contextmanager
def served(folder: Path, **more: str) -> Iterator[Demo]:
    """The demo on a free port of this machine, on the migrated database in the folder and a fresh sandbox.

    `more` are further variables of its environment.

    The server is handed a socket that listens already, so that there is nothing to wait for.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening, (folder / "demo.log").open("w") as log:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        given = environment(folder, **{"SITE_URL": url, **more})
        leader = fork_server.serve(listening, log, ["demo_site.wsgi", "--threads", "8"], given)
        try:
            yield Demo(url, folder, leader)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(leader, signal.SIGKILL)  # else it would wait for the lines that browsers keep open
