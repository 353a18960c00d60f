"""Call log: one line for each HTTP request to Kordless, retries included.

This module is the complete list of what the line may contain. URLs, contacts, keys and bodies never appear.
"""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kordless_booking.api.parsing import SkippedItems
from kordless_booking.exceptions import BadRequest, KeyRefused, KordlessError, TooMany, Unavailable
from kordless_booking.logs import log_event, request_id

if TYPE_CHECKING:
    from kordless_booking.api.responses import ResponseMeta

logger = logging.getLogger("kordless_booking.api")

_LOGGABLE = re.compile(r"[A-Za-z0-9._:+-]{1,64}")
"""Text from upstream that may be logged: one short word, so no sentence and no email address."""


@dataclass(slots=True)
class CallRecord:
    """Record of one HTTP request, filled in while it runs."""

    operation: str
    began: float = field(default_factory=time.monotonic)
    """Seconds on the monotonic clock."""
    status: int | None = None
    upstream_id: str = ""
    """X-Request-ID of the response, to quote to Kordless's support."""
    response: ResponseMeta | None = None
    """None until the response's headers have arrived."""
    failure: KordlessError | None = None
    skipped: SkippedItems = field(default_factory=SkippedItems)
    """Items of the response that could not be parsed and were skipped."""


def log_call(record: CallRecord) -> None:
    """Log `event=kordless_call operation=… status=… ms=… req=…`.

    A failure adds `error`, `reason`, `upstream` and perhaps `retry_after`; skipped items add `dropped` (how many) and
    `where` (the JSON path of the first).
    """
    failure = record.failure
    values: dict[str, object] = {
        "operation": record.operation,
        "status": record.status or "-",
        "ms": round((time.monotonic() - record.began) * 1000),
        "req": _loggable(request_id.get()),
    }
    if failure is not None:
        values |= {
            "error": type(failure).__name__,
            "reason": _loggable(failure.reason),
            "upstream": _loggable(record.upstream_id),
        }
        if failure.retry_after is not None:
            values["retry_after"] = failure.retry_after
    if record.skipped.count:
        values |= {"dropped": record.skipped.count, "where": record.skipped.first_path}
    log_event(logger, _level(record), "kordless_call", **values)


def _level(record: CallRecord) -> int:
    failure = record.failure
    # Somebody has to act: the configuration, our code, a certificate or Kordless is wrong.
    if isinstance(failure, (KeyRefused, BadRequest)) or (failure is not None and failure.reason in {"tls", "mismatch"}):
        return logging.ERROR
    if isinstance(failure, (Unavailable, TooMany)) or record.skipped.count:
        return logging.WARNING
    # SlotTaken, NotFound, ContactRefused and Refused are ordinary answers to a visitor.
    return logging.INFO


def _loggable(word: str) -> str:
    return word if _LOGGABLE.fullmatch(word) else "-"
