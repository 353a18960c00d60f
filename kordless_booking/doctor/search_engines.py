"""Check of what search engines may list: the addresses of the pages, for an account with INDEX. Sends no request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import NoReverseMatch

from kordless_booking.doctor.finding import Findings, fix, note, ok
from kordless_booking.urlconf import DEFAULT_URL, urls_by_language

if TYPE_CHECKING:
    from kordless_booking.conf import Account


def examine(account: Account) -> Findings:
    """Check INDEX; an account without it has no finding."""
    if not account.index:
        return
    try:
        url = urls_by_language(account, "services")[DEFAULT_URL]
    except NoReverseMatch:
        advice = "mount kordless_booking.urls in ROOT_URLCONF, at a path without parameters"
        yield fix("indexed_nowhere", "INDEX is on, but no page has an address for search engines", advice)
        return
    yield ok("indexed", f"Search engines may list {url} and the page of each service")
    if account.sandbox:
        advice = "remove INDEX until the site books with Kordless"
        yield note("indexed_sandbox", "Search engines may list pages whose bookings reach nobody", advice)
