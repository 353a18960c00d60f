"""Connection to the site's mail server, and what a failed send means for the mail."""

from __future__ import annotations

import contextlib
import smtplib
from types import TracebackType
from typing import Any, Final, Self

from django.core import mail
from django.core.mail import EmailMessage

from kordless_booking.models import OutgoingMail

# SMTP reply codes (RFC 5321): 4xx means "not now", 5xx "never".
_TRANSIENT: Final = range(400, 500)
_PERMANENT: Final = range(500, 600)
_TRY_SECONDS: Final = 8
"""Longest wait for a server that is only tried: the doctor has 40 seconds for everything."""


class ConnectionFailed(Exception):
    """The mail server could not be reached, for `reason`. Nothing was sent."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(type(reason).__name__)
        self.reason = reason


class MailConnection:
    """Mail connection that opens with the first mail and stays open for those that follow."""

    def __init__(self) -> None:
        #: True once the server could not be reached. Further mails would only wait for the same timeout.
        self.unreachable = False
        self._backend: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def send(self, message: EmailMessage) -> None:
        """Send the message. Raises ConnectionFailed without a connection, else whatever the backend raises."""
        if self._backend is None:
            self._open()
        try:
            self._backend.send_messages([message])
        except BaseException:
            # The connection is in an unknown state: the next mail opens a new one.
            self._close()
            raise

    def _open(self) -> None:
        try:
            backend = _site_backend()
            backend.open()
        # `open` may be DNS, TCP, TLS or the login: the mail itself hasn't been mentioned yet.
        except Exception as error:  # noqa: BLE001 (mail backends raise anything)
            self.unreachable = True
            raise ConnectionFailed(error) from None
        self._backend = backend

    def _close(self) -> None:
        backend, self._backend = self._backend, None
        if backend is not None:
            with contextlib.suppress(Exception):  # the mail's state is decided; a failing QUIT doesn't change it
                backend.close()


def try_mail_server() -> tuple[str, Exception | None] | None:
    """Connect to the site's SMTP server and log in, as each mail does. Sends nothing.

    Returns host and port, and what it failed with; None where the site's backend isn't Django's for SMTP.
    """
    from django.core.mail.backends.smtp import EmailBackend  # noqa: PLC0415 (only the doctor asks)

    backend = _site_backend()
    if not isinstance(backend, EmailBackend):
        return None
    address = f"{backend.host}:{backend.port}"
    backend.timeout = min(backend.timeout or _TRY_SECONDS, _TRY_SECONDS)
    try:
        backend.open()
    # DNS, TCP, TLS or the login, as in MailConnection.
    except Exception as error:  # noqa: BLE001 (mail backends raise anything)
        return address, error
    with contextlib.suppress(Exception):
        backend.close()
    return address, None


def state_after_error(error: Exception) -> OutgoingMail.State:
    """Return the state of a mail whose send raised `error`.

    QUEUED (try again) and FAILED only when the server has certainly not accepted the mail, else OUTCOME_UNKNOWN.
    """
    match error:
        case smtplib.SMTPRecipientsRefused():
            codes = [code for code, _text in error.recipients.values()]
        case smtplib.SMTPResponseException():
            codes = [error.smtp_code]
        # The server lacks an extension that the message needs, such as SMTPUTF8. smtplib finds out before it sends.
        case smtplib.SMTPNotSupportedError():
            return OutgoingMail.State.FAILED
        # A timeout or a cut connection, perhaps after the last byte; or a backend that doesn't speak SMTP.
        case _:
            return OutgoingMail.State.OUTCOME_UNKNOWN
    if codes and all(code in _TRANSIENT for code in codes):
        return OutgoingMail.State.QUEUED
    return (
        OutgoingMail.State.FAILED
        if codes and all(code in _PERMANENT for code in codes)
        else OutgoingMail.State.OUTCOME_UNKNOWN
    )


def _site_backend() -> Any:
    """Return the site's default mail backend: from MAILERS since Django 6.1, from EMAIL_BACKEND before."""
    mailers = getattr(mail, "mailers", None)
    return mail.get_connection() if mailers is None else mailers.default
