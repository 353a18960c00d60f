"""Cache backend that counts its round trips."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache

trips: list[str] = []
"""The operations so far, in order. One list for all instances: each thread has one of its own."""


class CountingCache(LocMemCache):
    """LocMem backend that records each operation that would be a round trip to a server."""

    def get(self, key: Any, *args: Any, **kwargs: Any) -> Any:
        trips.append("get")
        return super().get(key, *args, **kwargs)

    def get_many(self, keys: Iterable[Any], version: int | None = None) -> dict[Any, Any]:
        trips.append("get_many")
        found = {key: LocMemCache.get(self, key, self, version=version) for key in keys}
        return {key: value for key, value in found.items() if value is not self}

    def set(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> None:
        trips.append("set")
        super().set(key, value, *args, **kwargs)

    def add(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> bool:
        trips.append("add")
        return super().add(key, value, *args, **kwargs)

    def delete_many(self, keys: Iterable[Any], version: int | None = None) -> None:
        trips.append("delete_many")
        for key in keys:
            LocMemCache.delete(self, key, version=version)
