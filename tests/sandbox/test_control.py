"""Control of the sandbox over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.sandbox_api import NOW, Api

if TYPE_CHECKING:
    import httpx


def control(api: Api, what: str, given: Any = ..., method: str | None = None) -> httpx.Response:
    url = f"http://sandbox.test/_sandbox/{what}"
    if given is ...:
        return api.http.request(method or "GET", url)
    return api.http.post(url, json=given)


def test_about(api: Api) -> None:
    """The root says where the API is, and with which keys."""
    document = control(api, "").json()
    assert document["api"] == "/api/calendar/v1/public"
    assert document["keys"]["acme-salon"] == "kordless-sandbox-key"
    assert api.http.get("http://sandbox.test/").json() == document


def test_clock(api: Api) -> None:
    """Set, advance, back to real."""
    assert control(api, "clock").json() == {"now": NOW.isoformat()}
    assert control(api, "clock", {"now": "2027-01-01T00:00:00+00:00"}).json() == {"now": "2027-01-01T00:00:00+00:00"}
    assert control(api, "clock", {"advance": 90}).json() == {"now": "2027-01-01T00:01:30+00:00"}
    assert control(api, "clock", {}).json()["now"] != "2027-01-01T00:01:30+00:00"


def test_faults(api: Api) -> None:
    """Set, see, clear."""
    document = control(api, "faults", {"kind": "slow", "operation": "create", "times": 1, "seconds": 2}).json()
    assert document == {"faults": [{"kind": "slow", "operation": "create", "times": 1, "options": {"seconds": 2}}]}
    assert control(api, "faults").json() == document
    assert control(api, "faults", method="DELETE").json() == {"faults": []}


def test_limits(api: Api) -> None:
    """Set in part; the rest is as documented upstream."""
    document = control(api, "limits", {"general": 5, "retry_after": True}).json()
    assert (document["general"], document["creations"], document["retry_after"]) == (5, 10, True)
    assert api.get("/org/acme-salon").headers["X-RateLimit-Limit"] == "5"
    assert control(api, "limits").json() == document


def test_requests_and_bookings(api: Api) -> None:
    """Requests and bookings are listed, without the control requests themselves."""
    api.book()
    document = control(api, "requests").json()["requests"]
    assert [each["operation"] for each in document] == ["availability", "create"]
    assert document[1]["status"] == 201
    assert control(api, "requests", method="DELETE").json() == {"requests": []}
    assert control(api, "bookings").json()["bookings"][0]["email"] == "jane@example.com"


def test_take_decide_reset(api: Api) -> None:
    """A booking by phone, canceled by the business, all deleted."""
    slot = api.slots()[0]
    document = control(api, "take", {"service_slug": "haircut", "start": slot["startsAt"]}).json()
    number = document["confirmation_number"]
    assert slot not in api.slots()
    assert (
        control(api, "decide", {"number": number, "status": "canceled"}).json()["bookings"][0]["status"] == "canceled"
    )
    assert slot in api.slots()
    assert control(api, "reset", {}).json() == {}
    assert api.sandbox.bookings() == []


@pytest.mark.parametrize(
    ("what", "given", "status"),
    [
        ("clock", {"now": "soon"}, 400),
        ("clock", {"now": "2027-01-01T00:00:00"}, 400),
        ("clock", {"advance": "long"}, 400),
        ("clock", {"advance": 1e300}, 400),
        ("faults", {"kind": "nonsense"}, 400),
        ("faults", {}, 400),
        ("limits", {"speed": 1}, 400),
        ("take", {"service_slug": "haircut"}, 400),
        ("take", {"service_slug": "haircut", "start": "2026-11-30T15:00:00+00:00"}, 400),
        ("decide", {"number": "BOOK_X", "status": "canceled"}, 404),
        ("decide", {"number": "BOOK_X", "status": "lost"}, 400),
        ("nothing", {}, 404),
        ("_init", {}, 404),
        ("requests", {}, 404),
        ("clock", [], 400),
    ],
)
def test_nonsense(api: Api, what: str, given: Any, status: int) -> None:
    """Nonsense is a 400 with its reason, the unknown a 404."""
    assert control(api, what, given).status_code == status


def test_another_web_page_cant_steer_it(api: Api) -> None:
    """A form of another site can't say application/json."""
    answer = api.http.post("http://sandbox.test/_sandbox/reset", data={"a": "b"})
    assert answer.status_code == 400
