"""Sitemap of the pages that search engines may list, as django.contrib.sitemaps serves it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import httpx
import pytest
from django.contrib.sitemaps.views import sitemap
from django.test import Client
from django.urls import include, path
from pytest_django import Settings
from selectolax.lexbor import LexborHTMLParser
from time_machine import Traveller

from kordless_booking import sitemaps
from kordless_booking.api import deadline as deadline_module
from kordless_booking.api.deadline import seconds_left
from kordless_booking.presentation.locales import supported_languages
from kordless_booking.sandbox import Sandbox
from kordless_booking.sandbox.seeds import ACME
from kordless_booking.sitemaps import ServiceSitemap
from tests.support.head_metadata import SITE_URL, alternates, canonical, let_search_engines_in
from tests.support.visitor import Page

pytestmark = pytest.mark.django_db

LANGUAGES = 1 + len(supported_languages())


@pytest.fixture
def served(site: Settings) -> Settings:
    """A site with the sitemap, and with INDEX."""
    site.INSTALLED_APPS = [*site.INSTALLED_APPS, "django.contrib.sitemaps"]
    site.ROOT_URLCONF = (
        path("book/", include("kordless_booking.urls")),
        path("sitemap.xml", sitemap, {"sitemaps": {"booking": ServiceSitemap}}),
    )
    let_search_engines_in(site)
    return site


def read(client: Client) -> dict[str, dict[str, str]]:
    """Return the alternates of each entry by its address."""
    response = client.get("/sitemap.xml", headers={"host": "localhost"})
    assert response.status_code == 200
    entries = LexborHTMLParser(response.content.decode()).css("url")
    return {
        entry.css_first("loc").text(): {
            link.attributes["hreflang"] or "": link.attributes["href"] or "" for link in entry.css(r"xhtml\:link")
        }
        for entry in entries
    }


def test_sitemaps_exports_what_sites_import():
    """A site's URLconf needs this one name."""
    assert sitemaps.__all__ == ["ServiceSitemap"]


def test_the_sitemap_has_each_page_in_each_language(client: Client, served: Settings):
    """Its addresses and alternates are those that the pages themselves give, below SITE_URL."""
    entries = read(client)
    shown = [service for service in ACME.services if service.public]
    assert len(entries) == LANGUAGES * (1 + len(shown))
    for url in (f"{SITE_URL}/book/", f"{SITE_URL}/book/haircut/?lang=de"):
        page = Page(url, client.get(url.removeprefix(SITE_URL)))
        assert canonical(page) == url
        assert entries[url] == alternates(page)


def test_the_list_of_a_single_service_is_not_in_the_sitemap(client: Client, served: Settings, sandbox: Sandbox):
    """It redirects to the service."""
    sandbox.businesses = (replace(ACME, services=ACME.services[:1]),)
    assert len(read(client)) == LANGUAGES
    assert f"{SITE_URL}/book/" not in read(client)


def test_a_sitemap_is_never_empty_when_kordless_fails(client: Client, served: Settings, sandbox: Sandbox):
    """The list stays, and the sitemaps of the site's other pages are served."""
    sandbox.faults.add("status", status=503)
    assert next(iter(read(client))) == f"{SITE_URL}/book/"
    assert len(read(client)) == LANGUAGES


def test_a_sitemap_costs_one_request_and_is_then_cached(client: Client, served: Settings, sandbox: Sandbox):
    """A robot that asks again and again costs Kordless nothing."""
    before = len(sandbox.requests)
    for _ in range(5):
        read(client)
    assert len(sandbox.requests) == before + 1


def test_accounts_without_index_have_no_entries(two_accounts: Settings):
    """One business may be listed, and the other not; a name selects one of several."""
    accounts = two_accounts.KORDLESS_BOOKING["ACCOUNTS"]
    north = {**accounts["north"], "INDEX": True, "SITE_URL": SITE_URL}
    two_accounts.KORDLESS_BOOKING = {**two_accounts.KORDLESS_BOOKING, "ACCOUNTS": {**accounts, "north": north}}
    urls = {entry["location"] for entry in ServiceSitemap().get_urls()}
    assert urls
    assert all(url.startswith(f"{SITE_URL}/north/") for url in urls)
    assert ServiceSitemap("south").items() == []
    assert len(ServiceSitemap("north").items()) == len(urls)


def test_a_sitemap_answers_from_what_is_cached_however_old(
    client: Client, served: Settings, sandbox: Sandbox, clock: Traveller
):
    """It waits for no request while Kordless fails, or is asked by a robot at night."""
    expected = read(client)
    clock.shift(timedelta(hours=20))
    sandbox.faults.add("status", status=503)
    before = len(sandbox.requests)
    assert read(client) == expected
    assert len(sandbox.requests) == before


def test_all_accounts_together_wait_within_one_deadline(two_accounts: Settings, monkeypatch: pytest.MonkeyPatch):
    """The second business doesn't get the time anew that the first one has used up."""
    left: list[float] = []
    began = time.monotonic()
    # It stands still but for the requests: on a busy machine the deadline would pass between two of them.
    monkeypatch.setattr(deadline_module.time, "monotonic", lambda: began + 3 * len(left))

    def answer(request: httpx.Request) -> httpx.Response:
        left.append(seconds_left())
        return httpx.Response(503)

    accounts = {
        name: {
            **own,
            "INDEX": True,
            "SITE_URL": SITE_URL,
            "BROWSE_SECONDS": 25.0,
            "TRANSPORT": httpx.MockTransport(answer),
        }
        for name, own in two_accounts.KORDLESS_BOOKING["ACCOUNTS"].items()
    }
    two_accounts.KORDLESS_BOOKING = {**two_accounts.KORDLESS_BOOKING, "ACCOUNTS": accounts}
    assert len({entry["location"] for entry in ServiceSitemap().get_urls()}) == 2 * LANGUAGES
    assert len(left) > 1
    assert left[0] <= sitemaps.MAX_SECONDS
    assert all(later <= earlier - 2 for earlier, later in pairwise(left))
