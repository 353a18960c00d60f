"""Reads what the head of a page says about it to search engines and chats."""

from __future__ import annotations

import json
from typing import Any

from pytest_django import Settings

from tests.support.visitor import Page

SITE_URL = "https://salon.example"


def let_search_engines_in(site: Settings, **more: Any) -> None:
    """Switch INDEX on."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "INDEX": True, "SITE_URL": SITE_URL, **more}


def open_graph(page: Page) -> dict[str, str]:
    """Return the Open Graph tags by name, without "og:"."""
    return {
        (node.attributes["property"] or "").removeprefix("og:"): node.attributes["content"] or ""
        for node in page.tree.css("head meta[property^='og:']")
    }


def canonical(page: Page) -> str:
    """Return the canonical address; "" without one."""
    return "".join(node.attributes["href"] or "" for node in page.tree.css("head link[rel=canonical]"))


def alternates(page: Page) -> dict[str, str]:
    """Return the addresses of the page by hreflang."""
    nodes = page.tree.css("head link[rel=alternate][hreflang]")
    found = {node.attributes["hreflang"] or "": node.attributes["href"] or "" for node in nodes}
    assert len(found) == len(nodes)
    return found


def structured_data(page: Page) -> dict[str, Any]:
    """Return the one JSON-LD document of the page; an empty dict without one."""
    nodes = page.tree.css("script[type='application/ld+json']")
    assert len(nodes) <= 1
    found: dict[str, Any] = json.loads(nodes[0].text()) if nodes else {}
    return found


def robots(page: Page) -> str:
    """Return what the page's header says to robots."""
    return str(page.response["X-Robots-Tag"])
