"""Calls of hooks: an exception in one is logged, and never reaches the page, booking or mail that called it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from kordless_booking.logs import error_location, log_event

if TYPE_CHECKING:
    from kordless_booking import hooks

log: Final = logging.getLogger("kordless_booking.hooks")


def call_hook(registry: hooks.Hooks[Any], name: str, hook: Callable[..., Any], *arguments: Any) -> tuple[bool, Any]:
    """Call a hook. Return whether it succeeded, and its result; (False, None) after an exception, which is logged."""
    try:
        return True, hook(*arguments)
    except Exception as error:  # noqa: BLE001 (a hook may raise anything)
        # Without the message: it may repeat what a visitor typed.
        log_event(log, logging.ERROR, "hook_failed", hook=registry.kind, name=name, **error_location(error))
        return False, None


def call_hook_in_transaction(
    registry: hooks.Hooks[Any], name: str, hook: Callable[..., Any], *arguments: Any
) -> tuple[bool, Any]:
    """Call a hook as `call_hook` does, and undo what it has written if it raises."""

    def call() -> Any:
        # A savepoint where a transaction is open: an error of the database would make the outer one unusable.
        with transaction.atomic():
            return hook(*arguments)

    return call_hook(registry, name, call)
