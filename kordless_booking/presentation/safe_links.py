"""Safe links from what a business typed, which is hostile until it was parsed here: pages, places, phone numbers."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

from kordless_booking.lazy_imports import LazyModule

if TYPE_CHECKING:
    import phonenumbers
else:
    phonenumbers = LazyModule("phonenumbers")

# Characters of a URL.
_LONGEST = 2000
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?", re.ASCII)
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\xa0\\<>\"`{}|^\u2028\u2029\ud800-\udfff]")


def safe_url(value: str | None, *, https_only: bool = False) -> str | None:
    """Return an absolute http(s) URL that is safe in a link, rebuilt from its parts; None for everything else.

    Rejected: other schemes, user names and passwords, control characters, spaces, backslashes, and URLs without a plain
    host. It is rebuilt so that a browser can't parse it in another way than it was parsed here. `https_only` is for
    what a page loads by itself, such as a logo.
    """
    text = (value or "").strip(" ")
    if not text or len(text) > _LONGEST or _UNSAFE.search(text):
        return None
    try:
        parts = urlsplit(text)
        host = _host(parts.hostname or "", bracketed="[" in parts.netloc)
        port = parts.port
    except ValueError:
        return None
    # "@": https://trusted.example@evil.example leads to evil.example.
    if parts.scheme not in ({"https"} if https_only else {"https", "http"}) or "@" in parts.netloc or not host:
        return None
    address = f"{parts.scheme}://{host}" + (f":{port}" if port else "") + (_quoted(parts.path) or "/")
    if parts.query:
        address += "?" + _quoted(parts.query)
    return address + ("#" + _quoted(parts.fragment) if parts.fragment else "")


_SERVICE = re.compile(r"\{service\}|%7Bservice%7D", re.IGNORECASE)
_SERVICE_PLACE = "{service}"
_STAND_IN = "kordless-booking-service"
"""Stands for the place of the service while the URL is parsed: braces are no characters of a URL."""
_LONGEST_DONE_URL = 300
_LOCAL_HOSTS = {"localhost", "127.0.0.1", "[::1]"}


def parse_done_url(value: object) -> str | None:
    """Return the URL of a thank-you page, rebuilt as `safe_url` does; None for one that can't be used.

    On https, or on http on this machine. Behind its host it may have "{service}", see `done_url_for`.
    """
    if not isinstance(value, str) or len(value) > _LONGEST_DONE_URL:
        return None
    url = safe_url(_SERVICE.sub(_STAND_IN, value))
    if url is None:
        return None
    parts = urlsplit(url)
    is_local = parts.netloc.rpartition(":")[0] in _LOCAL_HOSTS or parts.netloc in _LOCAL_HOSTS
    if _STAND_IN in parts.netloc or not (parts.scheme == "https" or is_local):
        return None
    return url.replace(_STAND_IN, _SERVICE_PLACE)


def done_url_for(done_url: str, service: str) -> str:
    """Return the URL of a thank-you page with the slug of the service that was booked, where it has a place for it."""
    return done_url.replace(_SERVICE_PLACE, quote(service, safe=""))


def parse_page_url(value: object) -> str | None:
    """Return the address of a page of the site's or of its business, safe in a link; None for one that can't be used.

    A path of this site ("/privacy/"), or a URL on https, or on http on this machine.
    """
    if not isinstance(value, str):
        return None
    if value.startswith("/"):
        # "//other.example" is another site's.
        is_path = not value.startswith("//") and len(value) <= _LONGEST and not _UNSAFE.search(value)
        return value if is_path else None
    url = safe_url(value)
    if url is None:
        return None
    parts = urlsplit(url)
    return url if parts.scheme == "https" or parts.hostname in {"localhost", "127.0.0.1", "::1"} else None


def map_link(address: str) -> str:
    """Return a link to a map search for an address as typed; "" when there is none.

    Google's documented Maps URL: it needs no key, and opens the app on phones and a page everywhere else.
    """
    place = " ".join(_printable(address).split())[:500]
    if not place:
        return ""
    return "https://www.google.com/maps/search/?" + urlencode({"api": "1", "query": place}, quote_via=quote)


def phone_link(value: str | None, region: str | None = None) -> str | None:
    """Return "tel:+12125550123" for a number that is possible, with ";ext=5" for its extension; else None.

    `region` (ISO 3166, "US") is the default for numbers without a country code; without it they are rejected.
    """
    try:
        # What is longer is no phone number; the parser need not see all of it.
        number = phonenumbers.parse((value or "")[:100], region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    plain = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    digits = re.sub(r"\D", "", number.extension or "", flags=re.ASCII)
    return f"tel:{plain}" + (f";ext={digits}" if digits else "")


def _host(host: str, *, bracketed: bool) -> str:
    if bracketed:
        # "%" starts a zone id, which means something on the visitor's own machine only.
        return "" if "%" in host else f"[{IPv6Address(host)}]"
    name = host if host.isascii() else host.encode("idna").decode("ascii")
    return name if _HOST.fullmatch(name) and ".." not in name else ""


def _quoted(part: str) -> str:
    # "%" is safe, so that what is percent-encoded already isn't encoded twice. The apostrophe is encoded, though a URL
    # may have it: a site's own template may write the attribute with single quotes.
    return quote(part, safe="/?:@!$&()*+,;=%~")


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
