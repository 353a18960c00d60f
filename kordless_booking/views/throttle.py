"""Rate limits on visitors: bookings, lookups and changes per client address, and lookups per confirmation number.

Each use takes one of N numbered permits, which are keys in the shared cache. A permit is taken by an atomic `add`, and
only expires. This makes a sliding window: no period of the rule's length ever has more uses than the rule allows. The
keys contain keyed hashes, so the cache holds no addresses.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from django.utils.crypto import salted_hmac

if TYPE_CHECKING:
    from django.http import HttpRequest

    from kordless_booking.views.request import WidgetRequest

__all__ = ["Rule", "client_address", "consume", "rules"]


@dataclass(frozen=True)
class Rule:
    """Limit of `most` uses in any `seconds`."""

    scope: str
    """Rules of different scopes are counted separately."""
    most: int
    """0 means no limit."""
    seconds: int = 600


def rules(visit: WidgetRequest) -> dict[str, Rule]:
    """Return the rules of the account, by scope."""
    account = visit.account
    return {
        "book": Rule("book", account.bookings_per_address),
        "find": Rule("find", account.lookups_per_address),
        "change": Rule("change", account.changes_per_address),
        "number": Rule("number", account.lookups_per_number, 3600),
    }


def consume(visit: WidgetRequest, scope: str, who: str | None = None) -> int:
    """Count one use. Return 0 when it is allowed, else the seconds until the next one is.

    `who` is the client's address by default.
    """
    rule = rules(visit)[scope]
    if not rule.most:
        return 0
    who = who or client_address(visit.request, visit.account.trusted_proxies)
    keys = [_key(visit.account.name, rule.scope, who, number) for number in range(rule.most)]
    cache, now = visit.account_cache, visit.now.timestamp()
    # One round trip tells which permits are taken. Of the others, `add` decides who gets them.
    found = cache.get_many(keys)
    for key in keys:
        if key not in found and cache.add(key, ceil(now + rule.seconds), rule.seconds):
            return 0
    # Each value is the Unix time at which the permit expires. It may be missing when all were taken in this moment.
    until = min((moment for moment in found.values() if isinstance(moment, int)), default=ceil(now + rule.seconds))
    return min(max(1, until - int(now)), rule.seconds)


def client_address(request: HttpRequest, trusted_proxies: int) -> str:
    """Return the address that the outermost trusted proxy saw, or "unknown".

    An IPv6 address is reduced to its /64, which is a single household.
    """
    address = request.META.get("REMOTE_ADDR", "")
    if trusted_proxies:
        # Entries further left were written by the client, who can put anything there.
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        if len(hops) >= trusted_proxies:
            address = hops[-trusted_proxies]
    try:
        parsed = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _key(account: str, scope: str, who: str, number: int) -> str:
    named = salted_hmac("kordless_booking.throttle", f"{account}\0{scope}\0{who}", algorithm="sha256").hexdigest()
    return f"kb:throttle:{named[:40]}:{number}"
