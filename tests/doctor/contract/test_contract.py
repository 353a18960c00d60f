"""The comparison of the API with its contract: the sandbox confirms what can be seen, and each deviation is refuted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from kordless_booking.doctor.contract.facts import FACTS
from kordless_booking.sandbox import Limits, Sandbox
from kordless_booking.webhooks.signature import SignatureScheme
from tests.support.contract import open_bookings, run_comparison, save_delivery
from tests.support.deliveries import Delivery, delivery, event_body

pytestmark = pytest.mark.django_db

BOOK = ("--book", "--yes", "--service", "haircut")
INVISIBLE = {"reschedule_times", "foreign_key", "reschedule_429", "replay_lifetime", "notice", "webhook_retries"}
"""Facts that no run can see."""
PROVOKED = {"error_409", "error_429", "retry_after"}
"""Facts that a run sees only when Kordless refuses."""

DEVIATIONS: list[tuple[str, tuple[dict[str, Any], ...], tuple[str, ...]]] = [
    ("slugs", ({"kind": "field_changed", "operation": "availability", "name": "serviceId", "value": "srv_x"},), ()),
    ("slugs", ({"kind": "field_changed", "operation": "organization", "name": "key", "value": "k1"},), ()),
    ("prices", ({"kind": "field_changed", "operation": "organization", "name": "price", "value": "from 40"},), ()),
    ("metadata", ({"kind": "field_changed", "operation": "organization", "name": "metadata", "value": "x"},), ()),
    ("locations", ({"kind": "unknown_values", "operation": "service"},), ()),
    ("timezones", ({"kind": "field_changed", "operation": "service", "value": "Eastern Standard Time"},), ()),
    ("timezones", ({"kind": "field_changed", "operation": "availability", "value": "Somewhere"},), ()),
    ("range_62_days", ({"kind": "range_limit", "days": 31},), ()),
    ("range_63_days", ({"kind": "range_limit", "days": 90},), ()),
    ("utc", ({"kind": "naive_times", "operation": "availability"},), ()),
    ("utc", ({"kind": "mixed_offsets", "operation": "availability"},), ()),
    ("utc", ({"kind": "fractional_times", "operation": "create"},), BOOK),
    ("order", ({"kind": "unsorted", "operation": "availability"},), ()),
    ("full_times", ({"kind": "full", "operation": "availability"},), ()),
    ("once_each", ({"kind": "duplicates", "operation": "availability"},), ()),
    ("host_names", ({"kind": "host_spelling", "operation": "availability"},), ()),
    ("team_names", ({"kind": "host_spelling", "operation": "availability", "name": "name"},), ()),
    ("seats", ({"kind": "capacity", "operation": "availability", "value": 99},), ()),
    ("seats", ({"kind": "capacity", "operation": "availability", "value": None},), ()),
    ("party_size", ({"kind": "party_size_ignored"},), ()),
    ("unknown_parameters", ({"kind": "parameters_ignored"},), ()),
    ("error_shape", ({"kind": "other_status", "of": 404, "nested": True},), ()),
    ("error_400", ({"kind": "other_status", "of": 400, "status": 422},), ()),
    ("error_400", ({"kind": "other_status", "of": 400, "error_type": "bad_request"},), ()),
    ("error_401", ({"kind": "other_status", "of": 401, "status": 403},), ()),
    ("error_403", ({"kind": "other_status", "of": 403, "status": 404},), BOOK),
    ("error_404", ({"kind": "other_status", "of": 404, "status": 410},), ()),
    (
        "error_409",
        (
            {"kind": "status", "operation": "create", "status": 409},
            {"kind": "other_status", "of": 409, "error_type": "slot_taken"},
        ),
        BOOK,
    ),
    ("error_422", ({"kind": "other_status", "of": 422, "error_type": "impossible"},), BOOK),
    (
        "error_429",
        (
            {"kind": "status", "operation": "service", "status": 429},
            {"kind": "other_status", "of": 429, "error_type": "slow_down"},
        ),
        (),
    ),
    ("rate_fields", ({"kind": "rate_headers"},), ()),
    ("rate_limit", ({"kind": "rate_headers", "limit": 120, "remaining": 100, "reset": 1},), ()),
    (
        "creation_limit",
        ({"kind": "rate_headers", "operation": "create", "limit": 5, "remaining": 4, "reset": 1},),
        BOOK,
    ),
    (
        "rate_reset",
        ({"kind": "rate_headers", "limit": 60, "remaining": 50, "reset": "2026-12-01T15:01:00Z"},),
        (),
    ),
    ("retry_after", ({"kind": "status", "operation": "service", "status": 429},), ()),
    ("date", ({"kind": "date_skew", "seconds": 600},), ()),
    ("lookup_limit", ({"kind": "rate_headers", "operation": "lookup"},), ()),
    ("lookup_quota", ({"kind": "lookups_counted"},), ()),
    ("created", ({"kind": "other_status", "operation": "create", "of": 201, "status": 200},), BOOK),
    ("created", ({"kind": "missing_fields", "operation": "create", "fields": ["end_at"]},), BOOK),
    ("numbers", ({"kind": "unusual_numbers"},), BOOK),
    ("statuses", ({"kind": "unknown_values", "operation": "create"},), BOOK),
    ("invites", ({"kind": "field_changed", "operation": "create", "name": "calendar_invite", "value": None},), BOOK),
    ("email_alone", ({"kind": "contact_required", "fields": ["phone"]},), (*BOOK, "--email", "canary@example.com")),
    ("phone_alone", ({"kind": "contact_required", "fields": ["email"]},), (*BOOK, "--phone", "+12125550147")),
    ("replay_same", ({"kind": "keys_ignored"},), BOOK),
    ("replay_same", ({"kind": "keys_ignored"},), ("--book", "--yes", "--service", "styling-class")),
    ("replay_other", ({"kind": "keys_without_body"},), BOOK),
    ("lookup_by_email", ({"kind": "lookup_by", "contact": "phone"},), BOOK),
    ("lookup_by_phone", ({"kind": "lookup_by", "contact": "email"},), BOOK),
    ("canceled", ({"kind": "unknown_values", "operation": "cancel"},), BOOK),
    ("cancel_twice", ({"kind": "cancel_repeatable"},), BOOK),
]

SAVED: dict[str, Delivery] = {
    "signature": delivery(scheme=SignatureScheme("body", "base64")),
    "timestamp_unit": delivery(at="1796137200000"),
    "webhook_id": delivery(delivery_id="whk_1"),
    "webhook_service": delivery(event_body(serviceId="haircut")),
}


def test_the_sandbox_confirms_all_that_can_be_read(limited: Sandbox):
    """Without --book nothing is written, and what needs a booking or a delivery is untested."""
    limited.faults.add("date_skew", seconds=1)
    found = run_comparison("--json")
    assert found.status == 0
    assert found.of("refuted") == set()
    confirmed = found.of("confirmed")
    assert {"range_62_days", "party_size", "team_names", "lookup_quota", "date", "error_401"} <= confirmed
    untested = found.of("untested")
    assert untested >= INVISIBLE | PROVOKED
    assert untested - INVISIBLE - PROVOKED <= {
        code for code, fact in FACTS.items() if "--book" in fact.untested_reason or "--delivery" in fact.untested_reason
    }
    assert {request.method for request in limited.requests} == {"GET"}
    assert found.document["requests"] == len(limited.requests) <= 16
    assert limited.bookings() == []


def test_the_sandbox_confirms_all_that_a_booking_shows(limited: Sandbox, tmp_path: Path):
    """With a saved delivery only what can't be provoked is left, and the booking is canceled."""
    limited.faults.add("date_skew", seconds=1)
    found = run_comparison("--json", *BOOK, "--delivery", save_delivery(tmp_path / "delivery", delivery()))
    assert found.of("untested") == INVISIBLE | PROVOKED | {"email_alone", "phone_alone"}
    assert found.of("refuted") == set()
    assert (found.status, found.warnings) == (0, "")
    assert [booking["status"] for booking in limited.bookings()] == ["canceled"]
    assert found.document["requests"] == len(limited.requests) <= 25
    for option in ("--email=canary@example.com", "--phone=+12125550147"):
        assert f"{option[2:7]}_alone" in run_comparison("--json", *BOOK, option).of("confirmed")
    assert open_bookings(limited) == []


@pytest.mark.parametrize(
    ("code", "faults", "arguments"),
    DEVIATIONS,
    ids=[f"{code}-{number}" for number, (code, *_) in enumerate(DEVIATIONS)],
)
def test_each_deviation_is_refuted(
    limited: Sandbox, code: str, faults: tuple[dict[str, Any], ...], arguments: tuple[str, ...]
):
    """With what was seen, the setting or the package's way out; no booking is left, and nothing private is printed."""
    for fault in faults:
        limited.faults.add(**fault)
    found = run_comparison("--json", *arguments)
    assert found.verdicts()[code] == "refuted", found.fact(code)
    assert found.status in {1, 2}
    fact = found.fact(code)
    assert fact["observation"]
    assert fact["fallback"]
    assert open_bookings(limited) == []
    assert found.warnings == ""


def test_each_visible_fact_has_a_deviation():
    """A new fact needs one, or a word on why it can't be seen."""
    assert {code for code, *_ in DEVIATIONS} | SAVED.keys() | INVISIBLE == FACTS.keys()


@pytest.mark.parametrize("code", SAVED)
def test_each_deviation_of_a_saved_delivery_is_refuted(limited: Sandbox, tmp_path: Path, code: str):
    """Whatever its age, and with each kind of line end."""
    for line_end in ("\r\n", "\n"):
        found = run_comparison("--json", "--delivery", save_delivery(tmp_path / "delivery", SAVED[code], line_end))
        assert found.of("refuted") == {code}
    if code == "signature":
        assert (
            '"WEBHOOK_SIGNED_PAYLOAD": "body", "WEBHOOK_SIGNATURE_ENCODING": "base64"'
            in found.fact(code)["observation"]
        )
        assert found.fact(code)["settings"] == ["WEBHOOK_SIGNED_PAYLOAD", "WEBHOOK_SIGNATURE_ENCODING"]


def test_a_delivery_that_no_recipe_fits_is_refuted(limited: Sandbox, tmp_path: Path):
    """A wrong secret looks the same, so the secrets are named; a line break at the end does no harm."""
    path = tmp_path / "delivery"
    found = run_comparison("--json", "--delivery", save_delivery(path, delivery(secret="x" * 30)))
    assert "WEBHOOK_SECRETS" in found.fact("signature")["observation"]
    good = delivery()
    save_delivery(path, good.but(body=good.body + b"\n"))
    assert "signature" in run_comparison("--json", "--delivery", str(path)).of("confirmed")


def test_accepted_deliveries_show_the_recipe(limited: Sandbox, well: Settings, client: Client):
    """Each of them was verified with the settings in force; the file is needed for the rest alone."""
    delivery().post(client)
    found = run_comparison("--json")
    assert {"signature", "webhook_id", "webhook_service"} <= found.of("confirmed")
    assert "timestamp_unit" in found.of("untested")
    well.KORDLESS_BOOKING = {**well.KORDLESS_BOOKING, "WEBHOOK_SIGNED_PAYLOAD": "body"}
    found = run_comparison("--json")
    assert '"WEBHOOK_SIGNED_PAYLOAD": "body"' in found.fact("signature")["observation"]
    assert found.of("refuted") == {"signature"}


def test_a_429_ends_the_run(limited: Sandbox):
    """Visitors need what is left; what was seen until then is reported, and Retry-After too."""
    limited.limits = Limits(general=4, retry_after=True)
    found = run_comparison("--json")
    assert found.status == 2
    assert found.document["stopped"]
    assert len(limited.requests) <= 5
    assert found.verdicts()["prices"] == "confirmed"


def test_retry_after_is_confirmed(limited: Sandbox):
    """By a 429 that has it."""
    limited.faults.add("status", operation="service", status=429, retry_after=3)
    assert "retry_after" in run_comparison("--json").of("confirmed")


@pytest.mark.parametrize("kind", ["reset", "broken_json", "html", "empty", "wrong_shape", "null_lists", "wrong_types"])
@pytest.mark.parametrize("operation", ["organization", "service", "availability", "create", "lookup", "cancel"])
def test_unusable_answers_end_in_a_report(limited: Sandbox, kind: str, operation: str):
    """No answer makes the command fail; what is booked is canceled, or the operator is told."""
    limited.faults.add(kind, operation=operation)
    found = run_comparison("--json", *BOOK)
    assert found.document["version"] == 1
    assert bool(open_bookings(limited)) <= bool(found.warnings)


@pytest.mark.parametrize("hours", [10**400, -(10**400), -1e308, 1e308, True])
def test_a_notice_of_any_size_ends_in_a_report(limited: Sandbox, hours: float):
    """JSON has numbers that no interval has."""
    limited.faults.add("field_changed", operation="service", name="noticeHours", value=hours)
    assert run_comparison("--json", *BOOK).document["version"] == 1


@pytest.mark.parametrize("value", [["x"], {"a": []}, 10**400])
@pytest.mark.parametrize(
    ("operation", "name"),
    [
        *(("availability", name) for name in ("startsAt", "serviceId", "hostId", "capacity", "availableCapacity")),
        *((operation, "type") for operation in ("service", "create", "lookup")),
        *(("create", name) for name in ("status", "confirmation_number", "start_at")),
        *(("organization", name) for name in ("slug", "key", "price", "metadata")),
        ("cancel", "status"),
    ],
)
def test_a_value_of_another_type_ends_in_a_report(limited: Sandbox, operation: str, name: str, value: object):
    """A list cannot be looked up in a set, and a number may be longer than Python prints."""
    limited.faults.add("field_changed", operation=operation, name=name, value=value)
    found = run_comparison("--json", *BOOK)
    assert found.document["version"] == 1
    assert bool(open_bookings(limited)) <= bool(found.warnings)


def test_the_report_of_json_stays(limited: Sandbox):
    """As docs/contract.md has it."""
    document = run_comparison("--json").document
    keys = {"version", "package", "date", "api", "booked", "stopped", "requests", "counts", "facts", "redaction"}
    assert document.keys() == keys
    assert [fact["code"] for fact in document["facts"]] == list(FACTS)
    names = {"area", "code", "source", "statement", "verdict", "observation", "settings", "fallback"}
    assert all(fact.keys() == names for fact in document["facts"])
    assert sum(document["counts"].values()) == len(FACTS)
    assert json.dumps(document)
