"""Every fault, how the sandbox plays it, and what comes of it in each step: (status, event in the log).

An empty event says that nobody was refused anything, so there is no line about a visitor.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.support.fault_scenario import ACTS, KEYED, READS

Outcome = tuple[int, str]
FINE: dict[str, Outcome] = {
    **dict.fromkeys(READS, (200, "")),
    "contact": (303, ""),
    "create": (303, ""),
    "attempt": (303, "create_resolved"),
    "lookup": (303, ""),
    "cancel": (303, "booking_canceled"),
    "reschedule": (303, "booking_rescheduled"),
}
"""All is well: a page, or the way to the next one."""


@dataclass(frozen=True)
class Fault:
    """A fault of a name, by one kind of faults with options."""

    name: str
    kind: str
    options: dict[str, Any]
    outcomes: dict[str, Outcome]
    socket: bool = field(default=False)


def unanswered(reason: str, *, carried_out: bool = False) -> dict[str, Outcome]:
    """The request went out, and no usable answer came back."""
    return {
        **dict.fromkeys(READS, (503, f"upstream_{reason}")),
        "create": (303, "create_outcome_unknown"),
        "attempt": (200, "create_outcome_unknown"),
        "lookup": (503, "lookup_failed"),
        "cancel": FINE["cancel"] if carried_out else (503, "cancel_unknown"),
        "reschedule": FINE["reschedule"] if carried_out else (503, "reschedule_unknown"),
    }


def unsent(reason: str) -> dict[str, Outcome]:
    """There is no connection to Kordless at all."""
    return {
        **dict.fromkeys((*READS, "cancel", "reschedule"), (503, f"upstream_{reason}")),
        "create": (503, "create_not_sent"),
        "attempt": (200, "create_outcome_unknown"),
        "lookup": (503, "lookup_failed"),
    }


TOO_MANY: dict[str, Outcome] = {
    **dict.fromkeys(READS, (503, "rate_limited")),
    "create": (303, "create_queued"),
    "attempt": (200, "create_queued"),
    "lookup": (503, "lookup_failed"),
    "cancel": (503, "cancel_not_sent"),
    "reschedule": (503, "reschedule_not_sent"),
}
REVOKED: dict[str, Outcome] = {
    **dict.fromkeys((*READS, "create"), (503, "api_key_rejected")),
    "attempt": (503, "create_unresolved"),
}
GONE: dict[str, Outcome] = {
    "services": (200, ""),
    "slots": (404, "service_not_found"),
    "contact": (404, "service_not_found"),
    "create": (404, "service_not_found"),
    "attempt": (503, "create_unresolved"),
}
NO_ORGANIZATION: dict[str, Outcome] = {"services": (404, "org_not_found")}
UNREADABLE: dict[str, Outcome] = {
    **dict.fromkeys(READS, (422, "request_rejected")),
    "create": (422, "request_rejected"),
    "attempt": (503, "create_unresolved"),
    "lookup": (404, "lookup_rejected"),
    "cancel": (422, "cancel_refused"),
    "reschedule": (422, "reschedule_refused"),
}
CONFLICT: dict[str, Outcome] = {
    "create": (409, "slot_conflict"),
    "attempt": (409, "slot_conflict"),
    "cancel": (422, "cancel_refused"),
    "reschedule": (409, "slot_conflict"),
}
IMPOSSIBLE: dict[str, Outcome] = {
    "create": (422, "request_rejected"),
    "attempt": (503, "create_unresolved"),
    "cancel": (422, "cancel_refused"),
    "reschedule": (422, "reschedule_refused"),
}
FORBIDDEN: dict[str, Outcome] = {
    **REVOKED,
    "lookup": (404, "lookup_rejected"),
    "cancel": (404, "booking_not_found"),
    "reschedule": (404, "booking_not_found"),
}


def only(outcomes: dict[str, Outcome], *acts: str) -> dict[str, Outcome]:
    """Those that the fault can hit."""
    return {act: outcomes[act] for act in acts}


def but(outcomes: dict[str, Outcome], **others: Outcome) -> dict[str, Outcome]:
    """The same with some of it otherwise."""
    return {**outcomes, **others}


LISTS = ("services", "slots", "contact")
TIMES = ("slots",)
BOOKINGS = ("create", "attempt", "lookup", "cancel", "reschedule")

FAULTS = (
    Fault("500", "status", {"status": 500}, unanswered("server_error")),
    Fault(
        "500, carried out",
        "status",
        {"status": 500, "carried_out": True},
        only(unanswered("server_error", carried_out=True), "create", "attempt", "cancel", "reschedule"),
    ),
    Fault("502 with HTML", "status", {"status": 502, "html": True}, unanswered("server_error")),
    Fault("503", "status", {"status": 503}, unanswered("server_error")),
    Fault("503, Retry-After 3600", "status", {"status": 503, "retry_after": 3600}, unanswered("server_error")),
    Fault("504", "status", {"status": 504}, unanswered("server_error")),
    Fault("408", "status", {"status": 408}, unanswered("request_timeout")),
    Fault("200 with HTML", "html", {}, unanswered("html", carried_out=True)),
    Fault("broken JSON", "broken_json", {}, unanswered("not_json", carried_out=True)),
    Fault("empty body", "empty", {}, unanswered("empty", carried_out=True)),
    Fault("204", "empty", {"status": 204}, unanswered("empty", carried_out=True)),
    Fault("byte order mark", "bom", {}, unanswered("not_json", carried_out=True)),
    Fault("NaN", "nan", {}, unanswered("not_json", carried_out=True)),
    Fault("duplicate keys", "duplicate_keys", {}, unanswered("not_json", carried_out=True)),
    Fault("wrong charset", "wrong_charset", {}, unanswered("not_json", carried_out=True)),
    Fault("nested 100,000 deep", "deep", {}, unanswered("not_json", carried_out=True)),
    Fault("another shape", "wrong_shape", {}, unanswered("bad_payload", carried_out=True)),
    Fault("a list", "wrong_shape", {"value": [1, None]}, unanswered("bad_payload", carried_out=True)),
    Fault("redirect", "redirect", {}, unanswered("redirect")),
    Fault("307 elsewhere", "redirect", {"status": 307, "location": "//evil.example/"}, unanswered("redirect")),
    Fault(
        "another organization's",
        "other_org",
        {},
        {**only(unanswered("mismatch", carried_out=True), "services", "cancel"), "lookup": (404, "lookup_rejected")},
    ),
    Fault(
        "another booking or service",
        "other_booking",
        {},
        only(unanswered("mismatch", carried_out=True), "slots", "contact", "create", "attempt", "lookup", "cancel"),
    ),
    Fault("no number", "no_number", {}, only(unanswered("bad_payload"), "create", "attempt")),
    Fault(
        "every item broken",
        "missing_fields",
        {"every": 1, "fields": ["startsAt", "slug", "key"]},
        only(unanswered("bad_payload"), "services", "slots"),
    ),
    Fault("429, Retry-After 20", "status", {"status": 429, "retry_after": 20}, TOO_MANY),
    Fault("429 without", "status", {"status": 429}, TOO_MANY),
    Fault("429 as HTML", "status", {"status": 429, "html": True}, TOO_MANY),
    Fault(
        "429, absurd Retry-After", "status", {"status": 429, "retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"}, TOO_MANY
    ),
    Fault("key revoked", "key_revoked", {}, REVOKED),
    Fault("403", "status", {"status": 403}, FORBIDDEN),
    Fault("contact required", "contact_required", {}, only(UNREADABLE, "create", "attempt")),
    Fault("service removed", "service_removed", {"service": "haircut"}, GONE),
    Fault("organization gone", "status", {"status": 404}, NO_ORGANIZATION),
    Fault("400", "status", {"status": 400}, UNREADABLE),
    Fault("409", "status", {"status": 409}, CONFLICT),
    Fault("422", "status", {"status": 422}, IMPOSSIBLE),
    Fault("missing fields", "missing_fields", {}, only(FINE, "services", "slots", "create", "reschedule")),
    Fault("unknown fields", "unknown_fields", {}, FINE),
    Fault("unknown values", "unknown_values", {}, but(FINE, cancel=FINE["cancel"])),
    Fault("wrong types", "wrong_types", {}, only(FINE, *LISTS)),
    Fault("null lists", "null_lists", {}, only(FINE, "services", "slots")),
    Fault("null fields", "null_fields", {}, FINE),
    Fault("other spellings", "other_spellings", {}, FINE),
    Fault("unwrapped", "bare", {}, only(FINE, *BOOKINGS)),
    Fault("hostile texts", "hostile", {}, FINE),
    Fault("very long texts", "long_texts", {}, FINE),
    Fault("clock ten minutes off", "date_skew", {"seconds": -600}, FINE),
    Fault("rate headers that lie", "rate_headers", {"limit": "many", "remaining": "-1", "reset": "nan"}, FINE),
    Fault("rate headers that contradict", "rate_limit_contradiction", {}, FINE),
    Fault("no status", "no_status", {}, only(FINE, *BOOKINGS)),
    Fault("fractions of a second", "fractional_times", {}, only(FINE, "slots", *BOOKINGS)),
    Fault("unusual numbers", "unusual_numbers", {}, only(FINE, "create", "attempt")),
    Fault("renamed", "org_renamed", {}, only(FINE, "services", *BOOKINGS)),
    Fault("terms changed", "terms_changed", {"duration": 90}, only(FINE, "services", "contact", "create")),
    Fault("null host", "null_host", {}, only(FINE, "slots")),
    Fault("null team", "null_team", {}, only(FINE, "slots")),
    Fault("slots in the past", "past", {}, only(FINE, "slots")),
    Fault("duplicate slots", "duplicates", {}, only(FINE, "slots")),
    Fault("unsorted slots", "unsorted", {}, only(FINE, "slots")),
    Fault("mixed offsets", "mixed_offsets", {}, FINE),
    Fault("3,000 slots", "many", {}, only(FINE, "slots")),
    Fault("full slots", "full", {}, only(FINE, "slots")),
    Fault("negative capacity", "capacity", {"value": -3}, only(FINE, "slots")),
    Fault("null capacity", "capacity", {}, only(FINE, "slots")),
    Fault("no slots", "no_slots", {}, only(FINE, "slots")),
    Fault("naive times", "naive_times", {}, only(unanswered("bad_payload"), "slots")),
)

LINES = (
    Fault("slow", "slow", {"seconds": 9}, unanswered("read_timeout"), socket=True),
    Fault(
        "slow, carried out",
        "slow",
        {"seconds": 9, "carried_out": True},
        only(unanswered("read_timeout", carried_out=True), "create", "cancel", "reschedule"),
        socket=True,
    ),
    Fault("hang", "hang", {"seconds": 9}, unanswered("read_timeout"), socket=True),
    Fault("drip", "drip", {"seconds": 0.1}, unanswered("read_timeout", carried_out=True), socket=True),
    Fault("reset", "reset", {}, unanswered("cut", carried_out=True), socket=True),
    Fault("cut before the head", "reset", {"after_bytes": 0}, unanswered("cut", carried_out=True), socket=True),
    Fault("200 MB", "huge", {"megabytes": 200}, unanswered("too_large", carried_out=True), socket=True),
    Fault(
        "gzip bomb", "huge", {"megabytes": 24, "gzipped": True}, unanswered("too_large", carried_out=True), socket=True
    ),
)

REFUSED = Fault("refused", "", {}, unsent("refused"), socket=True)
TLS = Fault("TLS failure", "", {}, unsent("tls"), socket=True)
ALL = (*FAULTS, *LINES, REFUSED, TLS)


def cells(faults: tuple[Fault, ...]) -> list[tuple[Fault, str]]:
    """Each fault with each step that it can hit."""
    return [(fault, act) for fault in faults for act in ACTS if act in fault.outcomes]


assert set(REVOKED) == set(KEYED)
