"""The request log stays bounded."""

from __future__ import annotations

from kordless_booking.sandbox import request_log
from kordless_booking.sandbox.request import Asking
from kordless_booking.sandbox.store import Store


def test_only_the_newest_are_kept() -> None:
    """Beyond 20,000 the oldest go, some hundreds at a time."""
    store = Store()
    book = request_log.Ledger(store, [])
    with store.write():
        for _ in range(request_log.KEPT + 1000):
            book.enter("lookup", Asking("GET", "/", "", {}, b""))
    assert request_log.KEPT <= len(book.read()) <= request_log.KEPT + 500
