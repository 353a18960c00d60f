"""Robots find the services and little else: every other address is one of thousands that show the same."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from django.test import Client
from pytest_django import Settings

from tests.support.visitor import HTMX, Page, Visitor

ROBOT = {"User-Agent": "ExampleBot/1.0 (+https://bot.example/)"}
MAX_ADDRESSES = 12
"""List, services, their first pages of times, and the page that finds a booking: with room for one more service."""


def crawl(client: Client, start: str) -> dict[str, Page]:
    """Return every page that a robot finds that keeps to nofollow, by address."""
    found: dict[str, Page] = {}
    waiting = [start]
    while waiting:
        url = waiting.pop()
        if url in found:
            continue
        response = client.get(url, headers=ROBOT, follow=True)
        found[url] = page = Page(url, response)
        assert len(found) <= 500, "the crawl finds no end"
        if "nofollow" in response.get("X-Robots-Tag", "") or "html" not in response["Content-Type"]:
            continue
        for node in page.tree.css("a[href], area[href]"):
            target = urlsplit(urljoin(url, node.attributes["href"] or ""))
            if "nofollow" not in (node.attributes.get("rel") or "").split() and not target.netloc:
                waiting.append(target._replace(fragment="").geturl())
    return found


def test_a_crawler_finds_the_services_and_their_first_pages_alone(client: Client, site: Settings):
    """From the list of services it finds no zone, day, month, host, time or time format."""
    found = crawl(client, "/book/")
    assert all("?" not in url for url in found), sorted(found)
    services = {urlsplit(url).path for url in Visitor(client).open("/book/").hrefs("li.kb-service a")}
    assert set(found) == {"/book/", "/book/manage/"} | services
    assert len(found) <= MAX_ADDRESSES
    assert {page.status for page in found.values()} == {200}


def test_a_crawler_that_lands_on_a_page_with_choices_follows_nothing_there(client: Client, site: Settings):
    """A link from elsewhere, with choices in its query, leads to no further address."""
    for query in ("?tz=Asia/Tokyo", "?hours=24", "?month=2026-12", "?party=2"):
        assert set(crawl(client, f"/book/haircut/{query}")) == {f"/book/haircut/{query}"}


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_links_with_choices_are_not_followed(client: Client, site: Settings, headers: dict[str, str]):
    """Every link in the card that has a query says nofollow, in the page as in its fragment."""
    visitor = Visitor(client, headers)
    for url in ("/book/haircut/", "/book/haircut/?month=2026-12", "/book/haircut/zone/"):
        links = visitor.open(url).tree.css(".kb-card a[href*='?']")
        assert links or "zone" in url, url
        assert all("nofollow" in (link.attributes.get("rel") or "").split() for link in links), url


def test_a_page_with_a_foreign_query_name_keeps_its_links(client: Client, site: Settings):
    """An advertisement's click id is no choice, so the page is the same as without it."""
    assert client.get("/book/?fbclid=x")["X-Robots-Tag"] == client.get("/book/")["X-Robots-Tag"] == "noindex, follow"
