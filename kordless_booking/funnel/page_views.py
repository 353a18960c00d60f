"""Decides, from one request alone, whether a page view counts as a visit or as the opening of a service.

No visitor is recognized. The browser's own headers decide: where the request comes from, whether it is a reload, and
whether it is a prefetch. Robots that say so are left out. Nothing of that is stored.
"""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.conf import settings

from kordless_booking.funnel.counters import count_campaign, count_lost_demand, count_stage
from kordless_booking.funnel.popularity import popularity
from kordless_booking.logs import log_event
from kordless_booking.models import FunnelCount
from kordless_booking.prefetch import is_prefetch, is_report

if TYPE_CHECKING:
    from datetime import date

    from django.http import HttpRequest

log = logging.getLogger("kordless_booking.funnel")

# Also link previews of messengers, and HTTP libraries, whose default User-Agent begins with their name.
_ROBOTS: Final = re.compile(
    r"bot\b|bot[/;_-]|crawl|spider|slurp|scrap|preview|headless|monitor|uptime|pingdom|lighthouse|facebookexternalhit"
    r"|whatsapp|^(?:python|curl|wget|java|go-http|node|axios|okhttp|ruby|perl|php|libwww|apache-http)|httpx|aiohttp",
    re.IGNORECASE,
)
SEEN_HEADER: Final = "HTTP_KB_SEEN"
"""Key in META of `KB-Seen`, the header with the version that an open page shows."""
_NOT_A_VIEW: Final = frozenset({SEEN_HEADER, "HTTP_HX_HISTORY_RESTORE_REQUEST"})
"""Headers of an open page that asks again (our script), or goes back in its history (htmx)."""
_LONGEST_AGENT: Final = 300
"""Characters of the User-Agent that are searched."""
_LONGEST_QUERY: Final = 2000
"""Characters of a query that are searched: far more than the widget's own links have."""
_ELSEWHERE: Final = SplitResult("", "", "", "", "")
_RELOADING: Final = frozenset({"max-age=0", "no-cache"})
"""`Cache-Control` of a reload and of a forced reload."""
_PAGES: Final = frozenset({None, "document", "iframe", "frame"})
"""`Sec-Fetch-Dest` of whole pages. None: an older browser, which doesn't send it."""

ZONE_PAGE: Final = "zone/"
"""Path of the page that changes the time zone, below that of the service's times."""
_WANTED: Final = frozenset({"month", "day", "host", "team", "with", "party"})
"""Names in the query that say which times are wanted. The others say how they are shown."""


class PageView(NamedTuple):
    """View of a page, with what decides whether and as what it counts."""

    account: str
    service: str
    placement: FunnelCount.Placement
    root: str
    """Path of the widget."""
    service_path: str
    """Path of the service's times; empty for the list of services."""
    continues: bool = False
    """The page's query string alone says that the visitor has been in this widget before."""
    empty_month: date | None = None
    """First day of the month in which a time was wanted and none is free; None when there is one."""


def count_page_view(request: HttpRequest, look: PageView, *, arrives: bool = True) -> bool:
    """Count a page that was shown. `arrives=False`: it can't be a visit. Never raises.

    Return True if a person has navigated to it.
    """
    try:
        return _count(request, look, arrives=arrives)
    except Exception as error:  # noqa: BLE001 (a page is worth more than its count)
        log_event(log, logging.ERROR, "count_failed", error=type(error).__name__)
        return False


def count_later_stage(
    request: HttpRequest,
    account: str,
    service: str,
    placement: FunnelCount.Placement,
    stage: FunnelCount.Stage | str,
    source: str = "",
) -> None:
    """Count a stage after the first page; with `source`, for this campaign source as well. Never raises."""
    try:
        # `is_human_navigation` is about GET alone; a form that was sent always counts.
        if request.method == "POST" or is_human_navigation(request):
            count_stage(account, service, placement, stage)
            if source:
                count_campaign(account, service, placement, source)
    except Exception as error:  # noqa: BLE001 (as above)
        log_event(log, logging.ERROR, "count_failed", error=type(error).__name__)


def counts_when_shown(request: HttpRequest, look: PageView) -> bool:
    """Return whether a prefetched page has to be reported once it is shown, because something counts then.

    Most pages that are prefetched are other days and months of one service, whose opening has been counted. Never
    raises.
    """
    try:
        before = _find_page_before(request, swaps=_swaps(request))
        return _opens_service(look, before) or _adds_lost_demand(request, look, before)
    except Exception:  # noqa: BLE001 (as above; the report of the page says what is wrong)
        return True


def is_human_navigation(request: HttpRequest) -> bool:
    """Return whether a person has navigated to this page, as far as the request shows it."""
    meta = request.META
    if request.method != "GET" or not meta.keys().isdisjoint(_NOT_A_VIEW) or is_prefetch(request):
        return False
    return not _is_robot(meta.get("HTTP_USER_AGENT", "")[:_LONGEST_AGENT])


def _count(request: HttpRequest, look: PageView, *, arrives: bool) -> bool:
    meta = request.META
    if not is_human_navigation(request):
        return False
    # With a report browsers send `no-cache` too: no cache may answer it.
    if meta.get("HTTP_CACHE_CONTROL") in _RELOADING and not is_report(request):
        return False
    popularity.add(look.account, look.service)
    swaps = _swaps(request)
    before = _find_page_before(request, swaps=swaps)
    arrives = arrives and not swaps and meta.get("HTTP_SEC_FETCH_DEST") in _PAGES
    # A visit comes from outside of the widget. The site's other pages are outside, too.
    if arrives and not _is_below(before, look.root):
        count_stage(look.account, look.service, look.placement, FunnelCount.Stage.VISIT)
    if _opens_service(look, before):
        count_stage(look.account, look.service, look.placement, FunnelCount.Stage.SERVICE)
    if look.empty_month is not None and _adds_lost_demand(request, look, before):
        count_lost_demand(look.account, look.service, look.placement, look.empty_month)
    return True


def _swaps(request: HttpRequest) -> bool:
    """Return whether htmx asks for a fragment. A boosted link loads a whole page."""
    # HtmxDetails says the same, but `request.headers`, which it reads, takes longer to build than all of this.
    return request.META.get("HTTP_HX_REQUEST") == "true" and "HTTP_HX_BOOSTED" not in request.META


def _find_page_before(request: HttpRequest, *, swaps: bool) -> SplitResult:
    """Return where the visitor is, as `_page_before` does. htmx says so in a header when it loads a fragment."""
    return _page_before(request, request.META.get("HTTP_HX_CURRENT_URL" if swaps else "HTTP_REFERER"))


def _opens_service(look: PageView, before: SplitResult) -> bool:
    """Return whether the page is the visitor's first one of its service, as far as the page before shows it."""
    return bool(look.service) and not (look.continues or _is_below(before, look.service_path))


def _is_below(before: SplitResult, path: str) -> bool:
    # Unquoted, because browsers and Django quote the characters of a slug differently. Most come from elsewhere.
    return before is not _ELSEWHERE and unquote(before.path).startswith(unquote(path))


def _adds_lost_demand(request: HttpRequest, look: PageView, before: SplitResult) -> bool:
    """Return whether the page is an empty month, and not the same one once more.

    Another time zone or clock on an empty month is the same month, also by way of the page of zones.
    """
    if look.empty_month is None:
        return False
    service_path = unquote(look.service_path)
    return unquote(before.path) not in {service_path, f"{service_path}{ZONE_PAGE}"} or (
        _requested_times(before.query) != _requested_times(request.META.get("QUERY_STRING", ""))
    )


def _requested_times(query: str) -> frozenset[tuple[str, str]]:
    """Return what a query of the widget says of the wanted times."""
    return frozenset((name, value) for name, value in parse_qsl(query[:_LONGEST_QUERY]) if name in _WANTED)


def _page_before(request: HttpRequest, address: str | None) -> SplitResult:
    """Return the URL of this site's page that the request comes from, an empty one when it comes from elsewhere."""
    if not address:
        return _ELSEWHERE
    try:
        parts = urlsplit(address)
    except ValueError:
        return _ELSEWHERE
    # Like request.get_host(), but without the ALLOWED_HOSTS check, which takes as long as all the rest. A forged host
    # can only change this count.
    meta = request.META
    own = meta.get("HTTP_HOST", meta.get("SERVER_NAME"))
    if settings.USE_X_FORWARDED_HOST:
        own = meta.get("HTTP_X_FORWARDED_HOST", own)
    return parts if parts.netloc == own else _ELSEWHERE


@lru_cache(maxsize=512)
def _is_robot(agent: str) -> bool:
    """Return whether the User-Agent is a robot's. Browsers always send one."""
    return not agent or _ROBOTS.search(agent) is not None
