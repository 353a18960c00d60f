"""Pages that are asked for before anybody has decided: a visitor's pointer rests on a link, or a finger touches it.

They are answered from what lies at hand, so that no guess costs Kordless a request, and nothing that is anybody's own
is given out on a guess.
"""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse

__all__ = ["asked_ahead", "not_ahead"]

_OURS: Final = "HTTP_KB_AHEAD"
_THE_BROWSERS: Final = ("HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_MOZ")


def asked_ahead(request: HttpRequest) -> bool:
    """Whether our script, or the browser of itself, only guesses that the page will be wanted."""
    meta = request.META
    guessed = _OURS in meta or any("prefetch" in meta.get(name, "") for name in _THE_BROWSERS)
    return guessed and request.method == "GET"


def not_ahead() -> HttpResponse:
    """Nothing, and nobody is to remember it: the page has to be asked for in earnest."""
    return HttpResponse(status=204, headers={"Cache-Control": "no-store"})
