"""Pickles that leave a trace when somebody reads them, and servers to plant them in."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any, Protocol

import redis
from pymemcache.client.base import Client

__all__ = ["PICKLED_FLAG", "Memcached", "Redis", "Server", "trap"]

PICKLED_FLAG = 1
"""What pymemcache and pylibmc mark a pickled value with."""


class _Trap:
    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self._folder,)


def trap(folder: Path) -> bytes:
    """A pickle that makes `folder` when it is loaded."""
    return pickle.dumps(_Trap(folder))


class Server(Protocol):
    """A cache server, seen by somebody who can write to it."""

    location: str

    def values(self) -> dict[str, bytes]:
        """All that lies there."""

    def plant(self, key: str, value: bytes) -> None:
        """Write a value as a pickle would be written."""

    def close(self) -> None:
        """End the connection."""


class Redis:
    """A Redis; what is planted expires as what was there."""

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
    """A Memcached; what is planted does not expire."""

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
