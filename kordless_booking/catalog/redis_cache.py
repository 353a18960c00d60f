"""Django's Redis cache with its client made once, and without pickle.

Making a client for each operation costs more than the operation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.cache.backends.redis import RedisCache, RedisCacheClient

from .plain_values import UNREADABLE, PlainSerializer

if TYPE_CHECKING:
    from django.core.cache.backends.base import BaseCache

__all__ = ["quicker"]


class _Client(RedisCacheClient):
    """With a single server, a redis-py client that threads share: its connections are pooled."""

    _lib: Any

    def __init__(self, servers: Any, *args: Any, **options: Any) -> None:
        super().__init__(servers, *args, **options)
        self._alone = super().get_client(write=True) if len(servers) == 1 else None

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        return self._alone if self._alone is not None else super().get_client(key, write=write)

    def get(self, key: Any, default: Any) -> Any:
        try:
            return super().get(key, default)
        except self._lib.ResponseError as error:
            # A list or a set lies under the key. That is no outage, unlike everything else that Redis refuses.
            if not str(error).startswith("WRONGTYPE"):
                raise
            return UNREADABLE


class _Cache(RedisCache):
    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        # Whatever serializer the site uses for its own values.
        super().__init__(server, {**params, "OPTIONS": {**params.get("OPTIONS", {}), "serializer": PlainSerializer}})
        self._class = _Client


def quicker(alias: str) -> BaseCache | None:
    """Return an instance of our own, to be shared by threads, or None for anything but exactly Django's RedisCache."""
    given = dict(settings.CACHES[alias])
    backend, location = given.pop("BACKEND"), given.pop("LOCATION", "")
    return _Cache(location, given) if backend == f"{RedisCache.__module__}.{RedisCache.__name__}" else None
