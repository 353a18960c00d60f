"""Check of the cache: it must store values, and all processes should share it."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.cache import InvalidCacheBackendError, caches
from django.core.cache.backends.dummy import DummyCache

from kordless_booking import conf
from kordless_booking.doctor.finding import Finding, Findings, fix, note, ok, printable
from kordless_booking.upstream.fallback_cache import has_shared_atomic_add
from kordless_booking.upstream.keys import cache_key
from kordless_booking.upstream.pickleless_backend import PicklelessBackend, may_unpickle

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.core.cache.backends.base import BaseCache

    from kordless_booking.conf import Account

SLOW_SECONDS: Final = 0.05
"""Seconds per operation above which the cache is slow. A page makes one or two, and a visitor shouldn't notice them."""
_TTL_SECONDS: Final = 10
"""Seconds until the test values expire, in case they can't be deleted."""


def examine(account: Account, timer: Callable[[], float] = time.perf_counter) -> Findings:
    """Write and read test values, then report whether processes share the cache. `timer` returns seconds."""
    try:
        name = type(caches[account.cache]).__name__
        cache = PicklelessBackend(account.cache)()
    except (ImportError, InvalidCacheBackendError) as error:
        advice = _install(error) if isinstance(error, ImportError) else "correct its BACKEND in CACHES"
        yield fix("cache_missing", f"The cache {account.cache!r} can't be made ({type(error).__name__})", advice)
        return
    try:
        # Not timed: the first operation imports the client and connects, which a page of a running site doesn't.
        cache.get(cache_key("doctor", "warm-up"))
        began = timer()
        works = _works(cache)
    except Exception as error:  # noqa: BLE001 (backends raise anything)
        advice = "start it, or check CACHES; until then each process uses its own memory"
        if isinstance(error, ImportError):
            advice = _install(error)
        yield fix("cache_down", f"The cache {account.cache!r} fails ({type(error).__name__})", advice)
        return
    # `_works` does six operations.
    each = (timer() - began) / 6
    if not works:
        advice = "use another backend; without one, every page sends requests to Kordless"
        yield fix("cache_keeps_nothing", f"The cache {account.cache!r} ({name}) does not store values", advice)
        return
    if each > SLOW_SECONDS:
        advice = "every page uses it: run it close to the site"
        yield note("cache_slow", f"A round trip to the cache {account.cache!r} takes {each * 1000:.0f} ms", advice)
    yield _shared(account, cache, name)


def _install(error: ImportError) -> str:
    return f"install the package of {printable(error.name)}" if error.name else "install its client"


def _works(cache: BaseCache) -> bool:
    """Check the six operations that the app relies on."""
    key, other = (cache_key("doctor", secrets.token_hex(8)) for _ in range(2))
    cache.set(key, b"[1]", _TTL_SECONDS)
    stored = cache.get(key) == b"[1]"
    # On an existing key `add` must fail: rate limiter and locks depend on it.
    added_twice = cache.add(key, b"[2]", _TTL_SECONDS)
    added = cache.add(other, 1, _TTL_SECONDS)
    found = cache.get_many([key, other]) == {key: b"[1]", other: 1}
    cache.delete_many([key, other])
    return stored and bool(added) and not added_twice and found


def _shared(account: Account, cache: BaseCache, name: str) -> Finding:
    if has_shared_atomic_add(cache):
        text = f"The cache {account.cache!r} ({name}) is shared by all processes"
        others = "nobody else should be able to write to it"
        if may_unpickle(account.cache):
            others = "anyone else who can write to it can run code in them, because it unpickles values"
        return ok("cache_shared", f"{text}, and stores values; {others}")
    text = f"The cache {account.cache!r} ({name}) is not shared by all processes"
    # A cache for each process is right for a site with one process, but the settings must say so. With DEBUG, only a
    # note is reported.
    if isinstance(cache, DummyCache) or not conf.is_given(account, "PROCESSES"):
        advice = 'use Redis, or set "PROCESSES" to 1 if one process serves the whole site'
        return (note if settings.DEBUG else fix)("cache_per_process", text, advice)
    share = (
        "one process serves the site"
        if account.processes == 1
        else f"each of {account.processes} uses its part of the quota"
    )
    return ok("cache_per_process", f"{text}, as PROCESSES says: {share}")
