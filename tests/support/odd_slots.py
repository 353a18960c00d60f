"""Slots that the sandbox's businesses don't have: teams, odd ids, fractions of a second, several lengths."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import httpx
from pytest_django import Settings

from kordless_booking.api.session import wsgi_transport
from kordless_booking.sandbox import Sandbox
from tests.support.site_cache import empty_cache
from tests.support.visitor import JANE, Visitor

Slots = list[dict[str, Any]]


class OddSlots(httpx.BaseTransport):
    """Transport to the sandbox that changes the slots on their way, and takes every booking.

    The sandbox would refuse to create what it hasn't offered, so a creation is answered here. `bodies` are those that
    were received. Everything else is the sandbox's own.
    """

    def __init__(self, sandbox: Sandbox, change: Callable[[Slots], Iterable[dict[str, Any]]]) -> None:
        self.inner = wsgi_transport(sandbox)
        self.change = change
        self.bodies: list[dict[str, Any]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and request.url.path.endswith("/bookings"):
            body = json.loads(request.read())
            self.bodies.append(body)
            booking = {
                "id": "book_odd1",
                "confirmation_number": "BOOK_ODD1",
                "status": "confirmed",
                "start_at": body["starts_at"],
                "end_at": body["ends_at"],
                "service_name": "Haircut",
                "organization_name": "Acme Salon",
            }
            return httpx.Response(201, json={"booking": booking})
        response = self.inner.handle_request(request)
        if not request.url.path.endswith("/availability"):
            return response
        document = json.loads(response.read())
        document["slots"] = list(self.change(document["slots"]))
        return httpx.Response(response.status_code, json=document)


def offer(site: Settings, sandbox: Sandbox, change: Callable[[Slots], Iterable[dict[str, Any]]]) -> OddSlots:
    """Let the site's Kordless send its slots changed from now on."""
    transport = OddSlots(sandbox, change)
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "TRANSPORT": transport}
    empty_cache()
    return transport


def with_providers(*providers: tuple[dict[str, str] | None, dict[str, str] | None]) -> Callable[[Slots], Slots]:
    """Return a change that has every time once for each of these pairs of host and team."""

    def change(slots: Slots) -> Slots:
        times = {slot["startsAt"]: slot for slot in slots if slot["availableCapacity"]}
        return [
            slot
            | {
                "host": host,
                "hostId": host["id"] if host else None,
                "team": team,
                "teamId": team["id"] if team else None,
            }
            for slot in times.values()
            for host, team in providers
        ]

    return change


def person(id_: str, name: str | None = None) -> dict[str, str]:
    """Return a host or team as Kordless writes it; without a name it has none."""
    return {"id": id_, "displayName": name} if name else {"id": id_}


def book_at(visitor: Visitor, url: str) -> str:
    """Book the time behind a link on a site of `OddSlots`; return the summary beside the form."""
    page = visitor.open(url)
    summary = " ".join(page.texts(".kb-summary"))
    assert visitor.send(page, "Book appointment", **JANE).number == "BOOK_ODD1"
    return summary
