"""Client address of a request: the buckets that a use by it counts in, and its keyed hashes for queue and fetches.

An address is not a person: one IPv6 subscriber has a whole /56 or /48, and behind a proxy that the settings don't know
of, everybody has the same peer. So each use counts in the address's own bucket and in wider ones with higher limits.
"""

from __future__ import annotations

import ipaddress
import logging
from typing import TYPE_CHECKING, Final, NamedTuple

from kordless_booking.booking.hashes import address_hash, client_hash
from kordless_booking.clock import Clock
from kordless_booking.forwarding import forwarded_address, has_untrusted_proxy, trusted_address
from kordless_booking.logs import LogThrottle, log_event
from kordless_booking.upstream.requester import Requester

if TYPE_CHECKING:
    from django.http import HttpRequest

    from kordless_booking.forwarding import IPAddress
    from kordless_booking.views.request import WidgetRequest

log = logging.getLogger("kordless_booking.views")

UNKNOWN: Final = "unknown"
"""Address of all clients that have none, such as those of a Unix socket."""
SITE: Final = "site"
"""Bucket of all clients whose address stands in a header that nobody vouches for."""
SITE_FACTOR: Final = 10
"""How many times one address's limit all such clients have together: enough for a busy small site, and few enough that
forged headers don't buy unlimited use."""
HOUSEHOLD_BITS: Final = 64
"""Prefix of one IPv6 household, which counts as one address."""
OUTER_FACTORS: Final = {56: 4, 48: 16}
"""Prefixes that providers give to a subscriber as well (RIPE-690), and how many times a /64's limit they have."""
WARNING_SECONDS: Final = 3600.0
"""Minimum seconds between two log lines of one process about an untrusted proxy."""
_log_throttle = LogThrottle(Clock())


class Bucket(NamedTuple):
    """Counter of uses."""

    identity: str
    """Address, network, or other identity whose uses it counts."""
    factor: int = 1
    """How many times the rule's limit it holds."""


def client_address(request: HttpRequest, trusted_proxies: int) -> str:
    """Return the identity of the client's address, or "unknown". An IPv6 address is reduced to its /64."""
    return client_buckets(request, trusted_proxies)[0].identity


def client_buckets(request: HttpRequest, trusted_proxies: int) -> tuple[Bucket, ...]:
    """Return the buckets that a use by this client counts in: first the one of its address, then wider ones."""
    if not has_untrusted_proxy(request, trusted_proxies):
        return _buckets(trusted_address(request, trusted_proxies))
    if _log_throttle.is_due("proxy_not_trusted", WARNING_SECONDS):
        log_event(log, logging.WARNING, "proxy_not_trusted", setting="TRUSTED_PROXIES")
    address = forwarded_address(request) or trusted_address(request, 0)
    return (*_buckets(address), Bucket(SITE, SITE_FACTOR))


def queue_address(visit: WidgetRequest) -> str:
    """Return the hash of the client address over which the queue of creations is shared out.

    "" where nobody knows the address, or the site limits no address: then all are equal.
    """
    buckets = client_buckets(visit.request, visit.account.trusted_proxies)
    address = buckets[0].identity
    if address == UNKNOWN or not visit.account.bookings_per_address:
        return ""
    # Not all clients of an unnamed proxy, which may be a whole site's.
    networks = [bucket.identity for bucket in buckets[1:] if bucket.identity != SITE]
    return address_hash(address, networks[-1] if networks else "")


def build_requester(visit: WidgetRequest) -> Requester:
    """Return the requester of a page, by whose address its upstream requests are counted."""

    def buckets() -> tuple[Bucket, ...]:
        return client_buckets(visit.request, visit.account.trusted_proxies)

    def identify() -> str | None:
        address = buckets()[0].identity
        # A connection of this machine, or none: a proxy's that names no client. All its visitors would be one.
        if address in {UNKNOWN, "::/64"} or address.startswith("127."):
            return None
        return client_hash("requester", address)[:32]

    def identify_network() -> str | None:
        # The widest: an IPv6 /48, or all clients of a proxy whose header nobody vouches for.
        widest = buckets()[-1]
        return None if widest.factor == 1 else client_hash("requester", widest.identity)[:32]

    return Requester(identify, visit.account.fetches_per_address, identify_network)


def _buckets(address: IPAddress | None) -> tuple[Bucket, ...]:
    if address is None:
        return (Bucket(UNKNOWN),)
    if isinstance(address, ipaddress.IPv4Address):
        return (Bucket(str(address)),)
    return (
        Bucket(_network(address, HOUSEHOLD_BITS)),
        *(Bucket(_network(address, bits), factor) for bits, factor in OUTER_FACTORS.items()),
    )


def _network(address: ipaddress.IPv6Address, bits: int) -> str:
    # By hand: `ip_network` takes several times as long, and each use needs three.
    host_bits = address.max_prefixlen - bits
    return f"{ipaddress.IPv6Address(int(address) >> host_bits << host_bits)}/{bits}"
