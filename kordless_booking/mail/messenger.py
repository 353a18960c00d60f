"""Calls of the site's function that sends messages to phones: under a time limit, and one after the other."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from django.db import connections

from kordless_booking.messenger import MessageNotSent, MessageRejected, load_messenger
from kordless_booking.models import OutgoingMail

if TYPE_CHECKING:
    from kordless_booking.conf import Account
    from kordless_booking.mail.message import TextMessage

MESSENGER_SECONDS: Final = 20.0
"""Seconds that one call may take. Providers answer within one or two; other mails and messages wait behind it."""


class MessengerUnusable(MessageNotSent):
    """The site's function can't be called: it can't be imported, doesn't fit, or still hangs in an earlier call."""


class MessengerTimeout(Exception):
    """The call took longer than MESSENGER_SECONDS. Nobody knows whether it sends the message."""


class MessengerCalls:
    """Calls of one run of the outbox."""

    def __init__(self) -> None:
        #: True once a call couldn't be made, or took too long. Further ones would only wait for the same.
        self.unreachable = False

    def send(self, account: Account, message: TextMessage) -> None:
        """Have the site's function send the message.

        Raises MessengerUnusable, MessengerTimeout, and whatever the function raises.
        """
        try:
            function = load_messenger(account.messenger)
        except Exception as error:
            self.unreachable = True
            raise MessengerUnusable(type(error).__name__) from error
        try:
            _call(function, (message.to, message.text, message.kind, message.booking))
        except (MessengerUnusable, MessengerTimeout):
            self.unreachable = True
            raise


def state_after_call(error: Exception) -> OutgoingMail.State:
    """Return the state of a message whose call raised `error`."""
    match error:
        case MessageNotSent():
            return OutgoingMail.State.QUEUED
        case MessageRejected():
            return OutgoingMail.State.FAILED
    return OutgoingMail.State.OUTCOME_UNKNOWN


_late: Final[list[threading.Thread]] = []
"""Threads of calls that took too long. While one runs, nothing else is called, so that hanging ones don't add up."""


def _call(function: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    """Call the function in a thread, and wait for it as long as it may take."""
    _late[:] = [thread for thread in _late if thread.is_alive()]
    if _late:
        raise MessengerUnusable("busy")
    raised: list[BaseException] = []

    def run() -> None:
        try:
            function(*arguments)
        except BaseException as error:  # noqa: BLE001 (also SystemExit: the thread would end as if all were well)
            raised.append(error)
        finally:
            # Nobody else closes what the function has opened.
            connections.close_all()

    # With the context, so that log lines of the function have the id of the run.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True)
    try:
        thread.start()
    except RuntimeError:  # no thread can be started (uWSGI, interpreter exit): nothing was sent
        raise MessengerUnusable("no threads") from None
    thread.join(MESSENGER_SECONDS)
    if thread.is_alive():
        _late.append(thread)
        raise MessengerTimeout
    if raised:
        error = raised[0]
        # As an Exception, so that the run goes on with the next message.
        raise error if isinstance(error, Exception) else RuntimeError(type(error).__name__)
