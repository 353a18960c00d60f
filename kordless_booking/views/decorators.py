"""View decorator of the widget: `widget_view` turns a function of a WidgetRequest into a Django view.

The view needs no login and no CSRF token; POSTs must be same-origin instead (views/security.py). It runs in the
visitor's language and under a deadline, answers every error with a page, and sets the security headers. The order of
its steps, from the outside in::

    request id → prefetch allowed? → response cache → WidgetRequest → language, deadline → call_view → headers → store
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Concatenate, Final, ParamSpec

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters

from kordless_booking.api.deadline import deadline
from kordless_booking.api.resources import Branding
from kordless_booking.booking.choices import Choices
from kordless_booking.exceptions import KordlessError
from kordless_booking.funnel.page_views import SEEN_HEADER, PageView, count_page_view, counts_when_shown
from kordless_booking.logs import log_event
from kordless_booking.mail import outbox
from kordless_booking.prefetch import is_prefetch, is_report, keep_for_click, prefetch_declined
from kordless_booking.upstream.requester import requested_by
from kordless_booking.upstream.warming import warm_after_view
from kordless_booking.views import problems, security
from kordless_booking.views.base_template import BaseTemplate, render_base
from kordless_booking.views.client_address import build_requester
from kordless_booking.views.listed_page import would_lose_settings
from kordless_booking.views.page import origin_of, safe_image
from kordless_booking.views.rendering import PageResponse
from kordless_booking.views.request import WidgetRequest, request_id_context, request_id_of
from kordless_booking.views.response_cache import cache_key, get, store
from kordless_booking.views.stylesheet import build_look, style_color

log = logging.getLogger("kordless_booking.views")

VERSION_HEADER: Final = "KB-Version"
"""Header with a hash of a page's free times. An open page sends it back as KB-Seen, and gets a 204 while it is
unchanged."""
_POLICY: Final = "Content-Security-Policy"
P = ParamSpec("P")
# Headers that a 204 keeps: all others describe the body.
_HEADERS_WITHOUT_BODY: Final = {
    VERSION_HEADER,
    "Cache-Control",
    "Referrer-Policy",
    "Vary",
    "X-Request-ID",
    "X-Robots-Tag",
}
WidgetView = Callable[Concatenate[WidgetRequest, P], HttpResponse]


def widget_view(
    *methods: str,
    no_store: bool = False,
    shareable: bool = False,
    may_book: bool = False,
    prefetchable: bool = False,
    any_origin: bool = False,
) -> Callable[[WidgetView[P]], Callable[..., HttpResponse]]:
    """Return a decorator for a view that allows `methods`. HEAD is allowed where GET is, OPTIONS always.

    - `no_store`: no cache may store the page.
    - `shareable`: the page is the same for all requests with the same cache key. It is stored in the response cache
      when package templates alone made it.
    - `may_book`: a GET may send a booking, so it gets BOOKING_SECONDS instead of BROWSE_SECONDS.
    - `any_origin`: a POST may come from any page, because it only renders, or because the view checks its origin.
    - `prefetchable`: the page may be prefetched. Others answer a prefetch with an empty 204.
    """

    def decorate(view: WidgetView[P]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            # Mail that this process has queued for later, where its timer can't run.
            outbox.timer.run_if_due()
            with request_id_context(request):
                prefetching = is_prefetch(request)
                if prefetching and not prefetchable:
                    return prefetch_declined()
                key = cache_key(request) if shareable and request.method == "GET" else None
                encodings = request.META.get("HTTP_ACCEPT_ENCODING", "")
                stored = get(key, is_prefetch=prefetching, accepted_encodings=encodings) if key else None
                if stored is not None:
                    response, page_view, base, is_overdue = stored
                    # A prefetched page may never be shown.
                    if page_view is not None and not prefetching:
                        _count_view(request, page_view)
                    response["X-Request-ID"] = request_id_of(request)
                    if prefetching:
                        is_wanted = is_overdue or (page_view is not None and counts_when_shown(request, page_view))
                        keep_for_click(request, response, is_wanted_report=is_wanted)
                    return _finished(request, response, base)
                try:
                    visit = WidgetRequest.from_http(request)
                except ImproperlyConfigured as error:
                    log_event(log, logging.ERROR, "not_configured", reason=str(error))
                    return problems.not_configured(request)
                account = visit.account
                is_write = may_book or request.method == "POST"
                with (
                    translation.override(visit.language),
                    requested_by(build_requester(visit)) as requester,
                    deadline(account.booking_seconds if is_write else account.browse_seconds),
                ):
                    try:
                        if prefetching:
                            response = _answer_prefetch(visit, view, *args, **kwargs)
                        else:
                            response = problems.call_view(visit, methods, any_origin, view, *args, **kwargs)
                    except Exception as error:  # noqa: BLE001 (whatever it is, the visitor gets a page)
                        response = problems.server_error(visit, error)
                    _finish(visit, response, no_store=no_store)
                    is_wanted = prefetching and _is_wanted_report(visit, response)
                    if isinstance(response, PageResponse):
                        if response.page_view is not None and response.status_code == 200 and not prefetching:
                            _count_view(request, response.page_view)
                        # What a limit of this visitor's own made of the page is for nobody else.
                        if key and not requester.was_refused:
                            store(key, visit, response)
                    # After that: what is remembered for everybody may not be kept by anybody.
                    if prefetching:
                        keep_for_click(request, response, is_wanted_report=is_wanted)
                # In the language of the site's own pages, which a link of the widget's may not change.
                return _finished(request, response, response.base if isinstance(response, PageResponse) else None)

        exempt: Callable[..., HttpResponse] = wrapper
        for decorator in (
            # Hides all POST data in Django's error reports.
            sensitive_post_parameters(),
            # An attempt must be committed before it is sent, also when the site sets ATOMIC_REQUESTS.
            transaction.non_atomic_requests,
            login_not_required,
            csrf_exempt,
        ):
            exempt = decorator(exempt)
        return exempt

    return decorate


def _answer_prefetch(visit: WidgetRequest, view: WidgetView[P], *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
    """Answer a prefetch from cached data alone; with an empty 204 when that isn't enough."""
    response = None
    with suppress(KordlessError, problems.Problem, Http404, ImproperlyConfigured):
        response = view(visit, *args, **kwargs)
    if response is None or response.status_code not in {200, 303}:
        return prefetch_declined()
    return response


def _is_wanted_report(visit: WidgetRequest, response: HttpResponse) -> bool:
    """Return whether the script has to report that it shows this page, which was prefetched."""
    if visit.access.reads.is_overdue(visit.now.timestamp()):
        return True
    return isinstance(response, PageResponse) and (
        response.reaches_stage
        or (response.page_view is not None and counts_when_shown(visit.request, response.page_view))
    )


def _count_view(request: HttpRequest, page_view: PageView) -> None:
    """Count a page view; one of a person keeps the cache warm."""
    if count_page_view(request, page_view):
        warm_after_view(page_view.account)


def _finished(request: HttpRequest, response: HttpResponse, base: BaseTemplate | None) -> HttpResponse:
    """Return the response as it is sent: inside the site's template, if it has one, or a 204 for what is shown."""
    sent = _not_modified(request, response)
    if base is not None and sent is response:
        render_base(request, response, base)
    return sent


def _not_modified(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Return a 204 when the page already shows this response, a 304 when the client has it, else the response itself.

    KB-Seen is the version that an open page shows.
    """
    shown_version = request.META.get(SEEN_HEADER)
    if not (is_report(request) or (shown_version and _is_current(shown_version, response.get(VERSION_HEADER, "")))):
        return _confirmed(response) if _has_client(request, response) else response
    headers = {name: value for name, value in response.items() if name in _HEADERS_WITHOUT_BODY}
    # For this visitor's page, also where a CDN may store the page itself.
    headers["Cache-Control"] = (
        security.CACHE_PRIVATE if "public" in headers["Cache-Control"] else headers["Cache-Control"]
    )
    return HttpResponse(status=204, headers=headers)


def _has_client(request: HttpRequest, response: HttpResponse) -> bool:
    """Return True if the client has a stored response that is the same, by its ETag. Only shared pages have one."""
    known = request.META.get("HTTP_IF_NONE_MATCH")
    # Weak comparison, because middleware may have compressed what we sent (RFC 9110, section 13.1.2).
    return known is not None and response.get("ETag", "-") in parse_etags(known)


def _confirmed(response: HttpResponse) -> HttpResponse:
    """Return a 304 with all headers of the response: what the site's middleware added would replace the stored ones."""
    headers = {name: value for name, value in response.items() if not name.startswith("Content-") or name == _POLICY}
    confirmed = HttpResponseNotModified(headers=headers)
    confirmed.xframe_options_exempt = getattr(response, "xframe_options_exempt", False)
    return confirmed


def _is_current(shown_version: str, version: str) -> bool:
    """Return True if an open page of the version `shown_version` stays as it is."""
    return version == shown_version or would_lose_settings(shown_version, version)


def _finish(visit: WidgetRequest, response: HttpResponse, *, no_store: bool) -> None:
    """Set the headers of a response."""
    page = response if isinstance(response, PageResponse) else None
    # A declined prefetch has no content that anybody could use.
    no_store = no_store or response.status_code == 204 or (page is not None and page.no_store)
    cache = security.CACHE_NO_STORE if no_store else security.CACHE_PRIVATE
    branding = visit.organization.branding if visit.organization else Branding()
    image_origin = origin_of(safe_image(branding.logo))
    # A frame shows no icon.
    icon_origin = None if visit.choices.embed else origin_of(safe_image(branding.favicon))
    # By the choices, not the raw query: names that aren't ours don't make a page its own in the response cache.
    # Where search engines may list pages, they need no others to find them.
    followed = cache == security.CACHE_PRIVATE and visit.choices == Choices() and not visit.account.index
    security.set_security_headers(
        response,
        visit.account,
        image_origins=tuple(dict.fromkeys(filter(None, (image_origin, icon_origin)))),
        cache=cache,
        followed=followed,
        indexed=page is not None and page.is_indexable and response.status_code == 200,
        style_source=page.style_source if page is not None else "",
        in_base_template=page is not None and page.base is not None,
    )
    if page is not None and page.used_site_template:
        # A site's template may show who is logged in. Package templates never depend on a cookie.
        patch_vary_headers(response, ["Cookie"])
    if visit.account.base_template:
        # A frame's page is another one.
        patch_vary_headers(response, ["Sec-Fetch-Dest"])
    if visit.fragment and visit.inline and visit.organization and 200 <= response.status_code < 300:
        color = style_color(visit.account, visit.choices, visit.organization)
        look = build_look(visit.links.mount, visit.account, visit.choices, color, "")
        response["KB-Look"] = f"{look.class_name} {look.url}"
    if visit.choices.embed:
        security.set_isolation_headers(response, visit.account, image_origin=image_origin)
    response["Content-Language"] = visit.language
    response["X-Request-ID"] = visit.id
    # We have logged it. Django's line would contain the path, and with it the token of a manage link.
    response._has_been_logged = True  # type: ignore[attr-defined]
