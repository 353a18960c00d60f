"""Absolute URLs of the widget's pages for mails.

They begin with SITE_URL from the settings, never with the host of a request, which a client can choose.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlencode

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver, get_script_prefix, reverse, set_script_prefix

from kordless_booking.conf import Account

__all__ = ["absolute_url"]


def absolute_url(account: Account, name: str, *args: str, **query: str | None) -> str:
    """Return the absolute URL of the page with this URL name.

    `args` are its path arguments. `query` becomes the query string, without empty values. Raises
    django.urls.NoReverseMatch when the account's URLs are mounted nowhere.
    """
    # SITE_URL contains all that stands before the URLconf's own paths. The script name of the current request, or
    # FORCE_SCRIPT_NAME, would stand there twice.
    prefix = get_script_prefix()
    set_script_prefix("/")
    try:
        # Not the active URLconf: a middleware may have set another one for the current request.
        path = reverse(f"{_namespace(account)}:{name}", args=args, urlconf=settings.ROOT_URLCONF)
    finally:
        set_script_prefix(prefix)
    more = urlencode({key: value for key, value in query.items() if value})
    return f"{account.site_url}{path}{'?' if more else ''}{more}"


def _namespace(account: Account) -> str:
    """Return the account's instance namespace, or the first mount when none has the account's name.

    A site with one account may mount it under any namespace.
    """
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
