"""One of several processes that place the same attempt at the same moment, each with several threads.

`python -m tests.support.racing_process DATABASE SANDBOX THREADS` prints "ready", waits for a line on stdin, races, and
prints the outcome of each thread as JSON.
"""

# ruff: noqa: PLC0415 (Django must be set up before the rest is imported)

import json
import sys
from threading import Barrier, Thread

import django
from django.conf import settings

from tests.projects.plain import settings as plain


def main(database: str, sandbox_path: str, threads: int) -> None:
    """Set up Django on the database file and race."""
    given = {name: getattr(plain, name) for name in dir(plain) if name.isupper()}
    options = {"timeout": 20, "transaction_mode": "IMMEDIATE"}
    given["DATABASES"] = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database, "OPTIONS": options}}
    settings.configure(**given)
    django.setup()
    print(json.dumps(race(sandbox_path, threads)))  # noqa: T201 (how the test hears it)


def race(sandbox_path: str, threads: int) -> list[str]:
    """Place in all threads at once."""
    from django.core.management import call_command
    from django.db import connection

    from kordless_booking.booking.placement import Placed, place_booking
    from kordless_booking.sandbox import Sandbox
    from tests.support.clock import NOW
    from tests.support.placement import attempt_at, client_of

    call_command("migrate", "kordless_booking", verbosity=0)
    client = client_of(Sandbox(sandbox_path))
    attempt = attempt_at(client)
    barrier, outcomes = Barrier(threads), []

    def run() -> None:
        connection.ensure_connection()
        barrier.wait()
        outcome = place_booking("default", client, attempt, NOW)
        outcomes.append(outcome.booking.confirmation_number if isinstance(outcome, Placed) else repr(outcome))
        connection.close()

    print("ready", flush=True)  # noqa: T201 (how the test hears it)
    sys.stdin.readline()
    running = [Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return outcomes


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
