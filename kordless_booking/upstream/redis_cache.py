"""Django's Redis cache with one pooled client instead of a client per operation, and without pickle.

Django makes a redis-py client for each operation, which costs more than the operation itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.cache.backends.redis import RedisCache, RedisCacheClient

from .plain_values import UNREADABLE, PlainSerializer

if TYPE_CHECKING:
    from django.core.cache.backends.base import BaseCache


class _Client(RedisCacheClient):
    """Cache client that keeps one redis-py client for all threads. Its connections are pooled.

    Only with a single server. With replicas, Django picks a server for each operation.
    """

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
            # The key holds a list or a set. That is no outage, unlike all other errors of Redis.
            if not str(error).startswith("WRONGTYPE"):
                raise
            return UNREADABLE


class _Cache(RedisCache):
    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        # Also in place of a serializer that the site has set for its own values: that may unpickle.
        super().__init__(server, {**params, "OPTIONS": {**params.get("OPTIONS", {}), "serializer": PlainSerializer}})
        self._class = _Client

    def make_and_validate_key(self, key: str, version: int | None = None) -> str:
        # Django looks at each character, to warn of keys that Memcached would refuse. Redis takes any.
        return self.make_key(key, version)


def pooled_redis(alias: str) -> BaseCache | None:
    """Return an instance of our own that all threads may share; None unless the backend is exactly Django's RedisCache.

    A subclass may override what is replaced here, so `pickleless_backend` treats it like other backends.
    """
    config = dict(settings.CACHES[alias])
    backend, location = config.pop("BACKEND"), config.pop("LOCATION", "")
    return _Cache(location, config) if backend == f"{RedisCache.__module__}.{RedisCache.__name__}" else None
