"""Sitemap of the pages that search engines may list, for django.contrib.sitemaps.

It lists the pages of the accounts with INDEX: of each service, and of the list where there are several services::

    path("sitemap.xml", sitemap, {"sitemaps": {"booking": ServiceSitemap}})
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.sitemaps import Sitemap

from kordless_booking import conf
from kordless_booking.api.deadline import deadline
from kordless_booking.conf import Account
from kordless_booking.exceptions import KordlessError
from kordless_booking.upstream.registry import services_for
from kordless_booking.urlconf import urls_by_language
from kordless_booking.views.metadata import service_urls
from kordless_booking.views.steps import bookable_services

__all__ = ["ServiceSitemap"]

MAX_ENTRIES: Final = 2000
"""Addresses in one file. Each names those of all languages, and a file may have 50 MB (sitemaps.org)."""
MAX_SECONDS: Final = 4.0
"""Seconds that a sitemap waits for Kordless, for all accounts: robots give up on a slow one, and come again."""


@dataclass(frozen=True)
class Entry:
    """One address of a page."""

    url: str
    alternates: Mapping[str, str]
    """The page's addresses by language tag, its own among them."""


class ServiceSitemap(Sitemap):  # type: ignore[type-arg]  # generic for type checkers only
    """Sitemap of the accounts with these names, by default of all. Those without INDEX have no entries.

    The services are those that are cached, however old. Where nothing is cached, one request to Kordless fetches them;
    when it fails, the list alone is in the sitemap. All accounts together wait for MAX_SECONDS at most.
    """

    limit = MAX_ENTRIES

    def __init__(self, *accounts: str) -> None:
        self._accounts = accounts

    def items(self) -> list[Entry]:
        """Return the addresses of all pages, in each language."""
        with deadline(MAX_SECONDS):
            return [
                Entry(url, urls)
                for name, account in conf.accounts().items()
                if account.index and (not self._accounts or name in self._accounts)
                for urls in _find_pages(account)
                for url in dict.fromkeys(urls.values())
            ]

    def location(self, item: Entry) -> str:
        """Return the absolute URL, which begins with SITE_URL."""
        return item.url

    def get_urls(self, page: int | str = 1, site: object = None, protocol: str | None = None) -> list[dict[str, Any]]:
        """Return the entries of one file, as Django's templates want them.

        The addresses are SITE_URL's, whatever the request's host, `site` and `protocol` are.
        """
        return [
            {
                "item": entry,
                "location": entry.url,
                "lastmod": None,
                "changefreq": None,
                "priority": "",
                "alternates": [{"location": url, "lang_code": code} for code, url in entry.alternates.items()],
            }
            for entry in self.paginator.page(page).object_list
        ]


def _find_pages(account: Account) -> Iterator[Mapping[str, str]]:
    """Yield the URLs of each page by language."""
    catalog = services_for(account).catalog
    try:
        with deadline(account.browse_seconds):
            services = bookable_services(catalog.cached_organization() or catalog.organization().value)
    except KordlessError:
        # An error would take the sitemaps of the site's other pages down too, and an empty file says that all is gone.
        yield urls_by_language(account, "services")
        return
    # The list of a single service redirects to it.
    if len(services) > 1:
        yield urls_by_language(account, "services")
    for service in services:
        yield service_urls(account, service.slug)
