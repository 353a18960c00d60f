"""Reading a response body: decompress within limits, then parse strict JSON.

Every failure raises OutcomeUnknown with a `reason`. Content-Length and Content-Type are ignored, because proxies and
broken servers get them wrong; Content-Encoding is used but verified.
"""

from __future__ import annotations

import json
import zlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NoReturn

from kordless_booking.api.deadline import seconds_left
from kordless_booking.exceptions import OutcomeUnknown

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MAX_BODY_BYTES", "parse_json_strict", "read_body"]

MAX_BODY_BYTES: Final = 2 * 1024 * 1024
"""Maximum size of a body in bytes, counted after decompression. At least 6,000 slots fit."""


def read_body(chunks: Iterable[bytes], *, encoding: str = "", largest: int = MAX_BODY_BYTES) -> bytes:
    """Read and decompress a body of at most `largest` bytes.

    `encoding` is the Content-Encoding header. Raises OutcomeUnknown with the reason too_large, encoding, cut (the
    compressed stream ends early) or deadline. Decompression stops at the limit, so a decompression bomb costs no
    more memory than a large body.
    """
    coding = encoding.strip().lower()
    # The request asks for gzip only. Deflate is accepted from servers that send it all the same.
    if coding not in {"", "identity", "gzip", "x-gzip", "deflate"}:
        raise OutcomeUnknown("the answer's content encoding is not known", reason="encoding")
    # wbits: 47 detects a gzip or zlib header by itself (32 + 15), 15 is zlib, which HTTP calls deflate (RFC 9110).
    inflater = None if coding in {"", "identity"} else zlib.decompressobj(wbits=47 if "gzip" in coding else 15)
    body = bytearray()
    for chunk in chunks:
        try:
            # One byte more than allowed tells a full body from one that is too large. Never 0, which means no limit.
            body += chunk if inflater is None else inflater.decompress(chunk, largest + 1 - len(body))
        except zlib.error:
            raise OutcomeUnknown("the answer can't be decompressed", reason="encoding") from None
        if len(body) > largest:
            raise OutcomeUnknown("the answer is larger than 2 MiB", reason="too_large")
        # Checked here as well as on the socket: a WSGI transport has no socket.
        if seconds_left() <= 0:
            raise OutcomeUnknown("the answer took too long", reason="deadline")
    # zlib reports no error when its input just stops.
    if inflater is not None and not inflater.eof:
        raise OutcomeUnknown("the compressed answer ends early", reason="cut")
    return bytes(body)


def parse_json_strict(body: bytes) -> object:
    """Parse strict JSON: UTF-8 without byte order mark, no NaN or Infinity, no duplicate names.

    Numbers with a fraction or an exponent become Decimal. Raises OutcomeUnknown with the reason empty, html or
    not_json. The three are told apart for the operator alone.
    """
    text = body.strip()
    if not text:
        raise OutcomeUnknown("the answer is empty", reason="empty")
    if text.startswith(b"<"):
        raise OutcomeUnknown("the answer is HTML", reason="html")
    try:
        return json.loads(
            text.decode("utf-8"),
            parse_float=Decimal,
            parse_constant=_reject_constant,
            object_pairs_hook=_reject_duplicate_names,
        )
    except (ValueError, ArithmeticError, RecursionError):
        # ValueError also covers invalid UTF-8 and integers of more digits than Python converts; ArithmeticError an
        # exponent beyond Decimal's range; RecursionError deep nesting.
        pass
    # Raised outside of the handler, so no chained JSONDecodeError carries the document into an error report.
    raise OutcomeUnknown("the answer is not JSON", reason="not_json")


def _reject_constant(_name: str) -> NoReturn:
    raise ValueError


# With duplicate names, parsers disagree about which value counts (RFC 8259, section 4), so neither is trusted.
def _reject_duplicate_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError
    return document
