"""Two answers for machines that watch the site. Neither asks Kordless anything, nor tells anything about anybody.

`health/` is for a load balancer: whether this process can give visitors a page. It touches neither database nor cache:
what is remembered is shown without them, so their trouble must not take every process out at once.

`health/booking/` is for a monitor: whether a booking could be written down and sent as well. Kordless's own illness
does not count there: it is told beside it, and is no reason to take visitors away from a page that explains it.
"""

from __future__ import annotations

from typing import Final

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseTrouble
from django.db import router, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from kordless_booking import conf
from kordless_booking.catalog.keys import cache_key
from kordless_booking.models import BookingAttempt
from kordless_booking.upstream import Upstream, upstream

__all__ = ["booking", "health"]

_METHODS: Final = "GET, HEAD, OPTIONS"
RETRY_SECONDS: Final = 30


@csrf_exempt
@login_not_required
@transaction.non_atomic_requests
def health(request: HttpRequest) -> HttpResponse:
    """200 while pages can be given, 503 when the settings are unusable."""
    return _not_asked(request) or _said({} if _account(request) else {"settings": "unusable"})


@csrf_exempt
@login_not_required
@transaction.non_atomic_requests
def booking(request: HttpRequest) -> HttpResponse:
    """503 too when the database can't be asked: then nothing is sent, and a visitor's booking has to wait.

    `cache` is "down" while each process goes on alone; `kordless` is "resting" while it is left alone after failures.
    """
    if refused := _not_asked(request):
        return refused
    account = _account(request)
    if account is None:
        return _said({"settings": "unusable"})
    reached = upstream(account)
    trouble = {} if _database_answers() else {"database": "down"}
    cache = "ok" if _cache_answers(reached) else "down"
    return _said(trouble, cache=cache, kordless="resting" if reached.gate.resting() else "ok")


def _account(request: HttpRequest) -> conf.Account | None:
    match = request.resolver_match
    try:
        return conf.account_named((match.namespace if match else "").rpartition(":")[2])
    except ImproperlyConfigured:
        return None


def _database_answers() -> bool:
    try:
        BookingAttempt.objects.using(router.db_for_write(BookingAttempt)).exists()
    except (DatabaseTrouble, ImproperlyConfigured):
        return False
    return True


def _cache_answers(reached: Upstream) -> bool:
    """One look; while the cache is known to be down, it is looked at once in a few seconds."""
    reached.cache.get(cache_key("", "health"))
    return reached.cache.up


def _said(trouble: dict[str, str], **beside: str) -> HttpResponse:
    status = 503 if trouble else 200
    response = JsonResponse({"status": "failing" if trouble else "ok", **trouble, **beside}, status=status)
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    if trouble:
        response["Retry-After"] = str(RETRY_SECONDS)
    # It is asked every few seconds: who asks hears it, and need not be told by the log as well.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _not_asked(request: HttpRequest) -> HttpResponse | None:
    """The answer to any other method than GET and HEAD."""
    if request.method in {"GET", "HEAD"}:
        return None
    return HttpResponse(status=204 if request.method == "OPTIONS" else 405, headers={"Allow": _METHODS})
