"""Fault injector: rules for which fault hits which operation how often, shared by all processes on the store.

The kinds of faults, by the layer that they distort, are the functions of these modules:

- `faults.slots`, `faults.schema`, `faults.content`: the JSON document of a successful response;
- `faults.response`: status, headers and bytes;
- `faults.connection`: delays and broken connections;
- here: `STATE_FAULTS`, which change what the sandbox does instead of a response. Those from `range_limit` on make it
  deviate from what is assumed about Kordless, so that `kordless_doctor --contract` has something to refute.

A fault's options are the keyword-only parameters of its function.
"""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kordless_booking.sandbox.response import Response

from . import content, schema, slots
from .connection import STREAMS, WAITS, Connection
from .response import RESPONSE_FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kordless_booking.sandbox.store import Store

CONTACT_FIELDS = ("email", "phone")
OPERATIONS = ("organization", "service", "availability", "create", "lookup", "cancel", "reschedule")


def key_revoked() -> None:
    """Refuse every API key (401)."""


def service_removed(*, service: str = "*") -> None:
    """Remove the service with this slug, or all services: 404, and absent from the organization's list."""


def contact_required(*, fields: list[str] | None = None) -> None:
    """Refuse a create (400) whose contact lacks one of `fields`, by default "email" or "phone"."""


def unusual_numbers(*, form: str = "№ {}/34") -> None:
    """Give new bookings confirmation numbers of this form, with {} for the characters. They can be looked up."""


def range_limit(*, days: int = 31) -> None:
    """Refuse a range of more than so many days (400), instead of 62."""


def party_size_ignored() -> None:
    """List the times for a party of one, whatever `partySize` says."""


def parameters_ignored() -> None:
    """Ignore unknown query parameters of availability instead of refusing them."""


def keys_ignored() -> None:
    """Take each Idempotency-Key for a new one."""


def keys_without_body() -> None:
    """Repeat the first response to an Idempotency-Key that comes with another body."""


def cancel_repeatable() -> None:
    """Answer a second cancel like the first."""


def lookup_by(*, contact: str = "email") -> None:
    """Accept only the email address, or only the phone number ("phone"), as the contact of a booking."""


def lookups_counted() -> None:
    """Count look-ups, cancels and reschedules against the limit of each API key."""


# The functions above have no body: operations ask RequestFaults for these. Only name and signature count.
STATE_FAULTS: dict[str, Callable[..., None]] = {
    each.__name__: each
    for each in (
        key_revoked,
        service_removed,
        contact_required,
        unusual_numbers,
        range_limit,
        party_size_ignored,
        parameters_ignored,
        keys_ignored,
        keys_without_body,
        cancel_repeatable,
        lookup_by,
        lookups_counted,
    )
}
DOCUMENT_FAULTS = slots.DISTORTIONS | schema.DISTORTIONS | content.DISTORTIONS
KINDS: dict[str, Callable[..., Any]] = {**STATE_FAULTS, **DOCUMENT_FAULTS, **RESPONSE_FAULTS, **WAITS, **STREAMS}


@dataclass(frozen=True)
class Fault:
    """A fault that hits one request, with its options."""

    kind: str
    options: dict[str, Any]


def _instead(trick: Fault) -> bool:
    """Return True for a fault that answers before the operation is carried out."""
    return trick.kind == "redirect" or (trick.kind == "status" and not trick.options.get("carried_out"))


@dataclass(frozen=True)
class RequestFaults:
    """The faults that hit one request, in the order in which they were set."""

    faults: tuple[Fault, ...] = ()

    def _of(self, kinds: dict[str, Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
        return ((kinds[trick.kind], trick.options) for trick in self.faults if trick.kind in kinds)

    @property
    def revoked(self) -> bool:
        """True if the API key is to be refused."""
        return any(trick.kind == "key_revoked" for trick in self.faults)

    def removed(self, slugs: frozenset[str]) -> frozenset[str]:
        """Return those of `slugs` whose service is removed."""
        gone = {options.get("service", "*") for _, options in self._of({"service_removed": None})}
        return slugs if "*" in gone else slugs & gone

    @property
    def number_form(self) -> str:
        """Form of a new confirmation number, with {} for its characters."""
        forms = [options.get("form", "№ {}/34") for _, options in self._of({"unusual_numbers": None})]
        return forms[-1] if forms else "BOOK_{}"

    @property
    def deviations(self) -> frozenset[str]:
        """Names of the state faults."""
        return frozenset(trick.kind for trick in self.faults if trick.kind in STATE_FAULTS)

    @property
    def max_range_days(self) -> int | None:
        """Days that an availability request may span, or None for the usual number."""
        found = [int(options.get("days", 31)) for _, options in self._of({"range_limit": None})]
        return found[-1] if found else None

    @property
    def lookup_contact(self) -> str:
        """The only kind of contact that is accepted, "email" or "phone"; empty for both."""
        found = [str(options.get("contact", "email")) for _, options in self._of({"lookup_by": None})]
        return found[-1] if found else ""

    @property
    def contact_required(self) -> frozenset[str]:
        """Fields that the contact of a create must have."""
        found = [options.get("fields") or CONTACT_FIELDS for _, options in self._of({"contact_required": None})]
        return frozenset(name for fields in found for name in fields)

    def wait(self, line: Connection, *, carried_out: bool) -> None:
        """Delay or hang, before the operation or, with `carried_out`, after it."""
        for play, options in self._of(WAITS):
            if bool(options.get("carried_out")) == carried_out:
                play(line, **options)

    def short_circuit(self) -> Response | None:
        """Return a response that replaces the operation, or None to carry it out."""
        for trick in self.faults:
            if _instead(trick):
                play = RESPONSE_FAULTS[trick.kind]
                return play(Response(), **trick.options)
        return None

    def distort(self, response: Response, now: float) -> Response:
        """Return the response with all faults applied: those of the document first, then those of the response."""
        if response.status < 400:
            # Error documents stay as documented; faults of the response can still replace them.
            for play, options in self._of(DOCUMENT_FAULTS):
                # An earlier fault may have made it a list or a text, which the other ones can't walk.
                if isinstance(response.document, dict):
                    response.document = play(response.document, now, **options)
        for trick in self.faults:
            if trick.kind in RESPONSE_FAULTS and not _instead(trick):
                play = RESPONSE_FAULTS[trick.kind]
                response = play(response, **trick.options)
        return response

    def stream(self, line: Connection, body: Iterator[bytes]) -> Iterator[bytes] | None:
        """Return the body with delays and cuts, or None if no fault of the connection is set."""
        changed = False
        for play, options in self._of(STREAMS):
            body, changed = play(line, body, **options), True
        return body if changed else None


class FaultInjector:
    """Stores the rules, and hands out the faults of each request."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, kind: str, operation: str = "*", times: int | None = None, **options: Any) -> None:
        """Add a rule: inject the fault into the next `times` requests of the operation.

        "*" is every operation; `times=None` is until `clear()`. Raises ValueError for an unknown kind, operation or
        option.
        """
        if kind not in KINDS:
            raise ValueError(f"unknown fault {kind!r}; known: {', '.join(sorted(KINDS))}")
        if operation != "*" and operation not in OPERATIONS:
            raise ValueError(f"unknown operation {operation!r}; known: *, {', '.join(OPERATIONS)}")
        if times is not None and (not isinstance(times, int) or times < 1):
            raise ValueError("times must be a whole number from 1, or None")
        known = inspect.signature(KINDS[kind]).parameters.values()
        names = {each.name for each in known if each.kind is inspect.Parameter.KEYWORD_ONLY}
        if not names.issuperset(options):
            raise ValueError(f"{kind} has no option {', '.join(sorted(options.keys() - names))}")
        with self._store.write() as db:
            db.execute(
                "INSERT INTO faults (kind, operation, times, options) VALUES (?, ?, ?, ?)",
                (kind, operation, times, json.dumps(options)),
            )

    def clear(self) -> None:
        """Delete all rules."""
        with self._store.write() as db:
            db.execute("DELETE FROM faults")

    def rules(self) -> list[dict[str, Any]]:
        """Return the rules: kind, operation, times left (None: until cleared), options."""
        with self._store.read() as db:
            rows = db.execute("SELECT kind, operation, times, options FROM faults ORDER BY id").fetchall()
        return [dict(row) | {"options": json.loads(row["options"])} for row in rows]

    def next_faults(self, operation: str) -> RequestFaults:
        """Return the faults of the current request, and count the rules down."""
        # A write transaction from the start: two processes must not both take the last of `times`.
        with self._store.write() as db:
            rows = db.execute("SELECT * FROM faults WHERE operation IN ('*', ?) ORDER BY id", (operation,)).fetchall()
            for row in rows:
                if row["times"] == 1:
                    db.execute("DELETE FROM faults WHERE id = ?", (row["id"],))
                elif row["times"] is not None:
                    db.execute("UPDATE faults SET times = times - 1 WHERE id = ?", (row["id"],))
        return RequestFaults(tuple(Fault(row["kind"], json.loads(row["options"])) for row in rows))
