"""Log line for the operator about a visitor who did not get what they wanted."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from kordless_booking.logs import say
from kordless_booking.upstream.registry import upstream

if TYPE_CHECKING:
    from kordless_booking.exceptions import KordlessError
    from kordless_booking.views.request import Visit

__all__ = ["tell"]

log = logging.getLogger("kordless_booking.views")


def tell(visit: Visit, event: str, *, level: int, status: int, error: KordlessError | None = None) -> None:
    """Log `event=… status=… account=… req=…`, with operation, reason and upstream status where Kordless caused it.

    The first of each event in a minute is logged at `level`, the others as INFO. Nothing personal is ever logged.
    """
    said: dict[str, object] = {"status": status, "account": visit.account.name, "req": visit.id}
    if error is not None:
        said |= {"operation": error.operation, "reason": error.reason, "upstream": error.status or "-"}
    say(log, upstream(visit.account).loudness.of(event, level), event, **said)
