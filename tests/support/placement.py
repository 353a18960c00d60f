"""Shared parts of the placement tests: an attempt at a free time of the sandbox, and networks that fail on demand."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from kordless_booking.api.client import Kordless
from kordless_booking.api.resources import Contact, NewBooking
from kordless_booking.api.session import wsgi_transport
from kordless_booking.booking.attempt import Attempt
from kordless_booking.booking.placement import Outcome, Pending, Placed, place_booking
from kordless_booking.models import BookingAttempt
from kordless_booking.sandbox import SANDBOX_KEY, SANDBOX_ORG, Sandbox
from kordless_booking.sandbox.request_log import Recorded
from tests.support.clock import NOW

BASE = "https://api.kordless.example/api/calendar/v1/public"
KEY = "0123456789abcdef0123456789abcdef"
EMAIL = "canary+7f3a@example.com"
PHONE = "+15550107777"
NAME = "Zzqx Canary"


def client_of(transport: httpx.BaseTransport | Sandbox, key: str = SANDBOX_KEY, org: str = SANDBOX_ORG) -> Kordless:
    """Return a client without a gate: placement alone decides what is sent."""
    network = wsgi_transport(transport) if isinstance(transport, Sandbox) else transport
    return Kordless(api_key=key, org_slug=org, base_url=BASE, transport=network)


def attempt_at(client: Kordless, service: str = "haircut", key: str = KEY, **changes: Any) -> Attempt:
    """Return an attempt at the first free time, with its host, so that only one booking fits there."""
    slots = client.availability(service, NOW, NOW + timedelta(days=4))
    slot = next(slot for slot in slots if slot.available and slot.start > NOW + timedelta(days=1))
    fields: dict[str, Any] = {
        "service_slug": service,
        "start": slot.start,
        "end": slot.end,
        "timezone": "Europe/Paris",
        "contact": Contact(name=NAME, email=EMAIL, phone=PHONE),
        "party_size": 1,
        "host_id": slot.host.id if slot.host else None,
    }
    return Attempt(key, NewBooking(**fields | changes))


def creates(sandbox: Sandbox) -> list[Recorded]:
    """Return the create requests that reached the sandbox."""
    return [request for request in sandbox.requests if request.operation == "create"]


def keys_sent(sandbox: Sandbox) -> list[str]:
    """Return the idempotency keys of these requests."""
    return [request.headers["idempotency-key"] for request in creates(sandbox)]


def later(now: datetime, seconds: float) -> datetime:
    """Return the time so many seconds later."""
    return now + timedelta(seconds=seconds)


def booked(outcome: Outcome | None) -> str:
    """Return the confirmation number of a placed attempt; fail for anything else."""
    assert isinstance(outcome, Placed), outcome
    return outcome.booking.confirmation_number


class Network(httpx.BaseTransport):
    """Transport to the sandbox; `before` and `after` are called around every create and may raise."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.inner = wsgi_transport(sandbox)
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], httpx.Response | None] = lambda: None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method != "POST":
            return self.inner.handle_request(request)
        self.before()
        response = self.inner.handle_request(request)
        return self.after() or response


def row() -> BookingAttempt:
    """Return the only row."""
    return BookingAttempt.objects.get()


def edited(attempt: Attempt, **changes: Any) -> Attempt:
    """Return the same form with other input: same key, another body."""
    return Attempt(attempt.key, msgspec.structs.replace(attempt.request, **changes))


def place_it(_sandbox: Sandbox, client: Kordless, attempt: Attempt) -> Placed:
    """Bring the attempt into PLACED."""
    outcome = place_booking("default", client, attempt, NOW)
    assert isinstance(outcome, Placed)
    return outcome


def killed(network: Network, client: Kordless, attempt: Attempt, *, sent: bool) -> None:
    """Place the attempt in a process that dies, before or after the request has gone out: it stays in PLACING."""

    def die() -> None:
        raise SystemExit(9)

    setattr(network, "after" if sent else "before", die)
    with pytest.raises(SystemExit):
        place_booking("default", client, attempt, NOW)
    network.before, network.after = (lambda: None), (lambda: None)
    assert row().state == BookingAttempt.State.PLACING


class JustBefore:
    """Runs something right before the first (or `nth`) statement of a kind, as another process might."""

    def __init__(self, statement: str, run: Callable[[], object], nth: int = 1) -> None:
        self.statement = statement
        self.still = nth
        self.run: Callable[[], object] | None = run

    def __call__(self, execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        if sql.startswith(self.statement) and self.run:
            self.still -= 1
            if not self.still:
                run, self.run = self.run, None
                run()
        return execute(sql, params, many, context)


def unsure(sandbox: Sandbox, client: Kordless, attempt: Attempt) -> Pending:
    """Bring the attempt into OUTCOME_UNKNOWN: Kordless has carried it out, and the response is lost."""
    sandbox.faults.add("status", "create", times=1, status=500, carried_out=True)
    outcome = place_booking("default", client, attempt, NOW)
    assert isinstance(outcome, Pending)
    return outcome
