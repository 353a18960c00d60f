"""Door for a model: a function of the site's (TEXT_PARSER) that reads what the grammar doesn't understand.

It gets the words and the offer, and returns a `TimeQuery` or None. It may ask an API, so it runs in another thread with
a deadline, and a client address may call it ten times in ten minutes. Whatever goes wrong is a miss. Each field of the
result is compared with the offer: nothing of what a model says reaches a page but days, hours and ids that exist.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from django.db import connections
from django.utils.html import escape, format_html
from django.utils.module_loading import import_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from kordless_booking.contrib.assistant.grammar import Named, Offer, TimeQuery
from kordless_booking.limits import MAX_PARTY_SIZE
from kordless_booking.logs import log_event
from kordless_booking.presentation.site_texts import text_in
from kordless_booking.views.client_address import client_buckets
from kordless_booking.views.throttle import PermitKeys, take_use

if TYPE_CHECKING:
    from kordless_booking.conf import Account
    from kordless_booking.views.request import WidgetRequest

log = logging.getLogger("kordless_booking.assistant")

TextParser = Callable[[str, Offer], "TimeQuery | None"]
TEXT_PARSER: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")
"""Dotted path of a function."""
PARSER_SECONDS: Final = 3.0
"""Longer than most answers of a small model take, and about as long as somebody waits for a list of times."""
MAX_CALLS: Final = 10
CALLS_SECONDS: Final = 600
"""A client address may have MAX_CALLS texts read in so many seconds: each may cost the site money."""
MAX_THREADS: Final = 4
"""Calls at the same time. Others wait in line, within their own deadline, so an API that hangs holds up no page."""


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="kordless-text-parser")


def find_parser_problem(path: str) -> str:
    """Return why the function with this dotted path can't be used; "" where it can, or there is none."""
    if not path:
        return ""
    try:
        return "" if callable(import_string(path)) else "it is not a function"
    except ImportError:
        return "it can't be imported"
    except Exception as error:  # noqa: BLE001 (a module of the site raises anything)
        return f"its import raises {type(error).__name__}"


def parse_with_model(visit: WidgetRequest, text: str, offer: Offer) -> TimeQuery | None:
    """Return what the account's TEXT_PARSER makes of the text; None without one, or where it is of no use."""
    path = visit.account.extension_setting("TEXT_PARSER")
    if not path or not text.strip() or not _take_permit(visit):
        return None
    call: Future[Any] | None = None
    try:
        call = _pool().submit(_call, path, text, offer)
        found = call.result(PARSER_SECONDS)
    except Exception as error:  # noqa: BLE001 (of the site's function, or of a pool that is shut down; no text in the log)
        if call is not None:
            # One that still waits in line: nobody waits for it anymore, and its words shall not leave the site later.
            call.cancel()
        log_event(log, logging.WARNING, "text_parser_failed", error=type(error).__name__)
        return None
    return check_query(found, offer)


def _call(path: str, text: str, offer: Offer) -> Any:
    try:
        return import_string(path)(text, offer)
    finally:
        # Of this thread, which no request closes.
        connections.close_all()


def _take_permit(visit: WidgetRequest) -> bool:
    buckets = client_buckets(visit.request, visit.account.trusted_proxies)
    keys = [PermitKeys.build(f"{visit.account.name}\0text_parser", bucket, MAX_CALLS) for bucket in buckets]
    cache = visit.access.cache.throttle_view()
    use = take_use(cache, keys, seconds=CALLS_SECONDS, now=visit.now.timestamp())
    if use.seconds:
        log_event(log, logging.WARNING, "throttled", scope="text_parser", seconds=use.seconds)
    return not use.seconds


def check_query(found: Any, offer: Offer, *, depth: int = 1) -> TimeQuery | None:
    """Return the query with fields of the right types and within the offer; None for any other, or an empty one."""
    if not isinstance(found, TimeQuery):
        return None
    days = [found.first, found.last]
    is_right = (
        all(day is None or (type(day) is date and _is_bookable(day, offer)) for day in days)
        and (found.first is None or found.last is None or found.first <= found.last)
        and all(moment is None or (type(moment) is time and moment.tzinfo is None) for moment in _times(found))
        and isinstance(found.excluded_weekdays, frozenset)
        and all(type(day) is int and 0 <= day <= 6 for day in found.excluded_weekdays)
        and _is_offered(found.service, offer.services)
        and _is_offered(found.host, offer.hosts)
        and _is_offered(found.team, offer.teams)
        and (found.party is None or (type(found.party) is int and 1 <= found.party <= MAX_PARTY_SIZE))
    )
    if not is_right:
        return None
    others = found.alternatives if depth and isinstance(found.alternatives, tuple) else ()
    checked = TimeQuery(
        first=found.first,
        last=found.last,
        after=found.after,
        before=found.before,
        excluded_weekdays=found.excluded_weekdays,
        service=found.service,
        host=found.host,
        team=found.team,
        party=found.party,
        soonest=found.soonest is True,
        alternatives=tuple(filter(None, (check_query(each, offer, depth=0) for each in others))),
    )
    return checked if checked.understood else None


def _times(found: TimeQuery) -> tuple[Any, Any]:
    return found.after, found.before


def _is_bookable(day: date, offer: Offer) -> bool:
    return offer.window is None or offer.window[0] <= day <= offer.window[1]


def _is_offered(key: Any, named: tuple[Named, ...]) -> bool:
    return key is None or (isinstance(key, str) and any(each.key == key for each in named))


def build_data_notice(account: Account, language: str) -> SafeString:
    """Return the sentence that says where the words go, as HTML; "" for an account whose words stay on the site."""
    if not account.extension_setting("TEXT_PARSER"):
        return SafeString("")
    privacy = text_in(account.privacy_url, language)
    if not privacy:
        text = _(
            "What our own program doesn’t understand is read by an outside service. Please write nothing personal."
        )
        return mark_safe(escape(text))  # noqa: S308 (escaped)
    text = _(
        "What our own program doesn’t understand is read by an outside service. Please write nothing personal. Our "
        "%(privacy_link)sprivacy policy%(link_end)s explains more."
    )
    link = format_html('<a href="{}" target="_blank" rel="noopener noreferrer">', privacy)
    end = format_html('<span class="kb-sr"> {}</span></a>', _("(opens in a new tab)"))
    return mark_safe(escape(text) % {"privacy_link": link, "link_end": end})  # noqa: S308 (escaped, part by part)
