"""Names of settings as the owner of the site writes them.

These are the keys of KORDLESS_BOOKING. The owner of `kordless-booking serve` has no settings module, but options, whose
names `serve/wording.py` knows: its settings name that in `KORDLESS_SETTING_WORDING`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, cast

from django.conf import settings
from django.utils.module_loading import import_string


class SettingLine(NamedTuple):
    """Line that sets one setting."""

    place: str
    """Name of what the line belongs into."""
    text: str


class SettingWording(Protocol):
    """Other names for the keys of KORDLESS_BOOKING."""

    def write_line(self, key: str, values: Sequence[str]) -> SettingLine:
        """Return the line that sets a key to a list of texts."""

    def reword(self, text: str) -> str:
        """Return an English text with the names that the owner knows."""


def write_setting_line(key: str, values: Sequence[str]) -> SettingLine:
    """Return the line that sets a key of KORDLESS_BOOKING to a list of texts, where the site's settings are."""
    if wording := _find_wording():
        return wording.write_line(key, values)
    return SettingLine("KORDLESS_BOOKING", f'"{key}": {list(values)!r}'.replace("'", '"'))


def name_settings(text: str) -> str:
    """Return an English text that names keys of KORDLESS_BOOKING with the names that the site's owner knows."""
    wording = _find_wording()
    return wording.reword(text) if wording else text


def _find_wording() -> SettingWording | None:
    path = getattr(settings, "KORDLESS_SETTING_WORDING", "")
    return cast("SettingWording", import_string(path)()) if path else None
