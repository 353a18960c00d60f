"""Our own instances of the site's cache backends, which read and write without pickle where the backend allows it.

| Backend, or a subclass of it                         | What our instance has            |
| ---------------------------------------------------- | -------------------------------- |
| Django's RedisCache                                  | OPTIONS["serializer"] of ours    |
| Django's PyMemcacheCache                             | OPTIONS["serde"] of ours         |
| Django's PyLibMCCache                                | a client class of ours           |
| django-redis' RedisCache, django-valkey's ValkeyCache | OPTIONS["SERIALIZER"] of ours    |
| LocMemCache, DummyCache                              | nothing: no other process writes |
| FileBasedCache, DatabaseCache, any other             | nothing: it unpickles            |

Key prefix, version, key function, servers and all other options stay the site's.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.memcached import PyLibMCCache, PyMemcacheCache
from django.core.cache.backends.redis import RedisCache
from django.core.signals import request_finished
from django.utils.module_loading import import_string

from .plain_values import PlainSerde, PlainSerializer
from .redis_cache import quicker

if TYPE_CHECKING:
    from django.core.cache.backends.base import BaseCache

__all__ = ["OwnBackend", "close_own_backends", "may_unpickle"]

_PLAIN: Final = f"{PlainSerializer.__module__}.{PlainSerializer.__name__}"
_NAMED_SERIALIZER: Final = frozenset({"django_redis.cache.RedisCache", "django_valkey.base.BaseValkeyCache"})
"""Third-party backends that take the dotted path of a serializer. Known by name: they need not be installed."""
_all: Final[WeakSet[OwnBackend]] = WeakSet()
_guard: Final = threading.Lock()


class OwnBackend:
    """The cache `alias` of the site. Call it for the instance to use in this thread.

    The instance is made at the first call, so that whatever is wrong with it shows where a failing cache is expected.
    """

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._quicker = quicker(alias)
        self._own = threading.local()
        with _guard:
            _all.add(self)

    def __call__(self) -> BaseCache:
        if self._quicker is not None:
            return self._quicker
        known: BaseCache | None = getattr(self._own, "cache", None)
        if known is not None:
            return known
        made = _without_pickle(self._alias)
        if made is None:
            return caches[self._alias]
        self._own.cache = made
        request_finished.connect(self.close)
        return made

    def close(self, **_kwargs: object) -> None:
        """End this thread's connections with the request, as Django does: a client in no request's hands goes stale."""
        if (cache := getattr(self._own, "cache", None)) is not None:
            cache.close()


def close_own_backends() -> None:
    """Close the connections of this thread, which serves no request that would."""
    with _guard:
        backends = list(_all)
    for backend in backends:
        backend.close()


def may_unpickle(alias: str) -> bool:
    """Say whether reading this cache of the site may run what somebody has written to it."""
    kind = _kind(alias)
    return not (issubclass(kind, LocMemCache | DummyCache | PyLibMCCache) or _options_without_pickle(kind, {}))


def _without_pickle(alias: str) -> BaseCache | None:
    """A new instance of the site's backend with a serializer of ours; None where there is no need or no way."""
    kind: Any = _kind(alias)
    given = {name: value for name, value in settings.CACHES[alias].items() if name not in {"BACKEND", "LOCATION"}}
    location = settings.CACHES[alias].get("LOCATION", "")
    cache: BaseCache | None = None
    if issubclass(kind, PyLibMCCache):
        cache = kind(location, given)
        vars(cache)["_class"] = _libmemcached_client(vars(cache)["_class"])
    elif options := _options_without_pickle(kind, given.get("OPTIONS", {})):
        cache = kind(location, {**given, "OPTIONS": options})
    return cache


def _options_without_pickle(kind: type[BaseCache], options: dict[str, Any]) -> dict[str, Any]:
    """The backend's OPTIONS with our serializer; empty where it takes none."""
    if issubclass(kind, RedisCache):
        return {**options, "serializer": PlainSerializer}
    if issubclass(kind, PyMemcacheCache):
        return {**options, "serde": PlainSerde()}
    if any(f"{each.__module__}.{each.__qualname__}" in _NAMED_SERIALIZER for each in kind.__mro__):
        return {**options, "SERIALIZER": _PLAIN}
    return {}


def _libmemcached_client(kind: Any) -> Any:
    """A subclass of pylibmc's client: its two methods are what reads and writes, and the flags are not believed."""
    plain = PlainSerializer()

    class Client(kind):  # type: ignore[misc]  # known at run time only
        def serialize(self, value: Any) -> tuple[bytes, int]:
            return plain.dumps(value), 0

        def deserialize(self, data: bytes, _flags: int) -> Any:
            return plain.loads(data)

    return Client


def _kind(alias: str) -> type[BaseCache]:
    kind: type[BaseCache] = import_string(settings.CACHES[alias]["BACKEND"])
    return kind
