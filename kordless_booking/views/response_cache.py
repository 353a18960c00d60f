"""In-process cache of whole responses that are the same for every visitor.

A request with the same cache key gets the stored response while all of these hold:

- the cached upstream data that the page was made from is still current. This is checked again only after the account's
  LOCAL_CACHE_SECONDS;
- the minute in which it was made is not over, because slots pass and a page shows the time of day;
- this process has invalidated nothing of the account since;
- the engine would still use the same templates.

Only pages made of package templates, without the request, are stored (`WidgetRequest.shareable`). A page whose query
names a thank-you page is stored for nobody: any link can name another one, and whether it may depends on the host.
"""

from __future__ import annotations

import os
import time
from collections.abc import ItemsView, Iterator
from dataclasses import dataclass
from hashlib import sha1
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import ResponseHeaders
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language

from kordless_booking import hooks
from kordless_booking.booking.choices import QUERY_NAMES
from kordless_booking.booking.requested_days import REQUESTED_DAYS_NAMES
from kordless_booking.setting_changes import on_setting_change
from kordless_booking.views.compression import Compressed, choose_coding, site_compresses
from kordless_booking.views.listed_page import shows_listed
from kordless_booking.views.package_templates import templates_to_watch
from kordless_booking.views.request import is_for_frame

if TYPE_CHECKING:
    from kordless_booking.funnel.page_views import PageView
    from kordless_booking.upstream.request_view import ReadSnapshot
    from kordless_booking.views.base_template import BaseTemplate
    from kordless_booking.views.package_templates import PackageTemplates
    from kordless_booking.views.rendering import PageResponse
    from kordless_booking.views.request import WidgetRequest

MAX_RESPONSES: Final = 512
"""Responses in this process. For a new one, that is dropped which was served least often, and of several the oldest: a
query can have any color, search or time, and pages that one visitor makes up are not to drop those of everybody."""
MAX_BYTES: Final = 32 * 1024 * 1024
"""Bytes of all responses in this process. A list of 300 services with long descriptions has 1.6 MB, and each language
and each color of a host page is another key for it."""
READ_NAMES: Final = frozenset({*QUERY_NAMES, *REQUESTED_DAYS_NAMES, "from", "later", "near", "q", "taken"})
"""Query names that a shared page reads. A page repeats no other name in a link or form, so all others (`utm_source`,
`gclid`, `fbclid`) are no part of the key. The script reads the campaign's from the address (campaign-parameters.js)."""
_RECORD_BYTES: Final = 4096
"""Charged for headers, and for what the response is validated against."""
CacheKey = tuple[str | None, ...]
"""Cache key."""
# Everything that decides on layout, swap target and language of a page.
# From META: `request.headers`, and with it HtmxDetails, would take a good part of what a remembered page costs.
_HEADERS: Final = ("HTTP_HX_REQUEST", "HTTP_HX_TARGET", "HTTP_HX_HISTORY_RESTORE_REQUEST", "HTTP_ACCEPT_LANGUAGE")


class StoredPage(NamedTuple):
    """Response as it is served, and what belongs to it."""

    response: HttpResponse
    page_view: PageView | None
    base: BaseTemplate | None
    """Template of the site's that goes around the content."""
    is_overdue: bool
    """A part of what a prefetched page was made from should have been refreshed by now."""


@dataclass(slots=True)
class _StoredResponse:
    """Stored response, with what it must be validated against."""

    body: Compressed
    """The content, and what of it clients have asked for compressed."""
    headers: dict[str, tuple[str, str]]
    """Names and values, by the lowercase name, as Django stores them."""
    templates: tuple[PackageTemplates, ...]
    read: ReadSnapshot
    minute: int
    """Minute of the clock time that the page shows, since the Unix epoch."""
    seconds: float
    """LOCAL_CACHE_SECONDS of the account."""
    until: float
    """Monotonic time until which `read` is not checked again."""
    key_bytes: int
    """Length of its key: headers and query are a client's, and may be longer than the page."""
    page_view: PageView | None
    """Page view that the funnel counts each time that the response is served."""
    base: BaseTemplate | None
    """Template of the site's that goes around the content, for each request anew."""
    times_served: int = 0
    """Within its minute. Two threads may count as one."""
    charged: int = 0
    """Its size when it was inserted."""

    @property
    def size(self) -> int:
        """Bytes of the body in all of its forms, and of what belongs to it."""
        return self.body.size + self.key_bytes + _RECORD_BYTES


_responses: dict[CacheKey, _StoredResponse] = {}
_used = 0
"""Bytes that they are charged with."""
_newest_minute = 0
_guard = Lock()


def cache_key(request: HttpRequest) -> CacheKey:
    """Return the cache key: all that a shared page depends on. Call it before the widget activates a language."""
    match, meta = request.resolver_match, request.META
    return (
        # Both paths: their difference is the script prefix, which every link on the page contains.
        request.path,
        request.path_info,
        _read_query(meta.get("QUERY_STRING", "")),
        match.namespace if match else None,
        # Middleware may choose a URL configuration for each request, and activate a language.
        getattr(request, "urlconf", None),
        get_language(),
        # An open page that was made without the service's settings gets one of its own kind.
        "listed" if shows_listed(request) else None,
        # With BASE_TEMPLATE, a frame's page is another one.
        "frame" if is_for_frame(request) else None,
        *[meta.get(name) for name in _HEADERS],
    )


def _read_query(query: str) -> str:
    """Return the query without the names that no shared page reads."""
    if not query:
        return ""
    # An escaped name is the name that Django reads.
    return "&".join(
        [
            pair
            for pair in query.split("&")
            if (name := pair.partition("=")[0]) in READ_NAMES
            or ("%" in name and (name := unquote(name)) in READ_NAMES)
            or (hooks.page_queries and name in hooks.page_queries)
        ]
    )


def get(key: CacheKey, *, is_prefetch: bool = False, accepted_encodings: str = "") -> StoredPage | None:
    """Return the stored response, and what belongs to it, while it is current, else None.

    For a prefetch, nothing is refreshed in the background either, so that it costs Kordless no request.
    `accepted_encodings` is the request's Accept-Encoding: where the site compresses what it sends, the response is
    compressed once, not for each request.
    """
    stored = _responses.get(key)
    if stored is None or stored.minute != _minute(time.time()) or stored.read.is_invalidated:
        return None
    for package in stored.templates:
        if not package.is_current():
            return None
    now = time.monotonic()
    if now >= stored.until:
        if not stored.read.is_current(refresh=not is_prefetch):
            return None
        # A prefetch has refreshed nothing, so it must not put off the check that would.
        if not is_prefetch:
            stored.until = now + stored.seconds
    stored.times_served += 1
    # A new object for each request, because middleware may change it.
    coding = choose_coding(accepted_encodings) if stored.base is None and site_compresses() else ""
    if coding:
        response = _respond(_compress(key, stored, coding), stored)
        response["Content-Encoding"] = coding
        patch_vary_headers(response, ["Accept-Encoding"])
    else:
        response = _respond(stored.body.plain, stored)
    # As `set_security_headers` does.
    if stored.base is None:
        response.xframe_options_exempt = True
    # For others the check above has begun the refresh.
    is_overdue = is_prefetch and stored.read.is_overdue(time.time())
    return StoredPage(response, stored.page_view, stored.base, is_overdue)


class _StoredHeaders(ResponseHeaders):
    """Headers of a stored response. Past the checks and conversions, which each has passed when the page was made."""

    def __init__(self, headers: dict[str, tuple[str, str]]) -> None:
        self._store = headers.copy()

    def items(self) -> ItemsView[str, str]:
        """Return names and values. Django's own asks for each header three times, when the response is sent."""
        return _StoredItems(self)


class _StoredItems(ItemsView[str, str]):
    _mapping: _StoredHeaders

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._mapping._store.values())


def _respond(body: bytes, stored: _StoredResponse) -> HttpResponse:
    # Any type will do: what the page was made with replaces it, and Django's default is looked up in the settings.
    response = HttpResponse(body, content_type="text/html")
    response.headers = _StoredHeaders(stored.headers)
    return response


def store(key: CacheKey, visit: WidgetRequest, response: PageResponse) -> None:
    """Store the response if it is the same for many visitors: a 200 from package templates, without `thanks`.

    It gets an ETag, and with PUBLIC_CACHE_SECONDS a CDN may store it too.
    """
    if response.status_code != 200 or settings.DEBUG or not response.is_shareable:
        return
    # In any spelling, and whether or not it is followed: one that this host refuses may be another host's own.
    # Metadata is of one visitor's page, and would take the place of a page that others need.
    if "thanks" in visit.query or "meta" in visit.query:
        return
    if response.base is None:
        # Weak, because it is the same packed and plain.
        # A page from a skeleton has its digest already, for which it took less than all of its bytes.
        digest = response.digest or sha1(response.content, usedforsecurity=False).hexdigest()
        response["ETag"] = f'W/"{digest[:16]}"'
        if visit.account.public_cache_seconds:
            _let_cdn_store(response, visit.account.public_cache_seconds)
    now, seconds = time.monotonic(), visit.account.local_cache_seconds
    stored = _StoredResponse(
        # Not the highest level: most pages are of one minute.
        body=Compressed(response.content, level=6),
        headers=dict(response.headers._store),
        templates=templates_to_watch(response.package_templates),
        read=visit.access.reads.snapshot(),
        # Of the time at which the request began: a minute that has passed since makes the page outdated.
        minute=_minute(visit.now.timestamp()),
        seconds=seconds,
        until=now + seconds,
        key_bytes=sum(len(part) for part in key if part),
        page_view=response.page_view,
        base=response.base,
    )
    _insert(key, stored)


def _let_cdn_store(response: HttpResponse, seconds: int) -> None:
    """Let shared caches serve a page for everybody. Browsers ask anew, so that a press shows what is free now."""
    response["Cache-Control"] = f"public, max-age=0, s-maxage={seconds}"
    # What else decides on the response: a watching page gets a 204, a prefetched one is marked.
    patch_vary_headers(response, ["HX-History-Restore-Request", "KB-Seen", "KB-Ahead", "KB-Taken"])


def _insert(key: CacheKey, stored: _StoredResponse) -> None:
    global _used, _newest_minute  # noqa: PLW0603 (summed up anew, they would cost more than all the rest of this)
    with _guard:
        if not _responses:
            _used, _newest_minute = 0, stored.minute
        # Removed first, so that a replaced response becomes the newest in the dict's order.
        _drop(key)
        if stored.minute > _newest_minute:
            # Of a minute that is over, none is served again.
            for outdated in [each for each, other in _responses.items() if other.minute < stored.minute]:
                _drop(outdated)
            _newest_minute = stored.minute
        size = stored.size
        while _responses and (len(_responses) >= MAX_RESPONSES or _used + size > MAX_BYTES):
            _drop(_find_least_served())
        if size <= MAX_BYTES:
            stored.charged = size
            _responses[key] = stored
            _used += size


def _drop(key: CacheKey) -> None:
    global _used  # noqa: PLW0603 (as above)
    dropped = _responses.pop(key, None)
    if dropped is not None:
        _used -= dropped.charged


def _find_least_served() -> CacheKey:
    """Return the key of the response that was served least often, and of several the oldest."""
    for key, stored in _responses.items():
        # Most are served once and never again, so the oldest of those is found at once.
        if not stored.times_served:
            return key
    return min(_responses, key=lambda each: _responses[each].times_served)


def _compress(key: CacheKey, stored: _StoredResponse, coding: str) -> bytes:
    before = stored.body.size
    # No random bytes against BREACH, as GZipMiddleware adds: what is the same for everybody holds no secret to guess.
    compressed = stored.body.encode(coding)
    # Inserted again, with its new size, unless a newer response has taken its place meanwhile.
    if stored.body.size != before and _responses.get(key) is stored:
        _insert(key, stored)
    return compressed


def _minute(seconds: float) -> int:
    return int(seconds // 60)


# A child's services are new after a fork, so nothing it invalidates would reach the snapshots of its parent.
os.register_at_fork(after_in_child=_responses.clear)


def _clear() -> None:
    with _guard:
        _responses.clear()


on_setting_change(None, _clear)
