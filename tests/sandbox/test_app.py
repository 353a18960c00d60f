"""Routing and recording."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import kordless_booking.sandbox
from tests.support.sandbox_api import Api, assert_rejected

if TYPE_CHECKING:
    from kordless_booking.sandbox import Sandbox


def test_the_public_names() -> None:
    """The public names are pinned."""
    assert kordless_booking.sandbox.__all__ == [
        "LAKESIDE_KEY", "LAKESIDE_ORG",
        "NORTH_KEY", "NORTH_ORG", "SANDBOX_KEY", "SANDBOX_ORG", "SEEDS", "Limits", "Sandbox", "find_key",
    ]  # fmt: skip


def test_unknown_paths_and_methods(api: Api) -> None:
    """404 and 405 come in the same form as other errors."""
    assert_rejected(api.get("/nothing"), 404, "not_found", "path")
    assert_rejected(api.get("/org/acme-salon/"), 404, "not_found", "path")
    answer = api.post("/org/acme-salon", {})
    assert_rejected(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET"
    assert_rejected(api.get("/bookings"), 405, "method_not_allowed")


@pytest.mark.parametrize("number", ["%00", "../../org", "%2e%2e%2fx", "BÖÖK", "a" * 99, "' OR 1=1 --"])
def test_odd_numbers_are_just_unknown(api: Api, number: str) -> None:
    """No confirmation number does anything but not exist."""
    assert api.get(f"/bookings/confirmation/{number}", contact="x@y.zz").status_code in (400, 404)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'{"a":1,"a":2}', b'{"a":NaN}', b"\xff", b"[" * 50_000, b'{"a":' + b"9" * 5000 + b"}"],
)
def test_bodies_that_arent_json_objects(api: Api, content: bytes) -> None:
    """Each is a 400, none is a crash."""
    answer = api.http.post(api.base + "/bookings", content=content, headers={"Content-Type": "application/json"})
    assert_rejected(answer, 400, "validation_error")


def test_content_type_and_size(api: Api) -> None:
    """JSON must be called JSON and fit into 64 KiB."""
    answer = api.http.post(api.base + "/bookings", content=json.dumps(api.body()))
    assert_rejected(answer, 400, "validation_error", "Content-Type")
    assert_rejected(api.create(api.body(notes="x" * 70_000)), 413, "payload_too_large")


def test_a_parameter_twice_or_too_many(api: Api) -> None:
    """Parameter pollution is rejected."""
    assert_rejected(api.get("/org/acme-salon?a=1&a=2"), 400, "validation_error", "more than once")
    many = "&".join(f"a{index}=1" for index in range(50))
    assert_rejected(api.get(f"/org/acme-salon?{many}"), 400, "validation_error", "too many")


def test_cancel_takes_no_reason(api: Api) -> None:
    """A body with fields is rejected, an empty object is not."""
    number = api.book()
    assert_rejected(api.manage(number, "cancel", {"reason": "rain"}), 400, "validation_error", "no body")
    assert api.manage(number, "cancel", {}).status_code == 200


def test_requests_are_recorded_without_foreign_keys(sandbox: Sandbox) -> None:
    """A test sees what was sent; a key that isn't the sandbox's own is not stored."""
    api = Api(sandbox)
    api.create(Idempotency_Key="k1")
    listed, made = sandbox.requests
    assert (listed.operation, listed.method, listed.path) == (
        "availability",
        "GET",
        "/api/calendar/v1/public/availability",
    )
    assert "service_slug=haircut" in listed.query
    assert made.headers["idempotency-key"] == "k1"
    assert json.loads(made.body)["contact"]["email"] == "jane@example.com"
    Api(sandbox, key="live-secret").get("/org/acme-salon")
    assert "live-secret" not in repr(sandbox.requests)
    assert sandbox.requests[-1].status == 401
    sandbox.clear_requests()
    assert sandbox.requests == []


def test_the_contact_never_stands_in_a_repr(sandbox: Sandbox) -> None:
    """A sandbox may be printed."""
    assert repr(sandbox) == "<Sandbox :memory:>"
