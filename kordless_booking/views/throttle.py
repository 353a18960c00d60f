"""How often one client address may book, look up and change, and how often one number may be looked up.

Counted in the shared cache as numbered tickets, each taken by an atomic add and given back by time alone, so that no
window of the rule's length ever sees more than the rule allows. Who it was is kept as a keyed hash.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from django.utils.crypto import salted_hmac

if TYPE_CHECKING:
    from django.http import HttpRequest

    from kordless_booking.views.visit import Visit

__all__ = ["Rule", "client_address", "rules", "wait_for"]


@dataclass(frozen=True)
class Rule:
    """At most `most` in any `seconds`; 0 is no limit. Rules of different `scope` count apart."""

    scope: str
    most: int
    seconds: int = 600


def rules(visit: Visit) -> dict[str, Rule]:
    """What the account's settings say."""
    account = visit.account
    return {
        "book": Rule("book", account.bookings_per_address),
        "find": Rule("find", account.lookups_per_address),
        "change": Rule("change", account.changes_per_address),
        "number": Rule("number", account.lookups_per_number, 3600),
    }


def wait_for(visit: Visit, scope: str, who: str | None = None) -> int:
    """Count one more; 0 when it may go on, else the seconds until it may. `who` is the client unless given."""
    rule = rules(visit)[scope]
    if not rule.most:
        return 0
    who = who or client_address(visit.request, visit.account.trusted_proxies)
    keys = [_key(visit.account.name, rule.scope, who, number) for number in range(rule.most)]
    cache, now = visit.cache_of_account, visit.now.timestamp()
    found = cache.get_many(keys)
    for key in keys:
        if key not in found and cache.add(key, ceil(now + rule.seconds), rule.seconds):
            return 0
    until = min((moment for moment in found.values() if isinstance(moment, int)), default=ceil(now + rule.seconds))
    return min(max(1, until - int(now)), rule.seconds)


def client_address(request: HttpRequest, trusted_proxies: int) -> str:
    """The address that the outermost trusted proxy saw; an IPv6 one as its /64, which is one household.

    What stands further left in X-Forwarded-For was written by the client and is not believed.
    """
    address = request.META.get("REMOTE_ADDR", "")
    if trusted_proxies:
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
