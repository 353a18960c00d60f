"""Prefetch requests: a visitor's pointer rests on a link, or a finger touches it, but nothing is decided yet.

They are answered from the cache alone, so that no guess costs a request to Kordless, and never with anything personal.
"""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse

__all__ = ["asked_ahead", "not_ahead"]

_OURS: Final = "HTTP_KB_AHEAD"
"""`KB-Ahead`, the header that our script sends."""
_THE_BROWSERS: Final = ("HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_MOZ")
"""Headers of browsers that prefetch by themselves: `Sec-Purpose`, and its predecessors `Purpose` and `X-Moz`."""


def asked_ahead(request: HttpRequest) -> bool:
    """Return whether our script, or the browser by itself, only guesses that the page will be wanted."""
    meta = request.META
    # Substring, because browsers add to it: "prefetch;prerender".
    guessed = _OURS in meta or any("prefetch" in meta.get(name, "") for name in _THE_BROWSERS)
    return guessed and request.method == "GET"


def not_ahead() -> HttpResponse:
    """Build an empty response that nobody stores: the page must be requested again when it is wanted."""
    return HttpResponse(status=204, headers={"Cache-Control": "no-store"})
