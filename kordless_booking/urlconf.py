"""Mounts of the widget: namespaces, the account of a request, paths, and absolute URLs for what leaves the site.

Absolute URLs begin with SITE_URL from the settings, and not with the host of a request, which a client can choose.
Only on a site without SITE_URL, which sends no mail, do calendar entries and the snippet have the request's host.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.urls import (
    NoReverseMatch,
    Resolver404,
    URLPattern,
    URLResolver,
    get_resolver,
    get_script_prefix,
    get_urlconf,
    reverse,
    set_script_prefix,
)
from django.utils import translation
from django.utils.translation import get_language

from kordless_booking import conf
from kordless_booking.conf import Account
from kordless_booking.presentation.locales import default_language, site_code, supported_languages
from kordless_booking.setting_changes import on_setting_change


def absolute_url(account: Account, name: str, *args: str, **query: str | None) -> str:
    """Return the absolute URL of the page with this URL name.

    `args` are its path arguments. `query` becomes the query string, without empty values. Raises
    django.urls.NoReverseMatch when the account's URLs are mounted nowhere.
    """
    found = namespaces_of(account)
    if not found:
        raise NoReverseMatch(f"kordless_booking.urls is not mounted for the account {account.name!r}.")
    # SITE_URL contains all that stands before the URLconf's own paths. The script name of the current request, or
    # FORCE_SCRIPT_NAME, would stand there twice.
    prefix = get_script_prefix()
    set_script_prefix("/")
    try:
        # Not the active URLconf: a middleware may have set another one for the current request.
        path = _reverse(f"{found[0]}:{name}", args, settings.ROOT_URLCONF)
    finally:
        set_script_prefix(prefix)
    more = urlencode({key: value for key, value in query.items() if value})
    return f"{account.site_url}{path}{'?' if more else ''}{more}"


DEFAULT_URL: Final = "x-default"
"""Key of the URL for all languages, as hreflang writes it."""


@lru_cache(maxsize=1024)
def urls_by_language(account: Account, name: str, *args: str) -> Mapping[str, str]:
    """Return the absolute URLs of a page by language, and under DEFAULT_URL the one for all other languages.

    A language is in the URL's query, `?lang=de`, unless the site's paths have it (i18n_patterns). DEFAULT_URL is then
    that of the site's own language. Raises NoReverseMatch as `absolute_url` does.
    """
    urls = {}
    for language in supported_languages():
        with translation.override(language):
            urls[language] = absolute_url(account, name, *args)
    default = urls.get(default_language()) or next(iter(urls.values()))
    if len(set(urls.values())) == 1:
        urls = {language: f"{url}?{urlencode({'lang': language})}" for language, url in urls.items()}
    return MappingProxyType({DEFAULT_URL: default, **urls})


on_setting_change(None, urls_by_language.cache_clear)


def public_url(account: Account, request: HttpRequest, path: str) -> str:
    """Return the absolute URL of one of our own paths, for a calendar entry or another website.

    `path` begins with the script prefix of the request, as `cached_reverse` returns it, and may have a query.
    """
    if not account.site_url:
        return request.build_absolute_uri(path)
    # As above: SITE_URL contains what stands before the URLconf's own paths.
    return f"{account.site_url}/{path.removeprefix(get_script_prefix())}"


def namespaces_of(account: Account) -> list[str]:
    """Return the namespaces that the account is mounted under. Links use the first one."""
    found = mounted_namespaces()
    own = [namespace for namespace in found if namespace.rpartition(":")[2] == account.name]
    if len(conf.accounts()) > 1:
        return own
    # A site with one account may mount it under any namespace.
    return own + [namespace for namespace in found if namespace not in own]


def mounted_namespaces() -> list[str]:
    """Return the full instance namespace of each place where our URLs are mounted, such as "shop:north"."""
    return list(_find_mounts(get_resolver(settings.ROOT_URLCONF).url_patterns, ""))


def _find_mounts(patterns: Sequence[URLPattern | URLResolver], outer: str) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = ":".join(filter(None, [outer, pattern.namespace]))
            if pattern.app_name == "kordless_booking":
                yield inner
            else:
                yield from _find_mounts(pattern.url_patterns, inner)


def find_shadow(namespace: str) -> tuple[str, str] | None:
    """Return the first path of this mount that Django gives to another view, and that view; None when there is none.

    A catch-all above the widget's line does that: `reverse` still names the path. A mount with parameters in its path
    has no path that could be tried.
    """
    resolver = get_resolver(settings.ROOT_URLCONF)
    for name, args in _TRIED:
        try:
            path = reverse(f"{namespace}:{name}", args=args, urlconf=settings.ROOT_URLCONF)
        except NoReverseMatch:
            return None
        try:
            found = resolver.resolve(f"/{path.removeprefix(get_script_prefix())}")
        except Resolver404:
            return path, "404"
        # Two mounts at one path, which are one account's, are no trouble.
        if found.app_names[-1:] != ["kordless_booking"]:
            return path, found.view_name
    return None


_TRIED: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("services", ()),
    ("webhook", ()),
    ("health", ()),
    ("embed", ()),
    ("slots", ("service",)),
)
"""Pages with their arguments, of each kind of path: with a slash at the end and without, with a slug and without."""


def varies_by_language(namespace: str) -> bool:
    """Return whether the path of this mount depends on the language, as below `i18n_patterns`."""
    paths = set()
    for language in ("en", "de"):
        with translation.override(language):
            try:
                paths.add(reverse(f"{namespace}:services", urlconf=settings.ROOT_URLCONF))
            except NoReverseMatch:
                return False
    return len(paths) > 1


def account_for(request: HttpRequest) -> Account:
    """Return the account that the namespace of the request names. Raises ImproperlyConfigured as `get_account` does."""
    match = request.resolver_match
    return conf.get_account(match.namespace if match else None)


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
    return _reverse(f"{namespace}:{name}", args, urlconf)


def _reverse(name: str, args: Sequence[str], urlconf: str | None) -> str:
    """Return a path in the active language, by the code that the site has for it: LANGUAGES may have "pt" alone."""
    language = get_language() or ""
    code = site_code(language)
    if code == language:
        return reverse(name, args=args, urlconf=urlconf)
    with translation.override(code):
        return reverse(name, args=args, urlconf=urlconf)


on_setting_change({"ROOT_URLCONF", "FORCE_SCRIPT_NAME"}, cached_reverse.cache_clear)
