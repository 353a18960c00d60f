"""Language negotiation without a cookie."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header

from kordless_booking.booking.offered import best_supported_language, default_language, supported_languages

__all__ = ["language_for", "supported_languages"]


def language_for(request: HttpRequest) -> str:
    """Return the language that the site has activated where it does so, else the best of what the browser accepts."""
    # A subclass of the site's counts too. Without such a middleware the active language is only the default.
    if any(name.endswith("LocaleMiddleware") for name in settings.MIDDLEWARE):
        return best_supported_language(translation.get_language() or "") or default_language()
    for wished, _quality in parse_accept_lang_header(request.META.get("HTTP_ACCEPT_LANGUAGE", "")):
        found = best_supported_language(wished)
        if found:
            return found
    return default_language()
