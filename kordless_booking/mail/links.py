"""Addresses of our pages for mails: built on the site's own address from the settings, never on a request's host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlencode

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver, get_script_prefix, reverse, set_script_prefix

from kordless_booking.conf import Account

__all__ = ["absolute"]


def absolute(account: Account, name: str, *args: str, **query: str | None) -> str:
    """The whole address of a page. Raises django.urls.NoReverseMatch where the account's URLs are mounted nowhere.

    SITE_URL says all that stands before the URLconf's own paths, so neither FORCE_SCRIPT_NAME nor a request plays in.
    """
    prefix = get_script_prefix()
    set_script_prefix("/")
    try:
        path = reverse(f"{_namespace(account)}:{name}", args=args, urlconf=settings.ROOT_URLCONF)
    finally:
        set_script_prefix(prefix)
    more = urlencode({key: value for key, value in query.items() if value})
    return f"{account.site_url}{path}{'?' if more else ''}{more}"


def _namespace(account: Account) -> str:
    """Where the account is mounted; with one account, wherever the URLs are."""
    mounts = list(_mounts(get_resolver(settings.ROOT_URLCONF).url_patterns, ""))
    own = [namespace for namespace in mounts if namespace.rpartition(":")[2] == account.name]
    return next(iter(own or mounts), "kordless_booking")


def _mounts(patterns: Sequence[URLPattern | URLResolver], outer: str) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = ":".join(filter(None, [outer, pattern.namespace]))
            if pattern.app_name == "kordless_booking":
                yield inner
            else:
                yield from _mounts(pattern.url_patterns, inner)
