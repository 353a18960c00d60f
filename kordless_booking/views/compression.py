"""Responses that are compressed once, not for each request."""

from __future__ import annotations

import gzip
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

__all__ = ["Compressed", "compress", "compressed_response"]


class Compressed(NamedTuple):
    """Body of a response, plain and gzipped."""

    plain: bytes
    gzipped: bytes


def compress(body: bytes) -> Compressed:
    """Compress a body at the highest level. The bytes are the same in every process."""
    # `mtime=0`: otherwise the current time would be part of the bytes.
    return Compressed(body, gzip.compress(body, 9, mtime=0))


def compressed_response(
    request: HttpRequest, body: Compressed, content_type: str, *, cache_control: str
) -> HttpResponse:
    """Return the body as the client accepts it. Pages of any origin may load it."""
    accepts_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(body.gzipped if accepts_gzip else body.plain, content_type=content_type)
    if accepts_gzip:
        response["Content-Encoding"] = "gzip"
    patch_vary_headers(response, ["Accept-Encoding"])
    response["Cache-Control"] = cache_control
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
