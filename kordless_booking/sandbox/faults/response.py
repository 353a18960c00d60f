"""Faults of the response: status, headers and bytes. Each function takes a response and returns one.

Options are keyword-only parameters with defaults.
"""

from __future__ import annotations

import time
import zlib
from email.utils import formatdate
from typing import TYPE_CHECKING

from ..response import Response, error_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_HTML = b"<!doctype html><title>Bad Gateway</title><script>alert('proxy')</script><h1>Bad Gateway</h1>\n"
_CHUNK = 64 * 1024
"""Bytes."""


def status(
    response: Response,
    *,
    status: int = 500,
    retry_after: int | str | None = None,
    html: bool = False,
    detail: str = "faults",
    carried_out: bool = False,
) -> Response:
    """Replace the response by an error with `status`, in the documented form or as a proxy's HTML page.

    Without `carried_out` the operation is not done at all. With it the operation is done, and only its response is
    lost: the visitor sees an error although the booking exists.
    """
    headers = dict(response.headers)
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    if status == 429:
        headers |= {"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "0"}
        wait = int(str(retry_after)) if str(retry_after).isdigit() else 30  # seconds
        headers["X-RateLimit-Reset"] = str(int(time.time()) + wait)
    if html:
        return Response(status, None, headers | {"Content-Type": "text/html; charset=utf-8"}, raw=_HTML)
    return Response(status, error_document(status, detail), headers)


def other_status(
    response: Response, *, of: int = 400, status: int | None = None, error_type: str | None = None, nested: bool = False
) -> Response:
    """Send responses with the status `of` with another `status` or `error_type`, or with the error one level deeper."""
    if response.status != of:
        return response
    document = response.document
    if isinstance(document, dict) and "detail" in document:
        document = document | ({"type": error_type} if error_type else {}) | ({"status": status} if status else {})
        document = {"error": document} if nested else document
    return Response(status or of, document, response.headers)


def redirect(response: Response, *, status: int = 301, location: str = "https://elsewhere.example/moved") -> Response:
    """Redirect to `location` without carrying out the operation."""
    return Response(status, error_document(status, "moved"), {"Location": location})


def html(response: Response) -> Response:
    """Send an HTML page with the true status."""
    return Response(response.status, None, response.headers | {"Content-Type": "text/html; charset=utf-8"}, raw=_HTML)


def broken_json(response: Response) -> Response:
    """Cut the JSON in the middle, with a Content-Length that fits."""
    return Response(response.status, None, response.headers, raw=response.body()[: len(response.body()) // 2])


def empty(response: Response, *, status: int | None = None) -> Response:
    """Send no body, with the true status or another one, such as 204."""
    return Response(status or response.status, None, response.headers, raw=b"")


def bom(response: Response) -> Response:
    """Put a byte order mark in front of the body."""
    return Response(response.status, None, response.headers, raw=b"\xef\xbb\xbf" + response.body())


def nan(response: Response) -> Response:
    """Add NaN and -Infinity, which aren't JSON but are accepted by Python's parser."""
    return Response(
        response.status, None, response.headers, raw=b'{"nan":NaN,"infinity":-Infinity,' + response.body()[1:]
    )


def duplicate_keys(response: Response) -> Response:
    """Repeat each top-level name with the value null."""
    names = list(response.document) if isinstance(response.document, dict) else []
    more = "".join(f',"{name}":null' for name in names) + "}"
    return Response(response.status, None, response.headers, raw=response.body()[:-1] + more.encode())


def wrong_charset(response: Response) -> Response:
    """Encode the body as UTF-16, under the same Content-Type."""
    return Response(response.status, None, response.headers, raw=response.body().decode().encode("utf-16"))


def deep(response: Response, *, depth: int = 100_000) -> Response:
    """Send `depth` nested lists, to overflow a recursive parser."""
    return Response(response.status, None, response.headers, raw=b"[" * depth + b"]" * depth)


def huge(response: Response, *, megabytes: int = 200, gzipped: bool = False) -> Response:
    """Send valid JSON of `megabytes` MiB. With `gzipped` it is a decompression bomb."""
    size = megabytes * 1024 * 1024
    if gzipped:
        packer = zlib.compressobj(wbits=31)  # gzip format
        packed = b"".join(map(packer.compress, _padded_document(size))) + packer.flush()
        return Response(response.status, None, response.headers | {"Content-Encoding": "gzip"}, raw=packed)
    headers = response.headers | {"Content-Length": str(size)}
    return Response(response.status, None, headers, stream=_padded_document(size))


def _padded_document(size: int) -> Iterator[bytes]:
    """Yield a JSON document of `size` bytes with an empty list of slots, mostly spaces."""
    yield b'{"slots":['
    left = size - 12  # the 12 bytes of the two other parts
    while left:
        chunk = min(left, _CHUNK)
        yield b" " * chunk
        left -= chunk
    yield b"]}"


def rate_headers(
    response: Response,
    *,
    limit: int | str | None = None,
    remaining: int | str | None = None,
    reset: float | str | None = None,
) -> Response:
    """Replace the X-RateLimit headers. None leaves one out."""
    values = {"X-RateLimit-Limit": limit, "X-RateLimit-Remaining": remaining, "X-RateLimit-Reset": reset}
    for name, value in values.items():
        response.headers.pop(name, None)
        if value is not None:
            response.headers[name] = str(value)
    return response


def rate_limit_contradiction(response: Response, *, value: int = -1) -> Response:
    """Say with the response, which was not refused, that the limit is `value` and that as much is left."""
    return rate_headers(response, limit=value, remaining=value, reset=int(time.time()) + 60)


def date_skew(response: Response, *, seconds: float = 600) -> Response:
    """Add a Date header that is wrong by `seconds` (positive: Kordless's clock is ahead)."""
    response.headers["Date"] = formatdate(time.time() + seconds, usegmt=True)
    return response


_ALL = (status, other_status, redirect, html, broken_json, empty, bom, nan, duplicate_keys, wrong_charset, deep, huge)
RESPONSE_FAULTS: dict[str, Callable[..., Response]] = {
    each.__name__: each for each in (*_ALL, rate_headers, rate_limit_contradiction, date_skew)
}
