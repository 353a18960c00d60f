"""Who may send to the widget, and who may frame it, without a single cookie.

There is no session, so there is no authority that a foreign site could borrow. What is left to stop is a foreign
page that makes a visitor's browser send our forms: browsers say where a request comes from, and ours must come
from ourselves. Inside a frame on any site the widget's own requests are still same-origin.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.cache import patch_vary_headers

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from kordless_booking.conf import Account

__all__ = ["PERSONAL", "STEP", "comes_from_ourselves", "frame", "parents", "reach_isolated", "static_origin"]

STEP: Final = "private, no-cache"
PERSONAL: Final = "no-store, private"


def comes_from_ourselves(request: HttpRequest) -> bool:
    """Whether an unsafe request was made by one of our own pages.

    Sec-Fetch-Site decides where the browser sends it; else Origin, else Referer must be our own. A client that
    sends none of them is no browser with a page in it, and can't be made to do anything.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    claimed = request.headers.get("Origin") or request.headers.get("Referer")
    if not claimed:
        return True
    try:
        parts = urlsplit(claimed)
    except ValueError:
        return False
    return (parts.scheme, parts.netloc) == (request.scheme, request.get_host())


def frame(response: HttpResponse, account: Account, *, image_origin: str | None, cache: str) -> None:
    """Set who may frame the page, what it may load and how long it may be kept.

    `image_origin` is the origin of the business's logo. An own policy of the host site does not apply to these
    pages: two policies would be intersected, and the widget's frame would break.
    """
    response["Content-Security-Policy"] = _policy(
        static_origin(), image_origin, account.human_check_origins, account.embed_origins
    )
    response.xframe_options_exempt = True  # frame-ancestors says who may
    response["Cache-Control"] = cache
    response["Referrer-Policy"] = "strict-origin-when-cross-origin" if cache == STEP else "same-origin"
    response["X-Robots-Tag"] = "noindex" if cache == PERSONAL else "noindex, follow"
    response["X-Content-Type-Options"] = "nosniff"
    patch_vary_headers(response, ["HX-Request", "HX-Target", "Accept-Language"])


def parents(account: Account) -> str:
    """EMBED_ORIGINS as a regular expression that an origin must match as a whole, in Python and in JavaScript."""
    exact = [origin for origin in account.embed_origins if origin != "'self'"]
    return "|".join(re.escape(origin).replace(r"\*", r"[\w.-]+") for origin in exact)


def reach_isolated(response: HttpResponse, account: Account, *, image_origin: str | None) -> None:
    """Let pages that are cross-origin isolated frame this one: they take only what says that it may be taken.

    The page has to be isolated itself then. A check for humans in a frame of its own would be shut out by that.
    """
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    if account.human_check_origins:
        return
    elsewhere = image_origin or static_origin()
    response["Cross-Origin-Embedder-Policy"] = "credentialless" if elsewhere else "require-corp"


@lru_cache(maxsize=256)
def _policy(
    static_origin: str, image_origin: str | None, check_origins: tuple[str, ...], embed_origins: tuple[str, ...]
) -> str:
    own = f"'self' {static_origin}".strip()
    policy = {
        "default-src": "'none'",
        "script-src": " ".join((own, *check_origins)),
        "style-src": own,
        "font-src": own,
        "img-src": f"{own} data: {image_origin or ''}".strip(),
        "connect-src": " ".join(("'self'", *check_origins)),
        "frame-src": " ".join(check_origins) or "'none'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": " ".join(dict.fromkeys(("'self'", *embed_origins))),
    }
    return "; ".join(f"{name} {value}" for name, value in policy.items())


def static_origin() -> str:
    """The origin of static files when they live elsewhere, such as on a CDN."""
    parts = urlsplit(settings.STATIC_URL or "")
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else ""
