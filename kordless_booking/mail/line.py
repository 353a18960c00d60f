"""A connection to the site's mail server, and what its failures mean for the mail that was in it."""

from __future__ import annotations

import contextlib
import smtplib
from types import TracebackType
from typing import Any, Final, Self

from django.core import mail
from django.core.mail import EmailMessage

from kordless_booking.mail.occasions import MailState

__all__ = ["Line", "NoLine", "verdict"]

_TRANSIENT: Final = range(400, 500)
_PERMANENT: Final = range(500, 600)


class NoLine(Exception):
    """The mail server was not reached, for `reason`: nothing was sent."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(type(reason).__name__)
        self.reason = reason


class Line:
    """Opened with the first mail, kept for those that follow. `dead` once the server could not be reached."""

    def __init__(self) -> None:
        self.dead = False
        self._backend: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def send(self, message: EmailMessage) -> None:
        """Send it. Raises NoLine when it never left, and whatever the mail backend raises."""
        if self._backend is None:
            self._open()
        try:
            self._backend.send_messages([message])
        except BaseException:
            self._close()
            raise

    def _open(self) -> None:
        try:
            backend = _site_backend()
            backend.open()
        except Exception as error:  # noqa: BLE001 (mail backends raise anything)
            self.dead = True
            raise NoLine(error) from None
        self._backend = backend

    def _close(self) -> None:
        backend, self._backend = self._backend, None
        if backend is not None:
            with contextlib.suppress(Exception):  # the mail is out or it isn't, whatever the goodbye was like
                backend.close()


def verdict(error: Exception) -> MailState:
    """What a failed send leaves behind: QUEUED and FAILED only where the server has certainly not taken the mail."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            codes = [code for code, _text in error.recipients.values()]
        case smtplib.SMTPResponseException():
            codes = [error.smtp_code]
        case smtplib.SMTPNotSupportedError():
            return MailState.FAILED
        case _:
            return MailState.UNSURE
    if codes and all(code in _TRANSIENT for code in codes):
        return MailState.QUEUED
    return MailState.FAILED if codes and all(code in _PERMANENT for code in codes) else MailState.UNSURE


def _site_backend() -> Any:
    """As the site has set it up: MAILERS since Django 6.1, EMAIL_BACKEND before."""
    mailers = getattr(mail, "mailers", None)
    return mail.get_connection() if mailers is None else mailers.default
