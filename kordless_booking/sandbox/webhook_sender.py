"""Webhook sender: a transactional outbox in the store, and a thread that sends from it and retries failures.

It has its own fault injection, for the next deliveries: duplicated, reordered, tampered with, lost, late.

States of a delivery. It starts as waiting, or as held while the fault `reorder` is set::

    held ──(enough are held)──> waiting ──(2xx, no duplicate left)──> delivered
                                 │  ^ └───(failed, no retry left)───> given up
                                 └──┘ (failed, or a duplicate left)
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import os
import secrets
import sqlite3
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kordless_booking.sandbox import documents

if TYPE_CHECKING:
    from kordless_booking.sandbox.clock import Clock
    from kordless_booking.sandbox.model import Business, Service
    from kordless_booking.sandbox.store import Store

TIMEOUT_SECONDS = 30.0
"""Seconds that a receiver may take, as documented by Kordless."""
TAMPERINGS = ("body", "signature", "timestamp", "secret", "id")
"""Parts of a delivery that can be falsified."""


@dataclass(frozen=True)
class Endpoint:
    """Receiver of webhooks, with the secret and the signature scheme of its deliveries.

    Kordless doesn't document the scheme, so both parts of it can be chosen.
    """

    url: str
    secret: str
    org_slug: str | None = None
    """Business whose events are sent; None for all."""
    events: tuple[str, ...] = ()
    """Event types that are sent; empty for all."""
    signed_payload: str = "timestamp.body"
    """Signed payload: "timestamp.body" or "body"."""
    encoding: str = "hex"
    """Encoding of the signature: "hex" or "base64"."""

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Endpoint:
        """Build an endpoint from JSON. Raises ValueError or TypeError if it is invalid."""
        endpoint = cls(**data | {"events": tuple(data.get("events") or ())})
        if urlsplit(endpoint.url).scheme not in ("http", "https") or not endpoint.secret:
            raise ValueError("an endpoint needs an http(s) url and a secret")
        if endpoint.signed_payload not in ("timestamp.body", "body") or endpoint.encoding not in ("hex", "base64"):
            raise ValueError("signed_payload is timestamp.body or body; encoding is hex or base64")
        return endpoint

    def accepts(self, org_slug: str, event: str) -> bool:
        """Return True if this event of this business is sent here."""
        return self.org_slug in (None, org_slug) and (not self.events or event in self.events)

    def sign(self, body: bytes, timestamp: str) -> str:
        """Return the value of X-Kordless-Signature: HMAC-SHA256 with the secret's UTF-8 bytes as the key."""
        signed = body if self.signed_payload == "body" else timestamp.encode() + b"." + body
        digest = hmac.new(self.secret.encode(), signed, hashlib.sha256).digest()
        return digest.hex() if self.encoding == "hex" else base64.b64encode(digest).decode()


def signed_request(endpoint: Endpoint, number: str, body: bytes, tampering: str | None) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of one attempt, signed and perhaps tampered with."""
    # Real time, not the sandbox's clock, because receivers compare it with their own. New for each attempt, or a late
    # retry would be refused as too old.
    stamp = time.time() - (3600 if tampering == "timestamp" else 0)
    timestamp = str(int(stamp))
    signature = endpoint.sign(body, timestamp)
    if tampering == "secret":
        signature = Endpoint(endpoint.url, "not the secret").sign(body, timestamp)
    elif tampering == "signature":
        signature = signature[::-1]
    elif tampering == "body":
        # After signing, and with a byte more, so that it differs even if the status was not "confirmed".
        body = body.replace(b'"confirmed"', b'"canceled"', 1) + b" "
    elif tampering == "id":
        number = f"{number}_again"  # the id is not signed: a replay of a valid delivery under a new id
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "kordless-sandbox",
        "X-Kordless-Signature": signature,
        "X-Kordless-Timestamp": timestamp,
        "X-Kordless-Webhook-Id": number,
    }
    return body, headers


def post(url: str, body: bytes, headers: dict[str, str], seconds: float = TIMEOUT_SECONDS) -> int:
    """Send one attempt and return the status, or 0 if no response came. Redirects are not followed."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    connection = (http.client.HTTPSConnection if secure else http.client.HTTPConnection)(parts.netloc, timeout=seconds)
    try:
        connection.request("POST", f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}", body, headers)
        response = connection.getresponse()
        response.read(65_536)  # bytes; the body doesn't matter
    except (OSError, http.client.HTTPException, ValueError):
        return 0
    else:
        return response.status
    finally:
        connection.close()


RETRY_SECONDS = (1.0, 5.0, 15.0, 60.0, 300.0)
"""Seconds before each retry of a failed delivery. After the last retry it is given up. Kordless's own schedule is
unknown.
"""
LEASE_SECONDS = 60.0
"""Seconds after which another process may take over a delivery whose sender has not reported back. Longer than a
receiver may take (30 seconds).
"""
MAX_DELIVERIES = 500
"""Number of deliveries that the store keeps."""
_FAULT_NAMES = {"duplicate", "reorder", "tamper", "times", "lose", "late"}


class WebhookSender:
    """Webhook sender of one sandbox. The processes that share the store share the outbox."""

    def __init__(self, store: Store, clock: Clock, *, retries: tuple[float, ...] = RETRY_SECONDS) -> None:
        self.by_hand = False
        """True: no thread is started, and only `deliver()` sends."""
        self._store = store
        self._clock = clock
        self._retries = retries
        self._guard = threading.Lock()
        # With the process id: after a fork the child has the attribute, but not the thread.
        self._thread: tuple[int, threading.Thread] | None = None
        self._woken = threading.Event()

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Receivers of webhooks; can be set. Empty by default, and then no deliveries are recorded."""
        return tuple(Endpoint.from_json(each) for each in self._store.get_setting("endpoints") or ())

    @endpoints.setter
    def endpoints(self, endpoints: tuple[Endpoint, ...]) -> None:
        self._store.set_setting("endpoints", [vars(each) for each in endpoints] or None)

    def set_faults(self, **rules: Any) -> None:
        """Set the faults of the next deliveries; without arguments, clear them. Raises ValueError.

        - `duplicate`: number of extra deliveries of each event.
        - `reorder`: number of deliveries to hold back, to be sent together, newest first.
        - `tamper`: what to falsify ("body", "signature", "timestamp", "secret" or "id"), in the next `times` attempts,
          or in all attempts without `times`.
        - `lose`: number of attempts of each delivery that never arrive.
        - `late`: seconds to delay each delivery.
        """
        if not _FAULT_NAMES.issuperset(rules) or rules.get("tamper") not in (None, *TAMPERINGS):
            raise ValueError(f"known: {', '.join(sorted(_FAULT_NAMES))}; tamper is one of {', '.join(TAMPERINGS)}")
        if any(not isinstance(value, int | float) or value < 0 for name, value in rules.items() if name != "tamper"):
            raise ValueError("all but tamper are numbers")
        self._store.set_setting("webhook_faults", rules or None)

    def rules(self) -> dict[str, Any]:
        """Return the faults that are set."""
        found: dict[str, Any] = self._store.get_setting("webhook_faults") or {}
        return found

    def deliveries(self) -> list[dict[str, Any]]:
        """Return the newest 50 deliveries, newest first.

        Each has number, event, url, state ("held", "waiting", "delivered" or "given up"), tries, status and body.
        """
        with self._store.read() as db:
            rows = db.execute(
                "SELECT number, event, url, state, tries, status, body FROM deliveries ORDER BY id DESC LIMIT 50"
            ).fetchall()
        return [dict(row) for row in rows]

    def enqueue(
        self, db: sqlite3.Connection, event: str, business: Business, service: Service, row: sqlite3.Row
    ) -> None:
        """Add the event to the outbox, in the transaction that makes the change (transactional outbox pattern)."""
        endpoints = self.endpoints
        if not endpoints:
            return
        # Real time, not the sandbox's clock: receivers and retries live in real time, even while that clock is frozen.
        rules, now = self.rules(), time.time()
        # Serialized now: a retry must send the state at the time of the event, not today's.
        body = json.dumps(documents.event(event, service, row, self._clock.unix_seconds()), ensure_ascii=False)
        for endpoint in endpoints:
            if endpoint.accepts(business.slug, event):
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
        self._release_held(db, int(rules.get("reorder", 0)))
        db.execute("DELETE FROM deliveries WHERE id <= (SELECT max(id) FROM deliveries) - ?", (MAX_DELIVERIES,))

    def wake(self) -> None:
        """Start the sending thread if there is something to send and none is running. Returns at once."""
        if self.by_hand:
            return
        self._woken.set()
        with self._guard:
            if self._thread and self._thread[0] == os.getpid() and self._thread[1].is_alive():
                return
            if self._next_due() is None:
                return
            thread = threading.Thread(target=self._run, name="sandbox webhook sender", daemon=True)
            self._thread = (os.getpid(), thread)
            thread.start()

    def deliver(self, *, due_by: float | None = None) -> int:
        """Send what is due now, or by the Unix time `due_by`, and return the number of attempts.

        A `due_by` in the future sends retries without waiting for them.
        """
        tries = 0
        while self._send_one(time.time() if due_by is None else due_by):
            tries += 1
        return tries

    def _run(self) -> None:
        """Send until nothing is waiting or the store is closed (ProgrammingError)."""
        with suppress(sqlite3.ProgrammingError):
            while True:
                # Cleared before the outbox is read: a wake() from now on is seen below, and no event is missed.
                self._woken.clear()
                self.deliver()
                with self._guard:
                    due = self._next_due()
                    if due is None and not self._woken.is_set():
                        self._thread = None
                        return
                # At most 5 seconds, because another process may add an event without waking this thread.
                self._woken.wait(max(0.01, min(due or 0.0, time.time() + 5) - time.time()))

    def _next_due(self) -> float | None:
        with self._store.read() as db:
            found = db.execute("SELECT min(due) AS due FROM deliveries WHERE state = 'waiting'").fetchone()
        return None if found["due"] is None else float(found["due"])

    def _send_one(self, now: float) -> bool:
        with self._store.write() as db:
            row = db.execute(
                "SELECT * FROM deliveries WHERE state = 'waiting' AND due <= ? ORDER BY due, id LIMIT 1", (now,)
            ).fetchone()
            if row is None:
                return False
            # Leased, not locked: if this process dies while it sends, another one takes over after LEASE_SECONDS.
            db.execute(
                "UPDATE deliveries SET due = ?, tries = tries + 1 WHERE id = ?", (now + LEASE_SECONDS, row["id"])
            )
            tampering = self._tampering()
        # Outside of the transaction, which would block all processes for as long as the receiver takes.
        endpoint = next((each for each in self.endpoints if each.url == row["url"]), None)
        status = 0
        if endpoint is not None and row["tries"] >= row["lost"]:
            status = post(row["url"], *signed_request(endpoint, row["number"], row["body"].encode(), tampering))
        self._record_result(row, status, now)
        return True

    def _record_result(self, row: sqlite3.Row, status: int, now: float) -> None:
        delivered, tries = 200 <= status < 300, row["tries"]  # as read: without the attempt that was just made
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
        """Return the tampering for the next attempt, or None, and count it down."""
        rules = self.rules()
        found: str | None = rules.get("tamper")
        if found and "times" in rules:
            left = int(rules["times"]) - 1
            others = {name: value for name, value in rules.items() if name not in ("tamper", "times")}
            self._store.set_setting(
                "webhook_faults", (others | ({"tamper": found, "times": left} if left > 0 else {})) or None
            )
        return found

    @staticmethod
    def _release_held(db: sqlite3.Connection, how_many: int) -> None:
        """Release all held deliveries, newest first, once there are `how_many`. 0 releases what an old fault held."""
        held = [row["id"] for row in db.execute("SELECT id FROM deliveries WHERE state = 'held' ORDER BY id")]
        if held and len(held) >= how_many:
            for place, number in enumerate(reversed(held)):
                # Due a second ago and a millisecond apart: sent at once, and in this order.
                db.execute(
                    "UPDATE deliveries SET state = 'waiting', due = ? WHERE id = ?",
                    (time.time() - 1 + place / 1000, number),
                )
