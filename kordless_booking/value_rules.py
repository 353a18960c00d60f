"""Validators for setting values. Each is a predicate that accepts a value of any type and never raises."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from email.utils import parseaddr
from typing import Final

from kordless_booking.api.session import validated_base_url

__all__ = [
    "as_tuple",
    "integer_between",
    "is_base_url",
    "is_origin",
    "is_sender",
    "is_site_url",
    "matching",
    "number_between",
]

_ADDRESS: Final = re.compile(r"[^@\s<>,;:\"]+@[^@\s<>,;:\"]+")
_SITE_URL: Final = re.compile(r"(https?://[^/?#\s]+)((?:/[A-Za-z0-9._~-]+)*)/?")
_HOST_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ORIGIN: Final = re.compile(
    rf"https?://(?:\*\.{_HOST_LABEL}\.)?{_HOST_LABEL}(?:\.{_HOST_LABEL})*(?::[0-9]{{1,5}})?", re.ASCII
)


def is_base_url(value: object) -> bool:
    """Return True for an https URL without query, or an http URL of this machine (for a sandbox or a tunnel)."""
    try:
        return isinstance(value, str) and bool(validated_base_url(value))
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_origin(value: object) -> bool:
    """Return True for a CSP source of one origin: 'self', https://shop.example or https://*.example.com.

    http:// is accepted only for this machine.
    """
    if value == "'self'":
        return True
    # The origin ends up in a response header, so its length and characters are limited.
    if not isinstance(value, str) or len(value) > 300 or not _ORIGIN.fullmatch(value):
        return False
    host = value.split("//", 1)[1].rsplit(":", 1)[0]
    return value.startswith("https://") or _is_loopback(host)


def is_site_url(value: object) -> bool:
    """Return True for a site's URL: an origin and an optional path; https, or http on this machine."""
    found = _SITE_URL.fullmatch(value) if isinstance(value, str) else None
    # No wildcard: unlike an origin that may frame the widget, this address is linked to.
    return found is not None and "*" not in found[1] and is_origin(found[1])


def is_sender(value: object) -> bool:
    """Return True for an e-mail address, alone or as `Name <address>`."""
    # Printable only: a line break could add a mail header.
    if not isinstance(value, str) or len(value) > 320 or not value.isprintable():
        return False
    return _ADDRESS.fullmatch(parseaddr(value)[1]) is not None


def as_tuple(value: object) -> tuple[object, ...]:
    """Return a list or tuple as a tuple, and any other value as a tuple of that one value."""
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def number_between(low: float, high: float) -> Callable[[object], bool]:
    """Return a validator for an int or float from `low` to `high`, both included."""
    # bool is a subclass of int, but True is a mistake where a number is expected.
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def integer_between(low: int, high: int) -> Callable[[object], bool]:
    """Return a validator for an int from `low` to `high`, both included."""
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def matching(pattern: str) -> Callable[[object], bool]:
    """Return a validator for a string that matches the whole regular expression."""
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None
