"""What bookings, deliveries, lookups and mail runs cost on empty tables and on tables as they are after years.

`python -m benchmarks.tables` measures both in one run, in one process, and prints JSON: by operation, the median
milliseconds of CPU on empty and on filled tables. Each operation is a whole request through Django's test client.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from html import unescape
from itertools import count
from statistics import median
from typing import Any
from urllib.parse import urlencode

from benchmarks.bookings import form_of
from benchmarks.crowds import address_of
from benchmarks.deliveries import signed_delivery
from benchmarks.load import BROWSER
from benchmarks.world import DAYS_IN_VIEW, month_in_view

SETTINGS = "benchmarks.site.tables"
ROWS = 100_000
OPERATIONS = ("booking.created delivery", "placing a booking", "looking up a booking", "mail run, nothing due")
_NUMBER = re.compile(r'kb-number"[^>]*>(?:<[^>]+>)*\s*([A-Z0-9_-]+)')
_numbers = count(1)


class _Site:
    """The site in this process."""

    def __init__(self) -> None:
        from django.test import Client  # noqa: PLC0415 (needs settings)

        self._client: Any = Client(headers={"Host": "127.0.0.1"})

    def request(self, method: str, path: str, fields: dict[str, str] | None = None, **headers: str) -> Any:
        """Send a request from an address that nobody has used before."""
        sent = {"User-Agent": BROWSER, "X-Forwarded-For": address_of(next(_numbers)), "Sec-Fetch-Site": "same-origin"}
        body = urlencode(fields or {})
        return self._client.generic(
            method, path, body, "application/x-www-form-urlencoded", headers={**sent, **headers}
        )

    def deliver(self, path: str) -> Callable[[], None]:
        """Return a function that delivers a new booking."""
        number = next(_numbers)
        body, headers = signed_delivery(number)

        def send() -> None:
            _expect(self._client.generic("POST", path, body, "application/json", headers=headers), 200)

        return send

    def place(self, start: str) -> tuple[Callable[[], Any], str]:
        """Go to the form for a time of the service `day`. Return a function that sends it, and the contact in it."""
        begun = _expect(self.request("GET", f"/memory/day/contact/?start={start}"), 303)
        page = _expect(self.request("GET", begun["Location"]), 200)
        action, fields = form_of(page.content.decode(), begun["Location"])
        email = f"visitor{next(_numbers)}@example.com"
        fields |= {"name": "Visitor", "email": email}
        return lambda: _expect(self.request("POST", action, fields), 303), email

    def number_of(self, placed: Any) -> str:
        """Return the confirmation number of a booking that was just placed."""
        found = _NUMBER.search(_expect(self.request("GET", placed["Location"]), 200).content.decode())
        if found is None:
            raise RuntimeError("the confirmation shows no number")
        return unescape(found[1])

    def look_up(self, number: str, contact: str) -> Callable[[], None]:
        """Return a function that looks a booking up."""

        def find() -> None:
            _expect(self.request("POST", "/memory/manage/", {"number": number, "contact": contact}), 303)

        return find


def _expect(response: Any, status: int) -> Any:
    if response.status_code != status:
        raise RuntimeError(f"{response.status_code} instead of {status}: {response.content[:300]!r}")
    return response


def measure_all(site: _Site, starts: Iterator[str], *, times: int) -> dict[str, float]:
    """Return the median milliseconds of CPU of each operation."""
    from django.core.management import call_command  # noqa: PLC0415 (needs settings)

    found: dict[str, list[float]] = {operation: [] for operation in OPERATIONS}
    for _ in range(times):
        sending, (placing, contact) = site.deliver("/memory/webhook/"), site.place(next(starts))
        found[OPERATIONS[0]].append(_milliseconds(sending)[0])
        took, placed = _milliseconds(placing)
        found[OPERATIONS[1]].append(took)
        found[OPERATIONS[2]].append(_milliseconds(site.look_up(site.number_of(placed), contact))[0])
        found[OPERATIONS[3]].append(_milliseconds(lambda: call_command("kordless_mail", verbosity=0))[0])
    return {operation: median(each) for operation, each in found.items()}


def _milliseconds(work: Callable[[], Any]) -> tuple[float, Any]:
    # CPU time: SQLite works in this thread, and what else the machine does must not count.
    began = time.thread_time()
    result = work()
    return (time.thread_time() - began) * 1000, result


def fill(rows: int) -> None:
    """Fill the tables with so many attempts, deliveries, projections, appointments and mails.

    By the models, so that columns which were added later get their defaults. Appointments lie a month and more ahead:
    no reminder is due, and nothing is to be deleted.
    """
    from django.utils import timezone  # noqa: PLC0415 (needs settings)

    from kordless_booking.models import (  # noqa: PLC0415 (needs settings)
        Appointment,
        BookingAttempt,
        BookingProjection,
        OutgoingMail,
        WebhookDelivery,
    )

    now = timezone.now()
    states = [BookingAttempt.State.PLACED] * 48 + [BookingAttempt.State.REJECTED, BookingAttempt.State.OUTCOME_UNKNOWN]

    def create(model: Any, build: Callable[[int], dict[str, Any]]) -> None:
        for begin in range(0, rows, 5000):
            model.objects.bulk_create([model(**build(n)) for n in range(begin, min(begin + 5000, rows))])

    def past(n: int) -> Any:
        # Younger than any retention: a mail run also deletes what is older, and would do so in each of its runs here.
        return now - timedelta(minutes=30, seconds=n)

    create(
        BookingAttempt,
        lambda n: {
            "key": f"key-{n}",
            "account": "memory",
            "service": "day",
            "body_hash": f"body-{n}",
            "state": states[n % 50],
            "email_hash": f"email-{n}",
            "claimed_until": past(n),
            "created_at": past(n),
            "changed_at": past(n),
        },
    )
    create(
        WebhookDelivery,
        lambda n: {
            "account": "memory",
            "delivery_id": f"old-{n}",
            "body_hash": f"body-{n}",
            "kind": "booking.created",
            "outcome": WebhookDelivery.Outcome.PROCESSED,
            "happened_at": past(n),
            "received_at": past(n),
        },
    )
    create(
        BookingProjection,
        lambda n: {
            "account": "memory",
            "number_hash": f"number-{n}",
            "start": now + timedelta(minutes=n),
            "created": True,
            "changed_at": past(n),
        },
    )
    create(
        Appointment,
        lambda n: {
            "account": "redis",
            "number_hash": f"number-{n}",
            "email_hash": f"email-{n}",
            "status": "confirmed",
            "start": now + timedelta(days=30, minutes=n),
            "end": now + timedelta(days=30, minutes=n + 60),
            "notified_at": past(n),
            "encrypted": "x",
        },
    )
    first = Appointment.objects.order_by("pk").values_list("pk", flat=True)[0]
    create(
        OutgoingMail,
        lambda n: {
            "appointment_id": first + n,
            "kind": OutgoingMail.Kind.CONFIRMED,
            "revision": 0,
            "tries": 1,
            "state": OutgoingMail.State.SENT,
            "queued_at": past(n),
            "due_at": past(n),
            "changed_at": past(n),
        },
    )


def main() -> None:
    """Measure on empty tables, fill them, measure again."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tables", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--times", type=int, default=40)
    given = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    import django  # noqa: PLC0415 (needs settings)

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415 (needs settings)

    call_command("migrate", verbosity=0)
    site, starts = _Site(), _starts()
    # What is compiled and cached by the first requests isn't measured.
    measure_all(site, starts, times=3)
    empty = measure_all(site, starts, times=given.times)
    fill(given.rows)
    filled = measure_all(site, starts, times=given.times)
    print(json.dumps({operation: (empty[operation], filled[operation]) for operation in OPERATIONS}))


def _starts() -> Iterator[str]:
    """Yield the starts of the service `day`, as its links have them."""
    for day in range(1, DAYS_IN_VIEW + 1):
        for number in range(100):
            hour, minute = divmod(8 * 60 + 5 * number, 60)
            yield f"{month_in_view():%Y%m}{day:02}T{hour:02}{minute:02}00Z"


if __name__ == "__main__":
    main()
