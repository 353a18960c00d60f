"""Decorator of the API's views, and its responses: documents, and problems as RFC 9457 has them.

The order of a request's steps, from the outside in::

    request id → method, OPTIONS → account → throttle → view → headers → 304 where the caller has it already
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import wraps
from hashlib import sha256
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables

from kordless_booking import exceptions
from kordless_booking.booking.choices import Choices
from kordless_booking.contrib.json_api.plugin import READS_SETTING
from kordless_booking.logs import error_location, log_event
from kordless_booking.presentation.locales import default_language
from kordless_booking.upstream.registry import services_for
from kordless_booking.views.client_address import Bucket, client_buckets
from kordless_booking.views.program_reads import absolute, plain_links
from kordless_booking.views.request import WidgetRequest, request_id_context, request_id_of
from kordless_booking.views.retry_after import RETRY_SECONDS, set_retry_after
from kordless_booking.views.throttle import PermitKeys, take_use

log = logging.getLogger("kordless_booking.views")

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponse)
ApiView = Callable[Concatenate[WidgetRequest, P], HttpResponse]
JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
PROBLEM_TYPE: Final = "urn:kordless-booking:problem:"
"""Beginning of the `type` of each problem."""
_EXPOSED: Final = "ETag, Last-Modified, Link, Retry-After, X-Request-ID"


@dataclass(eq=False)
class ApiProblem(Exception):
    """Problem, as an exception that a view raises."""

    status: int
    kind: str
    """End of its `type`, which programs compare."""
    title: str
    detail: str = ""
    errors: Iterable[tuple[str, str]] = ()
    """Pairs of a JSON pointer or the name of a parameter, and what is wrong there."""
    retry_after: int | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further members."""
    headers: Mapping[str, str] = field(default_factory=dict)


def not_found(detail: str) -> ApiProblem:
    return ApiProblem(404, "not-found", "Not found", detail)


def api_view(
    *methods: str, is_public: bool, limits_reads: bool = False
) -> Callable[[ApiView[P]], Callable[..., HttpResponse]]:
    """Return a decorator for a view of a WidgetRequest, without choices but the language in the query.

    HEAD is allowed where GET is, OPTIONS always. `is_public`: pages of any origin may read the answers (CORS).
    `limits_reads` counts the request against API_READS_PER_ADDRESS.
    """
    allowed = ", ".join(dict.fromkeys([*methods, *(["HEAD"] if "GET" in methods else []), "OPTIONS"]))

    def decorate(view: ApiView[P]) -> Callable[..., HttpResponse]:
        @wraps(view)
        @sensitive_variables()
        def wrapper(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            with request_id_context(request):
                response = _answer(request, view, methods, allowed, limits_reads, *args, **kwargs)
            if request.method == "OPTIONS" or response.status_code == 405:
                response["Allow"] = allowed
            if is_public:
                response["Access-Control-Allow-Origin"] = "*"
                response["Access-Control-Expose-Headers"] = _EXPOSED
                if request.method == "OPTIONS":
                    response["Access-Control-Allow-Methods"] = allowed
                    response["Access-Control-Allow-Headers"] = "If-None-Match, X-Request-ID"
                    response["Access-Control-Max-Age"] = "86400"
            return _finish(request, response)

        exempt: Callable[..., HttpResponse] = wrapper
        for decorator in (transaction.non_atomic_requests, login_not_required, csrf_exempt):
            exempt = decorator(exempt)
        return exempt

    return decorate


def _answer(
    request: HttpRequest,
    view: ApiView[P],
    methods: tuple[str, ...],
    allowed: str,
    limits_reads: bool,
    *args: P.args,
    **kwargs: P.kwargs,
) -> HttpResponse:
    if request.method == "OPTIONS":
        return HttpResponse(status=204)
    if ("GET" if request.method == "HEAD" else request.method) not in methods:
        return build_problem(ApiProblem(405, "method-not-allowed", "Method not allowed", f"Allowed here: {allowed}."))
    try:
        visit = WidgetRequest.from_http(request)
    except ImproperlyConfigured as error:
        log_event(log, logging.ERROR, "not_configured", reason=str(error))
        return build_problem(unavailable("Online booking isn't set up yet."))
    if not visit.is_readable:
        return build_problem(ApiProblem(400, "unreadable", "Unreadable request", "The query isn't UTF-8."))
    # By the query alone, and never by the browser's language: a cache on the way keeps one answer for all.
    lang = visit.choices.lang
    visit = replace(visit, choices=Choices(lang=lang), language=lang or default_language())
    try:
        if limits_reads:
            _limit_reads(visit)
        with translation.override(visit.language):
            return view(visit, *args, **kwargs)
    except ApiProblem as problem:
        return build_problem(problem)
    except exceptions.KordlessError as error:
        return build_problem(from_api_error(visit, error))
    except DatabaseError:
        log_event(log, logging.ERROR, "database_failed", status=503, account=visit.account.name)
        return build_problem(unavailable("The site's database can't be reached."))
    except SuspiciousOperation:
        return build_problem(ApiProblem(400, "unreadable", "Unreadable request", "The request can't be read."))
    except Exception as error:
        # The developer wants to see Django's error page.
        if settings.DEBUG:
            raise
        got_request_exception.send(sender=None, request=request)
        location = error_location(error)
        log_event(log, logging.ERROR, "unhandled_exception", status=500, account=visit.account.name, **location)
        return build_problem(ApiProblem(500, "server-error", "Server error", "That was a mistake of this site."))


def _finish(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("X-Robots-Tag", "noindex")
    response["X-Content-Type-Options"] = "nosniff"
    response["Referrer-Policy"] = "no-referrer"
    # A document of ours, opened in a browser, loads nothing and is framed by nobody.
    response["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    response["X-Request-ID"] = request_id_of(request)
    # What had to be logged was. Django's line would have the path, and with it the token of an attempt.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _limit_reads(visit: WidgetRequest) -> None:
    """Count a read of the client address. Raises ApiProblem (429)."""
    limit = visit.account.extension_setting(READS_SETTING)
    buckets = client_buckets(visit.request, visit.account.trusted_proxies)
    take_api_use(visit, "api_read", buckets, limit=limit, seconds=60)


def take_api_use(visit: WidgetRequest, scope: str, buckets: Iterable[Bucket], *, limit: int, seconds: int) -> None:
    """Count a use in each bucket. Raises ApiProblem (429) when one is full; `limit` 0 is none."""
    if not limit:
        return
    keys = [PermitKeys.build(f"{visit.account.name}\0{scope}", bucket, limit) for bucket in buckets]
    cache = visit.access.cache.throttle_view()
    use = take_use(cache, keys, seconds=seconds, now=visit.now.timestamp())
    if use.seconds:
        level = services_for(visit.account).log_throttle.level_for("throttled", logging.WARNING)
        log_event(log, level, "throttled", scope=scope, seconds=use.seconds)
        raise too_many(use.seconds)


def too_many(seconds: int) -> ApiProblem:
    """Build the 429 of a limit that ends in `seconds`."""
    return ApiProblem(
        429, "too-many-requests", "Too many requests", f"Try again in {seconds} seconds.", retry_after=seconds
    )


def unavailable(detail: str, retry_after: int | None = None) -> ApiProblem:
    """Build the 503 for an outage."""
    return ApiProblem(503, "unavailable", "Temporarily unavailable", detail, retry_after=retry_after or RETRY_SECONDS)


def from_api_error(visit: WidgetRequest, error: exceptions.KordlessError) -> ApiProblem:
    """Log an error of the Kordless client in a read, and return its problem."""
    if isinstance(error, exceptions.NotFound):
        return not_found("There is no such service, or it can't be booked online.")
    fields = {"operation": error.operation, "reason": error.reason, "upstream": error.status or "-"}
    level = services_for(visit.account).log_throttle.level_for("api_read_failed", logging.WARNING)
    log_event(log, level, "api_read_failed", status=503, account=visit.account.name, **fields)
    if isinstance(error, exceptions.TooMany):
        return unavailable("Many people are booking right now, and they go first.", error.retry_after)
    return unavailable("The booking system can't be reached right now.", error.retry_after)


def build_problem(problem: ApiProblem) -> HttpResponse:
    """Return the response for a problem."""
    errors = [{"pointer" if place[:1] == "/" else "parameter": place, "detail": text} for place, text in problem.errors]
    document = {
        "type": PROBLEM_TYPE + problem.kind,
        "title": problem.title,
        "status": problem.status,
        **({"detail": problem.detail} if problem.detail else {}),
        **({"errors": errors} if errors else {}),
        **problem.more,
    }
    response = HttpResponse(
        dump_json(document), status=problem.status, content_type=PROBLEM, headers=dict(problem.headers)
    )
    return set_retry_after(response, problem.retry_after) if problem.retry_after else response


def build_document(
    visit: WidgetRequest, document: Mapping[str, Any], *, seconds: int, fetched_at: datetime | None = None
) -> HttpResponse:
    """Return a public document, or a 304 to a caller who has it already.

    `seconds` is how long a cache may keep it, `fetched_at` when Kordless was asked.
    """
    response = build_text(visit, dump_json(document), content_type=JSON, seconds=seconds, fetched_at=fetched_at)
    url = absolute(visit, plain_links(visit).url("api-openapi", choices=Choices()))
    response["Link"] = f'<{url}>; rel="service-desc"; type="{JSON}"'
    return response


def build_text(
    visit: WidgetRequest,
    text: str,
    *,
    content_type: str,
    seconds: int,
    fetched_at: datetime | None = None,
    is_indexed: bool = False,
) -> HttpResponse:
    """Return a public text, or a 304 to a caller who has it already. `is_indexed`: search engines may list it."""
    etag = f'"{sha256(text.encode()).hexdigest()[:32]}"'
    response: HttpResponse = HttpResponse(text, content_type=content_type)
    response["ETag"] = etag
    response["Cache-Control"] = f"public, max-age={seconds}"
    if is_indexed:
        response["X-Robots-Tag"] = "index, follow"
    if fetched_at is not None:
        response["Last-Modified"] = http_date(fetched_at.astimezone(UTC).timestamp())
    # Not by the date: within a second, two answers may differ.
    found = get_conditional_response(visit.request, etag=etag, response=response)
    return found or response


def dump_json(document: Mapping[str, Any]) -> str:
    """Return a document as compact JSON."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
