"""A long list of services: its filter, its categories, and texts that are folded."""

import pytest
from django.test import Client
from pytest_django import Settings

from kordless_booking.api.resources import Service
from kordless_booking.sandbox import Sandbox
from kordless_booking.sandbox.model import Policy
from kordless_booking.views import cells, response_cache, skeletons, steps
from kordless_booking.views.package_templates import find_package_templates
from kordless_booking.views.steps import MAX_UNFILTERED
from tests.support.html_rules import broken
from tests.support.salon import open_salon
from tests.support.visitor import HTMX, JANE, Visitor

pytestmark = pytest.mark.django_db

LONG = "Once upon a time there was a haircut that took its time. " * 88  # 5,016 characters


def test_a_short_list_of_services_has_no_filter(site: Settings, any_visitor: Visitor):
    """Nor links to its categories."""
    open_salon(site, MAX_UNFILTERED)
    page = any_visitor.open("/book/")
    assert len(page.texts(".kb-service")) == MAX_UNFILTERED
    assert not page.tree.css("[role=search], .kb-category-links")
    assert len(any_visitor.open("/book/?q=haircut").texts(".kb-service")) == MAX_UNFILTERED


def test_a_long_list_of_services_has_a_filter(site: Settings, any_visitor: Visitor):
    """It finds words of name, category and description, without accents and in any case, and keeps what was chosen."""
    open_salon(site, 300)
    page = any_visitor.open("/book/?tz=Asia/Tokyo&hours=24")
    assert len(page.texts(".kb-service")) == 300
    found = any_visitor.send(page, "Search", q=" TREATMENT  29 ")
    assert found.query == {"tz": "Asia/Tokyo", "hours": "24", "q": " TREATMENT  29 "}
    assert len(found.texts(".kb-service")) == 12
    assert found.texts("[data-kb-say]") == ["12 services found"]
    for each in (page, found):
        assert broken(each, whole="<html" in each.html) == []
    assert "tz=Asia/Tokyo" in found.link("Tréatment 29")
    assert "q=" not in found.link("Tréatment 29")
    assert list(any_visitor.send(page, "Search", q="room 3 ment 103").links(".kb-service a")) == ["Tréatment 103"]
    assert len(any_visitor.send(page, "Search", q="wash").texts(".kb-service")) == 300


def test_a_filter_that_finds_nothing_leads_back_to_all_services(site: Settings, any_visitor: Visitor):
    """In words, and not as an empty page."""
    open_salon(site, 20)
    page = any_visitor.open("/book/?q=plumber&tz=Asia/Tokyo")
    assert page.status == 200
    assert page.texts("[data-kb-say]") == ["No matching service."]
    assert page.form("Search")[2]["q"] == "plumber"
    everything = any_visitor.open(page.link("Show all services"))
    assert everything.query == {"tz": "Asia/Tokyo"}
    assert len(everything.texts(".kb-service")) == 20


def test_the_categories_of_a_long_list_are_linked(site: Settings, any_visitor: Visitor):
    """Each link leads to the section of its category on the same page."""
    open_salon(site, 40)
    page = any_visitor.open("/book/")
    links = page.links(".kb-category-links a")
    assert list(links) == page.texts("section h2")
    for name, url in links.items():
        assert page.texts(f"{url} h2") == [name]


def test_a_filter_of_any_length_is_cut(site: Settings, visitor: Visitor):
    """Whatever is typed gives a page."""
    open_salon(site, 20)
    for query in ("x" * 5000, "%00%0d%0a", "<script>", "%F0%9F%92%87", "%CC%81" * 300, "+", "."):
        page = visitor.open(f"/book/?q={query}")
        assert page.status == 200
        assert len(page.form("Search")[2]["q"]) <= 80
        assert "<script>" not in page.html


def test_a_search_of_the_hosts_page_is_not_ours(site: Settings, visitor: Visitor):
    """A widget inside a page of the site shows all services, whatever that page's own query says."""
    open_salon(site, 20)
    assert len(visitor.open("/page/?q=plumber").texts(".kb-service")) == 20


def test_filtered_lists_fill_no_cache(site: Settings, visitor: Visitor):
    """Visitors can type anything: only the whole list is stored for everybody."""
    sandbox = open_salon(site, 20)
    visitor.open("/book/")
    stored = len(response_cache._responses)
    for number in range(30):
        visitor.open(f"/book/?q=treat+{number}")
    assert len(response_cache._responses) == stored
    assert len(sandbox.requests) == 1


def test_a_filter_is_applied_while_it_is_typed(site: Settings, client: Client):
    """The list alone is swapped, so that the field keeps what is being typed."""
    open_salon(site, 20)
    page = Visitor(client, HTMX).open("/book/?q=treat")
    form = page.tree.css_first("form[role=search]")
    target = form.attributes["data-hx-target"]
    assert "input delay" in form.attributes["data-hx-trigger"]
    assert form.attributes["data-hx-select"].startswith(f"{target} > *")
    assert page.tree.css_first(target).css(".kb-service")
    assert not page.tree.css_first(target).css("input")


def test_long_texts_are_folded_on_every_page(site: Settings, any_visitor: Visitor):
    """Description, policy, place and tagline of 5,000 characters: each page shows a start and offers the rest."""
    open_salon(
        site,
        description=LONG,
        policy=Policy(24, LONG),
        location=("custom", LONG),
    )
    form = any_visitor.choose("haircut", "?day=2026-12-09")
    done = any_visitor.send(form, "Book appointment", **JANE)
    own = any_visitor.open(done.link("Change or cancel"))
    cancel = any_visitor.send(own, "Cancel booking")
    pages = any_visitor.open("/book/"), any_visitor.open("/book/haircut/"), form, done, own, cancel
    for page in pages:
        assert broken(page, whole="<html" in page.html) == []
        folded = page.texts(".kb-more p")
        assert folded, page.heading
        assert set(page.texts(".kb-more summary")) <= {"Show more", "Show more · Haircut"} | {
            f"Show more · Tréatment {n}" for n in range(8)
        }
        for node in page.tree.css(".kb-more"):
            node.decompose()
        assert len(page.tree.css_first(".kb-card").text()) < (4000 if page is pages[0] else 2500), page.heading


def test_a_short_text_is_not_folded(site: Settings, any_visitor: Visitor):
    """It stands there as it is."""
    open_salon(site, description="A word.\nAnother word.")
    page = any_visitor.open("/book/haircut/")
    assert not page.tree.css("details")
    assert "A word. Another word." in page.text


def test_a_card_says_the_place_as_soon_as_it_is_known(visitor: Visitor, sandbox: Sandbox):
    """From what is cached of the service, without a request; a page of another minute has it."""
    assert "123 Main Street" not in visitor.open("/book/").text
    for service in ("haircut", "color-consultation"):
        visitor.open(f"/book/{service}/")
    sandbox.clear_requests()
    page = visitor.open("/book/?lang=en")
    cards = dict(zip(page.texts(".kb-service :is(a, button)"), page.texts(".kb-service .kb-facts"), strict=True))
    assert cards["Haircut"] == "$45.00 1 hr 123 Main Street"
    assert cards["Color consultation"] == "Free 30 min Video call"
    assert cards["Beard trim"] == "$18.50 20 min"
    assert sandbox.requests == []


@pytest.mark.parametrize("query", ["?tz=Asia/Tokyo&hours=24", "?party=2&after=12:00&scheme=dark", "?lang=ar"])
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_the_shared_cards_of_a_long_list_are_those_that_one_visitor_gets(
    site: Settings, client: Client, monkeypatch: pytest.MonkeyPatch, query: str, headers: dict[str, str]
):
    """The same bytes as where each card is rendered for the request, and rendered once for all visitors."""
    open_salon(site, 40)
    # Of another visitor, whose choices must not be in the links.
    other = "/book/?lang=ar&tz=Europe/Paris&hours=12" if "ar" in query else "/book/?hours=12"
    assert client.get(other, headers=headers).status_code == 200
    shared = client.get(f"/book/{query}", headers=headers).content
    lists = len(cells._card_lists)
    assert lists
    client.get(f"/book/{query}&month=2027-01", headers=headers)
    if headers:
        # A DOM id that a client has made up.
        client.get(f"/book/{query}", headers={**HTMX, "HX-Target": "kb-inline-made-up-1"})
        made_up = len(cells._card_lists)
        client.get(f"/book/{query}", headers={**HTMX, "HX-Target": "kb-inline-made-up-2"})
        assert len(cells._card_lists) == made_up
    else:
        assert len(cells._card_lists) == lists
    response_cache._clear()
    skeletons._pages.clear()
    monkeypatch.setattr(steps, "_find_shared_cards", lambda *_arguments: None)
    assert client.get(f"/book/{query}", headers=headers).content == shared


def test_a_changed_service_has_another_shared_card():
    """Cards are known by what they show, so that none is shown after Kordless has another text."""
    package = find_package_templates(cells.SERVICE_CARD)
    assert package is not None

    def cards(*services: Service) -> str:
        frame, mount = cells.CardFrame("kb-stage", push=True), ("book", "/", None, None)
        return cells.service_cards(
            services, package=package, frame=frame, language="en", mount=mount, path="/book/{}/".format, query="?a=1&b"
        )

    before, other = Service(slug="cut", name="Cut & wash"), Service(slug="cut", name="Cut & wash", description="New")
    assert 'href="/book/cut/?a=1&amp;b"' in cards(before)
    assert "Cut &amp; wash" in cards(before)
    assert "New" not in cards(before)
    assert "New" in cards(other)
    # Equal values are the same cards, whichever objects they are.
    stored = len(cells._card_lists)
    assert cards(Service(slug="cut", name="Cut & wash")) == cards(before)
    assert len(cells._card_lists) == stored
