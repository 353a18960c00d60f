"""The paths of our own pages: Django's `reverse`, remembered, because a slot page asks for a dozen of them."""

from __future__ import annotations

from functools import lru_cache

from django.core.signals import setting_changed
from django.dispatch import receiver
from django.urls import get_script_prefix, get_urlconf, reverse

__all__ = ["address"]


def address(namespace: str, name: str, *args: str) -> str:
    """The path of a page in the mount of that namespace, under the present request's script prefix."""
    return _address(namespace, name, args, get_script_prefix(), get_urlconf())


@lru_cache(maxsize=1024)
def _address(namespace: str, name: str, args: tuple[str, ...], _prefix: str, urlconf: str | None) -> str:
    return reverse(f"{namespace}:{name}", args=args, urlconf=urlconf)


@receiver(setting_changed)
def _forget(*, setting: str, **_kwargs: object) -> None:
    if setting in {"ROOT_URLCONF", "FORCE_SCRIPT_NAME"}:
        _address.cache_clear()
