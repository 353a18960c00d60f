"""Answers that need not be made again.

Who asks in the same words as somebody before is given the same answer, for as long as what it was made from would be
read just so again, and the minute it was made in lasts: times pass, and a page says how late it is. For as long as the
account's MEMORY_SECONDS not even that is looked up.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language

from kordless_booking.catalog.reading import changes
from kordless_booking.views.package_templates import to_be_watched

if TYPE_CHECKING:
    from kordless_booking.catalog.reading import AsRead
    from kordless_booking.counts.looks import Look
    from kordless_booking.views.package_templates import PackageTemplates
    from kordless_booking.views.visit import Visit

__all__ = ["Asked", "asked", "given_before", "remember"]

MOST: Final = 512
Asked = tuple[str | None, ...]
_HEADERS: Final = ("HTTP_HX_REQUEST", "HTTP_HX_TARGET", "HTTP_HX_HISTORY_RESTORE_REQUEST", "HTTP_ACCEPT_LANGUAGE")


@dataclass(slots=True)
class _Answer:
    content: bytes
    headers: dict[str, str]
    templates: tuple[PackageTemplates, ...]
    read: AsRead
    minute: int
    changes: int
    seconds: float
    until: float
    look: Look | None


_answers: dict[Asked, _Answer] = {}
_guard = Lock()


def asked(request: HttpRequest) -> Asked:
    """All that an answer may depend on, as long as nobody has chosen a language for it yet."""
    match, meta = request.resolver_match, request.META
    return (
        # Both: where one ends and the other begins, the site's prefix does, which every link repeats.
        request.path,
        request.path_info,
        meta.get("QUERY_STRING"),
        match.namespace if match else None,
        getattr(request, "urlconf", None),
        get_language(),
        *[meta.get(name) for name in _HEADERS],
    )


def given_before(words: Asked, *, ahead: bool = False) -> tuple[HttpResponse, Look | None] | None:
    """The answer that somebody else got and what it shows, if it still is the right one.

    Asked `ahead` of a visitor's decision it costs Kordless nothing, not even behind the scenes.
    """
    answer = _answers.get(words)
    if answer is None or answer.minute != _minute(time.time()) or answer.changes != changes():
        return None
    for package in answer.templates:
        if not package.is_current():
            return None
    now = time.monotonic()
    if now >= answer.until:
        if not answer.read.still(refresh=not ahead):
            return None
        if not ahead:
            answer.until = now + answer.seconds
    # Middleware may write on a response, so each request gets one of its own.
    response = HttpResponse(answer.content, headers=answer.headers)
    response.xframe_options_exempt = True
    return response, answer.look


def remember(words: Asked, visit: Visit, response: HttpResponse) -> None:
    """Keep a page that is the same for everybody: made of package templates without a request, and not one on which
    somebody's own words travel.
    """
    if response.status_code != 200 or visit.kept or settings.DEBUG or not visit.shareable:
        return
    now, seconds = time.monotonic(), visit.account.memory_seconds
    answer = _Answer(
        content=response.content,
        headers=dict(response.items()),
        templates=to_be_watched(visit.package_templates),
        read=visit.reading.as_read(),
        # Of the time that the page shows, and of before it was read: meanwhile a minute or a booking may have passed.
        minute=_minute(visit.now.timestamp()),
        changes=visit.reading.changes_before,
        seconds=seconds,
        until=now + seconds,
        look=visit.look,
    )
    _keep(words, answer)


def _keep(words: Asked, answer: _Answer) -> None:
    with _guard:
        _answers.pop(words, None)
        if len(_answers) >= MOST:
            del _answers[next(iter(_answers))]
        _answers[words] = answer


def _minute(seconds: float) -> int:
    return int(seconds // 60)


@receiver(setting_changed)
def _forget(**_kwargs: object) -> None:
    with _guard:
        _answers.clear()
