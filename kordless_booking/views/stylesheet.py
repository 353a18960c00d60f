"""The widget's style sheet in the business's color and the site's theme, as one response that can be cached for good.

Color, theme and version are part of the URL. So the response never changes, and needs no inline style, which a strict
`style-src 'self'` would block.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse

from kordless_booking.presentation.palette import build_palette
from kordless_booking.presentation.stylesheet import StyleKey, build_css, css_version
from kordless_booking.presentation.themes import PLAIN, THEMES
from kordless_booking.urlconf import account_for, cached_reverse
from kordless_booking.views.compression import Compressed, compress, compressed_response
from kordless_booking.views.request import make_readable

if TYPE_CHECKING:
    from kordless_booking.api.resources import Organization
    from kordless_booking.booking.choices import Choices
    from kordless_booking.conf import Account
    from kordless_booking.urlconf import Mount

_A_YEAR: Final = 365 * 86400


def style_url(mount: Mount, account: Account, choices: Choices, organization: Organization | None) -> str:
    """Return the URL of the style sheet. It changes with the color, the theme and the release."""
    own = organization.branding.primary_color if organization else None
    chosen = f"#{choices.accent}" if choices.accent else own
    color = build_palette(chosen).light.accent.lstrip("#")
    theme = choices.theme or account.theme
    if theme == PLAIN:
        theme = ""
    named = cached_reverse(mount, *(("style-themed", color, theme) if theme else ("style", color)))
    return f"{named}?v={css_version((theme, account.style_sheets))}"


@login_not_required
def style(request: HttpRequest, color: str, theme: str = "") -> HttpResponse:
    """Return the style sheet for `color`, six hexadecimal digits. Raises Http404 for an unknown theme."""
    if theme and theme not in THEMES:
        raise Http404
    style_key = theme, _own_sheets(request)
    # A URL with another version must not be cached for a year: it is of another release, whose sheet this isn't.
    make_readable(request)
    lasting = request.GET.get("v") in {None, css_version(style_key)} and not settings.DEBUG
    return compressed_response(
        request,
        _compressed(css_version(style_key), style_key, color),
        "text/css; charset=utf-8",
        cache_control=f"public, max-age={_A_YEAR}, immutable" if lasting else "no-cache",
    )


def _own_sheets(request: HttpRequest) -> tuple[str, ...]:
    """Return STYLE_SHEETS of the account; () when the settings are unusable, because errors need a style sheet too."""
    try:
        return account_for(request).style_sheets
    except ImproperlyConfigured:
        return ()


@lru_cache(maxsize=64)
def _compressed(_version: str, style_key: StyleKey, color: str) -> Compressed:
    """Return the compressed sheet. `_version` only makes the cache build a changed sheet again."""
    return compress(build_css(style_key, color).encode())
