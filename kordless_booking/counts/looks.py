"""Which requests are somebody's first look, or opening of a service, told without any memory of who it is.

What a browser says by itself decides: where it comes from, whether it only reloads, whether it fetches ahead of its
user. Obvious robots are left out. Nothing of that is kept.
"""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote, urlsplit

from django.conf import settings

from kordless_booking.ahead import asked_ahead
from kordless_booking.counts.counters import count_stage
from kordless_booking.counts.stages import Source, Stage
from kordless_booking.logs import say

if TYPE_CHECKING:
    from django.http import HttpRequest

__all__ = ["Look", "count_look", "count_step", "is_somebody"]

log = logging.getLogger("kordless_booking.counts")

_ROBOTS: Final = re.compile(
    r"bot\b|bot[/;_-]|crawl|spider|slurp|scrap|preview|headless|monitor|uptime|pingdom|lighthouse|facebookexternalhit"
    r"|whatsapp|^(?:python|curl|wget|java|go-http|node|axios|okhttp|ruby|perl|php|libwww|apache-http)|httpx|aiohttp",
    re.IGNORECASE,
)
_NO_LOOK: Final = frozenset({"HTTP_KB_SEEN", "HTTP_HX_HISTORY_RESTORE_REQUEST"})
"""A page that is open looks again, or goes back."""
_LONGEST_AGENT: Final = 300
_RELOADING: Final = frozenset({"max-age=0", "no-cache"})
_PAGES: Final = frozenset({None, "document", "iframe", "frame"})


class Look(NamedTuple):
    """What a page shows, and so what looking at it may count as.

    `root` is the path of the widget, `own` that of the service's times ("" for the list of services). `within`: its
    address alone says that somebody was here already.
    """

    account: str
    service: str
    source: Source
    root: str
    own: str
    within: bool = False


def count_look(request: HttpRequest, look: Look, *, arrives: bool = True) -> None:
    """Count a page that was shown. `arrives`: it may be a first look. Raises nothing."""
    try:
        _count(request, look, arrives=arrives)
    except Exception as error:  # noqa: BLE001 (a page is worth more than its count)
        say(log, logging.ERROR, "count_failed", error=type(error).__name__)


def count_step(request: HttpRequest, account: str, service: str, source: Source, stage: Stage) -> None:
    """Count a step further, whoever it is. Raises nothing."""
    try:
        if request.method == "POST" or is_somebody(request):
            count_stage(account, service, source, stage)
    except Exception as error:  # noqa: BLE001 (as above)
        say(log, logging.ERROR, "count_failed", error=type(error).__name__)


def is_somebody(request: HttpRequest) -> bool:
    """Whether a person has asked for this, as far as the request shows it."""
    meta = request.META
    if request.method != "GET" or not meta.keys().isdisjoint(_NO_LOOK) or asked_ahead(request):
        return False
    return not _is_robot(meta.get("HTTP_USER_AGENT", "")[:_LONGEST_AGENT])


def _count(request: HttpRequest, look: Look, *, arrives: bool) -> None:
    meta = request.META
    if not is_somebody(request) or meta.get("HTTP_CACHE_CONTROL") in _RELOADING:
        return
    swaps = meta.get("HTTP_HX_REQUEST") == "true" and "HTTP_HX_BOOSTED" not in meta
    before = _path_before(request, meta.get("HTTP_HX_CURRENT_URL") if swaps else meta.get("HTTP_REFERER"))
    arrives = arrives and not swaps and meta.get("HTTP_SEC_FETCH_DEST") in _PAGES
    if arrives and not before.startswith(look.root):
        count_stage(look.account, look.service, look.source, Stage.VISIT)
    if look.service and not (look.within or before.startswith(look.own)):
        count_stage(look.account, look.service, look.source, Stage.SERVICE)


def _path_before(request: HttpRequest, address: str | None) -> str:
    """The path of this site's page that the request comes from; nothing when it comes from elsewhere."""
    if not address:
        return ""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    # As request.get_host(), which would take as long as all the rest to find out whether the site answers to it.
    meta = request.META
    own = meta.get("HTTP_HOST", meta.get("SERVER_NAME"))
    if settings.USE_X_FORWARDED_HOST:
        own = meta.get("HTTP_X_FORWARDED_HOST", own)
    return unquote(parts.path) if parts.netloc == own else ""


@lru_cache(maxsize=512)
def _is_robot(agent: str) -> bool:
    """Browsers say who they are; who doesn't is none."""
    return not agent or _ROBOTS.search(agent) is not None
