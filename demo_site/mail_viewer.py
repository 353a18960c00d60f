"""Mailbox of the sandbox: an e-mail backend that writes mails into a folder, and pages at /mail/ that show them.

So does the demo's MESSENGER with messages to phones: each is written as a mail without HTML.

The pages exist only while the demo runs on the sandbox, and only for this machine or for staff, because each mail holds
the link that cancels its booking.
"""

from __future__ import annotations

import email
import email.policy
import re
import time
from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from demo_site.local import demo_tool
from demo_site.navigation import navigation
from kordless_booking.api.resources import Booking
from kordless_booking.mail.text_message import count_messages, gsm_length, utf16_length

KEPT: Final = 50
"""Number of mails that are kept. Older ones are deleted."""
_NAME: Final = re.compile(r"[0-9]{10,20}-[0-9]{1,4}")
# Mail HTML runs no script and loads nothing. Styles are inline, as in all mail. Links open in a new tab.
LETTER_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'self'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)


class Folder(BaseEmailBackend):
    """E-mail backend that writes each mail into a file of its own."""

    def send_messages(self, email_messages: Sequence[mail.EmailMessage]) -> int:
        """Write the mails and return their number. Deletes the oldest beyond `KEPT`."""
        _write([message.message().as_bytes() for message in email_messages])
        return len(email_messages)


def send_message(to: str, text: str, kind: str, booking: Booking | None) -> None:
    """Write a message to a phone beside the mails: the demo's MESSENGER."""
    message = EmailMessage()
    message["To"], message["Subject"] = to, " ".join(text.split())
    message["Date"] = formatdate()
    message.set_content(text)
    _write([message.as_bytes()])


def _write(contents: Sequence[bytes]) -> None:
    """Write each mail into a file of its own."""
    folder = _folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The folder may exist with other permissions. No other user of this machine may read mails.
    folder.chmod(0o700)
    for number, content in enumerate(contents):
        # By time, so that names sort by age. The number tells apart mails of the same nanosecond.
        (folder / f"{time.time_ns()}-{number}.eml").write_bytes(content)
    for old in sorted(folder.glob("*.eml"), reverse=True)[KEPT:]:
        old.unlink(missing_ok=True)


@demo_tool
@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    """Render the list of mails, newest first, and the chosen one."""
    names = _names()
    chosen = request.GET.get("letter", "")
    chosen = chosen if chosen in names else next(iter(names), "")
    context = {
        **navigation(request),
        "letters": [_shown(name) for name in names],
        "chosen": _opened(chosen) if chosen else None,
    }
    return render(request, "demo_site/postbox.html", context)


@demo_tool
@require_safe
def mail_html(request: HttpRequest, name: str) -> HttpResponse:
    """Return a mail's HTML for a frame, under a policy that allows nothing but inline styles and links in new tabs."""
    # The base makes plain links open in a new tab instead of inside the frame.
    html = _part(name, "text/html").replace("<head>", '<head><base target="_blank">', 1)
    headers = {"Content-Security-Policy": LETTER_POLICY, "X-Frame-Options": "SAMEORIGIN"}
    return HttpResponse(html, headers=headers)


@demo_tool
@require_safe
def calendar(request: HttpRequest, name: str) -> HttpResponse:
    """Return a mail's calendar file as a download."""
    headers = {"Content-Disposition": 'attachment; filename="booking.ics"'}
    return HttpResponse(_part(name, "text/calendar"), content_type="text/calendar; charset=utf-8", headers=headers)


def _folder() -> Path:
    """Return the folder of mails. Raises Http404 if the demo has a real account."""
    folder = getattr(settings, "SANDBOX_MAIL", None)
    if not isinstance(folder, Path):
        raise Http404
    return folder


def _names() -> list[str]:
    return sorted((file.stem for file in _folder().glob("*.eml") if _NAME.fullmatch(file.stem)), reverse=True)


def _message(name: str) -> EmailMessage:
    """Read and parse a mail. Raises Http404 if `name` isn't the name of one."""
    # Also keeps the path inside the folder: the name comes from the URL.
    if not _NAME.fullmatch(name):
        raise Http404
    try:
        content = (_folder() / f"{name}.eml").read_bytes()
    except FileNotFoundError:
        raise Http404 from None
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)  # noqa: S101 (the policy makes it one)
    return message


def _part(name: str, kind: str) -> str:
    """Return the text of a mail's first part of this content type. Raises Http404 if there is none."""
    for part in _message(name).walk():
        if part.get_content_type() == kind and isinstance(part, EmailMessage):
            return str(part.get_content())
    raise Http404


def _opened(name: str) -> dict[str, Any]:
    """Return all that the page shows of a mail, or of a message with its length as phone companies count it."""
    # A file ends with a line break, which wasn't sent.
    shown, text = _shown(name), _part(name, "text/plain").rstrip("\n")
    length = gsm_length(text)
    return {
        **shown,
        "text": text,
        "has_calendar": any(part.get_content_type() == "text/calendar" for part in _message(name).walk()),
        # Mail to staff is plain text.
        "is_plain": not any(part.get_content_type() == "text/html" for part in _message(name).walk()),
        "length": utf16_length(text) if length is None else length,
        "single": 70 if length is None else 160,
        "parts": count_messages(text),
    }


def _shown(name: str) -> dict[str, Any]:
    message = _message(name)
    sent: datetime | None = parsedate_to_datetime(str(message["Date"])) if message["Date"] else None
    texts = {header.lower(): str(message[header] or "").strip() for header in ("Subject", "From", "To")}
    return {"name": name, "sent": sent, "is_message": "@" not in texts["to"], **texts}
