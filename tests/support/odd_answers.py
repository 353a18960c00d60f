"""Kordless with answers that are unusual but legal: the sandbox, whose documents a test changes on their way."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

Change = Callable[[dict[str, Any], dict[str, str]], Any]


class OddAnswers:
    """WSGI application around the sandbox that changes the documents of its successful answers.

    `changes` has one function for each operation ("organization", "service", "availability", "create", "lookup",
    "cancel", "reschedule"). It gets the document and the query, and returns the document to send. `paths` has every
    path that was requested, as it came, and `request_counts` counts the operations.
    """

    def __init__(self, app: WSGIApplication, **changes: Change) -> None:
        self.app = app
        self.changes = changes
        self.paths: list[str] = []
        self.request_counts: Counter[str] = Counter()
        self.before: Callable[[WSGIEnvironment], None] = lambda _environ: None
        self.rename: dict[str, str] = {}
        """Slugs in requests, and those that the sandbox knows them by."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.paths.append(environ["PATH_INFO"])
        operation = _operation(environ)
        self.request_counts[operation] += 1
        self.before(environ)
        for shown, real in self.rename.items():
            _rename(environ, shown, real)
        kept: list[Any] = []

        def keep(status: str, headers: list[tuple[str, str]], _info: Any = None) -> Callable[[bytes], object]:
            kept[:] = [status, headers]
            return lambda _data: None

        body = b"".join(self.app(environ, keep))
        status, headers = kept
        change = self.changes.get(operation)
        if change is not None and status.startswith("2"):
            query = {name: values[0] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
            body = json.dumps(change(json.loads(body), query)).encode()
            headers = [pair for pair in headers if pair[0].lower() not in {"content-length", "content-encoding"}]
            headers.append(("Content-Length", str(len(body))))
        start_response(status, headers)
        return [body]


def _rename(environ: WSGIEnvironment, shown: str, real: str) -> None:
    """Put the sandbox's own slug in the place of another, in path, query and body."""
    if environ["PATH_INFO"].endswith(f"/service/{shown}"):
        environ["PATH_INFO"] = environ["PATH_INFO"].removesuffix(shown) + real
    query = parse_qs(environ.get("QUERY_STRING", ""))
    if query.get("service_slug") == [shown]:
        environ["QUERY_STRING"] = urlencode(query | {"service_slug": [real]}, doseq=True)
    if environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"].endswith("/bookings"):
        body = json.loads(environ["wsgi.input"].read())
        data = json.dumps(body | ({"service_slug": real} if body["service_slug"] == shown else {})).encode()
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(data), str(len(data))


def _operation(environ: WSGIEnvironment) -> str:
    path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
    if "/org/" in path:
        return "service" if "/service/" in path else "organization"
    if path.endswith("/availability"):
        return "availability"
    if "/confirmation/" not in path:
        return "create"
    if method == "GET":
        return "lookup"
    return "cancel" if path.endswith("/cancel") else "reschedule"


def many_hosts(hosts: int, *, minutes: int = 15, hours: range = range(14, 24)) -> Change:
    """Answer availability with a slot of each host, every `minutes`, in these hours (UTC) of each day."""

    def change(_document: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
        start, end = (datetime.fromisoformat(query[name]) for name in ("from", "to"))
        day, slots = start.replace(hour=0, minute=0, second=0), []
        while day < end:
            for begins in (
                day + timedelta(hours=hour, minutes=minute) for hour in hours for minute in range(0, 60, minutes)
            ):
                if start <= begins < end:
                    slots += [_slot(query["service_slug"], begins, minutes, number) for number in range(hosts)]
            day += timedelta(days=1)
        return {"slots": slots}

    return change


def _slot(service: str, begins: datetime, minutes: int, number: int) -> dict[str, Any]:
    return {
        "startsAt": f"{begins:%Y-%m-%dT%H:%M:%SZ}",
        "endsAt": f"{begins + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}",
        "capacity": 1,
        "availableCapacity": 1,
        "serviceId": service,
        "hostId": f"host_person_{number}",
        "teamId": None,
        "timezone": "America/New_York",
        "host": {"id": f"host_person_{number}", "displayName": f"Person {number}"},
        "team": None,
    }
