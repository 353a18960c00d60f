"""Language negotiation between the site's LANGUAGES, our translations and a visitor's wish."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.utils import translation

__all__ = ["best_supported_language", "default_language", "supported_languages"]

_LOCALE = Path(__file__).parent.parent / "locale"


@cache
def supported_languages() -> tuple[str, ...]:
    """Return the codes that the site lists in LANGUAGES and that we have translations for.

    ("en",) when there are none.
    """
    ours = {"en"} | {translation.to_language(path.parent.parent.name) for path in _LOCALE.glob("*/LC_MESSAGES/*.mo")}
    return tuple(code for code, _name in settings.LANGUAGES if code.lower() in ours) or ("en",)


def default_language() -> str:
    """Return the site's own language, or the nearest supported one."""
    return best_supported_language(settings.LANGUAGE_CODE) or "en"


def best_supported_language(code: str) -> str | None:
    """Return the best supported language for a code, or None.

    `pt-pt` is served by `pt-br` when that is all there is, `de-AT` by `de`, `zh-TW` by `zh-hant`.
    """
    code = code.lower()
    offered = supported_languages()
    relatives: list[str] = LANG_INFO.get(code, {}).get("fallback", [])
    for one in (code, *relatives):
        if one in offered:
            return one
    base = code.split("-")[0]
    return next((one for one in offered if one.split("-")[0] == base), None) if base else None


@receiver(setting_changed)
def _forget(*, setting: str, **_kwargs: object) -> None:
    if setting in {"LANGUAGES", "LANGUAGE_CODE"}:
        supported_languages.cache_clear()
