"""Client addresses that proxies name in headers: X-Forwarded-For, Forwarded (RFC 7239) and X-Real-IP.

Any client can write these headers. `TRUSTED_PROXIES` says how many entries of X-Forwarded-For a site's own proxies have
appended; without it the headers only show that there is a proxy which the settings don't know of.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Final

from django.http import HttpRequest

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_CHAIN: Final = "HTTP_X_FORWARDED_FOR"
_HEADERS: Final = (_CHAIN, "HTTP_FORWARDED", "HTTP_X_REAL_IP")
"""Headers with a client address, as in META, in the order in which they are read."""
_PORT: Final = re.compile(r":[0-9]{1,5}", re.ASCII)
_FORWARDED_FOR: Final = re.compile(r"""(?:^|[;,\s])for=("[^"]*"|[^;,\s"]*)""", re.IGNORECASE)
# Not `is_private`, which counts the addresses of examples in (RFC 5737) and leaves those of carriers out (RFC 6598).
_INTERNAL: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
)


def parse_address(text: str) -> IPAddress | None:
    """Parse an address as proxies write it: alone, with a port, in brackets or in quotes. None for anything else.

    An IPv4 address inside of an IPv6 one is returned as IPv4. The zone of a link-local address is left out.
    """
    host = text.strip().strip('"').strip()
    if host.startswith("["):
        host, bracket, port = host[1:].partition("]")
        if not bracket:
            return None
    else:
        # More than one colon: an IPv6 address without brackets, which has no port.
        host, colon, port = host.partition(":") if host.count(":") == 1 else (host, "", "")
        port = colon + port
    if port and not _PORT.fullmatch(port):
        return None
    try:
        parsed = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return (parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None) or parsed


def trusted_address(request: HttpRequest, trusted_proxies: int) -> IPAddress | None:
    """Return the address that the outermost trusted proxy saw; that of the peer without proxies. None if it is none."""
    address = request.META.get("REMOTE_ADDR", "")
    if trusted_proxies:
        # Entries further left were written by the client, who can put anything there.
        hops = [hop for hop in request.META.get(_CHAIN, "").split(",") if hop.strip()]
        if len(hops) >= trusted_proxies:
            address = hops[-trusted_proxies]
    return parse_address(address)


def has_untrusted_proxy(request: HttpRequest, trusted_proxies: int) -> bool:
    """Return True if the request came through a proxy, and TRUSTED_PROXIES says that there is none.

    Only a peer on this machine or in a private network can be a proxy of the site. A peer without an address is one
    too: a Unix socket.
    """
    meta = request.META
    if trusted_proxies or not any(name in meta for name in _HEADERS):
        return False
    peer = parse_address(meta.get("REMOTE_ADDR", ""))
    return peer is None or any(peer in network for network in _INTERNAL)


def forwarded_address(request: HttpRequest) -> IPAddress | None:
    """Return the right-most address in the forwarding headers, which the nearest proxy has written; None without one.

    Good for counting only: where the proxy writes another header than the one that is read, the client has chosen it.
    """
    for name in _HEADERS:
        value: Any = request.META.get(name, "")
        if name == "HTTP_FORWARDED":
            value = (_FORWARDED_FOR.findall(value) or [""])[-1]
        address = parse_address(value.rpartition(",")[2])
        if address is not None:
            return address
    return None
