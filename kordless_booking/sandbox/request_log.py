"""Request log: the newest requests to the sandbox, for tests to inspect. Foreign API keys are not recorded."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from .request import Request
    from .store import Store

MAX_REQUESTS = 20_000
"""Number of requests that are stored, give or take 500."""


@dataclass(frozen=True)
class Recorded:
    """One recorded request."""

    operation: str
    """Name of the operation, or "unknown"."""
    method: str
    path: str
    query: str
    """Raw, percent-encoded text."""
    headers: Mapping[str, str]
    """Names are in lower case."""
    body: str
    status: int | None
    """None until a response was produced; a request that hangs never gets one."""


class RequestLog:
    """Request log in the store. Records requests on arrival, so those that never get a response are in it too."""

    def __init__(self, store: Store, own_keys: Collection[str]) -> None:
        self._store = store
        self._own_keys = own_keys

    def record_request(self, operation: str, request: Request) -> int:
        """Record a request and return its id."""
        headers = dict(request.headers)
        # Somebody may point a real client at the sandbox by mistake: its key must not end up in a file.
        if headers.get("x-kordless-key", "") not in ("", *self._own_keys):
            headers["x-kordless-key"] = "(not a sandbox key)"
        values = (time.time(), operation, request.method, request.path, request.query, json.dumps(headers))
        with self._store.write() as db:
            request_id = db.execute(
                "INSERT INTO requests (at, operation, method, path, query, headers, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*values, request.body.decode("utf-8", "replace")),
            ).lastrowid
            assert request_id is not None  # noqa: S101 - SQLite gives each row a number
            if request_id % 500 == 0:  # not with every request: about MAX_REQUESTS is good enough
                db.execute("DELETE FROM requests WHERE id <= ?", (request_id - MAX_REQUESTS,))
        return request_id

    def record_status(self, request_id: int, status: int) -> None:
        """Record the status of the response to request `request_id`."""
        with self._store.write() as db:
            db.execute("UPDATE requests SET status = ? WHERE id = ?", (status, request_id))

    def read(self) -> list[Recorded]:
        """Return the recorded requests, oldest first."""
        with self._store.read() as db:
            rows = db.execute(
                "SELECT operation, method, path, query, headers, body, status FROM requests ORDER BY id"
            ).fetchall()
        return [Recorded(**(dict(row) | {"headers": json.loads(row["headers"])})) for row in rows]

    def clear(self) -> None:
        """Delete all recorded requests."""
        with self._store.write() as db:
            db.execute("DELETE FROM requests")
