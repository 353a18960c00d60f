"""Prefetch requests: a visitor's pointer rests on a link, or a finger touches it, but nothing is decided yet.

They are answered from the cache alone, so that no guess costs a request to Kordless, and never with anything personal.
"""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

_SCRIPT_HEADER: Final = "HTTP_KB_AHEAD"
"""`KB-Ahead`, the header that our script sends."""
_RESPONSE_HEADER: Final = "KB-Ahead"
"""The same header in a response: a script that shows the page must report it (`KB-Taken`), see `keep_for_click`."""
PREFETCH_SECONDS: Final = 5
"""Seconds for which a browser may show a prefetched page without asking again: longer than most people take from
pointing to pressing, and short, because a time may be taken in between.
"""
_REPORT_HEADER: Final = "HTTP_KB_TAKEN"
_REPORT_FIELD: Final = "kb-taken"
"""Field that our script adds to a form. No header: browsers would send it once more when they follow the redirect."""
_BROWSER_HEADERS: Final = ("HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_MOZ")
"""Headers of browsers that prefetch by themselves: `Sec-Purpose`, and its predecessors `Purpose` and `X-Moz`."""
_GUESS_HEADERS: Final = (_SCRIPT_HEADER, *_BROWSER_HEADERS)


def is_prefetch(request: HttpRequest) -> bool:
    """Return whether our script, or the browser by itself, only guesses that the page will be wanted."""
    meta = request.META
    # No loop over the names: each page asks twice, and hardly any has one of them.
    if meta.keys().isdisjoint(_GUESS_HEADERS):
        return False
    # Substring, because browsers add to it: "prefetch;prerender".
    is_guess = _SCRIPT_HEADER in meta or any("prefetch" in meta.get(name, "") for name in _BROWSER_HEADERS)
    return is_guess and request.method == "GET"


def is_report(request: HttpRequest) -> bool:
    """Return whether our script only reports that it shows a page that it had prefetched: no body is wanted."""
    return _REPORT_HEADER in request.META


def brings_report(request: HttpRequest) -> bool:
    """Return whether the form that is sent had been prefetched, and hasn't been reported yet."""
    return _REPORT_FIELD in request.POST


def keep_for_click(request: HttpRequest, response: HttpResponse, *, is_wanted_report: bool) -> None:
    """Let the visitor's browser, and no other cache, keep a page that our script has prefetched, for the click.

    `is_wanted_report`: the script has to report that it shows the page, because the funnel counts something then, or
    because a part of the page should have been refreshed by now, which no prefetch does. Browsers that prefetch by
    themselves get no such answer: what they show would never be reported.
    """
    # A lost time redirects to the free ones; htmx follows both from the cache.
    if _SCRIPT_HEADER in request.META and response.status_code in {200, 303}:
        response["Cache-Control"] = f"private, max-age={PREFETCH_SECONDS}"
        if is_wanted_report:
            response[_RESPONSE_HEADER] = "1"
        # What counts depends on the page before.
        patch_vary_headers(response, ["HX-Current-URL"])


def prefetch_declined() -> HttpResponse:
    """Build an empty response that nobody stores: the page must be requested again when it is wanted."""
    return HttpResponse(status=204, headers={"Cache-Control": "no-store"})
