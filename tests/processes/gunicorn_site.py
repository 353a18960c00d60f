"""The demo under gunicorn: several processes on Redis and PostgreSQL, or one with threads and nothing else."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

from tests.processes.sandbox_process import Steered
from tests.support import clock

REMEMBERED = 1.1
"""Seconds after which a process looks into the shared cache again."""
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Served:
    """A running site. `url` has no slash at its end; `redis_url` and `database_url` are empty when it has none."""

    url: str
    kordless: Steered
    redis_url: str
    database_url: str
    log_file: Path
    master: int

    def log(self) -> str:
        """Return the log of all processes."""
        return self.log_file.read_text()

    def workers(self) -> list[int]:
        """The process ids of those who serve."""
        children = Path(f"/proc/{self.master}/task/{self.master}/children").read_text()
        return [int(each) for each in children.split()]

    def worker_of(self, port: int) -> int:
        """The worker that has taken the connection which comes from this port."""
        ours = int(self.url.rpartition(":")[2])
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        ends = {tuple(int(end.split(":")[1], 16) for end in line[1:3]): f"socket:[{line[9]}]" for line in lines}
        for worker in self.workers():
            for handle in Path(f"/proc/{worker}/fd").iterdir():
                with suppress(FileNotFoundError):  # closed meanwhile
                    if str(handle.readlink()) == ends[ours, port]:
                        return worker
        raise LookupError("no worker has it")

    def redis(self) -> redis.Redis[bytes]:
        """A connection of our own to the site's Redis."""
        return redis.Redis.from_url(self.redis_url)

    def query(self, text: str, *values: object) -> None:
        """Change something in the site's PostgreSQL."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute(text, values)

    def afresh(self) -> None:
        """Nobody has been here yet: nothing is booked, counted, stored or cached, in or outside of the processes."""
        # What a request of the last test still fetches would arrive in the empty cache.
        self.kordless.wait_for_answers()
        with self.redis() as cache:
            cache.flushall()
        self.query("TRUNCATE kordless_booking_bookingattempt")
        self.kordless.control("reset", "POST")
        time.sleep(REMEMBERED)

    def passes(self, seconds: int) -> None:
        """Let so many seconds pass: moved on where that can be done from outside, else waited for."""
        if self.redis_url:
            self.later(seconds)
        else:
            time.sleep(seconds)

    def later(self, seconds: int) -> None:
        """So many seconds pass for everything that is waited for: in Redis, in the attempts' rows, at Kordless."""
        with self.redis() as cache:
            for key in cache.scan_iter():
                left = cache.pttl(key)
                if left <= seconds * 1000:
                    cache.delete(key)
                else:
                    cache.set(key, _earlier(cache.get(key) or b"", seconds), px=left - seconds * 1000)
        self.query(
            "UPDATE kordless_booking_bookingattempt SET retry_at = retry_at - passed, created_at = created_at - passed,"
            " claimed_until = claimed_until - passed, changed_at = changed_at - passed"
            " FROM (SELECT make_interval(secs => %s)) AS time (passed)",
            seconds,
        )
        self.kordless.later(seconds)


def _earlier(value: bytes, seconds: int) -> bytes:
    """Return a value of the rate limiter with its moments moved back; any other value unchanged."""
    if value.removeprefix(b"-").isdigit() and abs(int(value)) > 10**12:
        # A lent permit has a negative time.
        return str(int(value) - (seconds * 1000 if int(value) > 0 else -seconds * 1000)).encode()
    if value.startswith(b'b{"left"'):
        kept = json.loads(value.removeprefix(b"b"))
        moved = {**kept, "at": kept["at"] - seconds, "until": kept["until"] - seconds}
        return b"b" + json.dumps(moved).encode()
    return value


def environment(
    kordless: Steered, *, workers: int, redis_url: str, database_url: str, mail_folder: str = ""
) -> dict[str, str]:
    """The site's whole configuration. With `mail_folder` it writes to customers, into files there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KORDLESS_", "DJANGO_"))}
    return kept | {
        "DJANGO_SETTINGS_MODULE": "tests.processes.settings",
        "SECRET_KEY": "only for crowds: 3nV7pK1sW9eR5yT2uH8jQ4",
        "DEBUG": "0",
        "ALLOWED_HOSTS": "127.0.0.1",
        "KORDLESS_API_KEY": "kordless-sandbox-key",
        "KORDLESS_ORG_SLUG": "acme-salon",
        "KORDLESS_BASE_URL": kordless.api,
        "REDIS_URL": redis_url,
        "DATABASE_URL": database_url,
        "WEB_CONCURRENCY": str(workers),
        "MAIL_FOLDER": mail_folder,
        **clock.environment(clock.AHEAD),
    }


@contextmanager
def served(
    folder: Path,
    kordless: Steered,
    *,
    workers: int,
    threads: int,
    redis_url: str = "",
    database_url: str,
    mail_folder: str = "",
) -> Iterator[Served]:
    """The demo on a free port, on a migrated database, for as long as the context lasts."""
    given = environment(
        kordless, workers=workers, redis_url=redis_url, database_url=database_url, mail_folder=mail_folder
    )
    log_file = folder / "site.log"
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening, log_file.open("w") as log:
        number = listening.fileno()
        command = [
            sys.executable,
            "-m",
            "tests.support.clock",
            "gunicorn",
            "tests.processes.wsgi",
            "--bind",
            f"fd://{number}",
        ]
        command += ["--threads", str(threads), "--preload", "--graceful-timeout", "1"]
        with subprocess.Popen(  # noqa: S603 (ours)
            command, cwd=ROOT, env=given, pass_fds=[number], stdout=log, stderr=subprocess.STDOUT
        ) as running:
            try:
                url = f"http://127.0.0.1:{listening.getsockname()[1]}"
                yield Served(url, kordless, redis_url, database_url, log_file, running.pid)
            finally:
                running.send_signal(signal.SIGQUIT)  # gunicorn's way to stop without waiting for idle browsers
