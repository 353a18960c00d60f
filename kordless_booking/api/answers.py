"""What an HTTP answer means: its allowance headers, and the exception that its status stands for."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from kordless_booking.api.payload import load
from kordless_booking.api.spelling import Fields, Unreadable, as_moment
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
    from collections.abc import Mapping

__all__ = ["Answer", "read_answer", "refusal"]

DEFAULT_WAIT: Final = 30
LONGEST_WAIT: Final = 120
WITH_CONTACT: Final = frozenset({"lookup", "cancel", "reschedule"})
"""Operations where the contact is the proof of right, and no API key is sent."""

_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")
_BUSY = re.compile(r"idempoten\w*[_-]?(in[_-]?progress|processing|busy|running)|^(in[_-]?progress|processing)$", re.I)


@dataclass(frozen=True, slots=True)
class Answer:
    """The part of an HTTP answer that budget and circuit need.

    `limit` and `remaining` are calls of the present window; `reset` is when it ends, in Unix seconds by our
    own clock, or None when the header made no sense; `retry_after` is whole seconds from 1 to 120 and always
    set on a 429; `date` is the upstream clock in Unix seconds; `failed` says 5xx or rubbish.
    """

    status: int
    limit: int | None = None
    remaining: int | None = None
    reset: float | None = None
    retry_after: int | None = None
    date: float | None = None
    failed: bool = False


def read_answer(status: int, headers: Mapping[str, str], *, now: float, failed: bool = False) -> Answer:
    """`headers` must be looked up without regard to case; `now` is Unix seconds."""
    date = _http_date(headers.get("date", ""))
    wait = _retry_after(headers.get("retry-after", ""), reference=date or now)
    left = _until_reset(headers.get("x-ratelimit-reset", ""), now=now, reference=date)
    if status == 429 and wait is None:
        wait = DEFAULT_WAIT if left is None else max(1, math.ceil(left))
    return Answer(
        status=status,
        limit=_count(headers.get("x-ratelimit-limit", "")),
        remaining=_count(headers.get("x-ratelimit-remaining", "")),
        reset=None if left is None else now + left,
        retry_after=wait,
        date=date,
        failed=failed,
    )


def refusal(operation: str, answer: Answer, body: bytes) -> KordlessError | None:
    """The exception that a status stands for, None for 2xx. The body only lends a word for the log."""
    status = answer.status
    if 200 <= status < 300:
        return None
    kind, reason = _decision(operation, status, _type(body))
    return kind(
        f"{reason} ({status})",
        operation=operation,
        status=status,
        reason=reason,
        retry_after=answer.retry_after,
    )


def _decision(operation: str, status: int, word: str) -> tuple[type[KordlessError], str]:
    if status >= 500:
        return OutcomeUnknown, "server_error"
    if status < 400:
        return OutcomeUnknown, "redirect" if status >= 300 else "unexpected_status"
    if status == 409:
        if _BUSY.search(word):
            return OutcomeUnknown, "in_progress"
        if operation in {"create", "reschedule"}:
            return SlotTaken, word or "slot_taken"
        return (Refused if operation == "cancel" else BadRequest), word or "conflict"
    if status == 403 and operation in WITH_CONTACT:
        return ContactRefused, word or "contact_refused"
    kind, reason = _BY_STATUS.get(status, (BadRequest, "bad_request"))
    return kind, reason if kind is OutcomeUnknown else word or reason


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


def _type(body: bytes) -> str:
    """The `type` of an error body when it is a plain word. `detail` may repeat what was typed: not read."""
    try:
        word = Fields(load(body)).text("type") or ""
    except (KordlessError, Unreadable):
        return ""
    return word if _WORD.fullmatch(word) else ""


def _count(value: str) -> int | None:
    return int(value) if re.fullmatch(r"[0-9]{1,9}", value.strip(), re.ASCII) else None


def _http_date(value: str) -> float | None:
    if len(value) > 64:
        return None
    try:
        moment = parsedate_to_datetime(value)
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
        seconds = moment - reference
    return math.ceil(min(max(seconds, 1), LONGEST_WAIT))


def _until_reset(value: str, *, now: float, reference: float | None) -> float | None:
    """Seconds until the allowance renews, from Unix seconds, milliseconds, a delta, ISO 8601 or an HTTP date.

    Measured against the answer's own Date, where there is one, so that a skewed upstream clock does no harm.
    """
    text = value.strip()
    if _DECIMAL.fullmatch(text):
        number = float(text)
        if 0 < number <= LONGEST_WAIT:
            return number
        moment = number / 1000 if number > 1e11 else number
    else:
        iso = as_moment(text)
        read = _http_date(text) if iso is None else iso.timestamp()
        if read is None:
            return None
        moment = read
    for clock in (reference, now):
        if clock is not None and 0 < moment - clock <= LONGEST_WAIT:
            return moment - clock
    return None
