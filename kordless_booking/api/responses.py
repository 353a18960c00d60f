"""Interpretation of an HTTP response: its rate-limit headers, and the exception that its status maps to.

Kordless documents neither Retry-After nor the `type` words of most errors, so the status decides alone. The words only
refine the log, with one exception: a 409 that reports an idempotent request still in progress.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, NoReturn

from kordless_booking.api.deadline import seconds_left
from kordless_booking.api.lenient import InvalidField, LenientObject, as_datetime
from kordless_booking.exceptions import (
    BadRequest,
    ContactRefused,
    KeyRefused,
    KordlessError,
    NotFound,
    OutcomeUnknown,
    Refused,
    SlotTaken,
    TooMany,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_BODY_BYTES: Final = 16 * 1024 * 1024
"""Maximum size of a body in bytes, counted after decompression. A guard against decompression bombs, not a limit for
businesses: 50,000 slots with host and team fit.
"""


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
            raise OutcomeUnknown("the answer is larger than its limit", reason="too_large")
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


DEFAULT_WAIT_SECONDS: Final = 30
"""Seconds to wait after a 429 that has neither Retry-After nor a usable X-RateLimit-Reset."""
MAX_WAIT_SECONDS: Final = 120
"""Seconds. Retry-After is capped at this, and a reset further ahead is ignored: one absurd header must not close
booking for hours.
"""
CONTACT_AUTHENTICATED: Final = frozenset({"lookup", "cancel", "reschedule"})
"""Operations authenticated by number and contact. The API key is not sent with them."""

_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?")
"""Digits are bounded, and ASCII only: int() and float() would also accept "1_0", "nan" and other scripts' digits."""
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")
"""An error's `type` that is safe to log."""
# Undocumented. Covers the words that APIs use for a 409 while the first request with the same key is running.
_IN_PROGRESS = re.compile(
    r"idempoten\w*[_-]?(in[_-]?progress|processing|busy|running)|^(in[_-]?progress|processing)$", re.I
)


@dataclass(frozen=True, slots=True)
class ResponseMeta:
    """The part of a response that rate limiter and circuit breaker need. Absent and invalid headers are None."""

    status: int
    limit: int | None = None
    """Requests that the current rate-limit window allows, at least 1."""
    remaining: int | None = None
    """Requests left in the current window, at most `limit`."""
    reset: float | None = None
    """End of the current window in Unix seconds by our own clock, at most 120 seconds ahead."""
    retry_after: int | None = None
    """Whole seconds from 1 to 120. Always set on a 429."""
    date: float | None = None
    """Kordless's clock in Unix seconds, from the Date header."""
    failed: bool = False
    """True when the response was complete but of no use: a 5xx or an invalid body."""
    skipped: int = 0
    """Items of the body that were skipped because they could not be parsed."""


def parse_response_meta(status: int, headers: Mapping[str, str], *, now: float, failed: bool = False) -> ResponseMeta:
    """Parse the status and the rate-limit headers of a response. Never raises: bad headers become None.

    `headers` must be a case-insensitive mapping; `now` is our clock in Unix seconds.
    """
    date = _http_date(headers.get("date", ""))
    wait = _retry_after(headers.get("retry-after", ""), reference=date or now)
    left = _seconds_until_reset(headers.get("x-ratelimit-reset", ""), now=now, reference=date)
    if status == 429 and wait is None:
        wait = DEFAULT_WAIT_SECONDS if left is None else max(1, math.ceil(left))
    limit, remaining = _limit_and_remaining(headers)
    return ResponseMeta(
        status=status,
        limit=limit,
        remaining=remaining,
        reset=None if left is None else now + left,
        retry_after=wait,
        date=date,
        failed=failed,
    )


def error_from_response(operation: str, answer: ResponseMeta, body: bytes) -> KordlessError | None:
    """Return the exception for a status, or None for 2xx. Of the body only the error's `type` is used."""
    status = answer.status
    if 200 <= status < 300:
        return None
    kind, reason = _exception_for_status(operation, status, _error_type(body))
    return kind(
        f"{reason} ({status})",
        operation=operation,
        status=status,
        reason=reason,
        retry_after=answer.retry_after,
    )


def _exception_for_status(operation: str, status: int, word: str) -> tuple[type[KordlessError], str]:
    if status >= 500:
        return OutcomeUnknown, "server_error"  # a server may fail after the booking was stored
    if status < 400:
        # Redirects are never followed: they would carry the API key, or a contact, to another address.
        return OutcomeUnknown, "redirect" if status >= 300 else "unexpected_status"
    if status == 409:
        if _IN_PROGRESS.search(word):
            # Not "slot taken": the first request with this idempotency key may be about to succeed.
            return OutcomeUnknown, "in_progress"
        if operation in {"create", "reschedule"}:
            return SlotTaken, word or "slot_taken"
        return (Refused if operation == "cancel" else BadRequest), word or "conflict"
    # No API key was sent, so a 403 can only be about the contact.
    if status == 403 and operation in CONTACT_AUTHENTICATED:
        return ContactRefused, word or "contact_refused"
    kind, reason = _BY_STATUS.get(status, (BadRequest, "bad_request"))
    return kind, reason if kind is OutcomeUnknown else word or reason


# 408 and 425 are OutcomeUnknown: the server gave up waiting or postponed, which is no verdict on the request.
_BY_STATUS: Final[dict[int, tuple[type[KordlessError], str]]] = {
    401: (KeyRefused, "key_refused"),
    403: (KeyRefused, "key_refused"),
    404: (NotFound, "not_found"),
    408: (OutcomeUnknown, "request_timeout"),
    410: (NotFound, "gone"),
    422: (Refused, "refused"),
    425: (OutcomeUnknown, "too_early"),
    429: (TooMany, "too_many"),
}


def _error_type(body: bytes) -> str:
    """Return the `type` of an error body if it is a plain word, else "". `detail` may repeat form input: ignored."""
    try:
        word = LenientObject(parse_json_strict(body)).text("type") or ""
    except (KordlessError, InvalidField):
        return ""
    return word if _WORD.fullmatch(word) else ""


def _limit_and_remaining(headers: Mapping[str, str]) -> tuple[int | None, int | None]:
    """Return both counts, or None for both where they contradict each other or the response that carries them.

    A limit of 0 or -1 (some servers write "unlimited" so), a negative remainder, and one above the limit can't be true
    of a request that was just answered. Believed, they would stop every page for a minute.
    """
    limit = _parse_count(headers.get("x-ratelimit-limit", ""))
    remaining = _parse_count(headers.get("x-ratelimit-remaining", ""))
    if (limit is not None and limit < 1) or (remaining is not None and remaining < 0):
        return None, None
    if limit is not None and remaining is not None and remaining > limit:
        return None, None
    return limit, remaining


def _parse_count(value: str) -> int | None:
    return int(value) if re.fullmatch(r"-?[0-9]{1,9}", value.strip(), re.ASCII) else None


def _http_date(value: str) -> float | None:
    if len(value) > 64:  # an HTTP date has 29 characters: longer text isn't worth parsing
        return None
    try:
        moment = parsedate_to_datetime(value)
        # "-0000" yields a naive datetime, and means UTC (RFC 5322).
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _retry_after(value: str, *, reference: float) -> int | None:
    text = value.strip()
    if _DECIMAL.fullmatch(text):
        seconds = float(text)
    else:
        moment = _http_date(text)
        if moment is None:
            return None
        # Both from Kordless's clock, where it sent a Date: a skew between the two clocks cancels out.
        seconds = moment - reference
    return math.ceil(min(max(seconds, 1), MAX_WAIT_SECONDS))


def _seconds_until_reset(value: str, *, now: float, reference: float | None) -> float | None:
    """Return the seconds until the rate limit resets, at most LONGEST_WAIT, or None.

    Documented are Unix seconds. Also accepts milliseconds, a number of seconds from now, ISO 8601 and an HTTP date.
    Measures from the response's Date header if there is one, so a skewed upstream clock does no harm.
    """
    text = value.strip()
    if _DECIMAL.fullmatch(text):
        number = float(text)
        if 0 < number <= MAX_WAIT_SECONDS:
            return number  # a duration: as Unix time it would be 1970
        moment = number / 1000 if number > 1e11 else number  # 1e11 is year 5138 in seconds, 1973 in milliseconds
    else:
        iso = as_datetime(text)
        read = _http_date(text) if iso is None else iso.timestamp()
        if read is None:
            return None
        moment = read
    # Falls back to our own clock where there is no Date, or where the Date makes no sense of the reset.
    for clock in (reference, now):
        if clock is not None and 0 < moment - clock <= MAX_WAIT_SECONDS:
            return moment - clock
    return None
