"""View of embed.js, the script with which other sites embed the widget."""

from __future__ import annotations

import gzip
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import condition, require_safe

__all__ = ["embed"]

_SCRIPT: Final = Path(__file__).parent.parent / "static" / "kordless_booking" / "embed.js"
FRESH_SECONDS: Final = 3600
"""Seconds. The script's URL is in other people's pages and has no version, so a new release must arrive under it."""


def _etag(_request: HttpRequest) -> str:
    """Return the ETag. Weak, because it is the same for the plain and the gzipped bytes."""
    return f'W/"{sha256(_script()[0]).hexdigest()[:16]}"'


@login_not_required
@require_safe
@condition(etag_func=_etag)
def embed(request: HttpRequest) -> HttpResponse:
    """Return embed.js, for pages of any origin, also cross-origin isolated ones."""
    plain, packed = _script()
    wants_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(packed if wants_gzip else plain, content_type="text/javascript; charset=utf-8")
    if wants_gzip:
        response["Content-Encoding"] = "gzip"
    patch_vary_headers(response, ["Accept-Encoding"])
    response["Cache-Control"] = f"public, max-age={FRESH_SECONDS}, stale-while-revalidate=86400"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@cache
def _script() -> tuple[bytes, bytes]:
    """Return the script plain and gzipped."""
    # `mtime=0` makes the bytes the same in every process.
    text = _SCRIPT.read_bytes()
    return text, gzip.compress(text, 9, mtime=0)
