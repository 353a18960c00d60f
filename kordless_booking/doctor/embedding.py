"""Check of embedding: which other sites may frame the widget, and whether the site's own middleware prevents it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.http import HttpResponse

from kordless_booking.doctor.finding import Findings, fix, note, ok, printable
from kordless_booking.doctor.middleware_chain import call_through
from kordless_booking.views import security

if TYPE_CHECKING:
    from kordless_booking.conf import Account

POLICY: Final = "Content-Security-Policy"
_ANSWERS: Final = "answers"


def examine(account: Account) -> Findings:
    """Check EMBED_ORIGINS, and pass a page of the widget through every middleware. No other site is visited."""
    yield from _origins(account)
    yield from _middleware(account)


def _origins(account: Account) -> Findings:
    others = [origin for origin in account.embed_origins if origin != "'self'"]
    if not others:
        yield note("embedded_nowhere", "Only this site may frame the widget", "add others to EMBED_ORIGINS")
        return
    local = [origin for origin in others if origin.startswith("http://")]
    if local and not settings.DEBUG:
        advice = "remove them from EMBED_ORIGINS in production"
        yield note("origins_local", f"Sites on this machine may frame the widget ({', '.join(local)})", advice)
    wide = [origin for origin in others if "*" in origin]
    if wide:
        advice = "list single sites, unless all of them are yours"
        yield note("origins_wide", f"Every site under {', '.join(wide)} may frame the widget", advice)
    secure = [origin for origin in others if origin.startswith("https://")]
    if secure:
        yield ok("origins", f"Allowed to frame the widget: {', '.join(secure)}")


def _middleware(account: Account) -> Findings:
    names: Sequence[str] = settings.MIDDLEWARE
    try:
        problem = _find_problem(account, names)
    except Exception as error:  # noqa: BLE001 (the site's middleware raises anything)
        text = f"The site's middleware could not be run ({type(error).__name__})"
        yield note("middleware_not_tried", text, "open a page of the widget in a frame")
        return
    if problem is None:
        yield ok("middleware", "The site's middleware changes none of the widget's headers, and sets no cookie")
        return
    # Ever longer chains from the outermost on: the first that causes the problem ends with the culprit.
    name = next(
        (names[:length][-1] for length in range(1, len(names)) if _find_problem(account, names[:length])), names[-1]
    )
    advice = (
        "let requests for the widget pass"
        if problem.startswith(_ANSWERS)
        else "make it skip responses that already have such a header"
    )
    yield fix("middleware", f"{printable(name)} {problem}", advice)


def _find_problem(account: Account, names: Sequence[str]) -> str | None:
    """Return what these middlewares do to the widget's page that hinders its use in a frame, or None."""
    before, after = _framed(account), call_through(names, lambda _request: _framed(account))
    if after.status_code != before.status_code:
        return f"{_ANSWERS} {after.status_code} instead of the widget"
    if after.get(POLICY) != before.get(POLICY):
        return f"replaces the widget's {POLICY}"
    if "X-Frame-Options" in after:
        return "adds X-Frame-Options, which prevents other sites from framing the widget"
    return "sets a cookie on the widget's pages" if after.cookies else None


def _framed(account: Account) -> HttpResponse:
    response = HttpResponse("<!doctype html>")
    # The real headers on a made-up page: a real one would call Kordless.
    security.set_security_headers(response, account, cache=security.CACHE_PRIVATE)
    return response
