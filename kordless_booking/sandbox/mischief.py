"""Mischief on demand: what goes wrong, for which operation and how often. All processes on the store do it.

The kinds are the functions of `tricks` (slots, shape, meaning, outside, line) and two that change the world:
key_revoked and service_removed.
"""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .answers import Answer
from .tricks import meaning, shape, slots
from .tricks.line import STREAMS, WAITS, Line
from .tricks.outside import DISGUISES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .store import Store

OPERATIONS = ("organization", "service", "availability", "create", "lookup", "cancel", "reschedule")


def key_revoked() -> None:
    """Every key is wrong (401)."""


def service_removed(*, service: str = "*") -> None:
    """A service (by its slug), or all of them, is gone: 404, and not in the list."""


WORLD: dict[str, Callable[..., None]] = {"key_revoked": key_revoked, "service_removed": service_removed}
DISTORTIONS = slots.DISTORTIONS | shape.DISTORTIONS | meaning.DISTORTIONS
KINDS: dict[str, Callable[..., Any]] = {**WORLD, **DISTORTIONS, **DISGUISES, **WAITS, **STREAMS}


@dataclass(frozen=True)
class Trick:
    """One piece of mischief that hits one request."""

    kind: str
    options: dict[str, Any]


def _instead(trick: Trick) -> bool:
    return trick.kind == "redirect" or (trick.kind == "status" and not trick.options.get("carried_out"))


@dataclass(frozen=True)
class Tricks:
    """All that hits one request, in the order in which it was set."""

    all: tuple[Trick, ...] = ()

    def _of(self, kinds: dict[str, Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
        return ((kinds[trick.kind], trick.options) for trick in self.all if trick.kind in kinds)

    @property
    def revoked(self) -> bool:
        """Whether the key is to be refused."""
        return any(trick.kind == "key_revoked" for trick in self.all)

    def removed(self, slugs: frozenset[str]) -> frozenset[str]:
        """Which of these services are gone."""
        gone = {options.get("service", "*") for _, options in self._of({"service_removed": None})}
        return slugs if "*" in gone else slugs & gone

    def wait(self, line: Line, *, carried_out: bool) -> None:
        """Be slow or hang, before or after the work."""
        for play, options in self._of(WAITS):
            if bool(options.get("carried_out")) == carried_out:
                play(line, **options)

    def instead(self) -> Answer | None:
        """An answer that is given without doing the work."""
        for trick in self.all:
            if _instead(trick):
                play = DISGUISES[trick.kind]
                return play(Answer(), **trick.options)
        return None

    def bend(self, answer: Answer, now: float) -> Answer:
        """The answer, distorted (only when it was a yes) and disguised."""
        if answer.status < 400:
            for play, options in self._of(DISTORTIONS):
                if isinstance(answer.document, dict):
                    answer.document = play(answer.document, now, **options)
        for trick in self.all:
            if trick.kind in DISGUISES and not _instead(trick):
                play = DISGUISES[trick.kind]
                answer = play(answer, **trick.options)
        return answer

    def stream(self, line: Line, body: Iterator[bytes]) -> Iterator[bytes] | None:
        """The body as it trickles out or breaks off, or None when the line is sound."""
        changed = False
        for play, options in self._of(STREAMS):
            body, changed = play(line, body, **options), True
        return body if changed else None


class Mischief:
    """Sets it, tells it, draws it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def set(self, kind: str, operation: str = "*", times: int | None = None, **options: Any) -> None:
        """Let it happen to an operation ("*" is all) so many times (None: until cleared).

        Raises ValueError for an unknown kind, operation or option.
        """
        if kind not in KINDS:
            raise ValueError(f"unknown mischief {kind!r}; there is {', '.join(sorted(KINDS))}")
        if operation != "*" and operation not in OPERATIONS:
            raise ValueError(f"unknown operation {operation!r}; there is *, {', '.join(OPERATIONS)}")
        if times is not None and (not isinstance(times, int) or times < 1):
            raise ValueError("times must be a whole number from 1, or None")
        known = inspect.signature(KINDS[kind]).parameters.values()
        names = {each.name for each in known if each.kind is inspect.Parameter.KEYWORD_ONLY}
        if not names.issuperset(options):
            raise ValueError(f"{kind} has no option {', '.join(sorted(options.keys() - names))}")
        with self._store.write() as db:
            db.execute(
                "INSERT INTO mischief (kind, operation, times, options) VALUES (?, ?, ?, ?)",
                (kind, operation, times, json.dumps(options)),
            )

    def clear(self) -> None:
        """Behave again."""
        with self._store.write() as db:
            db.execute("DELETE FROM mischief")

    def rules(self) -> list[dict[str, Any]]:
        """What is set: kind, operation, times left (None: for ever), options."""
        with self._store.read() as db:
            rows = db.execute("SELECT kind, operation, times, options FROM mischief ORDER BY id").fetchall()
        return [dict(row) | {"options": json.loads(row["options"])} for row in rows]

    def draw(self, operation: str) -> Tricks:
        """What hits the present request; counts it down."""
        with self._store.write() as db:
            rows = db.execute("SELECT * FROM mischief WHERE operation IN ('*', ?) ORDER BY id", (operation,)).fetchall()
            for row in rows:
                if row["times"] == 1:
                    db.execute("DELETE FROM mischief WHERE id = ?", (row["id"],))
                elif row["times"] is not None:
                    db.execute("UPDATE mischief SET times = times - 1 WHERE id = ?", (row["id"],))
        return Tricks(tuple(Trick(row["kind"], json.loads(row["options"])) for row in rows))
