"""Delivery ids of the doctor's two test deliveries, which the site rejects and doesn't count."""

from __future__ import annotations

from typing import Final

from django.utils.crypto import constant_time_compare, salted_hmac

_PREFIX: Final = "kordless-doctor-"
PROBE_SECONDS: Final = 300
"""Seconds for which an id is known, as long as a signature is accepted: a log that somebody reads has no use of it."""


def build_probe_id(timestamp: int) -> str:
    """Return the delivery id of a test delivery that is sent at the timestamp."""
    return f"{_PREFIX}{timestamp}-{_proof(timestamp)}"


def is_probe_id(delivery_id: str, now: float) -> bool:
    """Return True for an id that a process with this site's SECRET_KEY has built at about `now`."""
    timestamp, _dash, proof = delivery_id.removeprefix(_PREFIX).partition("-")
    if not delivery_id.startswith(_PREFIX) or not (timestamp.isascii() and timestamp.isdecimal()):
        return False
    # Ten digits last until 2286, and int() of many more would raise.
    if len(timestamp) > 10 or abs(now - int(timestamp)) > PROBE_SECONDS:
        return False
    return constant_time_compare(proof, _proof(int(timestamp)))


def _proof(timestamp: int) -> str:
    return salted_hmac("kordless_booking.webhook_probe", str(timestamp), algorithm="sha256").hexdigest()[:32]
