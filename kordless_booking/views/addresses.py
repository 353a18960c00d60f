"""The paths of our own pages: Django's `reverse`, remembered, because a slot page asks for a dozen of them."""

from __future__ import annotations

from functools import lru_cache

from django.core.signals import setting_changed
from django.dispatch import receiver
from django.urls import get_script_prefix, get_urlconf, reverse

__all__ = ["Mount", "address", "mount"]

Mount = tuple[str, str, str | None]
"""Namespace, script prefix, and the URL configuration if the request has one of its own."""


def mount(namespace: str) -> Mount:
    """Where the pages of that namespace are in the present request."""
    return namespace, get_script_prefix(), get_urlconf()


@lru_cache(maxsize=1024)
def address(mount: Mount, name: str, *args: str) -> str:
    """The path of a page, in the request that the mount is of."""
    namespace, _prefix, urlconf = mount
    return reverse(f"{namespace}:{name}", args=args, urlconf=urlconf)


@receiver(setting_changed)
def _forget(*, setting: str, **_kwargs: object) -> None:
    if setting in {"ROOT_URLCONF", "FORCE_SCRIPT_NAME"}:
        address.cache_clear()
