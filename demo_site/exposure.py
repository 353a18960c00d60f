"""Access rules of the demo: who can reach it, and what must be set before the public can.

The demo fails closed. With nothing set it runs on this machine, on the sandbox, with DEBUG, a public secret key and a
public login, so it serves nobody else. Incomplete settings are rejected with a message that says what is missing::

    nothing                                          this machine only: sandbox, DEBUG, all tools open
    SECRET_KEY, KORDLESS_API_KEY, KORDLESS_ORG_SLUG  the real account; no tool of the sandbox
    SECRET_KEY, KORDLESS_SANDBOX=1                   the sandbox; its tools are open on this machine alone
    … and a public name in ALLOWED_HOSTS             the same; the tools need the login of a staff account

The settings import this module, so it must not import them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from django.http.request import validate_host

if TYPE_CHECKING:
    from django.http import HttpRequest

MIN_SECRET_CHARACTERS: Final = 32
"""Minimum length of SECRET_KEY on a site with a public name."""
INSECURE: Final = "django-insecure-"
"""Prefix of the keys that Django's `startproject` generates."""
_ON: Final = frozenset({"1", "true", "yes", "on"})
_OFF: Final = frozenset({"", "0", "false", "no", "off"})
_FORWARDED: Final = (
    "HTTP_CF_",
    "HTTP_CLIENT_IP",
    "HTTP_FASTLY_",
    "HTTP_FLY_",
    "HTTP_FORWARDED",
    "HTTP_TRUE_CLIENT_IP",
    "HTTP_VIA",
    "HTTP_X_CLIENT_IP",
    "HTTP_X_CLUSTER_CLIENT_IP",
    "HTTP_X_ENVOY_",
    "HTTP_X_FORWARDED",
    "HTTP_X_ORIGINAL_",
    "HTTP_X_REAL_IP",
)
"""Prefixes of request headers, as in META, that only a proxy adds."""


_PORT: Final = re.compile(r":[0-9]{1,5}", re.ASCII)
_PROXY_HEADER: Final = re.compile(r"\s*HTTP_[A-Z0-9_]+\s*,\s*[a-z]+\s*", re.ASCII)


def find_misconfiguration(environment: Mapping[str, str], hosts: Sequence[str]) -> str:
    """Return why the demo must not start with these variables and ALLOWED_HOSTS, and what to set; "" if it may.

    The text never repeats a secret.
    """
    public = [host for host in hosts if not is_loopback_name(host)]
    secret = environment.get("SECRET_KEY", "")
    named = f"ALLOWED_HOSTS names {public[0]}, which is not this machine" if public else ""
    for name in ("DEBUG", "KORDLESS_SANDBOX"):
        if environment.get(name, "").lower() not in _ON | _OFF:
            return f"{name} is {environment[name]!r}. Set it to 1 or 0."
    if public and not secret:
        return f"{named}. Set SECRET_KEY to a long random string, or remove ALLOWED_HOSTS."
    if public and env_flag(environment, "DEBUG"):
        return f"{named}, and DEBUG would expose settings and source code to it. Remove DEBUG."
    if secret and (public or not env_flag(environment, "DEBUG")) and _is_weak(secret):
        # Also on this machine alone: without DEBUG whoever writes the Host header is answered.
        why = named or "SECRET_KEY is too short or insecure"
        return f"{why}. Set SECRET_KEY to a random string of at least {MIN_SECRET_CHARACTERS} characters."
    if not secret and not env_flag(environment, "DEBUG", otherwise=True):
        return "Set SECRET_KEY to a long random string when DEBUG is off."
    return (
        _proxy_misconfiguration(environment)
        or _account_misconfiguration(environment)
        or _webhook_misconfiguration(environment, hosts)
    )


def _is_weak(secret: str) -> bool:
    return secret.startswith(INSECURE) or len(secret.strip()) < MIN_SECRET_CHARACTERS


def _proxy_misconfiguration(environment: Mapping[str, str]) -> str:
    """Return why the variables about proxies can't be used, or ""."""
    number, header = environment.get("TRUSTED_PROXIES", ""), environment.get("SECURE_PROXY_SSL_HEADER", "")
    if number and not re.fullmatch("[0-9]{1,2}", number, re.ASCII):
        return f"TRUSTED_PROXIES is {number!r}. Set it to the number of proxies in front of the site."
    if header and not _PROXY_HEADER.fullmatch(header):
        # Another form would be ignored without a word, and every page would seem to be on http.
        return f"SECURE_PROXY_SSL_HEADER is {header!r}. Set it to a header and a value: HTTP_X_FORWARDED_PROTO,https."
    return ""


def _account_misconfiguration(environment: Mapping[str, str]) -> str:
    """Return why the account's variables are incomplete, or "".

    The account must be named completely: a typo must not lead to the sandbox, where bookings reach nobody.
    """
    key, sandbox = environment.get("KORDLESS_API_KEY", ""), env_flag(environment, "KORDLESS_SANDBOX")
    if key and sandbox:
        return "KORDLESS_API_KEY and KORDLESS_SANDBOX are both set. Remove one of them."
    if key and not environment.get("KORDLESS_ORG_SLUG"):
        return "KORDLESS_API_KEY is set without KORDLESS_ORG_SLUG. Set it to your organization's slug."
    if key or sandbox:
        return ""
    if environment.get("KORDLESS_SANDBOX"):
        return "KORDLESS_SANDBOX is off, and no account is set. Set KORDLESS_API_KEY and KORDLESS_ORG_SLUG."
    if incomplete := [name for name in ("KORDLESS_ORG_SLUG", "KORDLESS_BASE_URL") if environment.get(name)]:
        return f"{incomplete[0]} is set without KORDLESS_API_KEY. Set the key, or remove {incomplete[0]}."
    if environment.get("SECRET_KEY"):
        return (
            "SECRET_KEY is set, but no account. Set KORDLESS_API_KEY and KORDLESS_ORG_SLUG to book in Kordless, or "
            "KORDLESS_SANDBOX=1 to serve the sandbox, whose bookings never reach Kordless."
        )
    return ""


def _webhook_misconfiguration(environment: Mapping[str, str], hosts: Sequence[str]) -> str:
    """Return why the sandbox must not deliver webhooks to the given address, or "".

    Deliveries hold what visitors typed, so they may go only to this site.
    """
    url = environment.get("KORDLESS_SANDBOX_WEBHOOK", "")
    if not url:
        return ""
    parts = urlsplit(url)
    host = parts.hostname or ""
    here = is_loopback_name(host) or host in {"0.0.0.0", "::"}  # noqa: S104 (this machine, as a target)
    # "*" in ALLOWED_HOSTS would allow any target.
    if parts.scheme in {"http", "https"} and (here or validate_host(host, [name for name in hosts if name != "*"])):
        return ""
    return f"KORDLESS_SANDBOX_WEBHOOK is {url!r}. Set it to an address of this site: on this machine or ALLOWED_HOSTS."


def env_flag(environment: Mapping[str, str], name: str, *, otherwise: bool = False) -> bool:
    """Return a variable's value as a bool, or `otherwise` if it isn't set or is empty."""
    given = environment.get(name, "").lower()
    return given in _ON if given else otherwise


def is_loopback_name(host: str) -> bool:
    """Return True if a Host header or an entry of ALLOWED_HOSTS can mean only this machine; False when in doubt."""
    name = host.strip().lower()
    # "[::1]:8000": an IPv6 address has brackets in a Host header.
    if name.startswith("["):
        name, _, port = name[1:].partition("]")
        if port and not _PORT.fullmatch(port):
            return False
    elif name.count(":") == 1:
        name, colon, port = name.partition(":")
        if not _PORT.fullmatch(colon + port):
            return False
    name = name.removesuffix(".")
    return name.removeprefix(".") == "localhost" or name.endswith(".localhost") or is_loopback_address(name)


def is_loopback_address(address: str) -> bool:
    """Return True for a loopback IP address, such as 127.0.0.1 or ::1."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    # "::ffff:127.0.0.1" is how a dual-stack server sees an IPv4 client.
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback


def is_local_request(request: HttpRequest) -> bool:
    """Return True if the request comes from this machine itself, not through a proxy on it.

    Both address and Host header are needed. The address alone would admit everybody behind a local proxy, and any
    client can write any Host header.
    """
    return (
        is_loopback_address(request.META.get("REMOTE_ADDR", ""))
        and is_loopback_name(request.META.get("HTTP_HOST", ""))
        and not any(name.startswith(_FORWARDED) for name in request.META)
        # An nginx before 1.29.7 that adds no header speaks HTTP/1.0, as no browser does. A newer one, or a port that
        # ssh or socat forwards, can't be told from this machine: the README says not to put one in front.
        and request.META.get("SERVER_PROTOCOL") != "HTTP/1.0"
    )
