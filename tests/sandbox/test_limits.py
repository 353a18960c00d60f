"""Rate limits: a sliding minute per key, reported in headers, also on errors."""

from __future__ import annotations

import time
from datetime import timedelta

import time_machine

from kordless_booking.sandbox import NORTH_KEY, Limits, Sandbox
from tests.support.sandbox_api import NOW, Api, assert_rejected

START = 1_795_000_000.25


def test_sixty_a_minute_and_the_headers() -> None:
    """Each keyed answer says what is left; the 61st is a 429; the window slides one by one."""
    with time_machine.travel(START, tick=False) as traveller:
        api = Api(Sandbox(now=NOW))
        first = api.get("/org/acme-salon")
        assert first.headers["X-RateLimit-Limit"] == "60"
        assert first.headers["X-RateLimit-Remaining"] == "59"
        assert int(first.headers["X-RateLimit-Reset"]) == int(START) + 61
        traveller.shift(30)
        left = [int(api.get("/org/acme-salon").headers["X-RateLimit-Remaining"]) for _ in range(59)]
        assert left == list(range(58, -1, -1))
        last = api.get("/org/acme-salon")
        assert_rejected(last, 429, "rate_limited")
        assert last.headers["X-RateLimit-Remaining"] == "0"
        assert "Retry-After" not in last.headers
        traveller.shift(30)
        assert api.get("/org/acme-salon").status_code == 200
        assert_rejected(api.get("/org/acme-salon"), 429, "rate_limited")


def test_waiting_until_the_reset_is_enough() -> None:
    """A client that waits until X-RateLimit-Reset is let in."""
    with time_machine.travel(START, tick=False) as traveller:
        api = Api(Sandbox(now=NOW, limits=Limits(general=1)))
        reset = int(api.get("/org/acme-salon").headers["X-RateLimit-Reset"])
        traveller.move_to(reset - 1)
        assert api.get("/org/acme-salon").status_code == 429
        traveller.move_to(reset)
        assert api.get("/org/acme-salon").status_code == 200


def test_ten_creations_a_minute() -> None:
    """Creations have their own, narrower rate limit, whatever comes of them; reading goes on."""
    api = Api(Sandbox(now=NOW))
    answers = [api.post("/bookings", {"nothing": "good"}) for _ in range(11)]
    assert [each.status_code for each in answers] == [400] * 10 + [429]
    assert answers[0].headers["X-RateLimit-Limit"] == "10"
    assert answers[9].headers["X-RateLimit-Remaining"] == "0"
    assert api.get("/org/acme-salon").headers["X-RateLimit-Remaining"] == "49"


def test_each_key_has_its_own() -> None:
    """One business's traffic is not the other's trouble; a wrong key is not counted and gets no headers."""
    sandbox = Sandbox(now=NOW, limits=Limits(general=2))
    api, north, wrong = Api(sandbox), Api(sandbox, key=NORTH_KEY), Api(sandbox, key="wrong")
    assert [api.get("/org/acme-salon").status_code for _ in range(3)] == [200, 200, 429]
    assert north.get("/org/north-dental").status_code == 200
    assert "X-RateLimit-Limit" not in wrong.get("/org/acme-salon").headers


def test_keyless_requests_are_limited_per_number() -> None:
    """Guessing a contact for one number ends soon, in whatever case it is written, known or not."""
    api = Api(Sandbox(now=NOW, limits=Limits(contact=3)), key=None)
    found = [api.manage(number).status_code for number in ("BOOK_X", "book_x", "Book_X", "BOOK_X", "BOOK_Y")]
    assert found == [404, 404, 404, 429, 404]


def test_retry_after_on_demand() -> None:
    """The undocumented header comes when the limits say so, in whole seconds until the next is let in."""
    with time_machine.travel(START, tick=False):
        api = Api(Sandbox(now=NOW, limits=Limits(general=1, retry_after=True)))
        api.get("/org/acme-salon")
        assert api.get("/org/acme-salon").headers["Retry-After"] == "61"


def test_advancing_the_clock_lets_the_minute_pass() -> None:
    """A test needs not wait, and the reset stays in real time for the client."""
    api = Api(Sandbox(now=NOW, limits=Limits(general=1)))
    api.get("/org/acme-salon")
    assert api.get("/org/acme-salon").status_code == 429
    api.sandbox.clock.advance(timedelta(seconds=61))
    answer = api.get("/org/acme-salon")
    assert answer.status_code == 200
    assert 50 <= int(answer.headers["X-RateLimit-Reset"]) - time.time() <= 61


def test_limits_can_be_set_and_switched_off() -> None:
    """They are saved in the store and apply at once."""
    sandbox = Sandbox(now=NOW)
    assert (sandbox.limits.general, sandbox.limits.creations) == (60, 10)
    sandbox.limits = Limits.off()
    api = Api(sandbox)
    answers = [api.get("/org/acme-salon") for _ in range(70)]
    assert {each.status_code for each in answers} == {200}
    assert "X-RateLimit-Limit" not in answers[0].headers
