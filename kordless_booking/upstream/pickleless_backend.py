"""Private instances of the site's cache backends that read and write without pickle where the backend allows it.

Whoever can write to a cache server could otherwise run code in every process that reads from it.

| Backend, or a subclass of it                          | Our instance uses                     |
| ----------------------------------------------------- | ------------------------------------- |
| Django's RedisCache                                   | our OPTIONS["serializer"]             |
| Django's PyMemcacheCache                              | our OPTIONS["serde"]                  |
| Django's PyLibMCCache                                 | a client class of ours                |
| django-redis' RedisCache, django-valkey's ValkeyCache | our OPTIONS["SERIALIZER"]             |
| LocMemCache, DummyCache                               | no change: no other process writes it |
| FileBasedCache, DatabaseCache, any other              | no change: it unpickles               |

Key prefix, version, key function, servers and all other options stay as the site has set them.
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
from .redis_cache import pooled_redis

if TYPE_CHECKING:
    from django.core.cache.backends.base import BaseCache

_PLAIN: Final = f"{PlainSerializer.__module__}.{PlainSerializer.__name__}"
_NAMED_SERIALIZER: Final = frozenset({"django_redis.cache.RedisCache", "django_valkey.base.BaseValkeyCache"})
"""Third-party backends that take the dotted path of a serializer. Known by name: they need not be installed."""
_all: Final[WeakSet[PicklelessBackend]] = WeakSet()
_guard: Final = threading.Lock()


class PicklelessBackend:
    """Factory for the cache `alias` of the site. Call it to get the instance for this thread.

    The instance is made at the first call, not here: if it can't be made, the error comes where a failing cache is
    handled.
    """

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._quicker = pooled_redis(alias)
        self._own = threading.local()
        with _guard:
            _all.add(self)

    def __call__(self) -> BaseCache:
        # One instance for all threads: its client is thread-safe and pools connections.
        if self._quicker is not None:
            return self._quicker
        known: BaseCache | None = getattr(self._own, "cache", None)
        if known is not None:
            return known
        made = _build_pickleless(self._alias)
        # Django's own instance is per thread too, and Django closes it.
        if made is None:
            return caches[self._alias]
        self._own.cache = made
        request_finished.connect(self.close)
        return made

    def close(self, **_kwargs: object) -> None:
        """Close this thread's connections at the end of a request, as Django does: until the next they may die."""
        if (cache := getattr(self._own, "cache", None)) is not None:
            cache.close()


def close_pickleless_backends() -> None:
    """Close the connections of this thread, which serves no request that would."""
    with _guard:
        backends = list(_all)
    for backend in backends:
        backend.close()


def may_unpickle(alias: str) -> bool:
    """Return True if reading from this cache may run code that somebody has written to it."""
    kind = _backend_class(alias)
    # PyLibMCCache takes no option, but gets a client class of ours, so it doesn't unpickle either.
    return not (issubclass(kind, LocMemCache | DummyCache | PyLibMCCache) or _options_without_pickle(kind, {}))


def _build_pickleless(alias: str) -> BaseCache | None:
    """Return a new instance of the site's backend with our serializer, or None where that is unneeded or impossible."""
    kind: Any = _backend_class(alias)
    config = {name: value for name, value in settings.CACHES[alias].items() if name not in {"BACKEND", "LOCATION"}}
    location = settings.CACHES[alias].get("LOCATION", "")
    cache: BaseCache | None = None
    if issubclass(kind, PyLibMCCache):
        cache = kind(location, config)
        # `_class` is Django's private attribute for the class that it makes clients from. It has no option for that.
        vars(cache)["_class"] = _libmemcached_client(vars(cache)["_class"])
    elif options := _options_without_pickle(kind, config.get("OPTIONS", {})):
        cache = kind(location, {**config, "OPTIONS": options})
    return cache


def _options_without_pickle(kind: type[BaseCache], options: dict[str, Any]) -> dict[str, Any]:
    """Return the backend's OPTIONS with our serializer added; empty if the backend takes none."""
    if issubclass(kind, RedisCache):
        return {**options, "serializer": PlainSerializer}
    if issubclass(kind, PyMemcacheCache):
        return {**options, "serde": PlainSerde()}
    if any(f"{each.__module__}.{each.__qualname__}" in _NAMED_SERIALIZER for each in kind.__mro__):
        return {**options, "SERIALIZER": _PLAIN}
    return {}


def _libmemcached_client(kind: Any) -> Any:
    """Return a subclass of pylibmc's client that serializes without pickle.

    A value's flags are ignored: one of them says "pickle", and whoever writes the value sets them.
    """
    plain = PlainSerializer()

    class Client(kind):  # type: ignore[misc]  # known at run time only
        def serialize(self, value: Any) -> tuple[bytes, int]:
            return plain.dumps(value), 0

        def deserialize(self, data: bytes, _flags: int) -> Any:
            return plain.loads(data)

    return Client


def _backend_class(alias: str) -> type[BaseCache]:
    kind: type[BaseCache] = import_string(settings.CACHES[alias]["BACKEND"])
    return kind
