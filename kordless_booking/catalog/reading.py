"""What a page has read, so that the page can be given again for as long as reading again would say the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

from kordless_booking.api.resources import Offer, ServiceDetail, Slot
from kordless_booking.exceptions import KeyRefused, KordlessError

from .catalog import Catalog
from .kept import Kept

__all__ = ["Reading", "changes"]

T = TypeVar("T")
Read = tuple[Callable[[], Kept[Any]], Kept[Any]]


class Reading:
    """A catalog that notes what is read from it."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._reads: dict[tuple[object, ...], Read] = {}

    def offer(self) -> Kept[Offer]:
        return self._noted(("offer",), self._catalog.offer)

    def service(self, slug: str) -> Kept[ServiceDetail]:
        return self._noted(("service", slug), lambda: self._catalog.service(slug))

    def slots(
        self, slug: str, month: date, party_size: int = 1, *, window_days: int | None = None
    ) -> Kept[tuple[Slot, ...]]:
        def read() -> Kept[tuple[Slot, ...]]:
            return self._catalog.slots(slug, month, party_size, window_days=window_days)

        return self._noted(("slots", slug, month, party_size, window_days), read)

    def page(self, slug: str, month: date, party_size: int = 1) -> None:
        self._catalog.page(slug, month, party_size)

    def forget_offer(self) -> None:
        _changed()
        self._catalog.forget_offer()

    def forget_service(self, slug: str) -> None:
        _changed()
        self._catalog.forget_service(slug)

    def forget_slots(self, slug: str) -> None:
        _changed()
        self._catalog.forget_slots(slug)

    def close(self, error: KeyRefused) -> None:
        _changed()
        self._catalog.close(error)

    def unchanged(self) -> bool:
        """Whether everything that was read would be read just so again."""
        try:
            return all(_same(read(), kept) for read, kept in self._reads.values())
        except KordlessError:
            return False

    def _noted(self, what: tuple[object, ...], read: Callable[[], Kept[T]]) -> Kept[T]:
        kept = read()
        self._reads[what] = (read, kept)
        return kept


def changes() -> int:
    """How often this process has made its catalogs forget something: whoever books must see it at once."""
    return _count


_count = 0


def _changed() -> None:
    global _count  # noqa: PLW0603 (one number for the whole process)
    _count += 1


def _same(one: Kept[Any], other: Kept[Any]) -> bool:
    """The shelf gives the very same object for as long as nothing new has come from Kordless."""
    return one.value is other.value and (one.stale, one.troubled) == (other.stale, other.troubled)
