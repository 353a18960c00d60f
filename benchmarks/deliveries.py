"""Webhook deliveries at a steady rate: how long Kordless waits for each, and what they cost it."""

from __future__ import annotations

import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from benchmarks.crowds import Came
from kordless_booking.webhooks.signature import sign

SECRET = "whsec_benchmark_0123456789abcdefgh"  # noqa: S105 (made up)
LINES = 64
"""Connections at most, each used for one delivery, as Kordless would."""


def deliver(site: str, path: str, *, each_second: int, seconds: int) -> list[Came]:
    """So many genuine deliveries of different bookings each second, none waiting for the one before it."""
    begin = time.monotonic() + 0.5

    def one(number: int) -> Came:
        time.sleep(max(0.0, begin + number / each_second - time.monotonic()))
        return _post(site, path, number)

    with ThreadPoolExecutor(LINES) as pool:
        return list(pool.map(one, range(each_second * seconds)))


def signed_delivery(number: int) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of the delivery of a new booking."""
    booking = {
        "id": f"book_{number}",
        "confirmation_number": f"BOOK_{number:08}",
        "serviceId": "srv_month",
        "startsAt": "2027-01-01T15:00:00Z",
        "endsAt": "2027-01-01T16:00:00Z",
        "status": "confirmed",
        "contact": {"name": "Visitor", "email": f"visitor{number}@example.com", "phone": None},
    }
    body = json.dumps({"event": "booking.created", "webhookId": "whk_1", "data": {"booking": booking}}).encode()
    at = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "X-Kordless-Signature": sign(body, timestamp=at, secret=SECRET),
        "X-Kordless-Timestamp": at,
        "X-Kordless-Webhook-Id": f"dlv_{number}",
    }
    return body, headers


def _post(site: str, path: str, number: int) -> Came:
    body, headers = signed_delivery(number)
    line = http.client.HTTPConnection(urlsplit(site).netloc, timeout=60)
    began = time.monotonic()
    try:
        line.request("POST", path, body, {**headers, "Connection": "close"})
        response = line.getresponse()
        return Came(response.status, time.monotonic() - began, response.read().decode())
    except (OSError, http.client.HTTPException):
        return Came(0, time.monotonic() - began, "")
    finally:
        line.close()
