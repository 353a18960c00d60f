"""Responses that are compressed once, not for each request."""

from __future__ import annotations

import gzip
import re
from functools import cache, lru_cache
from typing import Final, NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from kordless_booking.setting_changes import on_setting_change

_MIDDLEWARE_THAT_READS_NO_BODY: Final = ("django.", "django_htmx.", "kordless_booking.")
"""Packages whose middleware leaves a compressed body alone."""


class Compressed(NamedTuple):
    """Body of a response, plain and gzipped."""

    plain: bytes
    gzipped: bytes


def compress(body: bytes, level: int = 9) -> Compressed:
    """Compress a body, by default at the highest level. The bytes are the same in every process."""
    # `mtime=0`: otherwise the current time would be part of the bytes.
    return Compressed(body, gzip.compress(body, level, mtime=0))


@lru_cache(maxsize=64)
def accepts_gzip(accepted_encodings: str) -> bool:
    """Return True if a client with this Accept-Encoding takes gzip (RFC 9110, section 12.5.3)."""
    for coding in accepted_encodings.lower().split(","):
        name, *parameters = [part.strip() for part in coding.split(";")]
        if name in {"gzip", "x-gzip"}:
            # A weight of zero refuses the coding.
            return not any(re.fullmatch(r"q=0(\.0*)?", parameter) for parameter in parameters)
    return False


@cache
def site_compresses() -> bool:
    """Return True if the site compresses its responses, and no middleware of its own has to read our body before that.

    Such a middleware stands after GZipMiddleware in MIDDLEWARE and may be of any kind, so it gets the plain body.
    """
    names = list(settings.MIDDLEWARE)
    places = [place for place, name in enumerate(names) if name.endswith("GZipMiddleware")]
    return bool(places) and all(name.startswith(_MIDDLEWARE_THAT_READS_NO_BODY) for name in names[places[-1] + 1 :])


on_setting_change({"MIDDLEWARE"}, site_compresses.cache_clear)


def compressed_response(
    request: HttpRequest, body: Compressed, content_type: str, *, cache_control: str
) -> HttpResponse:
    """Return the body as the client accepts it. Pages of any origin may load it."""
    is_gzipped = accepts_gzip(request.headers.get("Accept-Encoding", ""))
    response = HttpResponse(body.gzipped if is_gzipped else body.plain, content_type=content_type)
    if is_gzipped:
        response["Content-Encoding"] = "gzip"
    patch_vary_headers(response, ["Accept-Encoding"])
    response["Cache-Control"] = cache_control
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
