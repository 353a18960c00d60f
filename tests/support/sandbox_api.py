"""HTTP client of the sandbox that is independent of ours, and the moment at which the sandbox's tests begin."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import httpx

from kordless_booking.sandbox import SANDBOX_KEY, Sandbox

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
BASE = "http://sandbox.test/api/calendar/v1/public"
PATIENCE_SECONDS = 30
"""Longest wait for a response over HTTP, where a test isn't about time: its machine may be busy."""
JANE = {"name": "Jane Doe", "email": "jane@example.com", "phone": "+12125550123"}


class Api:
    """Plain HTTP client of the sandbox. `key=None` sends no API key."""

    def __init__(self, sandbox: Sandbox, key: str | None = SANDBOX_KEY, base: str = BASE) -> None:
        self.sandbox = sandbox
        self.base = base
        headers = {} if key is None else {"x-kordless-key": key}
        self.http = httpx.Client(transport=httpx.WSGITransport(sandbox), headers=headers)

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.http.get(self.base + path, params=query or None)

    def slots(self, service: str = "haircut", **query: Any) -> list[dict[str, Any]]:
        parameters = {"org_slug": "acme-salon", "service_slug": service, "from": "2026-11-22T00:00:00Z"}
        parameters |= {"to": "2026-12-23T00:00:00Z"} | query
        answer = self.get("/availability", **parameters)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["slots"])

    def body(self, service: str = "haircut", slot: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        slot = slot or self.slots(service)[0]
        fields = {"org_slug": "acme-salon", "service_slug": service, "timezone": "Europe/Paris", "contact": dict(JANE)}
        return fields | {"starts_at": slot["startsAt"], "ends_at": slot["endsAt"]} | more

    def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is None:
            return self.http.post(self.base + path, headers=sent)
        sent = {"Content-Type": "application/json"} | sent
        return self.http.post(self.base + path, content=json.dumps(body), headers=sent)

    def create(self, body: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        return self.post("/bookings", body or self.body(), **headers)

    def book(self, service: str = "haircut", slot: dict[str, Any] | None = None, **more: Any) -> str:
        answer = self.create(self.body(service, slot, **more))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["booking"]["confirmation_number"])

    def manage(
        self, number: str, action: str = "", body: Any = None, contact: str = "jane@example.com"
    ) -> httpx.Response:
        path = f"/bookings/confirmation/{number}"
        if not action:
            return self.get(path, contact=contact)
        return self.post(f"{path}/{action}?contact={contact.replace('+', '%2B')}", body)


def assert_rejected(answer: httpx.Response, status: int, type_: str, detail: str = "") -> None:
    """Assert that the response is the documented flat error, with a `detail` that matches `says`."""
    assert answer.status_code == status, answer.text
    document = answer.json()
    assert set(document) == {"detail", "status", "type"}
    assert (document["status"], document["type"]) == (status, type_)
    assert re.search(detail, document["detail"]), document["detail"]
