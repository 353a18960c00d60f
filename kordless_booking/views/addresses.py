"""Paths of our own pages: a cache for Django's `reverse`, because a slot page calls it a dozen times."""

from __future__ import annotations

from functools import lru_cache

from django.core.signals import setting_changed
from django.dispatch import receiver
from django.urls import get_script_prefix, get_urlconf, reverse
from django.utils.translation import get_language

__all__ = ["Mount", "address", "mount"]

Mount = tuple[str, str, str | None, str | None]
"""All that a path depends on: namespace, script prefix, the URL configuration if the request has one of its own, and
the active language, which `i18n_patterns` puts into paths and translated paths are written in.
"""


def mount(namespace: str) -> Mount:
    """Where the pages of that namespace are in the present request and language."""
    return namespace, get_script_prefix(), get_urlconf(), get_language()


@lru_cache(maxsize=1024)
def address(mount: Mount, name: str, *args: str) -> str:
    """The path of a page, in the request and language that the mount is of: they must be active still."""
    namespace, _prefix, urlconf, _language = mount
    return reverse(f"{namespace}:{name}", args=args, urlconf=urlconf)


@receiver(setting_changed)
def _forget(*, setting: str, **_kwargs: object) -> None:
    if setting in {"ROOT_URLCONF", "FORCE_SCRIPT_NAME"}:
        address.cache_clear()
