"""The widget in hosts that make it hard: a login wall, a strict policy, another language and prefix, two businesses."""

import importlib
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.conf.urls.i18n import i18n_patterns
from django.test import Client
from django.urls import include, path
from pytest_django import Settings

from kordless_booking.sandbox import Sandbox
from tests.projects.strict.csp import POLICY
from tests.support.visitor import Page, Visitor

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
    walk = Visitor(client)
    confirmed = walk.book()
    assert confirmed.number
    assert len(sandbox.bookings()) == 1
    for page in walk.seen:
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
    walk = Visitor(client, base="/de/termine/")
    times = walk.open("/de/termine/haircut/?tz=America/New_York&lang=en")
    assert any(label.endswith("AM") for label in times.times_of_day)
    confirmed = walk.book(query="?tz=America/New_York&lang=en")
    assert confirmed.number
    assert len(sandbox.bookings()) == 1
    assert all(page.url.startswith("/de/termine/") for page in walk.seen)
    here = [url for page in walk.seen for url in page.links().values() if url.startswith("/")]
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
    walk = Visitor(client, base=f"/{first}/")
    confirmed = walk.book(services[first])
    assert names[first] in confirmed.text
    assert names[other] not in confirmed.text
    manage = next(url for url in confirmed.links().values() if re.match(rf"/{first}/manage/.+", url))
    assert confirmed.number in walk.open(manage).text
    refused = walk.open(manage.replace(first, other, 1))
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
