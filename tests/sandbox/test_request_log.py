"""The request log stays bounded."""

from __future__ import annotations

from kordless_booking.sandbox import ledger
from kordless_booking.sandbox.asking import Asking
from kordless_booking.sandbox.store import Store


def test_only_the_newest_are_kept() -> None:
    """Beyond 20,000 the oldest go, some hundreds at a time."""
    store = Store()
    book = ledger.Ledger(store, [])
    with store.write():
        for _ in range(ledger.KEPT + 1000):
            book.enter("lookup", Asking("GET", "/", "", {}, b""))
    assert ledger.KEPT <= len(book.read()) <= ledger.KEPT + 500
