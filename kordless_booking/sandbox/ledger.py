"""What was asked: the newest requests, for tests to look at. Foreign keys are not kept."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from .asking import Asking
    from .store import Store

KEPT = 20_000


@dataclass(frozen=True)
class Recorded:
    """One request.

    `query` is the raw text, header names are in lower case, `status` is None until it was answered.
    """

    operation: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: str
    status: int | None


class Ledger:
    """Writes requests down as they come in, and how they were answered."""

    def __init__(self, store: Store, own_keys: Collection[str]) -> None:
        self._store = store
        self._own_keys = own_keys

    def enter(self, operation: str, asking: Asking) -> int:
        """Write a request down; answers its place in the ledger."""
        headers = dict(asking.headers)
        if headers.get("x-kordless-key", "") not in ("", *self._own_keys):
            headers["x-kordless-key"] = "(not a sandbox key)"
        values = (time.time(), operation, asking.method, asking.path, asking.query, json.dumps(headers))
        with self._store.write() as db:
            place = db.execute(
                "INSERT INTO requests (at, operation, method, path, query, headers, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*values, asking.body.decode("utf-8", "replace")),
            ).lastrowid
            assert place is not None  # noqa: S101 - SQLite gives each row a number
            if place % 500 == 0:
                db.execute("DELETE FROM requests WHERE id <= ?", (place - KEPT,))
        return place

    def close(self, place: int, status: int) -> None:
        """Write down how it was answered."""
        with self._store.write() as db:
            db.execute("UPDATE requests SET status = ? WHERE id = ?", (status, place))

    def read(self) -> list[Recorded]:
        """All that is kept, oldest first."""
        with self._store.read() as db:
            rows = db.execute(
                "SELECT operation, method, path, query, headers, body, status FROM requests ORDER BY id"
            ).fetchall()
        return [Recorded(**(dict(row) | {"headers": json.loads(row["headers"])})) for row in rows]

    def forget(self) -> None:
        """Start with an empty page."""
        with self._store.write() as db:
            db.execute("DELETE FROM requests")
