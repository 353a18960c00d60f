"""Health checks for load balancers and monitors. Neither sends anything to Kordless nor reveals anything about anybody.

`health/` is for a load balancer: can this process give visitors a page? It touches neither database nor cache. Cached
pages are served without them, so an outage of theirs must not take every process out of service at once.

`health/booking/` is for a monitor: could a booking be recorded and sent as well? An outage of Kordless does not count
as a failure. It is reported beside the status, and is no reason to take visitors away from a page that explains it.
"""

from __future__ import annotations

from typing import Final

from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseTrouble
from django.db import router, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from kordless_booking import conf
from kordless_booking.forwarding import has_untrusted_proxy
from kordless_booking.models import BookingAttempt
from kordless_booking.upstream.keys import cache_key
from kordless_booking.upstream.registry import AccountServices, services_for
from kordless_booking.urlconf import account_for
from kordless_booking.views.retry_after import set_retry_after

_METHODS: Final = "GET, HEAD, OPTIONS"
DOCTOR_HEADER: Final = "KB-Doctor"
"""Request header with a signed time, by which the doctor proves that it belongs to the site."""
PROXY_HEADER: Final = "KB-Proxy"
"""Response header for the doctor alone: others need not know whose word the site takes for an address."""
_DOCTOR_SALT: Final = "kordless_booking.doctor"
_DOCTOR_SECONDS: Final = 300
"""Seconds for which the doctor's signature is valid."""


@csrf_exempt
@login_not_required
@transaction.non_atomic_requests
def health(request: HttpRequest) -> HttpResponse:
    """Answer 200 while pages can be served, 503 when the settings are unusable."""
    if refused := _method_not_allowed(request):
        return refused
    account = _account(request)
    response = _json_response({} if account else {"settings": "unusable"})
    if account and _is_doctor(request) and has_untrusted_proxy(request, account.trusted_proxies):
        response[PROXY_HEADER] = "untrusted"
    return response


@csrf_exempt
@login_not_required
@transaction.non_atomic_requests
def booking(request: HttpRequest) -> HttpResponse:
    """Answer 503 also when the database can't be reached: then nothing is sent, and a visitor's booking has to wait.

    `cache` is "down" while each process uses its own memory; `kordless` is "circuit_open" while a circuit is open, and
    `circuits` then names the open ones.
    """
    if refused := _method_not_allowed(request):
        return refused
    account = _account(request)
    if account is None:
        return _json_response({"settings": "unusable"})
    reached = services_for(account)
    trouble = {} if _database_answers() else {"database": "down"}
    cache = "ok" if _cache_answers(reached) else "down"
    if circuits := reached.gate.open_circuits():
        return _json_response(trouble, cache=cache, kordless="circuit_open", circuits=" ".join(circuits))
    return _json_response(trouble, cache=cache, kordless="ok")


def sign_for_doctor() -> str:
    """Return a value of DOCTOR_HEADER."""
    return signing.TimestampSigner(salt=_DOCTOR_SALT).sign("doctor")


def _is_doctor(request: HttpRequest) -> bool:
    signed = request.headers.get(DOCTOR_HEADER)
    if not signed:
        return False
    try:
        signing.TimestampSigner(salt=_DOCTOR_SALT).unsign(signed, max_age=_DOCTOR_SECONDS)
    except signing.BadSignature:
        return False
    return True


def _account(request: HttpRequest) -> conf.Account | None:
    try:
        return account_for(request)
    except ImproperlyConfigured:
        return None


def _database_answers() -> bool:
    try:
        # The database that is written to: a replica that can be read records no booking.
        BookingAttempt.objects.using(router.db_for_write(BookingAttempt)).exists()
    except (DatabaseTrouble, ImproperlyConfigured):
        return False
    return True


def _cache_answers(reached: AccountServices) -> bool:
    """Return True when the cache answers.

    While the cache is known to be down, it is tried only once in a few seconds, however often this is called.
    """
    reached.cache.get(cache_key("", "health"))
    return reached.cache.up


def _json_response(trouble: dict[str, str], **beside: str) -> HttpResponse:
    status = 503 if trouble else 200
    response = JsonResponse({"status": "failing" if trouble else "ok", **trouble, **beside}, status=status)
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    if trouble:
        set_retry_after(response)
    # Called every few seconds: the monitor gets the answer, so Django need not log each 503 as well.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _method_not_allowed(request: HttpRequest) -> HttpResponse | None:
    """Return the response to any method but GET and HEAD; None for these."""
    if request.method in {"GET", "HEAD"}:
        return None
    return HttpResponse(status=204 if request.method == "OPTIONS" else 405, headers={"Allow": _METHODS})
