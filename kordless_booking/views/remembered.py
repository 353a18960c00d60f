"""Pages that need not be made again.

Two layers, both in this process and both bounded: the very same request gets the very same answer for a second; and
a page that somebody with the same choices has asked for is given again for as long as what it was made from is
unchanged, and the minute it was made in lasts: times pass, and a page says how late it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language

from kordless_booking.catalog.reading import changes

if TYPE_CHECKING:
    from kordless_booking.catalog.reading import Reading
    from kordless_booking.views.visit import Visit

__all__ = ["given_before", "remember_answer", "remembered_page"]

MOST: Final = 512
_answers: dict[tuple[str | None, ...], tuple[float, int, HttpResponse]] = {}
_pages: dict[tuple[str, ...], tuple[Reading, bytes]] = {}


def given_before(request: HttpRequest) -> HttpResponse | None:
    """The answer that the same request got less than a second ago."""
    found = _answers.get(_asked(request))
    if found is None:
        return None
    until, forgotten, response = found
    return _copy(response) if 0 < until - time.time() <= 1 and forgotten == changes() else None


def remember_answer(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    """Keep a page that is the same for everybody who asks for it in the same words."""
    if seconds <= 0 or response.status_code != 200 or settings.DEBUG:
        return
    if len(_answers) >= MOST:
        _answers.clear()
    _answers[_asked(request)] = (time.time() + min(seconds, 1), changes(), _copy(response))


def remembered_page(visit: Visit, make: Callable[[], HttpResponse]) -> HttpResponse:
    """The page as it was made for somebody else, or made now."""
    request = visit.request
    if settings.DEBUG or visit.kept or "taken" in request.GET:
        return make()
    minute = datetime.now(UTC).strftime("%H:%M")
    key = (visit.namespace, request.get_full_path(), visit.stage, str(visit.fragment), visit.language, minute)
    found = _pages.get(key)
    if found is not None and found[0].unchanged():
        return HttpResponse(found[1])
    response = make()
    if response.status_code == 200:
        if len(_pages) >= MOST:
            _pages.clear()
        _pages[key] = (visit.catalog, response.content)
    return response


def _asked(request: HttpRequest) -> tuple[str | None, ...]:
    headers = request.headers
    return (
        request.get_full_path(),
        request.resolver_match.namespace if request.resolver_match else None,
        headers.get("HX-Request"),
        headers.get("HX-Target"),
        headers.get("HX-History-Restore-Request"),
        headers.get("Accept-Language"),
        get_language(),
    )


def _copy(response: HttpResponse) -> HttpResponse:
    """Middleware may write on a response, so each request gets one of its own."""
    again = HttpResponse(response.content)
    for name, value in response.headers.items():
        again.headers[name] = value
    again.xframe_options_exempt = True
    return again


@receiver(setting_changed)
def _forget(**_kwargs: object) -> None:
    _answers.clear()
    _pages.clear()
