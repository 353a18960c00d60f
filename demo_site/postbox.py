"""The sandbox's post: what the site writes to its customers lies in a folder, and can be read at /mail/.

Only there while the demo runs on the sandbox, and only for somebody at this machine or for staff: each letter has the
link that cancels its booking.
"""

from __future__ import annotations

import email
import email.policy
import re
import time
from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from demo_site.local import demo_tool

__all__ = ["Folder", "calendar", "letter", "postbox"]

KEPT: Final = 50
"""So many letters are kept."""
_NAME: Final = re.compile(r"[0-9]{10,20}-[0-9]{1,4}")
LETTER_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'self'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)


class Folder(BaseEmailBackend):
    """A mail backend that puts each mail into a file of its own."""

    def send_messages(self, email_messages: Sequence[mail.EmailMessage]) -> int:
        """How many there were: all of them arrive."""
        folder = _folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)  # it may be there from an earlier version: no other user of this machine reads letters
        for number, message in enumerate(email_messages):
            (folder / f"{time.time_ns()}-{number}.eml").write_bytes(message.message().as_bytes())
        for old in sorted(folder.glob("*.eml"), reverse=True)[KEPT:]:
            old.unlink(missing_ok=True)
        return len(email_messages)


@demo_tool
@require_safe
def postbox(request: HttpRequest) -> HttpResponse:
    """All letters, newest first, and the chosen one beside them."""
    names = _names()
    chosen = request.GET.get("letter", "")
    chosen = chosen if chosen in names else next(iter(names), "")
    context = {
        "letters": [_shown(name) for name in names],
        "chosen": {**_shown(chosen), "text": _part(chosen, "text/plain")} if chosen else None,
    }
    return render(request, "demo_site/postbox.html", context)


@demo_tool
@require_safe
def letter(request: HttpRequest, name: str) -> HttpResponse:
    """A letter's HTML, without any right but to be looked at; its links open beside it."""
    html = _part(name, "text/html").replace("<head>", '<head><base target="_blank">', 1)
    headers = {"Content-Security-Policy": LETTER_POLICY, "X-Frame-Options": "SAMEORIGIN"}
    return HttpResponse(html, headers=headers)


@demo_tool
@require_safe
def calendar(request: HttpRequest, name: str) -> HttpResponse:
    """A letter's calendar file."""
    headers = {"Content-Disposition": 'attachment; filename="booking.ics"'}
    return HttpResponse(_part(name, "text/calendar"), content_type="text/calendar; charset=utf-8", headers=headers)


def _folder() -> Path:
    """Raises Http404 where the demo has a real account."""
    folder = getattr(settings, "SANDBOX_MAIL", None)
    if not isinstance(folder, Path):
        raise Http404
    return folder


def _names() -> list[str]:
    return sorted((file.stem for file in _folder().glob("*.eml") if _NAME.fullmatch(file.stem)), reverse=True)


def _message(name: str) -> EmailMessage:
    """Raises Http404 for anything that is no letter of ours."""
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
    """Raises Http404 where the letter has no such part."""
    for part in _message(name).walk():
        if part.get_content_type() == kind and isinstance(part, EmailMessage):
            return str(part.get_content())
    raise Http404


def _shown(name: str) -> dict[str, Any]:
    message = _message(name)
    sent: datetime | None = parsedate_to_datetime(str(message["Date"])) if message["Date"] else None
    texts = {header.lower(): str(message[header] or "").strip() for header in ("Subject", "From", "To")}
    return {"name": name, "sent": sent, **texts}
