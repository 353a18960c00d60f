"""Exceptions that the function in MESSENGER may raise, and its import. docs/mail.md describes messages to phones.

The function sends one text message::

    def send(to: str, text: str, kind: str, booking: Booking) -> None: ...

A return is a success. Any other exception than these two, and a call that takes too long, means that nobody knows
whether the message was sent: then it is never sent again.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable

from django.utils.module_loading import import_string

__all__ = ["MessageNotSent", "MessageRejected"]


class MessageNotSent(Exception):
    """The message was certainly not sent, for a reason that may pass. It is tried again for two days."""


class MessageRejected(Exception):
    """The message was certainly not sent, and never will be: no phone has this number, or it wants none."""


def load_messenger(path: str) -> Callable[..., object]:
    """Import and return the function with this dotted path.

    Raises ImportError when it can't be imported, TypeError when it isn't a function of to, text, kind and booking, and
    whatever its module raises.
    """
    function: Callable[..., object] = import_string(path)
    if not callable(function):
        raise TypeError("it is not a function")
    if any(map(inspect.iscoroutinefunction, (function, type(function).__call__))):
        # Its call returns at once, and nothing would ever be sent.
        raise TypeError("it is an async function, which nobody would await")
    try:
        signature = inspect.signature(function)
    except ValueError:
        return function  # written in C, and without a signature
    try:
        signature.bind("", "", "", None)
    except TypeError:
        raise TypeError("it doesn't take to, text, kind and booking") from None
    return function


def find_messenger_problem(path: str) -> str:
    """Return why the function with this dotted path can't be used; "" where it can, or there is none."""
    if not path:
        return ""
    try:
        load_messenger(path)
    except ImportError:
        return "it can't be imported"
    except TypeError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 (a module of the site raises anything)
        return f"its import raises {type(error).__name__}"
    return ""
