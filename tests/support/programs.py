"""A site that programs read and book at: the JSON API, plugged into the site of one test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from kordless_booking import hooks
from kordless_booking.contrib.json_api.plugin import register
from kordless_booking.views.program_bookings import hash_token
from tests.support.extension import mount_hooks

TOKEN = "kbt_a-token-of-the-tests"
OTHER_TOKEN = "kbt_another-token-of-the-tests"
HASHES = [hash_token(TOKEN), hash_token(OTHER_TOKEN)]
KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
SITE_URL = "https://salon.example"


@contextmanager
def open_api(site: Settings, **changes: Any) -> Iterator[None]:
    """Register the API's hooks and mount its documents, with these settings besides the site's own."""
    with hooks.temporary_hooks():
        register()
        mount_hooks(site)
        site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "SITE_URL": SITE_URL, **changes}
        yield


def get_times(client: Client, slug: str = "haircut", **query: Any) -> list[dict[str, Any]]:
    """The free times of a service."""
    times: list[dict[str, Any]] = client.get(f"/book/api/{slug}/times.json", query).json()["times"]
    return times


def build_order(time: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An order for one of the times."""
    return {
        "service": "haircut",
        "start": time["start"],
        "end": time["end"],
        "timezone": "Europe/Paris",
        "contact": {"name": "Jane Doe", "email": "jane@example.com"},
        **changes,
    }


def send_order(
    client: Client, order: Any, *, key: str | None = KEY, token: str | None = TOKEN, path: str = "/book/api/"
) -> HttpResponse:
    """Send an order as a program does."""
    headers = {
        **({"Idempotency-Key": key} if key is not None else {}),
        **({"Authorization": f"Bearer {token}"} if token is not None else {}),
    }
    body = order if isinstance(order, bytes) else json.dumps(order)
    return client.post(f"{path}attempts.json", body, content_type="application/json", headers=headers)
