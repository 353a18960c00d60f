"""Which language to speak, without a cookie."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header

__all__ = ["language_for", "offered_languages"]

_LOCALE = Path(__file__).parent.parent / "locale"


@cache
def offered_languages() -> tuple[str, ...]:
    """The codes that the site lists in LANGUAGES and that we have words for."""
    ours = {"en"} | {translation.to_language(path.parent.parent.name) for path in _LOCALE.glob("*/LC_MESSAGES/*.mo")}
    return tuple(code for code, _name in settings.LANGUAGES if code.lower() in ours) or ("en",)


def language_for(request: HttpRequest) -> str:
    """The site's own choice where it makes one, else the best of what the browser asks for."""
    if any(name.endswith("LocaleMiddleware") for name in settings.MIDDLEWARE):
        return _nearest(translation.get_language() or "") or _default()
    for wished, _quality in parse_accept_lang_header(request.META.get("HTTP_ACCEPT_LANGUAGE", "")):
        found = _nearest(wished)
        if found:
            return found
    return _default()


def _default() -> str:
    return _nearest(settings.LANGUAGE_CODE) or "en"


def _nearest(code: str) -> str | None:
    """`pt-pt` is served by `pt-br` when that is all there is, `de-AT` by `de`, `zh-TW` by `zh-hant`."""
    code = code.lower()
    offered = offered_languages()
    relatives: list[str] = LANG_INFO.get(code, {}).get("fallback", [])
    for one in (code, *relatives):
        if one in offered:
            return one
    base = code.split("-")[0]
    return next((one for one in offered if one.split("-")[0] == base), None) if base else None


@receiver(setting_changed)
def _forget(*, setting: str, **_kwargs: object) -> None:
    if setting in {"LANGUAGES", "LANGUAGE_CODE"}:
        offered_languages.cache_clear()
