"""Which language to speak, without a cookie."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header

from kordless_booking.booking.offered import default_language, nearest_language, offered_languages

__all__ = ["language_for", "offered_languages"]


def language_for(request: HttpRequest) -> str:
    """The site's own choice where it makes one, else the best of what the browser asks for."""
    if any(name.endswith("LocaleMiddleware") for name in settings.MIDDLEWARE):
        return nearest_language(translation.get_language() or "") or default_language()
    for wished, _quality in parse_accept_lang_header(request.META.get("HTTP_ACCEPT_LANGUAGE", "")):
        found = nearest_language(wished)
        if found:
            return found
    return default_language()
