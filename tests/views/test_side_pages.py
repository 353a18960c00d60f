"""Pages beside the times (time zones, waitlist, words for a time): each leads back to the very page it came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.test import Client
from pytest_django import Settings

from kordless_booking import hooks
from kordless_booking.booking.metadata import encrypt_metadata
from kordless_booking.contrib.assistant import plugin as assistant
from kordless_booking.contrib.waitlist import plugin as waitlist
from kordless_booking.views.response_cache import READ_NAMES
from tests.support.extension import mount_hooks
from tests.support.spaces import plain_spaces
from tests.support.visitor import JANE, Page, Visitor
from tests.support.waitlist import WAITLIST_SETTINGS

pytestmark = pytest.mark.django_db

TIMES = "/book/haircut/"
EXTENSIONS = {"understood": "partly", "alternative": "20261215-20261215-1500-"}
VALUES = {
    "tz": "Europe/Paris",
    "month": "2026-12-06",
    "day": "2026-12-08",
    "asked": "1",
    "until": "2026-12-11",
    "not": "13",
    "after": "11:00",
    "before": "16:00",
    "host": "host_sarah",
    "team": "team_a",
    "with": "host:host_sarah",
    "party": "2",
    "clock": "visitor",
    "hours": "24",
    "lang": "de",
    "scheme": "dark",
    "accent": "112233",
    "theme": "plain",
    "embed": "1",
    "thanks": "https://shop.example/thanks",
    "from": "20261215T153000Z",
    "later": "20261208T150000Z",
    "near": "20261208T150000Z",
    "taken": "1",
}
"""A value that a page of times reads, for each name in its query but for metadata, which is encrypted."""
WRITTEN_AS = {"with": ("host", "host_sarah")}
"""Names and values in links for what a form sends under another name."""
SIDE_PAGES = ("/zone/", "/waitlist/", "/say/")

# What a page of times reads may depend on the others: of a page that the visitor was sent back to, days that were asked
# for are no part; nor is the start of a lost time without the reason, or a team that has none of the times.
TOGETHER = [
    *({name: value} for name, value in VALUES.items() if name not in {"asked", "near", "team"}),
    {"day": VALUES["day"], "asked": "1"},
    {"team": VALUES["team"], "host": VALUES["host"]},
    {"taken": "1", "near": VALUES["near"]},
    {"day": VALUES["day"], "until": VALUES["until"], "not": VALUES["not"]},
    {name: value for name, value in VALUES.items() if name not in {"month", "asked", "with", "taken", "near", "from"}},
    EXTENSIONS | {"day": VALUES["day"], "until": VALUES["until"]},
]


@pytest.fixture
def extended(site: Settings, account_settings: dict[str, Any]) -> Iterator[Settings]:
    """The plain site with the extensions that have pages beside the times."""
    with hooks.temporary_hooks():
        waitlist.register()
        assistant.register()
        site.KORDLESS_BOOKING = {
            **account_settings,
            **WAITLIST_SETTINGS,
            "EMBED_ORIGINS": ["'self'", "https://shop.example"],
        }
        mount_hooks(site)
        yield site


@pytest.fixture
def visitor(client: Client, extended: Settings) -> Visitor:
    """A visitor without JavaScript."""
    return Visitor(client)


def query_of(url: str) -> dict[str, str]:
    """Return what a URL has in its query."""
    return dict(parse_qsl(urlsplit(url).query))


def kept(query: Mapping[str, str], url: str) -> bool:
    """Return whether the URL has all of this query."""
    return dict(WRITTEN_AS.get(name, (name, value)) for name, value in query.items()).items() <= query_of(url).items()


def side_pages(page: Page) -> list[str]:
    """Return the links to pages beside the times."""
    found = [url for url in page.hrefs() if any(part in url for part in SIDE_PAGES)]
    assert {part for part in SIDE_PAGES for url in found if part in url} == set(SIDE_PAGES)
    return found


def test_each_name_that_a_page_of_times_reads_has_a_value_here():
    """A new name has to come back from the pages beside the times, too. A search is typed on other pages."""
    assert VALUES.keys() == READ_NAMES - {"q", "meta"}


@pytest.mark.parametrize("query", TOGETHER, ids="-".join)
def test_each_page_beside_the_times_leads_back_with_all_that_they_were_asked_for(
    visitor: Visitor, query: dict[str, str]
):
    """On the link to it, on its link back, and in what a chosen time zone or a search for one asks for."""
    for url in side_pages(visitor.open(f"{TIMES}?{urlencode(query)}")):
        assert kept(query, url)
        page = visitor.open(url)
        # Not the link of the header to all services.
        assert any(kept(query, each) for each in page.hrefs() if urlsplit(each).path == TIMES), url
        if "/zone/" in url:
            others = {name: value for name, value in query.items() if name != "tz"}
            for form in page.tree.css("form"):
                hidden = {node.attributes["name"]: node.attributes["value"] for node in form.css("[type=hidden]")}
                assert kept(others, f"?{urlencode(hidden)}")


def test_metadata_comes_back_from_each_page_beside_the_times(visitor: Visitor):
    """Its token is carried as it is."""
    query = {"meta": encrypt_metadata("default", {"order": 17})}
    for url in side_pages(visitor.open(f"{TIMES}?{urlencode(query)}")):
        assert any(kept(query, each) for each in visitor.open(url).hrefs() if urlsplit(each).path == TIMES), url


def test_a_chosen_time_zone_leaves_the_days_that_were_asked_for(visitor: Visitor):
    """The days that aren't wanted, and the last one that is, are said as before."""
    page = visitor.open(f"{TIMES}?day=2026-12-07&until=2026-12-11&not=13")
    limits = page.texts(".kb-limits li")
    assert len(limits) == 2
    page = visitor.follow("Change time zone")
    method, action, fields = page.form(next(text for text in page.texts(".kb-zones button") if "London" in text))
    assert method == "get"
    there = visitor.open(f"{urlsplit(action).path}?{urlencode({**fields, 'tz': 'Europe/London'})}")
    assert not urlsplit(action).query  # to which htmx would append the fields
    assert there.texts(".kb-limits li") == limits
    assert query_of(there.url)["tz"] == "Europe/London"


def test_another_hour_format_and_clock_leave_the_days_that_were_asked_for(visitor: Visitor):
    """They show the same page in another way."""
    query = "day=2026-12-07&until=2026-12-11&not=13"
    page = visitor.open(f"{TIMES}?tz=Europe/London&{query}")
    limits = [plain_spaces(text) for text in page.texts(".kb-limits li")]
    for words in ("24-hour clock", "Show London time"):
        visitor.open(f"{TIMES}?tz=Europe/London&{query}")
        assert [plain_spaces(text) for text in visitor.follow(words).texts(".kb-limits li")] == limits


def test_what_was_typed_and_asked_for_comes_back_from_the_time_zones_together(visitor: Visitor):
    """With what was typed, the page's controls post it; their addresses have the rest."""
    page = visitor.open(f"{TIMES}?day=2026-12-07&until=2026-12-11&not=13", {"name": JANE["name"]})
    [url] = [url for url in page.hrefs() if "/zone/" in url]
    assert kept({"until": "2026-12-11", "not": "13"}, url)
    zones = visitor.open(url, {"name": JANE["name"]})
    chosen = [url for url in zones.hrefs(".kb-zones button") if "tz=" in url]
    assert chosen
    assert all(kept({"until": "2026-12-11", "not": "13"}, url) for url in chosen)
