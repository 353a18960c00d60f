"""Metadata of pages: previews in chats for every page of the steps, and search engines where the site wants them."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.test import Client
from django.urls import include, path
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from kordless_booking.api.resources import Price, PriceKind
from kordless_booking.presentation.locales import supported_languages
from kordless_booking.sandbox import Sandbox
from kordless_booking.sandbox.seeds import ACME
from kordless_booking.views.metadata import _offer, _script_text
from tests.support.all_pages import every_page
from tests.support.head_metadata import (
    SITE_URL,
    alternates,
    canonical,
    let_search_engines_in,
    open_graph,
    robots,
    structured_data,
)
from tests.support.salon import open_salon
from tests.support.urlconfs import mounted
from tests.support.visitor import HTMX, Page, Visitor

pytestmark = pytest.mark.django_db

HOSTILE = "</script><script>alert(1)</script>\u2028\"'&<!--"
IMAGES = {"logo": "https://cdn.example/logo.png", "favicon": "https://icons.example/i.png", "ogImage": None}


def give_branding(sandbox: Sandbox, **branding: str | None) -> None:
    """Let Acme Salon have this branding besides its own."""
    sandbox.businesses = (replace(ACME, branding={**ACME.branding, **branding}),)


def get(client: Client, url: str, headers: dict[str, str] | None = None) -> Page:
    return Page(url, client.get(url, headers=headers or {}))


def test_a_link_to_a_page_of_the_steps_has_a_preview_in_chats(client: Client, site: Settings):
    """Title, description and picture are there without INDEX, for the list, a service, and a day of it."""
    listed = get(client, "/book/")
    assert open_graph(listed) == {
        "title": "Acme Salon",
        "description": "Good hair, kind people, since 1987.",
        "image": "https://acme-salon.example/salon.jpg",
    }
    for query in ("", "?lang=de", "?tz=Asia/Tokyo&day=2026-12-09"):
        tags = open_graph(get(client, f"/book/haircut/{query}"))
        assert (tags["title"], tags["site_name"]) == ("Haircut", "Acme Salon")
        assert "Wash, cut and finish" in tags["description"]
        assert "45" in tags["description"]
    assert listed.tree.css_first("meta[name=description]").attributes["content"] == open_graph(listed)["description"]
    assert listed.tree.css_first("meta[name='twitter:card']").attributes["content"] == "summary_large_image"


def test_a_business_without_a_tagline_is_described_by_its_services(client: Client, site: Settings, sandbox: Sandbox):
    """The names of its services say what it does."""
    sandbox.businesses = (replace(ACME, tagline=None),)
    description = open_graph(get(client, "/book/"))["description"]
    assert description.startswith("Haircut · Full color · ")


def test_a_long_description_is_cut_to_one_line_between_words(client: Client, site: Settings):
    """A preview needs no more, and a line break is none in an attribute."""
    open_salon(site, 2, description="Many words\nin lines " * 60, price=None)
    description = open_graph(get(client, "/book/haircut/"))["description"]
    assert len(description) < 330
    assert "\n" not in description
    assert description.endswith("…")


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("/book/?embed=1", {}),
        ("/book/haircut/?embed=right", {}),
        ("/book/haircut/", HTMX),
        ("/book/haircut/zone/", {}),
        ("/book/manage/", {}),
        ("/book/nowhere/at/all/", {}),
    ],
)
def test_only_whole_pages_of_list_and_service_have_metadata(
    client: Client, site: Settings, url: str, headers: dict[str, str]
):
    """Frames, fragments and all other pages have none, and search engines stay out of them."""
    let_search_engines_in(site)
    page = get(client, url, headers)
    assert (open_graph(page), canonical(page), alternates(page), structured_data(page)) == ({}, "", {}, {})
    assert robots(page) == "noindex, nofollow"


def test_search_engines_stay_out_without_index(client: Client, site: Settings):
    """No address is given as the one to list, and nothing is structured for them."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "SITE_URL": SITE_URL}
    for url in ("/book/", "/book/haircut/", "/book/?lang=de"):
        page = get(client, url)
        assert (canonical(page), alternates(page), structured_data(page)) == ("", {}, {})
        assert "url" not in open_graph(page)
        assert robots(page).startswith("noindex")


@pytest.mark.parametrize("url", ["/book/", "/book/haircut/"])
def test_the_addresses_of_all_languages_name_each_other(client: Client, site: Settings, url: str):
    """Each is indexable, canonical for itself, and has the same list with x-default, in absolute addresses."""
    let_search_engines_in(site)
    plain = get(client, url)
    listed = alternates(plain)
    assert set(listed) == {"x-default", *supported_languages()}
    assert canonical(plain) == listed["x-default"] == f"{SITE_URL}{url}"
    for language in ("de", "ar", "zh-hant"):
        page = get(client, f"{url}?lang={language}")
        assert alternates(page) == listed
        assert canonical(page) == listed[language] == open_graph(page)["url"] == f"{SITE_URL}{url}?lang={language}"
        assert robots(page) == robots(plain) == "index, follow"
        assert page.tree.css_first("html").attributes["lang"] == language


def test_the_browsers_language_changes_the_page_and_not_its_address(client: Client, site: Settings):
    """Without ?lang= the address is that for all languages."""
    let_search_engines_in(site)
    page = get(client, "/book/", {"Accept-Language": "de"})
    assert page.tree.css_first("html").attributes["lang"] == "de"
    assert canonical(page) == f"{SITE_URL}/book/"


@pytest.mark.parametrize("query", ["utm_source=x", "fbclid=1&gclid=2", "lang=xx"])
def test_a_name_that_no_page_reads_is_not_in_the_canonical_address(client: Client, site: Settings, query: str):
    """An advertisement's click leads search engines to the plain address."""
    let_search_engines_in(site)
    page = get(client, f"/book/haircut/?{query}")
    assert canonical(page) == f"{SITE_URL}/book/haircut/"
    if "lang" not in query:
        assert canonical(get(client, f"/book/haircut/?lang=de&{query}")) == f"{SITE_URL}/book/haircut/?lang=de"


@pytest.mark.parametrize(
    "query",
    [
        "tz=Asia/Tokyo",
        "tz=",
        "month=2026-12",
        "day=nonsense",
        "hours=24",
        "party=1",
        "with=",
        "theme=salon",
        "accent=ff0000",
        "scheme=dark",
        "q=hair",
        "taken=1",
        "near=20261209T170000Z",
        "%74z=UTC",
        "lang=de&hours=24",
    ],
)
def test_an_address_with_a_choice_is_not_indexed(client: Client, site: Settings, query: str):
    """Also one whose value says nothing: it is another address of the same page."""
    let_search_engines_in(site)
    for url in ("/book/", "/book/haircut/"):
        page = get(client, f"{url}?{query}")
        assert page.status == 200
        assert robots(page) == "noindex, nofollow", url
        assert (canonical(page), alternates(page), structured_data(page)) == ("", {}, {})


def test_every_other_page_is_kept_out_of_indexes(site: Settings, sandbox: Sandbox, client: Client):
    """Of all pages and states, errors included, no other says index."""
    let_search_engines_in(site)
    for name, page in every_page(Visitor(client), sandbox, "en").items():
        assert robots(page) == "noindex, nofollow", name
        assert not structured_data(page), name


def test_a_list_without_services_is_not_indexed(client: Client, site: Settings, sandbox: Sandbox):
    """It would be listed as a page without content."""
    let_search_engines_in(site)
    sandbox.businesses = (replace(ACME, services=()),)
    page = get(client, "/book/")
    assert page.status == 200
    assert robots(page) == "noindex, nofollow"


def test_a_page_from_the_response_cache_has_the_same_metadata(client: Client, site: Settings):
    """Another host name, query or order of requests puts nothing of one page into another."""
    let_search_engines_in(site)
    urls = ("/book/", "/book/?lang=de", "/book/?hours=24", "/book/?utm_source=x")
    first = [get(client, url) for url in urls]
    for host in ("testserver", "localhost"):
        for url, page in zip(urls, first, strict=True):
            again = Page(url, client.get(url, headers={"host": host}))
            assert again.html == page.html, url
            assert robots(again) == robots(page), url
    assert "testserver" not in first[0].html


def test_a_service_with_a_reserved_name_has_one_address(client: Client, site: Settings, sandbox: Sandbox):
    """The address under service/ is canonical only where there is no shorter one."""
    let_search_engines_in(site)
    haircut = next(service for service in ACME.services if service.slug == "haircut")
    sandbox.businesses = (replace(ACME, services=(haircut, replace(haircut, slug="manage"))),)
    assert canonical(get(client, "/book/service/manage/")) == f"{SITE_URL}/book/service/manage/"
    assert canonical(get(client, "/book/service/haircut/")) == f"{SITE_URL}/book/haircut/"


def test_a_business_with_two_mounts_is_listed_at_the_first(client: Client, site: Settings):
    """The same page at another address names the one that links and mails use."""
    site.ROOT_URLCONF = mounted(None, "second")
    let_search_engines_in(site)
    for url in ("/0/haircut/", "/1/haircut/"):
        assert canonical(get(client, url)) == f"{SITE_URL}/0/haircut/"


def test_paths_with_a_language_need_no_query(client: Client, site: Settings):
    """Under i18n_patterns each language has a path, and the site's own is the default."""
    site.ROOT_URLCONF = tuple(i18n_patterns(path("book/", include("kordless_booking.urls"))))
    site.MIDDLEWARE = [*site.MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]
    let_search_engines_in(site)
    german = get(client, "/de/book/haircut/")
    assert canonical(german) == alternates(german)["de"] == f"{SITE_URL}/de/book/haircut/"
    assert alternates(german)["x-default"] == f"{SITE_URL}/en/book/haircut/"
    assert canonical(get(client, "/en/book/haircut/?lang=de")) == f"{SITE_URL}/de/book/haircut/"


def test_the_list_is_structured_as_an_organization_with_offers(client: Client, site: Settings, sandbox: Sandbox):
    """Each offer has the price only where that is one amount in a known currency."""
    let_search_engines_in(site)
    give_branding(sandbox, **IMAGES)
    document = structured_data(get(client, "/book/?lang=de"))
    assert document["@type"] == "Organization"
    assert document["logo"] == IMAGES["logo"]
    offers = {offer["itemOffered"]["name"]: offer for offer in document["makesOffer"]}
    haircut = offers["Haircut"]
    assert (haircut["price"], haircut["priceCurrency"]) == ("45", "USD")
    assert haircut["url"] == f"{SITE_URL}/book/haircut/?lang=de"
    assert "price" not in offers["Bridal styling"]
    assert offers["Color consultation"]["price"] == "0"


def test_a_service_is_structured_with_its_offer_and_how_to_reserve(client: Client, site: Settings):
    """The action leads to the page itself, in its language."""
    let_search_engines_in(site)
    document = structured_data(get(client, "/book/haircut/"))
    assert (document["@type"], document["name"]) == ("Service", "Haircut")
    assert document["provider"] == {"@type": "Organization", "name": "Acme Salon", "url": f"{SITE_URL}/book/"}
    assert document["offers"]["price"] == "45"
    assert document["potentialAction"] == {
        "@type": "ReserveAction",
        "target": {"@type": "EntryPoint", "urlTemplate": f"{SITE_URL}/book/haircut/", "inLanguage": "en"},
    }


@pytest.mark.parametrize(
    ("price", "offer"),
    [
        (Price(kind=PriceKind.FIXED, amount=Decimal("18.50"), currency="EUR"), ("18.50", "EUR")),
        (Price(kind=PriceKind.FIXED, amount=Decimal("1E+3"), currency="JPY"), ("1000", "JPY")),
        (Price(kind=PriceKind.FREE, currency="EUR"), ("0", "EUR")),
        (Price(kind=PriceKind.FIXED, amount=Decimal(18)), (None, None)),
        (Price(kind=PriceKind.FREE), (None, None)),
        (Price(kind=PriceKind.VARIABLE, currency="EUR"), (None, None)),
        (Price(), (None, None)),
    ],
)
def test_an_offer_says_a_price_only_with_its_currency(price: Price, offer: tuple[Any, Any]):
    """An amount without a currency, or a price that varies, isn't one."""
    found = _offer(price)
    assert (found.get("price"), found.get("priceCurrency")) == offer


def test_hostile_texts_end_no_attribute_and_no_script(client: Client, site: Settings, sandbox: Sandbox):
    """Names and descriptions arrive as they are, as text."""
    let_search_engines_in(site)
    haircut, *others = ACME.services
    hostile = replace(haircut, name=HOSTILE, description=HOSTILE, category=HOSTILE)
    branding = {**ACME.branding, "companyName": HOSTILE}
    sandbox.businesses = (replace(ACME, name=HOSTILE, tagline=HOSTILE, branding=branding, services=(hostile, *others)),)
    for url in ("/book/", "/book/haircut/"):
        page = get(client, url)
        assert "<script>alert" not in page.html
        assert len(page.tree.css("script")) == 2
    document = structured_data(get(client, "/book/haircut/"))
    assert document["name"] == HOSTILE
    assert open_graph(get(client, "/book/haircut/"))["title"] == HOSTILE


@given(st.text())
def test_structured_data_is_the_same_text_and_no_markup(text: str):
    """Whatever a business typed, the document is read back and has no character of markup."""
    written = _script_text({"name": text, text: [text]})
    assert written.isascii()
    assert not set("<>&") & set(written)
    assert json.loads(written) == {"name": text, **({text: [text]} if text != "name" else {"name": [text]})}


def policy(page: Page) -> str:
    """Return the origins that the page may load pictures from."""
    parts = dict(part.split(" ", 1) for part in page.response["Content-Security-Policy"].split("; "))
    return parts["img-src"]


def test_the_favicon_is_the_businesss_own(client: Client, site: Settings, sandbox: Sandbox):
    """The policy lets it load, and its server isn't told from where. A frame has none."""
    give_branding(sandbox, **IMAGES)
    for url in ("/book/", "/book/haircut/", "/book/manage/"):
        page = get(client, url)
        [icon] = page.tree.css("link[rel=icon]")
        assert (icon.attributes["href"], icon.attributes["referrerpolicy"]) == (IMAGES["favicon"], "no-referrer")
        assert policy(page) == "'self' data: https://cdn.example https://icons.example"
    framed = get(client, "/book/?embed=1")
    assert framed.tree.css_first("link[rel=icon]").attributes["href"] == "data:,"
    assert policy(framed) == "'self' data: https://cdn.example"


@pytest.mark.parametrize(
    "url",
    ["http://cdn.example/i.png", "javascript:alert(1)", 'https://evil.example/"><script>', "//x.example/i", "", None],
)
def test_pictures_have_the_rules_of_the_logo(client: Client, site: Settings, sandbox: Sandbox, url: str | None):
    """What isn't a safe https address is neither an icon nor a picture of a preview."""
    give_branding(sandbox, logo=None, favicon=url, ogImage=url)
    page = get(client, "/book/")
    assert page.tree.css_first("link[rel=icon]").attributes["href"] == "data:,"
    assert "image" not in open_graph(page)
    assert policy(page) == "'self' data:"


def test_the_logo_stands_in_for_a_missing_preview_picture(client: Client, site: Settings, sandbox: Sandbox):
    """It is small, so no large card is asked for."""
    give_branding(sandbox, **IMAGES)
    page = get(client, "/book/")
    assert open_graph(page)["image"] == IMAGES["logo"]
    assert not page.tree.css("meta[name='twitter:card']")


def test_every_indexed_address_answers_itself(client: Client, site: Settings):
    """The address that a page gives as its own leads to a page that gives the same one."""
    let_search_engines_in(site)
    for url in ("/book/", "/book/haircut/"):
        for address in alternates(get(client, url)).values():
            parts = urlsplit(address)
            assert canonical(get(client, f"{parts.path}?{parts.query}")) == address
