"""Delivers webhooks: written into the store together with what they tell, sent from a thread, tried again on failure.

Mischief of its own, set for the next deliveries: more than one of each, in the wrong order, tampered with, lost, late.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from . import documents
from .posting import TAMPERINGS, Endpoint, letter, post

if TYPE_CHECKING:
    from .clock import Clock
    from .store import Store
    from .world import Business, Service

RETRIES = (1.0, 5.0, 15.0, 60.0, 300.0)
"""Seconds after which a delivery that failed is tried again; then it is given up."""
LEASE = 60.0
"""Seconds after which somebody else tries what a process has taken and not brought back."""
KEPT = 500
_MISCHIEF = {"duplicate", "reorder", "tamper", "times", "lose", "late"}


class Courier:
    """One for each sandbox. `by_hand` leaves the sending to calls of `deliver()`."""

    def __init__(self, store: Store, clock: Clock, *, retries: tuple[float, ...] = RETRIES) -> None:
        self.by_hand = False
        self._store = store
        self._clock = clock
        self._retries = retries
        self._guard = threading.Lock()
        self._thread: tuple[int, threading.Thread] | None = None
        self._woken = threading.Event()

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where webhooks go; may be set. None by default, and then nothing is written down either."""
        return tuple(Endpoint.read(each) for each in self._store.setting("endpoints") or ())

    @endpoints.setter
    def endpoints(self, endpoints: tuple[Endpoint, ...]) -> None:
        self._store.keep("endpoints", [vars(each) for each in endpoints] or None)

    def mischief(self, **rules: Any) -> None:
        """`duplicate`: how many times more each is delivered. `reorder`: how many are held back and then go the newest
        first. `tamper`: with body, signature, timestamp, secret or id, of the next `times` tries (else of all). `lose`:
        how many tries of each get lost. `late`: seconds that each is held back. Without any it behaves again.

        Raises ValueError.
        """
        if not _MISCHIEF.issuperset(rules) or rules.get("tamper") not in (None, *TAMPERINGS):
            raise ValueError(f"there is {', '.join(sorted(_MISCHIEF))}; tamper is one of {', '.join(TAMPERINGS)}")
        if any(not isinstance(value, int | float) or value < 0 for name, value in rules.items() if name != "tamper"):
            raise ValueError("all but tamper are numbers")
        self._store.keep("courier", rules or None)

    def rules(self) -> dict[str, Any]:
        """The mischief in force."""
        found: dict[str, Any] = self._store.setting("courier") or {}
        return found

    def deliveries(self) -> list[dict[str, Any]]:
        """The newest, newest first: number, event, url, state (held, waiting, delivered, given up), tries, status."""
        with self._store.read() as db:
            rows = db.execute(
                "SELECT number, event, url, state, tries, status, body FROM deliveries ORDER BY id DESC LIMIT 50"
            ).fetchall()
        return [dict(row) for row in rows]

    def note(self, db: sqlite3.Connection, event: str, business: Business, service: Service, row: sqlite3.Row) -> None:
        """Something happened: what is to be told is written down with it, in its transaction."""
        endpoints = self.endpoints
        if not endpoints:
            return
        rules, now = self.rules(), time.time()
        body = json.dumps(documents.event(event, service, row, self._clock.stamp()), ensure_ascii=False)
        for endpoint in endpoints:
            if endpoint.wants(business.slug, event):
                db.execute(
                    "INSERT INTO deliveries (number, event, url, body, due, state, copies, lost)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        f"dlv_{secrets.token_hex(8)}",
                        event,
                        endpoint.url,
                        body,
                        now + float(rules.get("late", 0)),
                        "held" if rules.get("reorder") else "waiting",
                        int(rules.get("duplicate", 0)),
                        int(rules.get("lose", 0)),
                    ),
                )
        self._let_go(db, int(rules.get("reorder", 0)))
        db.execute("DELETE FROM deliveries WHERE id <= (SELECT max(id) FROM deliveries) - ?", (KEPT,))

    def wake(self) -> None:
        """Look whether there is something to send; returns at once."""
        if self.by_hand:
            return
        self._woken.set()
        with self._guard:
            if self._thread and self._thread[0] == os.getpid() and self._thread[1].is_alive():
                return
            if self._next_due() is None:
                return
            thread = threading.Thread(target=self._run, name="sandbox courier", daemon=True)
            self._thread = (os.getpid(), thread)
            thread.start()

    def deliver(self, *, due_by: float | None = None) -> int:
        """Send what is due (by now, or by a Unix time), one after the other; how many tries that took."""
        tries = 0
        while self._try_one(time.time() if due_by is None else due_by):
            tries += 1
        return tries

    def _run(self) -> None:
        """Until nothing is waiting any more, or the store is closed."""
        with suppress(sqlite3.ProgrammingError):
            while True:
                self._woken.clear()
                self.deliver()
                with self._guard:
                    due = self._next_due()
                    if due is None and not self._woken.is_set():
                        self._thread = None
                        return
                self._woken.wait(max(0.01, min(due or 0.0, time.time() + 5) - time.time()))

    def _next_due(self) -> float | None:
        with self._store.read() as db:
            found = db.execute("SELECT min(due) AS due FROM deliveries WHERE state = 'waiting'").fetchone()
        return None if found["due"] is None else float(found["due"])

    def _try_one(self, now: float) -> bool:
        with self._store.write() as db:
            row = db.execute(
                "SELECT * FROM deliveries WHERE state = 'waiting' AND due <= ? ORDER BY due, id LIMIT 1", (now,)
            ).fetchone()
            if row is None:
                return False
            db.execute("UPDATE deliveries SET due = ?, tries = tries + 1 WHERE id = ?", (now + LEASE, row["id"]))
            tampering = self._tampering()
        endpoint = next((each for each in self.endpoints if each.url == row["url"]), None)
        status = 0
        if endpoint is not None and row["tries"] >= row["lost"]:
            status = post(row["url"], *letter(endpoint, row["number"], row["body"].encode(), tampering))
        self._settle(row, status, now)
        return True

    def _settle(self, row: sqlite3.Row, status: int, now: float) -> None:
        delivered, tries = 200 <= status < 300, row["tries"]
        if delivered and row["copies"]:
            state, due = "waiting", now
        elif delivered:
            state, due = "delivered", now
        elif tries < len(self._retries):
            state, due = "waiting", now + self._retries[tries]
        else:
            state, due = "given up", now
        with self._store.write() as db:
            db.execute(
                "UPDATE deliveries SET state = ?, due = ?, status = ?, copies = copies - ? WHERE id = ?",
                (state, due, status, int(delivered and row["copies"] > 0), row["id"]),
            )

    def _tampering(self) -> str | None:
        """With what the next try is tampered with; counts it down."""
        rules = self.rules()
        found: str | None = rules.get("tamper")
        if found and "times" in rules:
            left = int(rules["times"]) - 1
            kept = {name: value for name, value in rules.items() if name not in ("tamper", "times")}
            self._store.keep("courier", (kept | ({"tamper": found, "times": left} if left > 0 else {})) or None)
        return found

    @staticmethod
    def _let_go(db: sqlite3.Connection, how_many: int) -> None:
        """Once so many are held back, all of them go, the newest first."""
        held = [row["id"] for row in db.execute("SELECT id FROM deliveries WHERE state = 'held' ORDER BY id")]
        if held and len(held) >= how_many:
            for place, number in enumerate(reversed(held)):
                db.execute(
                    "UPDATE deliveries SET state = 'waiting', due = ? WHERE id = ?",
                    (time.time() - 1 + place / 1000, number),
                )
