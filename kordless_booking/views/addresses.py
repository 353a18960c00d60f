"""Cached `reverse()` for our own pages: a slot page calls it a dozen times."""

from __future__ import annotations

from functools import lru_cache

from django.core.signals import setting_changed
from django.dispatch import receiver
from django.urls import get_script_prefix, get_urlconf, reverse
from django.utils.translation import get_language

__all__ = ["Mount", "cached_reverse", "current_mount"]

Mount = tuple[str, str, str | None, str | None]
"""Everything that a path depends on: namespace, script prefix, the URL configuration of the request if middleware has
set one, and the active language, because of `i18n_patterns` and translated paths.
"""


def current_mount(namespace: str) -> Mount:
    """Return the mount of a namespace in the current request and language."""
    return namespace, get_script_prefix(), get_urlconf(), get_language()


@lru_cache(maxsize=1024)
def cached_reverse(mount: Mount, name: str, *args: str) -> str:
    """Return the path of a page. Request and language of the mount must still be active."""
    # `reverse` reads prefix and language from the thread; here they are only part of the cache's key.
    namespace, _prefix, urlconf, _language = mount
    return reverse(f"{namespace}:{name}", args=args, urlconf=urlconf)


@receiver(setting_changed)
def _forget(*, setting: str, **_kwargs: object) -> None:
    if setting in {"ROOT_URLCONF", "FORCE_SCRIPT_NAME"}:
        cached_reverse.cache_clear()
