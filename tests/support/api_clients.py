"""Clients with canned responses, and the documented example documents to build those from."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx

from kordless_booking.api.client import Kordless
from kordless_booking.api.resources import Contact, NewBooking
from kordless_booking.api.session import ResponseMeta

BASE = "https://api.kordless.example/api/calendar/v1/public"
KEY = "key-canary-5f1d"
START = datetime(2026, 12, 1, 14, tzinfo=UTC)
END = datetime(2026, 12, 1, 15, tzinfo=UTC)
NUMBER = "BOOK_AB12"
CONTACT = "canary+7f3a@example.com"

ORGANIZATION: dict[str, Any] = {
    "id": "org_7",
    "name": "Acme Salon",
    "slug": "acme-salon",
    "tagline": "Hair, well cut",
    "branding": {"primaryColor": "#6366f1", "logo": "https://example.com/logo.png", "favicon": None},
}
SERVICE: dict[str, Any] = {
    "key": "haircut",
    "name": "Haircut",
    "slug": "haircut",
    "description": "With a wash",
    "category": "Hair",
    "duration": 60,
    "price": 45.5,
    "currency": "USD",
    "isBookablePublic": True,
    "metadata": {},
}
CALENDAR: dict[str, Any] = {
    "duration_minutes": 60,
    "slot_interval_minutes": 30,
    "buffer_before": 0,
    "buffer_after": 10,
    "booking_window_days": 60,
    "timezone": "America/New_York",
    "location": {"type": "onsite", "value": "123 Main St"},
    "max_parallel_bookings": 1,
    "cancellation_policy": {"noticeHours": 24, "policyText": "Call us"},
}
SLOT: dict[str, Any] = {
    "startsAt": "2026-12-01T14:00:00Z",
    "endsAt": "2026-12-01T15:00:00Z",
    "capacity": 1,
    "availableCapacity": 1,
    "serviceId": "haircut",
    "hostId": "host_sarah",
    "teamId": None,
    "timezone": "America/New_York",
    "host": {"id": "host_sarah", "displayName": "Sarah"},
    "team": None,
}
SHORT: dict[str, Any] = {
    "id": "book_ab12",
    "confirmation_number": NUMBER,
    "status": "confirmed",
    "start_at": "2026-12-01T14:00:00Z",
    "end_at": "2026-12-01T15:00:00Z",
    "service_name": "Haircut",
    "organization_name": "Acme Salon",
    "location": {"type": "onsite", "value": "123 Main St"},
}
LONG: dict[str, Any] = SHORT | {
    "organization_slug": "acme-salon",
    "service_id": "haircut",
    "service_slug": "haircut",
    "contact": {"name": "Jane Doe", "email": CONTACT, "phone": None},
    "timezone": "Europe/Paris",
}
DOCUMENTS: dict[str, dict[str, Any]] = {
    "organization": {"organization": ORGANIZATION, "services": [SERVICE]},
    "service": {"organization": ORGANIZATION, "service": SERVICE, "calendarSettings": CALENDAR},
    "availability": {"slots": [SLOT]},
    "create": {"booking": SHORT, "calendar_invite": {"ics_url": "https://example.com/a.ics"}},
    "lookup": LONG,
    "cancel": LONG | {"status": "canceled"},
    "reschedule": {"booking": SHORT},
}
NEW = NewBooking(
    service_slug="haircut",
    start=START,
    end=END,
    timezone="Europe/Paris",
    contact=Contact(name="Jane Doe", email=CONTACT, phone="+12125550123"),
)
CALLS: dict[str, Callable[[Kordless], object]] = {
    "organization": lambda client: client.organization(),
    "service": lambda client: client.service("haircut"),
    "availability": lambda client: client.availability("haircut", START, END),
    "create": lambda client: client.create(NEW, idempotency_key="key-1"),
    "lookup": lambda client: client.lookup(NUMBER, CONTACT),
    "cancel": lambda client: client.cancel(NUMBER, CONTACT),
    "reschedule": lambda client: client.reschedule(NUMBER, CONTACT, start=START, end=END),
}
READS = ("organization", "service", "availability", "lookup")
WRITES = ("create", "cancel", "reschedule")

type_of_answer = httpx.Response | Exception


class Recorder:
    """Handler that records requests and returns `answers` in turn, the last one for ever. Exceptions are raised."""

    def __init__(self, *answers: type_of_answer) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers.raw, content=answer.content)


class RecordingGate:
    """Gate that admits everything and records its calls."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.finished: list[tuple[str, ResponseMeta | None]] = []
        self.canceled: list[str] = []

    def before(self, operation: str) -> None:
        self.started.append(operation)

    def after(self, operation: str, answer: ResponseMeta | None) -> None:
        self.finished.append((operation, answer))

    def cancel(self, operation: str) -> None:
        self.canceled.append(operation)


def client(handler: Callable[[httpx.Request], httpx.Response], **options: Any) -> Kordless:
    """Return a client whose transport calls `handler`."""
    settings: dict[str, Any] = {"api_key": KEY, "org_slug": "acme-salon", "base_url": BASE}
    return Kordless(**settings | {"transport": httpx.MockTransport(handler)} | options)


def answering(document: object, status: int = 200, **headers: str) -> Recorder:
    """Return a handler that always responds with this JSON."""
    text = json.dumps(document).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Recorder(httpx.Response(status, headers=named, content=text))


def refusing(status: int, kind: str = "", **headers: str) -> Recorder:
    """Return a handler that always responds with the documented error form."""
    # The contact stands in `detail`, as an API may echo input: no test may find it in a message or the log.
    return answering({"detail": CONTACT, "status": status, "type": kind}, status, **headers)


def caused_by(kind: type[Exception], cause: Exception) -> Exception:
    """Build an exception of httpx that came of `cause`, as its transports raise it."""
    error = kind("secret detail")
    error.__cause__ = cause
    return error
