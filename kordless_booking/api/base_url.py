"""Validation of the API's base URL: the API key must never cross a network unencrypted."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from urllib.parse import urlsplit


def validated_base_url(value: str) -> str:
    """Return `value` without trailing slashes.

    Raises ValueError unless it is an https URL, or an http URL on a loopback host, made of scheme, host, port and path
    only. The message never repeats the value, which may hold a password.
    """
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # for example an unclosed bracket, or a port that is no number
        host, port, parts = "", None, urlsplit("")
    # "@" is searched for too: in "https://@host" the user is empty and thus false.
    plain = re.fullmatch(r"[\x21-\x7e]{1,500}", value) and not (parts.username or parts.password or "@" in parts.netloc)
    # "?" and "#" are searched for too: urlsplit reports an empty query or fragment as none.
    if not host or port == 0 or not plain or parts.query or parts.fragment or "?" in value or "#" in value:
        raise ValueError("The base URL must be scheme, host and path, without a user, a query or a fragment.")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise ValueError("The base URL must be https (http only for a loopback host).")
    return value.rstrip("/")


def _is_loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    # No other name counts, whatever it resolves to now: DNS may point it elsewhere later.
    return host == "localhost"
