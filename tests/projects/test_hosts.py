"""The widget in hosts that make it hard: a login wall, a strict policy, another language and prefix, two businesses."""

import importlib
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.conf.urls.i18n import i18n_patterns
from django.http import HttpResponse
from django.test import Client
from django.urls import include, path, re_path
from django.views.generic import TemplateView
from pytest_django import Settings

from kordless_booking.sandbox import Sandbox
from tests.projects.strict.csp import POLICY
from tests.support.visitor import HTMX, Page, Visitor

pytestmark = pytest.mark.django_db

Settle = Callable[[str], None]


@pytest.fixture
def settle(site: Settings) -> Settle:
    """Take over everything that a host project's settings say but which business it is and where its data is."""

    def take_over(name: str) -> None:
        host: Any = importlib.import_module(f"tests.projects.{name}.settings")
        kept = {
            "KORDLESS_BOOKING",
            "DATABASES",
            "CACHES",
            "INSTALLED_APPS",
            "SECRET_KEY",
            "PASSWORD_HASHERS",
            "STORAGES",
        }
        for setting in dir(host):
            if setting.isupper() and setting not in kept:
                setattr(site, setting, getattr(host, setting))

    return take_over


def test_a_login_wall_and_a_strict_policy(settle: Settle, client: Client, sandbox: Sandbox):
    """Visitors book without a login, and the widget's pages keep their own policy, framable by the host itself."""
    settle("strict")
    assert client.get("/staff/").status_code == 302
    any_visitor = Visitor(client)
    confirmed = any_visitor.book()
    assert confirmed.number
    assert len(sandbox.bookings()) == 1
    for page in any_visitor.responses:
        policy = page.response["Content-Security-Policy"]
        assert policy != POLICY
        assert "frame-ancestors 'self'" in policy
        assert "X-Frame-Options" not in page.response
        assert not page.response.cookies
    style = client.get(re.findall(r'<link rel="stylesheet" href="([^"]+)"', confirmed.html)[0])
    assert style.status_code == 200


def test_inside_a_page_of_a_strict_host(settle: Settle, client: Client):
    """The host's own page keeps the host's policy, and nothing of the widget in it is inline."""
    settle("strict")
    page = Page("/page/", client.get("/page/"))
    assert page.response["Content-Security-Policy"] == POLICY
    assert "Haircut" in page.text
    assert not re.search(r"\sstyle=|<style|<script(?![^>]*\ssrc=)|\son[a-z]+=", page.html)
    assert not page.response.cookies


def test_another_language_prefix_and_zone(settle: Settle, client: Client, sandbox: Sandbox):
    """Mounted at /de/termine/ on Nepal's clock, every address stays there and New York's morning stays a morning."""
    settle("elsewhere")
    any_visitor = Visitor(client, base="/de/termine/")
    times = any_visitor.open("/de/termine/haircut/?tz=America/New_York&lang=en")
    assert any(label.endswith("AM") for label in times.times_of_day)
    confirmed = any_visitor.book(query="?tz=America/New_York&lang=en")
    assert confirmed.number
    assert len(sandbox.bookings()) == 1
    assert all(page.url.startswith("/de/termine/") for page in any_visitor.responses)
    here = [url for page in any_visitor.responses for url in page.links().values() if url.startswith("/")]
    assert here
    assert all(url.startswith("/de/termine/") for url in here)


def test_a_server_that_mounts_the_site_deeper(settle: Settle):
    """Under a server's own prefix links and forms carry it, and the guard knows its own pages."""
    settle("elsewhere")
    application = importlib.import_module("tests.projects.elsewhere.wsgi").application
    with httpx.Client(transport=httpx.WSGITransport(application), base_url="http://testserver") as browser:
        assert browser.get("/de/termine/").status_code == 404
        services = Page("/laden/de/termine/", browser.get("/laden/de/termine/?lang=en"))
        assert services.links()["Haircut"].startswith("/laden/de/termine/haircut/")


@pytest.mark.long
@pytest.mark.parametrize(("first", "other"), [("north", "south"), ("south", "north")])
def test_two_businesses_keep_to_themselves(two_accounts: Settings, client: Client, first: str, other: str):
    """Each mount shows its own business, and a manage link of one opens nothing at the other."""
    services = {"north": "check-up", "south": "haircut"}
    names = {"north": "North Dental", "south": "Acme Salon"}
    any_visitor = Visitor(client, base=f"/{first}/")
    confirmed = any_visitor.book(services[first])
    assert names[first] in confirmed.text
    assert names[other] not in confirmed.text
    manage = next(url for url in confirmed.links().values() if re.match(rf"/{first}/manage/.+", url))
    assert confirmed.number in any_visitor.open(manage).text
    refused = any_visitor.open(manage.replace(first, other, 1))
    assert refused.status >= 400
    assert confirmed.number not in refused.text


def test_each_language_has_links_of_its_own(site: Settings, client: Client):
    """Under i18n_patterns, and whoever came first."""
    site.ROOT_URLCONF = tuple(i18n_patterns(path("book/", include("kordless_booking.urls"))))
    site.MIDDLEWARE = [*site.MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]
    for language in ("en", "de", "fr", "en"):
        for address in (f"/{language}/book/haircut/", f"/{language}/book/"):
            page = Page(address, client.get(address))
            assert page.status == 200
            links = [url for url in page.links().values() if url.startswith("/")]
            assert len(links) > 5
            assert {url.split("/")[1] for url in links} == {language}
    page = Page("/de/book/", client.get("/de/book/?lang=fr"))
    assert page.link("Haircut").startswith("/fr/book/haircut/?lang=fr")


def _own_addresses(html: str) -> set[str]:
    """All addresses of the site in the attributes of a page, of scripts and style sheets too."""
    found = re.findall(r'(?:href|src|action|formaction|data-[a-z-]+)="(/[^"]*)"', html)
    return {address for address in found if not address.startswith("/static/")}


def test_no_address_is_of_another_visitors_language(site: Settings, client: Client):
    """Under i18n_patterns each address on each page, of fragments and of the tag too, has the page's own language.

    Every page is asked for in all languages in turn, so that a cache without the language in its key would give the
    first visitor's.
    """
    pages = i18n_patterns(
        path("book/", include("kordless_booking.urls")),
        path("page/", TemplateView.as_view(template_name="page.html")),
    )
    site.ROOT_URLCONF = tuple(pages)
    site.MIDDLEWARE = [*site.MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]
    first = Page("/en/book/haircut/", client.get("/en/book/haircut/"))
    contact = urlsplit(next(iter(first.times.values())))
    rest = [
        "book/",
        "book/haircut/",
        "book/haircut/?scheme=dark&embed=1",
        "book/haircut/zone/",
        "book/manage/",
        "book/nowhere/at/all/",
        "page/?service=haircut",
        f"{contact.path.removeprefix('/en/')}?{contact.query}",
    ]
    for _ in range(2):
        for language in ("en", "de", "ar"):
            for each in rest:
                for headers in ({}, HTMX):
                    page = client.get(f"/{language}/{each}", headers=headers)
                    addresses = _own_addresses(page.content.decode())
                    addresses |= {page["Location"]} if "Location" in page else set()
                    assert addresses or page.status_code == 404, each
                    assert {address.split("/")[1] for address in addresses} <= {language}, (each, addresses)


def test_what_machines_call_answers_beside_pages_by_language(site: Settings, client: Client):
    """The mount outside of i18n_patterns, as docs/settings.md shows it: no redirect, and pages keep their language."""
    inner = include("kordless_booking.urls", namespace="pages")
    site.ROOT_URLCONF = (path("book/", include("kordless_booking.urls")), *i18n_patterns(path("book/", inner)))
    site.MIDDLEWARE = [*site.MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "WEBHOOK_SECRETS": "z" * 24}
    assert client.get("/book/embed.js").status_code == 200
    assert client.post("/book/webhook/", {}, content_type="application/json").status_code == 400
    for language in ("de", "en"):
        page = Page(f"/{language}/book/", client.get(f"/{language}/book/"))
        assert page.link("Haircut").startswith(f"/{language}/book/haircut/")


@pytest.mark.parametrize(
    "pattern",
    [r"^(?P<rest>.*)$", r"^(?P<slug>[0-9A-Za-z-_.//]+)/$", r"^((?:[\w\-]+/)*)$"],
    ids=["any", "cms", "wagtail"],
)
def test_a_missing_slash_is_mended_above_a_catch_all(site: Settings, client: Client, pattern: str):
    """Within the widget by itself; at the mount by Django, unless the catch-all matches that as well."""
    site.ROOT_URLCONF = (
        path("book/", include("kordless_booking.urls")),
        re_path(pattern, lambda _request, *_args, **_kwargs: HttpResponse("page of the site", status=404)),
    )
    for address in ("/book/haircut", "/book/manage", "/book/service/haircut"):
        assert client.get(address)["Location"] == f"{address}/"
    mount = client.get("/book")
    takes_all = re.fullmatch(pattern, "book") is not None
    assert mount.status_code == (404 if takes_all else 301)
