"""SQLite store of everything that changes in the sandbox, shared by the threads and processes on one file.

Each process has one connection behind a lock. A forked process opens its own. ":memory:" can't be shared between
processes.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
import weakref
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = 2
"""Version of the schema, kept in SQLite's `user_version`."""
_TABLES = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE requests (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, operation TEXT NOT NULL, method TEXT NOT NULL,
    path TEXT NOT NULL, query TEXT NOT NULL, headers TEXT NOT NULL, body TEXT NOT NULL, status INTEGER);
CREATE TABLE faults (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, operation TEXT NOT NULL, times INTEGER,
    options TEXT NOT NULL);
CREATE TABLE hits (bucket TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX hits_by_bucket ON hits (bucket, at);
CREATE TABLE bookings (
    id TEXT PRIMARY KEY, number TEXT NOT NULL UNIQUE, org TEXT NOT NULL, service TEXT NOT NULL,
    calendar TEXT NOT NULL, host_id TEXT, team_id TEXT, starts INTEGER NOT NULL, ends INTEGER NOT NULL,
    blocks_from INTEGER NOT NULL, blocks_to INTEGER NOT NULL, party_size INTEGER NOT NULL,
    status TEXT NOT NULL, timezone TEXT NOT NULL, name TEXT NOT NULL, email TEXT, phone TEXT,
    notes TEXT, created REAL NOT NULL);
CREATE INDEX bookings_by_time ON bookings (org, blocks_from);
CREATE TABLE replays (
    bucket TEXT NOT NULL, idempotency_key TEXT NOT NULL, digest TEXT NOT NULL, status INTEGER NOT NULL,
    document TEXT NOT NULL, PRIMARY KEY (bucket, idempotency_key));
"""
_SINCE_2 = """
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY, number TEXT NOT NULL, event TEXT NOT NULL, url TEXT NOT NULL, body TEXT NOT NULL,
    due REAL NOT NULL, state TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, status INTEGER,
    copies INTEGER NOT NULL, lost INTEGER NOT NULL);
CREATE INDEX deliveries_by_state ON deliveries (state, due);
"""
_NAMES = ("settings", "requests", "faults", "hits", "bookings", "replays", "deliveries")


class Store:
    """Thread-safe and fork-safe SQLite connection. Rows are sqlite3.Row."""

    def __init__(self, path: str = ":memory:") -> None:
        self.path = path
        self._lock = threading.RLock()  # reentrant: a transaction calls functions that read and write again
        self._depth = 0  # open transactions, 0 or 1
        self._inherited: list[sqlite3.Connection] = []
        self._open()

    def _open(self) -> None:
        if self.path != ":memory:":
            Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        self._pid = os.getpid()
        # timeout: seconds to wait for another process's lock. isolation_level=None: only write() begins transactions.
        self._connection = sqlite3.connect(self.path, timeout=20, isolation_level=None, check_same_thread=False)
        self._close = weakref.finalize(self, _close, self._connection, self._pid)
        self._connection.row_factory = sqlite3.Row
        _to_wal(self._connection)
        # Fast instead of safe from power loss: this is test data.
        self._connection.execute("PRAGMA synchronous = OFF")
        with self.write() as db:
            found = db.execute("PRAGMA user_version").fetchone()[0]
            if found in (0, 1):  # 0: new file
                # Not executescript(), which would commit the transaction.
                for statement in (_SINCE_2 if found else _TABLES + _SINCE_2).split(";\n"):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {VERSION}")
            elif found != VERSION:
                raise ValueError(f"{self.path} was made by another version of the sandbox: delete it")

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection for reading, with the lock held."""
        with self._lock:
            if self._pid != os.getpid() and self.path != ":memory:":
                # The inherited connection is kept, not closed: closing it would drop the parent process's file locks
                # (POSIX locks belong to the file, not to the connection).
                self._inherited.append(self._connection)
                self._close.detach()
                self._open()
            yield self._connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection inside an exclusive write transaction. A nested call joins the outer transaction.

        An exception rolls everything back.
        """
        with self.read() as db:
            if self._depth:
                yield db
                return
            # IMMEDIATE locks now. A lock that is taken only at the first write can fail after a read.
            db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            else:
                db.execute("COMMIT")
            finally:
                self._depth -= 1

    def get_setting(self, name: str) -> Any:
        """Return a setting, or None."""
        with self.read() as db:
            row = db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row["value"])

    def set_setting(self, name: str, value: Any) -> None:
        """Store a JSON value as a setting. None deletes it."""
        with self.write() as db:
            if value is None:
                db.execute("DELETE FROM settings WHERE name = ?", (name,))
            else:
                db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, json.dumps(value)))

    def reset(self) -> None:
        """Delete all rows of all tables."""
        with self.write() as db:
            for name in _NAMES:
                db.execute(f"DELETE FROM {name}")  # noqa: S608 - a constant of this module

    def close(self) -> None:
        """Close the connection. The store can't be used anymore."""
        with self._lock:
            self._close()


def _close(connection: sqlite3.Connection, pid: int) -> None:
    if pid == os.getpid():  # never a parent's connection: see Store.read
        connection.close()


def _to_wal(connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging, so that readers don't wait for writers.

    SQLite's busy timeout doesn't apply to the switch: it fails at once while another process writes. So it is tried for
    about 4 seconds.
    """
    for _ in range(200):
        try:
            if connection.execute("PRAGMA journal_mode").fetchone()[0] in ("wal", "memory"):
                return
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            time.sleep(0.02)
    raise sqlite3.OperationalError("the sandbox file stays locked")
