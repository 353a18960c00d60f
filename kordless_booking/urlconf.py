"""Absolute URLs of the widget's pages for mails.

They begin with SITE_URL from the settings, never with the host of a request, which a client can choose.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from urllib.parse import urlencode

from django.conf import settings
from django.urls import (
    URLPattern,
    URLResolver,
    get_resolver,
    get_script_prefix,
    get_urlconf,
    reverse,
    set_script_prefix,
)
from django.utils.translation import get_language

from kordless_booking.conf import Account
from kordless_booking.setting_changes import on_setting_change


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


Mount = tuple[str, str, str | None, str | None]
"""Everything that a path depends on: namespace, script prefix, the URL configuration of the request if middleware has
set one, and the active language, because of `i18n_patterns` and translated paths.
"""


def current_mount(namespace: str) -> Mount:
    """Return the mount of a namespace in the current request and language."""
    return namespace, get_script_prefix(), get_urlconf(), get_language()


@lru_cache(maxsize=1024)
def cached_reverse(mount: Mount, name: str, *args: str) -> str:
    """Return the path of a page. Request and language of the mount must still be active."""
    # `reverse` reads prefix and language from the thread; here they are only part of the cache's key.
    namespace, _prefix, urlconf, _language = mount
    return reverse(f"{namespace}:{name}", args=args, urlconf=urlconf)


on_setting_change({"ROOT_URLCONF", "FORCE_SCRIPT_NAME"}, cached_reverse.cache_clear)
