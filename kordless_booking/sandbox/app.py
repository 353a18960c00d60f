"""The sandbox's WSGI application: routing, authentication, rate limits and fault injection around the operations."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from time import sleep as real_sleep
from typing import TYPE_CHECKING, Any

from . import documents, operations
from .bookings import find, find_calendar, free, insert_booking, move
from .clock import Clock
from .control import Control
from .faults.connection import Connection
from .faults.injector import FaultInjector, RequestFaults
from .limits import Limiter, Limits
from .odd_seeds import ODD_BUSINESSES
from .operations import OperationContext
from .request import PREFIX, Request
from .request_log import Recorded, RequestLog
from .response import ApiError, Response
from .seeds import BUSINESSES, SANDBOX_ORG
from .store import Store
from .webhook_sender import WebhookSender

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from .faults.connection import Sleep
    from .model import Business

# A number may hold an encoded slash, which WSGI decodes. Then only the two actions end it.
_NUMBER = "/bookings/confirmation/(?P<number>(?:(?!/cancel$|/reschedule$).){1,100})"


@dataclass(frozen=True)
class _Route:
    """Route of one operation."""

    operation: str
    method: str
    path: str
    """Regular expression; its named groups are arguments of `work`."""
    work: Callable[..., Response]
    needs_api_key: bool
    """True: authenticated by the API key. False: by the contact."""

    def match(self, path: str) -> re.Match[str] | None:
        """Return the match of the whole path, or None."""
        return re.fullmatch(PREFIX + self.path, path)


_ROUTES = (
    _Route("organization", "GET", "/org/(?P<slug>[^/]+)", operations.organization, True),
    _Route("service", "GET", "/org/(?P<slug>[^/]+)/service/(?P<service_slug>.+)", operations.service, True),
    _Route("availability", "GET", "/availability", operations.availability, True),
    _Route("create", "POST", "/bookings", operations.create, True),
    _Route("lookup", "GET", _NUMBER, operations.lookup, False),
    _Route("cancel", "POST", _NUMBER + "/cancel", operations.cancel, False),
    _Route("reschedule", "POST", _NUMBER + "/reschedule", operations.reschedule, False),
)
_KEY = "x-kordless-key"
SEEDS = {"demo": BUSINESSES, "odd": (*BUSINESSES, *ODD_BUSINESSES)}
"""Sets of businesses. "odd" has those of the demo too."""


def find_key(org_slug: str) -> str:
    """Return the API key of one of the sandbox's businesses. Raises ValueError for an unknown one."""
    keys = {business.slug: business.key for business in SEEDS["odd"]}
    if org_slug not in keys:
        raise ValueError(f"the sandbox has no organization {org_slug!r}; it has {', '.join(keys)}")
    return keys[org_slug]


class Sandbox:
    """Fake Kordless: a WSGI application that is controlled through its attributes, or over HTTP under /_sandbox/.

    - `path`: an SQLite file that several processes may share, or ":memory:".
    - `now`: freezes the clock at this time.
    - `limits`: replaces the documented rate limits, for all processes on the file.
    - `sleep`: called by faults that delay; tests pass one that returns at once.
    - `seed`: the businesses: "demo", or "odd" for those of `odd_seeds` too.
    - `businesses`: replaces those of the seed.
    """

    def __init__(
        self,
        path: str = ":memory:",
        now: datetime | None = None,
        *,
        limits: Limits | None = None,
        sleep: Sleep = real_sleep,
        seed: str = "demo",
        businesses: tuple[Business, ...] | None = None,
    ) -> None:
        if seed not in SEEDS:
            raise ValueError(f"unknown seed {seed!r}; known: {', '.join(SEEDS)}")
        self.businesses = SEEDS[seed] if businesses is None else businesses
        self.store = Store(str(path))
        self.clock = Clock(self.store)
        self.faults = FaultInjector(self.store)
        self._limiter = Limiter(self.store, self.clock)
        self._request_log = RequestLog(self.store, [business.key for business in self.businesses])
        self.webhook_sender = WebhookSender(self.store, self.clock)
        self._sleep = sleep
        self._control = Control(self)
        if now is not None:
            self.clock.set(now)
        if limits is not None:
            self._limiter.limits = limits

    def __repr__(self) -> str:
        return f"<Sandbox {self.store.path}>"

    @property
    def limits(self) -> Limits:
        """The rate limits in force; can be set."""
        return self._limiter.limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        self._limiter.limits = limits

    @property
    def requests(self) -> list[Recorded]:
        """The recorded requests to the API, oldest first. Requests to /_sandbox/ are not recorded."""
        return self._request_log.read()

    def clear_requests(self) -> None:
        """Empty the request log."""
        self._request_log.clear()

    def bookings(self) -> list[dict[str, Any]]:
        """Return all bookings, oldest first. Times (`starts`, `ends`, `created`, …) are Unix seconds."""
        with self.store.read() as db:
            return [dict(row) for row in db.execute("SELECT * FROM bookings ORDER BY created, rowid")]

    def book_by_phone(
        self,
        service_slug: str,
        start: datetime,
        host_id: str | None = None,
        party_size: int = 1,
        org_slug: str = SANDBOX_ORG,
    ) -> str:
        """Book as the business does for a caller on the phone, and return the confirmation number.

        Raises ValueError if the time is taken or never offered, and for an unknown service.
        """
        business = next(each for each in self.businesses if each.slug == org_slug)
        service = business.service(service_slug)
        if service is None or start.tzinfo is None:
            raise ValueError("unknown service, or a naive datetime")
        among = [each for each in service.calendars if host_id in (None, each.id)]
        stamp, now = int(start.timestamp()), self.clock.unix_seconds()
        caller = {"name": "Somebody by phone", "phone": "+12125550199"}
        try:
            with self.store.write() as db:
                calendar = find_calendar(db, business, service, stamp, now=now, party=party_size, among=among)
                row = insert_booking(
                    db, business, service, calendar, stamp, now=now,
                    contact=caller, timezone=business.zone.key, party=party_size,
                )  # fmt: skip
                self.webhook_sender.enqueue(db, "booking.created", business, service, row)
        except ApiError as refusal:
            raise ValueError(refusal.detail) from refusal
        self.webhook_sender.wake()
        return str(row["number"])

    def free(
        self, service_slug: str, start: datetime, end: datetime, host_id: str | None = None, org_slug: str = SANDBOX_ORG
    ) -> list[datetime]:
        """Return the free start times for one person in UTC, sorted and unique, of any host or one host.

        Raises ValueError for an unknown service.
        """
        business = next(each for each in self.businesses if each.slug == org_slug)
        service = business.service(service_slug)
        if service is None:
            raise ValueError("unknown service")
        span = (int(start.timestamp()), int(end.timestamp()))
        with self.store.read() as db:
            found = free(db, business, service, span, party=1, now=self.clock.unix_seconds())
        return [
            datetime.fromtimestamp(stamp, UTC)
            for stamp in sorted({begins for begins, calendar, _ in found if host_id in (None, calendar.id)})
        ]

    def move(self, number: str, start: datetime) -> None:
        """Move a booking as the business does. Raises ValueError if the time is taken or the booking unknown."""
        stamp = int(start.timestamp())
        try:
            with self.store.write() as db:
                row = find(db, number)
                business, service = self._operation_context(None, frozenset()).business_and_service(row)
                find_calendar(
                    db, business, service, stamp, now=self.clock.unix_seconds(), party=row["party_size"],
                    among=[each for each in service.calendars if each.id == row["calendar"]], but=row["number"],
                )  # fmt: skip
                move(db, service, row["number"], stamp, timezone=None, notes=None)
                self.webhook_sender.enqueue(db, "booking.updated", business, service, find(db, number))
        except ApiError as refusal:
            raise ValueError(refusal.detail) from refusal
        self.webhook_sender.wake()

    def set_status(self, number: str, status: str) -> None:
        """Set a booking's status as the business does: "confirmed", "pending" or "canceled".

        Raises ValueError for another status, and ApiError (404) for an unknown confirmation number.
        """
        if status not in ("confirmed", "pending", "canceled"):
            raise ValueError(f"unknown status {status!r}")
        with self.store.write() as db:
            row = find(db, number)
            db.execute("UPDATE bookings SET status = ? WHERE id = ?", (status, row["id"]))
            # The documented events have none for a confirmation.
            if status == "canceled" and row["status"] != "canceled":
                business, service = self._operation_context(None, frozenset()).business_and_service(row)
                self.webhook_sender.enqueue(db, "booking.cancelled", business, service, find(db, number))
        self.webhook_sender.wake()

    def build_event(self, event: str, number: str) -> dict[str, Any]:
        """Return the body of a webhook about a booking as it is now. Raises ApiError (404) for an unknown number."""
        with self.store.read() as db:
            row = find(db, number)
        _, service = self._operation_context(None, frozenset()).business_and_service(row)
        return documents.event(event, service, row, self.clock.unix_seconds())

    def reset(self) -> None:
        """Delete everything: bookings, requests, faults, limits, idempotency keys, webhooks and the clock's setting."""
        self.store.reset()

    def serve(self, host: str = "127.0.0.1", port: int = 0) -> AbstractContextManager[str]:
        """Return a context manager that serves over real HTTP and yields the base URL, including the API's prefix."""
        from .server import serving  # noqa: PLC0415 - in-process use needs no server

        return serving(self, host, port)

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Process one request (WSGI).

        Order: record it, take its faults, delay, carry out the operation (or let a fault replace it), distort the
        response, send due webhooks, delay again, send.
        """
        request = Request.from_environ(environ)
        if request.path == "/" or request.path.startswith("/_sandbox"):
            return _send(self._control.answer(request), start_response)
        # In-process there is no socket, so faults of the connection become exceptions: see faults.connection.
        connection = Connection(self._sleep, bool(environ.get("kordless.over_socket")))
        found = [(route, match) for route in _ROUTES if (match := route.match(request.path))]
        route, match = next((each for each in found if each[0].method == request.method), (None, None))
        operation = environ["kordless.operation"] = route.operation if route else "unknown"
        with self.store.write():  # one transaction for both writes
            request_id = self._request_log.record_request(operation, request)
            faults = self.faults.next_faults(operation)
        faults.wait(connection, carried_out=False)
        response = (
            faults.short_circuit()
        )  # skips authentication and rate limits too: it uses up no request of the limit
        if response is None:
            try:
                if route is None or match is None:
                    raise _nowhere([each.method for each, _ in found])
                response = self._carry_out(route, request, match.groupdict(), faults)
            except ApiError as refusal:
                response = refusal.to_response()
        response = faults.distort(response, self.clock.unix_seconds())
        self._request_log.record_status(request_id, response.status)
        if route is not None and route.method == "POST":
            self.webhook_sender.wake()
        faults.wait(connection, carried_out=True)
        return _send(response, start_response, lambda body: faults.stream(connection, body))

    def _operation_context(self, owner: Business | None, removed: frozenset[str]) -> OperationContext:
        return OperationContext(self.businesses, self.store, self.clock, owner, removed, self.webhook_sender)

    def _carry_out(self, route: _Route, request: Request, arguments: dict[str, str], faults: RequestFaults) -> Response:
        """Authenticate, count against the rate limits, and carry out the operation."""
        owner = None
        if route.needs_api_key:
            key = request.headers.get(_KEY, "")
            owner = next((each for each in self.businesses if each.key == key), None)
            # 401 before counting: an unknown key has no limit of its own.
            if owner is None or faults.revoked:
                raise ApiError(401, "the API key is missing, wrong or revoked")
            headers = self._limiter.keyed(key, creation=route.operation == "create")
        else:
            headers = self._limiter.contact(arguments["number"])
            if "lookups_counted" in faults.deviations:
                for each in self.businesses:
                    self._limiter.keyed(each.key, creation=False)
        slugs = frozenset(service.slug for each in self.businesses for service in each.services)
        context = replace(
            self._operation_context(owner, faults.removed(slugs)),
            number_form=faults.number_form,
            contact_required=faults.contact_required,
            deviations=faults.deviations,
            max_range_days=faults.max_range_days or operations.MAX_RANGE_DAYS,
            lookup_contact=faults.lookup_contact,
        )
        try:
            response = route.work(context, request, **arguments)
        except ApiError as refusal:
            response = refusal.to_response()
        response.headers = headers | response.headers  # the rate-limit headers are on errors of the operation too
        return response


def _nowhere(allowed: list[str]) -> ApiError:
    if allowed:
        return ApiError(405, "method not allowed", {"Allow": ", ".join(allowed)})
    return ApiError(404, "no such path")


def _send(
    response: Response,
    start_response: Callable[..., Any],
    through: Callable[[Iterator[bytes]], Iterator[bytes] | None] = lambda body: None,
) -> Iterable[bytes]:
    """Start the WSGI response and return the body. `through` may wrap it; None leaves it as it is."""
    body = response.stream if response.stream is not None else [response.body()]
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"} | response.headers
    if isinstance(body, list):  # a stream brings its own length
        headers["Content-Length"] = str(len(body[0]))
    start_response(f"{response.status} {_reason(response.status)}", list(headers.items()))
    return through(iter(body)) or body


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
