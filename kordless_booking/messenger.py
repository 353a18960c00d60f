"""Exceptions that the function in MESSENGER may raise, and its import. docs/mail.md describes messages to phones.

The function sends one text message::

    def send(to: str, text: str, kind: str, booking: Booking) -> None: ...

A return is a success. Any other exception than these two, and a call that takes too long, means that nobody knows
whether the message was sent: then it is never sent again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from kordless_booking.dotted_paths import find_function_problem, load_function

__all__ = ["MessageNotSent", "MessageRejected"]


class MessageNotSent(Exception):
    """The message was certainly not sent, for a reason that may pass. It is tried again for two days."""


class MessageRejected(Exception):
    """The message was certainly not sent, and never will be: no phone has this number, or it wants none."""


_ARGUMENTS: Final = ("to", "text", "kind", "booking")


def load_messenger(path: str) -> Callable[..., object]:
    """Import and return the function with this dotted path. Raises what `load_function` raises."""
    return load_function(path, *_ARGUMENTS)


def find_messenger_problem(path: str) -> str:
    """Return why the function with this dotted path can't be used; "" where it can, or there is none."""
    return find_function_problem(path, *_ARGUMENTS)
