"""URLs of the widget's own pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Final
from urllib.parse import urlencode

import msgspec
from django.http import HttpResponse
from django.utils.encoding import iri_to_uri

from kordless_booking import hooks
from kordless_booking.booking.choices import Choices
from kordless_booking.urlconf import Mount, cached_reverse

RESERVED: Final = frozenset(
    {"manage", "confirmation", "attempt", "service", "webhook", "health", "embed.js", "embed-dialog.js", "snippet"}
)
"""First path segments of our own pages. A service with such a slug has its pages under `service/`."""


class WidgetLinks(msgspec.Struct, frozen=True, dict=True):
    """Builder of the links on a page: each carries the choices that the visitor has made so far."""

    mount: Mount
    """Prefix of the widget's pages, as the key for cached paths."""
    choices: Choices
    """Choices of the request."""

    def url(self, name: str, *args: str, choices: Choices | None = None, **query: str | None) -> str:
        """Return the path and query of a page, with `choices` (by default only the appearance) and `query`.

        Empty values are left out. A query ends up in the logs of servers, so nothing personal may be in it.
        """
        return _with_query(cached_reverse(self.mount, name, *args), choices or self.choices.appearance(), query)

    def service_url(self, name: str, slug: str, choices: Choices | None = None, **query: str | None) -> str:
        """Return the path and query of a page of one service, as `url` does. The slug may be a reserved word."""
        return self.url(service_url_name(name, slug), slug, choices=choices, **query)

    def service_url_builder(self, name: str, slug: str) -> Callable[..., str]:
        """Return a function from choices and `query` to what `service_url` returns, for many links to one page."""
        path = cached_reverse(self.mount, service_url_name(name, slug), slug)
        return lambda choices, **query: _with_query(path, choices, query)

    @cached_property
    def services_url(self) -> str:
        """URL of the list of services, with the choices that apply to all of them."""
        choices = self.choices.replace(month=None, day=None, after=None, before=None, party_size=1)
        return self.url("services", choices=choices)


def _with_query(path: str, choices: Choices, query: Mapping[str, str | None]) -> str:
    url = path + choices.query()
    # Most links have no more.
    if not query or not (more := [(key, value) for key, value in query.items() if value]):
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(more, safe='/:')}"


def service_url_name(name: str, slug: str) -> str:
    """Return the URL name under which a service has its page: another one where its slug is a reserved word.

    That is one of RESERVED, or the prefix of an extension's URLs.
    """
    return f"{name}-named" if slug in RESERVED or slug in hooks.url_patterns else name


class SeeOther(HttpResponse):
    """Redirect to one of our own pages. `url` must never come from the visitor."""

    # No subclass of HttpResponseRedirect: that refuses long URLs, and two encrypted tokens can make ours too long.
    status_code = 303

    def __init__(self, url: str) -> None:
        super().__init__(headers={"Location": iri_to_uri(url)})

    @property
    def url(self) -> str:
        return self.headers["Location"]
