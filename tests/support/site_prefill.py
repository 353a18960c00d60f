"""Functions for the setting PREFILL, as a site writes them."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import lazystr
from django.utils.safestring import mark_safe

CALLS: list[str] = []
"""Paths of the requests with which `known_user` was called."""


def known_user(request: HttpRequest) -> dict[str, Any]:
    """Return the details in the cookie "who", as a site would those of the user who is logged in."""
    CALLS.append(request.path)
    name = request.COOKIES.get("who", "")
    return {"name": name, "email": f"{name.split()[0].lower()}@canary.example", "phone": None} if name else {}


def wrong_details(request: HttpRequest) -> dict[str, Any]:
    """Return what no form would take, what no form has, and one name."""
    return {"name": "Ada Canary", "email": "no-address", "phone": "12", "start": "x", "draft": "x", "notes": "n" * 5000}


def marked_safe(request: HttpRequest) -> dict[str, Any]:
    """Return markup that is marked as safe, as a site's template code may leave it."""
    return {"name": mark_safe('"><script>alert(1)</script>')}


def raising_text(request: HttpRequest) -> dict[str, Any]:
    """Return a lazy text that raises only when it is read."""
    return {"name": lazystr(_Unreadable())}


class _Unreadable:
    def __str__(self) -> str:
        raise LookupError("ada@canary.example")


def failing(request: HttpRequest) -> dict[str, Any]:
    """Raise, with a text that must not be logged."""
    raise LookupError("ada@canary.example")


def nothing(request: HttpRequest) -> None:
    """Return nothing, as a function without a return does."""


def no_mapping(request: HttpRequest) -> str:
    """Return a text."""
    return "ada@canary.example"


def without_request() -> dict[str, Any]:
    """Take no request."""
    return {}


async def known_async(request: HttpRequest) -> dict[str, Any]:
    """Need an await."""
    return {}
