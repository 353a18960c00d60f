"""From the bytes of an answer to a JSON document, within limits, or OutcomeUnknown with the reason.

Nothing here trusts the length, the encoding or the content type that the answer claims.
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

__all__ = ["LARGEST", "collect", "load"]

LARGEST: Final = 2 * 1024 * 1024
"""Bytes of a body that are read at most, counted after decompression."""


def collect(chunks: Iterable[bytes], *, encoding: str = "", largest: int = LARGEST) -> bytes:
    """Reads and decompresses a body. Raises OutcomeUnknown: too_large, encoding, cut or deadline.

    Decompression stops at the limit, so a small bomb never becomes a large one.
    """
    coding = encoding.strip().lower()
    if coding not in {"", "identity", "gzip", "x-gzip", "deflate"}:
        raise OutcomeUnknown("the answer's content encoding is not known", reason="encoding")
    inflater = None if coding in {"", "identity"} else zlib.decompressobj(wbits=47 if "gzip" in coding else 15)
    body = bytearray()
    for chunk in chunks:
        try:
            body += chunk if inflater is None else inflater.decompress(chunk, largest + 1 - len(body))
        except zlib.error:
            raise OutcomeUnknown("the answer can't be decompressed", reason="encoding") from None
        if len(body) > largest:
            raise OutcomeUnknown("the answer is larger than 2 MiB", reason="too_large")
        if seconds_left() <= 0:
            raise OutcomeUnknown("the answer took too long", reason="deadline")
    if inflater is not None and not inflater.eof:
        raise OutcomeUnknown("the compressed answer ends early", reason="cut")
    return bytes(body)


def load(body: bytes) -> object:
    """Strict JSON: UTF-8, no BOM, no NaN, no name twice. Raises OutcomeUnknown: empty, html or not_json."""
    text = body.strip()
    if not text:
        raise OutcomeUnknown("the answer is empty", reason="empty")
    if text.startswith(b"<"):
        raise OutcomeUnknown("the answer is HTML", reason="html")
    try:
        return json.loads(
            text.decode("utf-8"),
            parse_float=Decimal,
            parse_constant=_no_constant,
            object_pairs_hook=_no_name_twice,
        )
    except (ValueError, ArithmeticError, RecursionError):
        pass
    # Raised outside of the handler, so that no chained JSONDecodeError carries the document along.
    raise OutcomeUnknown("the answer is not JSON", reason="not_json")


def _no_constant(_name: str) -> NoReturn:
    raise ValueError


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError
    return document
