"""Where Kordless may be: the API key must not travel in clear text, except inside this machine."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from urllib.parse import urlsplit

__all__ = ["checked_base_url"]


def checked_base_url(value: str) -> str:
    """`value` without a trailing slash. Raises ValueError unless it is https, or http on a loopback host."""
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    plain = re.fullmatch(r"[\x21-\x7e]{1,500}", value) and not (parts.username or parts.password or "@" in parts.netloc)
    if not host or port == 0 or not plain or parts.query or parts.fragment or "?" in value or "#" in value:
        raise ValueError("The base URL must be scheme, host and path, without a user, a query or a fragment.")
    if parts.scheme != "https" and not (parts.scheme == "http" and _on_this_machine(host)):
        raise ValueError("The base URL must be https (http only for a loopback host).")
    return value.rstrip("/")


def _on_this_machine(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
