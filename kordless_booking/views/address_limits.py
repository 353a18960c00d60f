"""Throttles per client address: how often one may book, look up, change and view, and the text for one that may not."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import ngettext

from kordless_booking.logs import log_event
from kordless_booking.views.client_address import Bucket, client_buckets
from kordless_booking.views.throttle import PermitKeys, Use, take_use

if TYPE_CHECKING:
    from kordless_booking.views.request import WidgetRequest

log = logging.getLogger("kordless_booking.views")


@dataclass(frozen=True)
class Rule:
    """Limit of `limit` uses in any `seconds`."""

    scope: str
    """Rules of different scopes are counted separately."""
    limit: int
    """0 means no limit."""
    seconds: int = 600


def rules(visit: WidgetRequest) -> dict[str, Rule]:
    """Return the rules of the account, by scope."""
    account = visit.account
    return {
        "book": Rule("book", account.bookings_per_address),
        "find": Rule("find", account.lookups_per_address),
        # Apart: a wrong link in a message must not keep anybody from looking a booking up.
        "short_link": Rule("short_link", account.lookups_per_address),
        "change": Rule("change", account.changes_per_address),
        "view": Rule("view", account.manage_views_per_address, 60),
        # The lookups before and after a change. Apart, so that whoever has looked often can still cancel.
        "view_change": Rule("view_change", account.manage_views_per_address, 60),
    }


def take_client_use(visit: WidgetRequest, scope: str, identity: str | None = None) -> int:
    """Take a permit for one use of the client. Return 0 when it is allowed, else the seconds until the next one is.

    `identity` is the client's address by default, which counts in wider buckets as well.
    """
    return take_client_permits(visit, scope, identity).seconds


def take_client_permits(visit: WidgetRequest, scope: str, identity: str | None = None) -> Use:
    """Take a permit for one use of the client, as `take_client_use` does. Return the use, which may be given back."""
    rule = rules(visit)[scope]
    if not rule.limit:
        return Use()
    buckets = (Bucket(identity),) if identity else client_buckets(visit.request, visit.account.trusted_proxies)
    keys = [PermitKeys.build(f"{visit.account.name}\0{rule.scope}", bucket, rule.limit) for bucket in buckets]
    cache = visit.access.cache.throttle_view()
    return take_use(cache, keys, seconds=rule.seconds, now=visit.now.timestamp())


class Rejection(str):
    """Reason why a form is rejected, as a text for the visitor."""

    seconds: int
    """Seconds after which to try again; 0 when waiting doesn't help."""

    def __new__(cls, text: str, seconds: int = 0) -> Rejection:
        rejection = super().__new__(cls, text)
        rejection.seconds = seconds
        return rejection


def rate_limit(visit: WidgetRequest, scope: str, identity: str | None = None) -> Rejection | None:
    """Count one use of `scope`. Return the reason to reject it, or None."""
    seconds = take_client_use(visit, scope, identity)
    return build_rejection(scope, seconds) if seconds else None


def build_rejection(scope: str, seconds: int) -> Rejection:
    """Log and return the reason to reject a use of `scope` that is allowed again in `seconds`."""
    log_event(log, logging.WARNING, "throttled", scope=scope, seconds=seconds)
    minutes = -(-seconds // 60)
    text = ngettext(
        "Too many attempts. Please try again in %(minutes)s minute.",
        "Too many attempts. Please try again in %(minutes)s minutes.",
        minutes,
    )
    return Rejection(text % {"minutes": minutes}, seconds)
