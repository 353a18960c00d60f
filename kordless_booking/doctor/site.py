"""Check of the running site, over the network as Kordless and browsers reach it. Only with `--site`.

It calls no Kordless and stores nothing. The delivery that it sends is signed and empty, so the site verifies it, finds
that it is no event, and rejects it. The site's log has a line for each request.
"""

from __future__ import annotations

import http.client
import ssl
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser

from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse

from kordless_booking import conf
from kordless_booking.doctor.finding import Findings, fix, ok
from kordless_booking.doctor.static_files import OWN_SCRIPT
from kordless_booking.presentation.safe_links import done_url_for
from kordless_booking.urlconf import find_shadow, namespaces_of
from kordless_booking.views.health import DOCTOR_HEADER, PROXY_HEADER, sign_for_doctor
from kordless_booking.webhooks import signature
from kordless_booking.webhooks.probe import build_probe_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kordless_booking.conf import Account

TIMEOUT_SECONDS: Final = 5
"""Timeout of each request."""
MAX_ROBOTS_BYTES: Final = 512_000
"""Bytes of a robots.txt that search engines read (RFC 9309: at least 500 KiB)."""
# Valid JSON that is no event: status 400 therefore proves that the signature was accepted.
_BODY: Final = b"{}"


def examine(account: Account, origin: str) -> Findings:
    """Check the site at `origin`, its scheme and host, such as https://salon.example, and the pages that it links."""
    yield from _linked_pages(account, origin)
    names = namespaces_of(account)
    if not names:
        return
    try:
        yield from _health(origin, reverse(f"{names[0]}:health"))
        yield from _script(origin)
        if account.index:
            yield from _robots(origin, reverse(f"{names[0]}:services"))
        if account.webhook_secrets:
            yield from _webhook(account, origin, reverse(f"{names[0]}:webhook"))
    except (OSError, http.client.HTTPException) as error:
        why = "certificate" if isinstance(error, ssl.SSLError) else type(error).__name__
        yield fix("site_unreachable", f"{origin} can't be reached ({why})", "check the address, and the server")


def _health(origin: str, path: str) -> Findings:
    response = _request(origin, "GET", path, {DOCTOR_HEADER: sign_for_doctor()})
    status = response.status
    if status == 200:
        yield ok("site_health", f"{origin}{path} answers 200")
        if response.headers.get(PROXY_HEADER):
            advice = 'set "TRUSTED_PROXIES" to the number of proxies in front; until then forged addresses are counted'
            yield fix("site_proxy", f"{origin} is behind a proxy that the settings don't know of", advice)
    else:
        advice = "the running site has other settings or URLs than this one, or a firewall in front"
        yield fix("site_health", f"{origin}{path} answers {status}", advice)


def _script(origin: str) -> Findings:
    address = static(OWN_SCRIPT)
    if urlsplit(address).netloc:
        # Served by a CDN on another host, which isn't this site's to check.
        return
    status = _request_status(origin, "GET", address)
    if status == 200:
        yield ok("site_script", f"{origin}{address} is served")
    else:
        advice = "check what serves static files: WhiteNoise, nginx or a CDN"
        yield fix("site_script", f"{origin}{address} answers {status}", advice)


def _robots(origin: str, path: str) -> Findings:
    """Check that /robots.txt doesn't keep search engines from the list of services. Only rules without "*" are read."""
    response = _request(origin, "GET", "/robots.txt")
    rules = RobotFileParser()
    text = response.read(MAX_ROBOTS_BYTES).decode(errors="replace") if response.status == 200 else ""
    rules.parse(text.splitlines())
    if rules.can_fetch("Googlebot", f"{origin}{path}"):
        yield ok("site_robots", f"{origin}/robots.txt lets search engines read {path}")
    else:
        advice = "remove the rule, or INDEX from the settings"
        yield fix("site_robots", f"{origin}/robots.txt keeps search engines from {path}", advice)


def _webhook(account: Account, origin: str, path: str) -> Findings:
    scheme = signature.SignatureScheme(account.webhook_signed_payload, account.webhook_signature_encoding)
    at = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "X-Kordless-Signature": signature.sign(_BODY, timestamp=at, secret=account.webhook_secrets[0], scheme=scheme),
        "X-Kordless-Timestamp": at,
        "X-Kordless-Webhook-Id": build_probe_id(int(at)),
    }
    signed = _request_status(origin, "POST", path, headers)
    # The counter-check: a site that answers 400 to everything must not pass.
    unsigned = _request_status(origin, "POST", path, {**headers, "X-Kordless-Signature": "0" * 64})
    if (signed, unsigned) == (400, 401):
        yield ok("site_webhook", f"{origin}{path} accepts what is signed with the secret, and nothing else")
    elif signed != 400:
        yield fix("site_webhook", f"{origin}{path} answers {signed} to a signed delivery", _WHY.get(signed, _UNKNOWN))
    else:
        advice = "a proxy drops X-Kordless-Webhook-Id, or something other than the widget answers"
        yield fix("site_webhook", f"{origin}{path} answers {unsigned} to a delivery with a wrong signature", advice)


def _linked_pages(account: Account, origin: str) -> Findings:
    # The slug stands for any service: the page gets whichever is booked.
    done_url = done_url_for(account.done_url, "service")
    yield from _linked_page("site_done_url", "DONE_URL", done_url, origin)
    yield from _linked_page("site_privacy_url", "PRIVACY_URL", account.privacy_url, origin)
    yield from _linked_page("site_terms_url", "TERMS_URL", account.terms_url, origin)


def _linked_page(code: str, name: str, value: str | Mapping[str, str], site: str) -> Findings:
    """Ask for the page of a setting, or those by language. A path is one of the site's."""
    by_language = {"": value} if isinstance(value, str) else value
    # Each once: several languages may have the same.
    for url in dict.fromkeys(filter(None, by_language.values())):
        parts = urlsplit(urljoin(site, url))
        origin = f"{parts.scheme}://{parts.netloc}"
        try:
            status = _request_status(origin, "GET", f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}")
        except (OSError, http.client.HTTPException) as error:
            why = "certificate" if isinstance(error, ssl.SSLError) else type(error).__name__
            yield fix(code, f"{name} at {origin} can't be reached ({why})", "check the address, and the server")
            continue
        if status < 400:
            yield ok(code, f"{name} at {origin} answers {status}")
        else:
            yield fix(code, f"{name} at {origin} answers {status}", "check the address")


_UNKNOWN: Final = "POST requests must reach the site unchanged, without a login, a redirect or a firewall"
_WHY: Final = {
    401: "wrong secret or signature scheme in the site, or a proxy changes the body or drops X-Kordless headers",
    403: "something in front of the site rejects it: a firewall, or a CSRF check",
    404: "the site has no WEBHOOK_SECRETS, or other URLs than this one",
}


def _request_status(origin: str, method: str, path: str, headers: Mapping[str, str] | None = None) -> int:
    """Send a request and return its status."""
    return _request(origin, method, path, headers).status


def _request(origin: str, method: str, path: str, headers: Mapping[str, str] | None = None) -> http.client.HTTPResponse:
    """Send a request. Redirects aren't followed, since Kordless may not follow them either."""
    parts = urlsplit(origin)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    line = kind(parts.netloc, timeout=TIMEOUT_SECONDS)
    try:
        line.request(method, path, _BODY if method == "POST" else None, dict(headers or {}))
        return line.getresponse()
    finally:
        line.close()


def examine_mounts(account: Account) -> Findings:
    """Report each address of the account's pages."""
    found = namespaces_of(account)
    if not found:
        if len(conf.accounts()) > 1:
            advice = f"add path(…, include('kordless_booking.urls', namespace={account.name!r})) to the URLconf"
        else:
            advice = 'add path("book/", include("kordless_booking.urls")) to the URLconf'
        yield fix("unmounted", "The widget is not mounted", advice)
        return
    for name in found:
        try:
            address = reverse(f"{name}:services")
        # The mount point has a path parameter, such as `<slug:shop>/book/`, for which no value is known here.
        except NoReverseMatch:
            advice = "mount it at a path without parameters"
            yield fix("unmounted", f"The URL of the widget in the namespace {name!r} can't be determined", advice)
            continue
        if shadow := find_shadow(name):
            path, view = shadow
            advice = "put the widget's line above it in the URLconf"
            yield fix("shadowed", f"{path} of the widget leads to something else ({view})", advice)
        else:
            yield ok("mounted", f"The widget is at {address}")
