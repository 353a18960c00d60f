"""Paths of our own pages: a cache for Django's `reverse`, because a slot page calls it a dozen times."""

from __future__ import annotations

from functools import lru_cache

from django.core.signals import setting_changed
from django.dispatch import receiver
from django.urls import get_script_prefix, get_urlconf, reverse

__all__ = ["Mount", "address", "mount"]

Mount = tuple[str, str, str | None]
"""Namespace, script prefix, and the request's own URL configuration if it has one. All that `reverse` depends on."""


def mount(namespace: str) -> Mount:
    """Return the mount of a namespace in the current request."""
    return namespace, get_script_prefix(), get_urlconf()


@lru_cache(maxsize=1024)
def address(mount: Mount, name: str, *args: str) -> str:
    """Return the path of a page under a mount, cached."""
    namespace, _prefix, urlconf = mount
    return reverse(f"{namespace}:{name}", args=args, urlconf=urlconf)


@receiver(setting_changed)
def _forget(*, setting: str, **_kwargs: object) -> None:
    if setting in {"ROOT_URLCONF", "FORCE_SCRIPT_NAME"}:
        address.cache_clear()
