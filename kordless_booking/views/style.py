"""The widget's one style sheet: booking.css and the business's palette in a single cacheable answer.

The colour stands in the URL, so a strict `style-src 'self'` needs no inline style and the answer never changes.
"""

from __future__ import annotations

import gzip
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from kordless_booking.booking.palette import palette
from kordless_booking.views.addresses import address

if TYPE_CHECKING:
    from kordless_booking.api.resources import Organization
    from kordless_booking.views.visit import Visit

__all__ = ["style", "style_url"]

_SHEET: Final = Path(__file__).parent.parent / "static" / "kordless_booking" / "booking.css"
_A_YEAR: Final = 365 * 86400


def style_url(visit: Visit, organization: Organization | None) -> str:
    """Where the style sheet for this business's colour is; a new colour or release has a new address."""
    own = organization.branding.primary_color if organization else None
    chosen = f"#{visit.choices.accent}" if visit.choices.accent else own
    colour = palette(chosen).light.accent.lstrip("#")
    return f"{address(visit.mount, 'style', colour)}?v={_version()}"


@login_not_required
def style(request: HttpRequest, colour: str) -> HttpResponse:
    """The style sheet with the palette of `colour`, six hexadecimal digits."""
    plain, packed = _sheet(colour.lower())
    wants_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(packed if wants_gzip else plain, content_type="text/css; charset=utf-8")
    if wants_gzip:
        response["Content-Encoding"] = "gzip"
    patch_vary_headers(response, ["Accept-Encoding"])
    response["Cache-Control"] = f"public, max-age={_A_YEAR}, immutable"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@lru_cache(maxsize=1)
def _base() -> str:
    return _SHEET.read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _version() -> str:
    return sha256(_base().encode()).hexdigest()[:8]


@lru_cache(maxsize=64)
def _sheet(colour: str) -> tuple[bytes, bytes]:
    text = f"{_base()}\n{palette(f'#{colour}').css()}\n".encode()
    return text, gzip.compress(text, 9, mtime=0)
