"""The request log stays bounded."""

from __future__ import annotations

from kordless_booking.sandbox import request_log
from kordless_booking.sandbox.request import Request
from kordless_booking.sandbox.store import Store


def test_only_the_newest_requests_stay_in_the_log() -> None:
    """Beyond 20,000 the oldest go, some hundreds at a time."""
    store = Store()
    book = request_log.RequestLog(store, [])
    with store.write():
        for _ in range(request_log.MAX_REQUESTS + 1000):
            book.record_request("lookup", Request("GET", "/", "", {}, b""))
    assert request_log.MAX_REQUESTS <= len(book.read()) <= request_log.MAX_REQUESTS + 500
