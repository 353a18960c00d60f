"""Log line for the operator about a visitor who did not get what they wanted."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from kordless_booking.logs import log_event
from kordless_booking.upstream.registry import services_for

if TYPE_CHECKING:
    from kordless_booking.exceptions import KordlessError
    from kordless_booking.views.request import WidgetRequest

__all__ = ["log_problem"]

log = logging.getLogger("kordless_booking.views")


def log_problem(
    visit: WidgetRequest, event: str, *, level: int, status: int, error: KordlessError | None = None
) -> None:
    """Log `event=… status=… account=… req=…`, with operation, reason and upstream status where Kordless caused it.

    The first of each event in a minute is logged at `level`, the others as INFO. Nothing personal is ever logged.
    """
    said: dict[str, object] = {"status": status, "account": visit.account.name, "req": visit.id}
    if error is not None:
        said |= {"operation": error.operation, "reason": error.reason, "upstream": error.status or "-"}
    log_event(log, services_for(visit.account).loudness.level_for(event, level), event, **said)
