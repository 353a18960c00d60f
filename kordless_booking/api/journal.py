"""One line in the log for each HTTP try. What may stand in it is listed here; nothing else ever does."""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kordless_booking.api.parsing import Dropped
from kordless_booking.exceptions import BadRequest, KeyRefused, KordlessError, TooMany, Unavailable
from kordless_booking.logs import request_id, say

if TYPE_CHECKING:
    from kordless_booking.api.answers import Answer

__all__ = ["Try", "request_id", "write"]

logger = logging.getLogger("kordless_booking.api")

_LOGGABLE = re.compile(r"[A-Za-z0-9._:+-]{1,64}")


@dataclass(slots=True)
class Try:
    """What is known about one HTTP try, filled in as it goes."""

    operation: str
    began: float = field(default_factory=time.monotonic)
    status: int | None = None
    upstream_id: str = ""
    answer: Answer | None = None
    failure: KordlessError | None = None
    dropped: Dropped = field(default_factory=Dropped)


def write(seen: Try) -> None:
    """`event=kordless_call operation=… status=… ms=… req=…` and, where there is more to say, reason and the like."""
    failure = seen.failure
    said: dict[str, object] = {
        "operation": seen.operation,
        "status": seen.status or "-",
        "ms": round((time.monotonic() - seen.began) * 1000),
        "req": _plain(request_id.get()),
    }
    if failure is not None:
        said |= {
            "error": type(failure).__name__,
            "reason": _plain(failure.reason),
            "upstream": _plain(seen.upstream_id),
        }
        if failure.retry_after is not None:
            said["retry_after"] = failure.retry_after
    if seen.dropped.count:
        said |= {"dropped": seen.dropped.count, "where": seen.dropped.first}
    say(logger, _level(seen), "kordless_call", **said)


def _level(seen: Try) -> int:
    failure = seen.failure
    if isinstance(failure, (KeyRefused, BadRequest)) or (failure is not None and failure.reason in {"tls", "mismatch"}):
        return logging.ERROR
    if isinstance(failure, (Unavailable, TooMany)) or seen.dropped.count:
        return logging.WARNING
    return logging.INFO


def _plain(word: str) -> str:
    return word if _LOGGABLE.fullmatch(word) else "-"
