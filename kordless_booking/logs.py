"""One line in the log for each event, as words and as values.

    event=throttled scope=book seconds=60 req=8f0c2a91d3e4b576

The same values stand in the record's attribute `kordless`, and `JsonFormatter` writes them as JSON. `req` is the id of
the visitor's request: the page shows it, its header X-Request-ID carries it, and it goes along to every request that is
made to Kordless for this visitor, also behind the scenes. What a visitor typed, a key or a token is never given to
`say`; a test lives through everything and looks.
"""

from __future__ import annotations

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final

__all__ = ["JsonFormatter", "request_id", "say", "where"]

request_id: ContextVar[str] = ContextVar("kordless_booking.request_id", default="")
"""The id of the visitor's request that is being answered; empty outside of one."""

_PLAIN: Final = re.compile(r"[!#-&(-~]+")
"""What needs no quotes: printable ASCII without blanks and quotation marks."""
_FRAMES: Final = 5
_VALUES: Final = (bool, int, float, str, type(None))


def say(logger: logging.Logger, level: int, event: str, **said: object) -> None:
    """Write `event=… name=value …`, and `req=…` at the end when a request is being answered and none was given.

    Values that are None are left out; texts with blanks are quoted, and never break the line.
    """
    if "req" not in said and request_id.get():
        said["req"] = request_id.get()
    values = {"event": event} | {name: value for name, value in said.items() if value is not None}
    line = " ".join(f"{name}={_written(value)}" for name, value in values.items())
    logger.log(level, "%s", line, extra={"kordless": values}, stacklevel=2)


def where(error: BaseException) -> dict[str, str]:
    """The kind of an unexpected error and the lines that led to it, innermost first, to be said.

    Without its message: that may hold what the code was given, and so what a visitor typed.
    """
    lines, trace = [], error.__traceback__
    while trace is not None:
        lines.append(f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}")
        trace = trace.tb_next
    return {"error": type(error).__name__, "at": "<".join(lines[::-1][:_FRAMES]) or "?"}


def _written(value: object) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else ascii(text) if text else "-"


class JsonFormatter(logging.Formatter):
    """Writes each record as one line of JSON, for collectors that read such; it needs nothing but Python.

    Always there: `time` (UTC, ISO 8601, milliseconds), `level`, `logger`. Our own lines have their values beside these;
    lines of others have `message`, and `req` when they were written while a visitor's request was being answered.
    `trace` is a traceback. All of it is ASCII, whatever the stream's encoding.
    """

    def format(self, record: logging.LogRecord) -> str:
        written: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
        }
        said = getattr(record, "kordless", None)
        if isinstance(said, dict):
            written |= {name: value if isinstance(value, _VALUES) else str(value) for name, value in said.items()}
        else:
            written["message"] = record.getMessage()
            if request_id.get():
                written["req"] = request_id.get()
        if record.exc_info:
            written["trace"] = self.formatException(record.exc_info)
        return json.dumps(written)
