"""Responses that are compressed once, not for each request."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from contextlib import suppress
from functools import cache, lru_cache
from importlib import import_module
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from kordless_booking.setting_changes import on_setting_change

_MIDDLEWARE_THAT_READS_NO_BODY: Final = ("django.", "django_htmx.", "kordless_booking.")
"""Packages whose middleware leaves a compressed body alone."""


class Compressed:
    """Body of a response, plain and in the codings that were asked for. Each is made once."""

    def __init__(self, plain: bytes, level: int = 9) -> None:
        self.plain = plain
        self._level = level
        self._coded: dict[str, bytes] = {}

    def encode(self, coding: str) -> bytes:
        """Return the body in a coding of `choose_coding`; plain for ""."""
        if not coding:
            return self.plain
        if coding not in self._coded:
            self._coded[coding] = _CODERS[coding](self.plain, self._level)
        return self._coded[coding]

    @property
    def size(self) -> int:
        """Bytes of all that it holds."""
        return len(self.plain) + sum(map(len, list(self._coded.values())))


def compress(body: bytes, level: int = 9) -> Compressed:
    """Return a body that is compressed when it is asked for, by default at the highest level.

    The bytes are the same in every process.
    """
    return Compressed(body, level)


def _gzip(body: bytes, level: int) -> bytes:
    # `mtime=0`: otherwise the current time would be part of the bytes.
    return gzip.compress(body, level, mtime=0)


def _find_coders() -> dict[str, Callable[[bytes, int], bytes]]:
    """Return the codings of this process, the best first: brotli and zstd where their packages are installed."""
    coders: dict[str, Callable[[bytes, int], bytes]] = {}
    with suppress(ImportError):
        brotli = import_module("brotli")
        # Quality 11 takes 50 ms for 30 KB: for what is compressed once, not for a page of this minute.
        coders["br"] = lambda body, level: brotli.compress(body, quality=11 if level == 9 else 5)
    with suppress(ImportError):
        zstandard = import_module("zstandard")
        coders["zstd"] = lambda body, level: zstandard.ZstdCompressor(level=19 if level == 9 else 6).compress(body)
    return {**coders, "gzip": _gzip}


_CODERS: Final = _find_coders()


@lru_cache(maxsize=64)
def choose_coding(accepted_encodings: str) -> str:
    """Return the best coding that a client with this Accept-Encoding takes, or "" (RFC 9110, section 12.5.3)."""
    accepted = set()
    for coding in accepted_encodings.lower().split(","):
        name, *parameters = [part.strip() for part in coding.split(";")]
        # A weight of zero refuses the coding.
        if not any(re.fullmatch(r"q=0(\.0*)?", parameter) for parameter in parameters):
            accepted.add("gzip" if name == "x-gzip" else name)
    return next((coding for coding in _CODERS if coding in accepted), "")


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
    coding = choose_coding(request.headers.get("Accept-Encoding", ""))
    response = HttpResponse(body.encode(coding), content_type=content_type)
    if coding:
        response["Content-Encoding"] = coding
    patch_vary_headers(response, ["Accept-Encoding"])
    response["Cache-Control"] = cache_control
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
