"""Security headers and the same-origin rule, which protects forms without a cookie.

There is no session, so there is no authority that a foreign site could borrow, and no CSRF token is needed. What is
left to stop is a foreign page that makes a visitor's browser send our forms. Browsers say where a request comes from,
and ours must come from our own pages. In a frame on any site, the widget's own requests are still same-origin.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http.response import ResponseHeaders
from django.utils.cache import patch_vary_headers

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from kordless_booking.conf import Account

CACHE_PRIVATE: Final = "private, no-cache"
"""Cache-Control for pages on the way to a booking: kept by the browser alone, and revalidated each time."""
CACHE_NO_STORE: Final = "no-store, private"
"""Cache-Control for pages that show a booking or what somebody typed."""
_VARY: Final = ("HX-Request", "HX-Target", "Accept-Language")
"""One URL gives a whole page, or a fragment for htmx and its target."""
Sources = tuple[str, tuple[str, ...], str, tuple[str, ...], tuple[str, ...]]
"""Arguments of `_policy`."""


def is_same_origin(request: HttpRequest) -> bool:
    """Return True when one of our own pages made this unsafe request.

    Sec-Fetch-Site decides where the browser sends it; else Origin, else Referer must be our own (Safari before 16.4). A
    client that sends none of them is not a browser with a page in it, and can't be tricked into sending anything.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        # "same-site" is not enough: another subdomain may belong to somebody else.
        return site == "same-origin"
    claimed = request.headers.get("Origin") or request.headers.get("Referer")
    if not claimed:
        return True
    try:
        parts = urlsplit(claimed)
    except ValueError:
        return False
    # https as well: behind a proxy that ends TLS, Django sees http unless SECURE_PROXY_SSL_HEADER is set, and whoever
    # serves our host over TLS is this site. Not the reverse: anybody on the way may have written an http page.
    return parts.scheme in {request.scheme, "https"} and parts.netloc == request.get_host()


def set_security_headers(
    response: HttpResponse,
    account: Account,
    *,
    image_origins: tuple[str, ...] = (),
    style_source: str = "",
    cache: str,
    followed: bool = False,
    indexed: bool = False,
    in_base_template: bool = False,
) -> None:
    """Set the security headers: who may frame the page, what it may load, and how it may be cached.

    `image_origins` are the origins of the business's logo and icon; `style_source` allows the page's own style sheet.
    `cache` is the Cache-Control value. With `followed`, robots may follow the page's links; with `indexed`, search
    engines may list the page as well. The host site's own Content-Security-Policy does not apply to these pages: a
    browser would enforce both, and the widget's frame would break. With `in_base_template`, the page is as much the
    site's: what it may load, and who may frame it, is up to the site's own middleware. A browser that asks for a
    frame's document gets another page.
    """
    # Steps carry choices in the query: endless variants that no index needs, and each has links to many more.
    robots = "index, follow" if indexed else "noindex, follow" if followed else "noindex, nofollow"
    sources = (static_origin(), image_origins, style_source, account.spam_check_origins, account.embed_origins)
    headers = _headers(cache, robots, None if in_base_template else sources)
    if "Vary" in response:
        patch_vary_headers(response, _VARY)
        headers = {name: header for name, header in headers.items() if name != "vary"}
    response.headers._store.update(headers)
    if not in_base_template:
        # X-Frame-Options knows no list of origins; frame-ancestors in the policy does.
        response.xframe_options_exempt = True


@lru_cache(maxsize=256)
def _headers(cache: str, robots: str, sources: Sources | None) -> dict[str, tuple[str, str]]:
    """Return headers as Django stores them: its checks and conversions would cost each page as much as its language."""
    headers = {} if sources is None else {"Content-Security-Policy": _policy(*sources)}
    headers |= {
        "Cache-Control": cache,
        # Personal pages have a token in their path: another origin gets no referrer from them, and from steps the
        # origin.
        "Referrer-Policy": "strict-origin-when-cross-origin" if cache == CACHE_PRIVATE else "same-origin",
        "X-Robots-Tag": robots,
        "X-Content-Type-Options": "nosniff",
        "Vary": ", ".join(_VARY),
    }
    return dict(ResponseHeaders(headers)._store)


def embed_origin_pattern(account: Account) -> str:
    """Return EMBED_ORIGINS as a regular expression that must match a whole origin, in Python and in JavaScript."""
    return _origin_pattern(account.embed_origins)


@lru_cache(maxsize=64)
def _origin_pattern(origins: tuple[str, ...]) -> str:
    exact = [origin for origin in origins if origin != "'self'"]
    return "|".join(re.escape(origin).replace(r"\*", r"[\w.-]+") for origin in exact)


def may_lead_to(account: Account, request: HttpRequest, url: str) -> bool:
    """Return True when a confirmation may lead to this absolute URL, which a link to the widget has named.

    Any link to the widget can name one. So it must be on an origin that may embed the widget, or on this site, which is
    the request's host or that of SITE_URL.
    """
    if may_lead_to_embedder(account, url):
        return True
    parts = urlsplit(url)
    try:
        # https as well, as for forms: a proxy may end TLS.
        is_own = parts.netloc == request.get_host() and parts.scheme in {request.scheme, "https"}
    except DisallowedHost:
        is_own = False
    return _leads_on_at_home(account) and (is_own or _is_at_site_url(account, url))


def may_lead_to_from(account: Account, origin: str, url: str) -> bool:
    """Return True when a confirmation may lead to this absolute URL where the widget is served at `origin`.

    For the snippet builder: its own host, on which staff are, may be another one than the widget's.
    """
    if may_lead_to_embedder(account, url):
        return True
    is_own = urlsplit(url)[:2] == urlsplit(origin)[:2]
    return _leads_on_at_home(account) and (is_own or _is_at_site_url(account, url))


def may_lead_to_embedder(account: Account, url: str) -> bool:
    """Return True when a URL is on one of EMBED_ORIGINS."""
    parts = urlsplit(url)
    return re.fullmatch(embed_origin_pattern(account), f"{parts.scheme}://{parts.netloc}") is not None


def _leads_on_at_home(account: Account) -> bool:
    """Return True where links may name thank-you pages of this site: where it has one, or embeds the widget itself.

    Else anybody could send customers from the confirmation to any of its pages, such as one that redirects elsewhere.
    """
    return bool(account.done_url) or "'self'" in account.embed_origins


def _is_at_site_url(account: Account, url: str) -> bool:
    return bool(account.site_url) and urlsplit(url)[:2] == urlsplit(account.site_url)[:2]


def set_isolation_headers(response: HttpResponse, account: Account, *, image_origin: str | None) -> None:
    """Let cross-origin isolated pages frame this one, by headers that opt in to it (CORP and COEP).

    With COEP this page has to be isolated too. A spam check in a frame of its own would be blocked by that, so there is
    no COEP where one is set up.
    """
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    if account.spam_check_origins:
        return
    # "require-corp" would block images and static files of servers that don't send CORP; "credentialless" loads them
    # without cookies.
    elsewhere = image_origin or static_origin()
    response["Cross-Origin-Embedder-Policy"] = "credentialless" if elsewhere else "require-corp"


def _policy(
    static_origin: str,
    image_origins: tuple[str, ...],
    style_source: str,
    check_origins: tuple[str, ...],
    embed_origins: tuple[str, ...],
) -> str:
    own = f"'self' {static_origin}".strip()
    policy = {
        "default-src": "'none'",
        "script-src": " ".join((own, *check_origins)),
        # No "unsafe-inline" anywhere: scripts are files, and the one style in the page is allowed by its hash.
        "style-src": f"{own} {style_source}".strip(),
        "font-src": own,
        # data: for the empty icon in parts/head.html.
        "img-src": " ".join((own, "data:", *image_origins)),
        "connect-src": " ".join(("'self'", *check_origins)),
        "frame-src": " ".join(check_origins) or "'none'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": " ".join(dict.fromkeys(("'self'", *embed_origins))),
    }
    return "; ".join(f"{name} {value}" for name, value in policy.items())


def static_origin() -> str:
    """Return the origin of static files when it is another one, such as a CDN; else ""."""
    parts = urlsplit(settings.STATIC_URL or "")
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else ""
