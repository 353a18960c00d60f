"""Prefetch requests: a visitor's pointer rests on a link, or a finger touches it, but nothing is decided yet.

They are answered from the cache alone, so that no guess costs a request to Kordless, and never with anything personal.
"""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse

_SCRIPT_HEADER: Final = "HTTP_KB_AHEAD"
"""`KB-Ahead`, the header that our script sends."""
_RESPONSE_HEADER: Final = "KB-Ahead"
"""The same header in a response: a script that shows the page must report it (`KB-Taken`), because it counts then."""
PREFETCH_SECONDS: Final = 5
"""Seconds for which a browser may show a prefetched page without asking again: longer than most people take from
pointing to pressing, and short, because a time may be taken in between.
"""
_REPORT_HEADER: Final = "HTTP_KB_TAKEN"
_BROWSER_HEADERS: Final = ("HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_MOZ")
"""Headers of browsers that prefetch by themselves: `Sec-Purpose`, and its predecessors `Purpose` and `X-Moz`."""


def is_prefetch(request: HttpRequest) -> bool:
    """Return whether our script, or the browser by itself, only guesses that the page will be wanted."""
    meta = request.META
    # Substring, because browsers add to it: "prefetch;prerender".
    is_guess = _SCRIPT_HEADER in meta or any("prefetch" in meta.get(name, "") for name in _BROWSER_HEADERS)
    return is_guess and request.method == "GET"


def is_report(request: HttpRequest) -> bool:
    """Return whether our script only reports that it shows a page that it had prefetched: no body is wanted."""
    return _REPORT_HEADER in request.META


def keep_for_click(request: HttpRequest, response: HttpResponse, *, counts_when_shown: bool) -> None:
    """Let the visitor's browser, and no other cache, keep a page that our script has prefetched, for the click.

    Browsers that prefetch by themselves get no such answer: what they show would never be reported.
    """
    # A lost time redirects to the free ones; htmx follows both from the cache.
    if _SCRIPT_HEADER in request.META and response.status_code in {200, 303}:
        response["Cache-Control"] = f"private, max-age={PREFETCH_SECONDS}"
        if counts_when_shown:
            response[_RESPONSE_HEADER] = "1"


def prefetch_declined() -> HttpResponse:
    """Build an empty response that nobody stores: the page must be requested again when it is wanted."""
    return HttpResponse(status=204, headers={"Cache-Control": "no-store"})
