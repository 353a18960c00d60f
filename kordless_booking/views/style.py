"""The widget's one style sheet, in the business's color and the site's dress, as a single cacheable answer.

Color, theme and version stand in the URL, so a strict `style-src 'self'` needs no inline style and the answer never
changes.
"""

from __future__ import annotations

import gzip
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from kordless_booking import conf
from kordless_booking.booking.palette import palette
from kordless_booking.booking.themes import PLAIN, READY_MADE
from kordless_booking.views.addresses import address
from kordless_booking.views.sheets import Dress, sheet, version

if TYPE_CHECKING:
    from kordless_booking.api.resources import Organization
    from kordless_booking.views.visit import Visit

__all__ = ["style", "style_url"]

_A_YEAR: Final = 365 * 86400


def style_url(visit: Visit, organization: Organization | None) -> str:
    """Where the style sheet for this business's color is; a new color, theme or release has a new address."""
    own = organization.branding.primary_color if organization else None
    chosen = f"#{visit.choices.accent}" if visit.choices.accent else own
    colour = palette(chosen).light.accent.lstrip("#")
    theme = visit.choices.theme or visit.account.theme
    if theme == PLAIN:
        theme = ""
    named = address(visit.mount, *(("style-themed", colour, theme) if theme else ("style", colour)))
    return f"{named}?v={version((theme, visit.account.style_sheets))}"


@login_not_required
def style(request: HttpRequest, colour: str, theme: str = "") -> HttpResponse:
    """The style sheet with the palette of `colour`, six hexadecimal digits. Raises Http404 for an unknown theme."""
    if theme and theme not in READY_MADE:
        raise Http404
    dress = theme, _own_sheets(request)
    plain, packed = _packed(version(dress), dress, colour)
    wants_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(packed if wants_gzip else plain, content_type="text/css; charset=utf-8")
    if wants_gzip:
        response["Content-Encoding"] = "gzip"
    patch_vary_headers(response, ["Accept-Encoding"])
    # An address without a version, or of another one, is not for ever: it would go out of date unseen.
    lasting = request.GET.get("v") in {None, version(dress)} and not settings.DEBUG
    response["Cache-Control"] = f"public, max-age={_A_YEAR}, immutable" if lasting else "no-cache"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _own_sheets(request: HttpRequest) -> tuple[str, ...]:
    match = request.resolver_match
    try:
        return conf.account_named((match.namespace if match else "").rpartition(":")[2]).style_sheets
    except ImproperlyConfigured:
        return ()


@lru_cache(maxsize=64)
def _packed(_version: str, dress: Dress, colour: str) -> tuple[bytes, bytes]:
    text = sheet(dress, colour).encode()
    return text, gzip.compress(text, 9, mtime=0)
