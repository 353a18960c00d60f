"""A cache that all processes share, as Redis is, but in time that a test can travel."""

from __future__ import annotations

import threading
import time
from typing import Any, ClassVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache


class WallClockCache(BaseCache):
    """Keeps everything in one dictionary for all threads, and lets it lapse by `time.time()`."""

    _lock: ClassVar = threading.RLock()
    _items: ClassVar[dict[str, tuple[Any, float]]] = {}

    def __init__(self, _location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        with self._lock:
            value, until = self._items.get(key, (default, 0.0))
        return value if time.time() < until else default

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        with self._lock:
            self._items[key] = (value, time.time() + (300 if timeout is DEFAULT_TIMEOUT else timeout))

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        with self._lock:
            if self.get(key) is not None:
                return False
            self.set(key, value, timeout)
            return True

    def delete(self, key: str, version: int | None = None) -> bool:
        with self._lock:
            return self._items.pop(key, None) is not None

    def clear(self) -> None:
        with self._lock:
            self._items.clear()
