"""Fault injection: when a fault hits, how often, and what it changes."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from kordless_booking.sandbox import Limits, Sandbox
from kordless_booking.sandbox.faults.injector import KINDS, OPERATIONS
from tests.support.sandbox_api import NOW, PATIENCE_SECONDS, Api, assert_rejected


def test_it_hits_its_operation_so_many_times(api: Api) -> None:
    """Two failures of availability, and nothing else is touched."""
    api.sandbox.faults.add("status", operation="availability", times=2, status=503)
    query = {"org_slug": "acme-salon", "service_slug": "haircut"}
    query |= {"from": "2026-12-01T00:00:00Z", "to": "2026-12-08T00:00:00Z"}
    assert api.get("/org/acme-salon").status_code == 200
    assert [api.get("/availability", **query).status_code for _ in range(3)] == [503, 503, 200]
    assert api.sandbox.faults.rules() == []


def test_it_lasts_until_cleared(api: Api) -> None:
    """Without a number it goes on for every operation."""
    api.sandbox.faults.add("status", status=500)
    assert [api.get("/org/acme-salon").status_code for _ in range(5)] == [500] * 5
    assert api.manage("BOOK_X").status_code == 500
    api.sandbox.faults.clear()
    assert api.get("/org/acme-salon").status_code == 200


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("nonsense", {}, "unknown fault "),
        ("slow", {"operation": "nowhere"}, "unknown operation"),
        ("slow", {"times": 0}, "times"),
        ("slow", {"minutes": 3}, "no option minutes"),
        ("many", {"document": {}}, "no option document"),
    ],
)
def test_invalid_faults_are_rejected(sandbox: Sandbox, kind: str, options: dict[str, Any], message: str) -> None:
    """A typo in a test fails at once."""
    with pytest.raises(ValueError, match=message):
        sandbox.faults.add(kind, **options)


def test_every_operation_can_be_hit(api: Api) -> None:
    """The names are those that are recorded."""
    slot = api.slots()[-1]
    number = api.book()
    api.get("/org/acme-salon")
    api.get("/org/acme-salon/service/haircut")
    api.manage(number)
    api.manage(number, "reschedule", {"start_at": slot["startsAt"], "end_at": slot["endsAt"]})
    api.manage(number, "cancel")
    assert {each.operation for each in api.sandbox.requests} == set(OPERATIONS)


def test_revoked_key(api: Api) -> None:
    """Keyed operations are 401, the others go on."""
    number = api.book()
    api.sandbox.faults.add("key_revoked")
    assert_rejected(api.get("/org/acme-salon"), 401, "authentication_error")
    assert api.manage(number).status_code == 200


def test_removed_service(api: Api) -> None:
    """One service vanishes from the list and is 404; the others stay; or all vanish."""
    body = api.body()
    api.sandbox.faults.add("service_removed", service="haircut")
    assert "haircut" not in [each["slug"] for each in api.get("/org/acme-salon").json()["services"]]
    assert_rejected(api.get("/org/acme-salon/service/haircut"), 404, "not_found")
    assert_rejected(api.create(body), 404, "not_found")
    assert api.slots("beard-trim")
    api.sandbox.faults.add("service_removed")
    assert api.get("/org/acme-salon").json()["services"] == []


def test_several_at_once(api: Api) -> None:
    """Faults add up in the order in which they were set."""
    api.sandbox.faults.add("status", status=429, retry_after=20)
    api.sandbox.faults.add("rate_headers", limit="many", reset=-1)
    answer = api.get("/org/acme-salon")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "20")
    assert answer.headers["X-RateLimit-Limit"] == "many"
    assert "X-RateLimit-Remaining" not in answer.headers


def test_answer_lost_after_carrying_out(api: Api) -> None:
    """The booking is made although the answer says 500; asking again with the same key gets it."""
    body = api.body()
    api.sandbox.faults.add("status", operation="create", times=1, status=500, carried_out=True)
    assert api.create(body, Idempotency_Key="k").status_code == 500
    assert len(api.sandbox.bookings()) == 1
    assert api.create(body, Idempotency_Key="k").status_code == 201
    assert len(api.sandbox.bookings()) == 1


def test_not_carried_out(api: Api) -> None:
    """Without that option nothing is booked."""
    body = api.body()
    api.sandbox.faults.add("status", operation="create", times=1)
    assert api.create(body).status_code == 500
    assert api.sandbox.bookings() == []


def test_slow_waits_before_or_after_the_work() -> None:
    """`carried_out` decides whether the booking is there while the client still waits."""
    seen: list[tuple[float, int]] = []
    sandbox = Sandbox(now=NOW, limits=Limits.off(), sleep=lambda time: seen.append((time, len(sandbox.bookings()))))
    api = Api(sandbox)
    slots = api.slots()
    sandbox.faults.add("slow", operation="create", times=1, seconds=9)
    api.book(slot=slots[0])
    sandbox.faults.add("slow", operation="create", times=1, seconds=7, carried_out=True)
    api.book(slot=slots[-1])
    assert seen == [(9, 0), (7, 2)]


def test_in_process_a_cut_line_is_an_os_error(api: Api) -> None:
    """There is no socket to keep silent: hang times out, reset cuts after the work was done."""
    body = api.body()
    api.sandbox.faults.add("hang", times=1)
    with pytest.raises(TimeoutError):
        api.create(body)
    assert api.sandbox.bookings() == []
    api.sandbox.faults.add("reset", times=1)
    with pytest.raises(ConnectionResetError):
        api.create(body)
    assert len(api.sandbox.bookings()) == 1
    assert [each.status for each in api.sandbox.requests][-2:] == [None, 201]


def test_errors_are_not_distorted(api: Api) -> None:
    """A no stays a documented no."""
    api.sandbox.faults.add("hostile")
    assert_rejected(api.get("/org/nowhere"), 404, "not_found")


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"huge", "hang", "reset", "slow", "drip"}))
def test_every_kind_gives_an_answer_everywhere(api: Api, kind: str) -> None:
    """Whatever is set, each operation still answers something of HTTP."""
    body, slot = api.body(), api.slots()[-1]
    number = api.book(slot=slot)
    api.sandbox.faults.add(kind)
    answers = [
        api.get("/org/acme-salon"),
        api.get("/org/acme-salon/service/haircut"),
        api.get(
            "/availability",
            org_slug="acme-salon",
            service_slug="haircut",
            **{"from": "2026-12-01T00:00:00Z", "to": "2026-12-08T00:00:00Z"},
        ),
        api.create(body),
        api.manage(number),
        api.manage(number, "reschedule", {"start_at": slot["startsAt"], "end_at": slot["endsAt"]}),
        api.manage(number, "cancel"),
    ]
    assert all(200 <= answer.status_code < 600 for answer in answers)


@pytest.mark.parametrize("form", ["№ {}/34", "{} b", "a+{}?x=1#é"])
def test_odd_numbers_can_be_looked_up_moved_and_canceled(api: Api, form: str) -> None:
    """A confirmation number with other characters is one as any other, in-process and over HTTP."""
    api.sandbox.faults.add("unusual_numbers", form=form)
    slot, *_, other = [slot for slot in api.slots() if slot["hostId"] == "host_sarah"]
    number = api.book(slot=slot, host_id="host_sarah")
    assert not re.fullmatch("[A-Za-z0-9_-]+", number)
    move = {"start_at": other["startsAt"], "end_at": other["endsAt"]}
    with api.sandbox.serve() as base, httpx.Client(timeout=PATIENCE_SECONDS) as client_over_http:
        over_http = Api(api.sandbox, key=None, base=base)
        over_http.http = client_over_http
        path = quote(number, safe="")
        for client in (api, over_http):
            assert client.manage(path).json()["booking"]["confirmation_number"] == number
            assert client.manage(path, "reschedule", move).status_code == 200
        assert over_http.manage(quote(number.lower(), safe=""), "cancel").json()["booking"]["status"] == "canceled"


def test_contact_required(api: Api) -> None:
    """A create without the e-mail or the phone is a 400 that names the missing one."""
    body = api.body()
    api.sandbox.faults.add("contact_required", times=2)
    for name in ("email", "phone"):
        contact = {field: value for field, value in body["contact"].items() if field != name}
        assert_rejected(api.create(body | {"contact": contact}), 400, "validation_error", name)
    api.sandbox.faults.add("contact_required", fields=["phone"])
    assert api.create(body).status_code == 201


def test_the_sandbox_deviates_from_what_is_assumed(api: Api) -> None:
    """Where it isn't documented what Kordless does, a fault makes the sandbox do the other thing."""
    long = {"org_slug": "acme-salon", "service_slug": "haircut"}
    long |= {"from": "2026-11-22T00:00:00Z", "to": "2027-01-23T00:00:00Z"}
    assert api.get("/availability", **long).status_code == 200
    api.sandbox.faults.add("range_limit", days=40)
    assert_rejected(api.get("/availability", **long), 400, "validation_error", "more than 40 days")
    assert min(slot["availableCapacity"] for slot in api.slots("styling-class", partySize=6)) == 6
    for kind in ("party_size_ignored", "parameters_ignored", "keys_without_body", "cancel_repeatable"):
        api.sandbox.faults.add(kind)
    api.sandbox.faults.add("lookup_by", contact="phone")
    assert min(slot["availableCapacity"] for slot in api.slots("styling-class", partySize=6, more="1")) < 6
    body = api.body()
    number = api.create(body, Idempotency_Key="k1").json()["booking"]["confirmation_number"]
    again = api.create({**body, "notes": "other"}, Idempotency_Key="k1")
    assert again.json()["booking"]["confirmation_number"] == number
    assert_rejected(api.manage(number), 403, "permission_error")
    assert [api.manage(number, "cancel", contact="+12125550123").status_code for _ in range(2)] == [200, 200]


def test_lookups_can_count_against_the_key(api: Api) -> None:
    """As Kordless may do it, which documents no limit for them."""
    api.sandbox.limits = Limits()
    api.sandbox.faults.add("lookups_counted")
    left = [int(api.get("/org/acme-salon").headers["X-RateLimit-Remaining"])]
    api.manage("BOOK_NONE")
    left.append(int(api.get("/org/acme-salon").headers["X-RateLimit-Remaining"]))
    assert left[0] - left[1] == 2
