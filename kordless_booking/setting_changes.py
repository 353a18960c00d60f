"""Caches that depend on Django settings, and are cleared when a setting changes.

Only tests change settings (`override_settings`, pytest-django's `settings`). A running site reads them once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from django.core.signals import setting_changed
from django.dispatch import receiver

_clearers: list[tuple[Collection[str] | None, Callable[[], object]]] = []


def on_setting_change(names: Collection[str] | None, clear: Callable[[], object]) -> None:
    """Call `clear` whenever one of the settings in `names` changes, or any setting if `names` is None."""
    _clearers.append((names, clear))


@receiver(setting_changed)
def _clear(*, setting: str, **_kwargs: object) -> None:
    for names, clear in _clearers:
        if names is None or setting in names:
            clear()
