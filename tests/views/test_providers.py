"""Hosts and teams: who can be chosen, what the choice is called, and that it reaches Kordless and every page after."""

from urllib.parse import quote, urlsplit

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from kordless_booking.booking.choices import query_id
from kordless_booking.booking.receipt import ManageLink
from kordless_booking.sandbox import Sandbox
from kordless_booking.views.slot_page import MAX_HOST_LINKS
from tests.support.clock import NOW
from tests.support.odd_slots import offer, person, with_providers
from tests.support.visitor import JANE, Visitor

pytestmark = pytest.mark.django_db

SARAH, MIGUEL = person("host_sarah", "Sarah"), person("host_miguel", "Miguel")
CUT, COLOR = person("team_cut", "Cut team"), person("team_color", "Color team")


def book_first(visitor: Visitor) -> str:
    """Book the first time on the page; return the summary beside the form."""
    page = visitor.open(next(iter(visitor.page.times.values())))
    summary = " ".join(page.texts(".kb-summary"))
    done = visitor.send(page, "Book appointment", **JANE)
    assert done.number == "BOOK_ODD1"
    return summary


def test_teams_without_hosts_are_offered_by_name(walk: Visitor, site: Settings, sandbox: Sandbox):
    """A chosen team is sent, and named in the summary and on the confirmation."""
    kordless = offer(site, sandbox, with_providers((None, CUT), (None, COLOR)))
    page = walk.open("/book/haircut/")
    assert page.texts(".kb-hosts a") == ["Anyone", "Color team", "Cut team"]
    page = walk.open(page.link("Cut team"))
    assert page.texts(".kb-hosts a[aria-current]") == ["Cut team"]
    assert all("team=team_cut" in url for url in page.times.values())
    assert "With Cut team" in book_first(walk)
    assert "With Cut team" in walk.page.text
    [body] = kordless.bodies
    assert (body["team_id"], body.get("host_id")) == ("team_cut", None)


def test_no_team_is_sent_when_several_would_do(walk: Visitor, site: Settings, sandbox: Sandbox):
    """Anyone stays anyone: the first team in the list isn't given every booking."""
    kordless = offer(site, sandbox, with_providers((None, CUT), (None, COLOR)))
    walk.open("/book/haircut/")
    assert "With" not in book_first(walk)
    [body] = kordless.bodies
    assert body.keys().isdisjoint({"team_id", "host_id"})


def test_two_hosts_of_one_team_are_booked_as_the_team(visitor: Visitor, site: Settings, sandbox: Sandbox):
    """Anyone of a team is its team; a host who was chosen is named with it."""
    kordless = offer(site, sandbox, with_providers((SARAH, CUT), (MIGUEL, CUT)))
    page = visitor.open("/book/haircut/")
    assert page.texts(".kb-hosts a") == ["Anyone", "Miguel", "Sarah"]
    assert "With Cut team" in book_first(visitor)
    visitor.open("/book/haircut/?host=host_sarah")
    assert "With Sarah (Cut team)" in book_first(visitor)
    sent = [(body.get("host_id"), body.get("team_id")) for body in kordless.bodies]
    assert sent == [(None, "team_cut"), ("host_sarah", "team_cut")]


def test_a_host_of_two_teams_is_booked_without_a_team(visitor: Visitor, site: Settings, sandbox: Sandbox):
    """One host at one time in two teams is one button, and nobody guesses the team."""
    kordless = offer(site, sandbox, with_providers((SARAH, CUT), (SARAH, COLOR), (MIGUEL, CUT)))
    visitor.open("/book/haircut/?host=host_sarah")
    book_first(visitor)
    visitor.open("/book/haircut/?host=host_sarah&team=team_color")
    book_first(visitor)
    sent = [(body.get("host_id"), body.get("team_id")) for body in kordless.bodies]
    assert sent == [("host_sarah", None), ("host_sarah", "team_color")]


def test_a_team_in_the_link_is_preselected(visitor: Visitor, site: Settings, sandbox: Sandbox):
    """`?team=` works as `?host=` does, for a team whose hosts have names, too."""
    offer(site, sandbox, with_providers((SARAH, CUT), (MIGUEL, COLOR)))
    visitor.open("/book/haircut/?team=team_color")
    assert "With Miguel (Color team)" in book_first(visitor)


@pytest.mark.parametrize("query", ["host=host_miguel", "team=team_hair"])
def test_host_and_team_survive_the_way_through_the_list_of_services(walk: Visitor, site: Settings, query: str):
    """From the list to the times and back again, by the link and by the progress line."""
    page = walk.open(f"/book/?{query}")
    page = walk.open(page.link("Haircut"))
    assert page.times
    assert all(query in url for url in page.times.values())
    for way in ("All services", "Service"):
        assert query in page.link(way)
    page = walk.open(page.link("All services"))
    assert query in page.link("Haircut")


def test_calendars_and_mails_say_with_whom(
    visitor: Visitor, site: Settings, sandbox: Sandbox, django_capture_on_commit_callbacks
):
    """The calendar file and the calendar links name host and team."""
    offer(site, sandbox, with_providers((None, CUT), (None, COLOR)))
    visitor.open("/book/haircut/?team=team_cut")
    book_first(visitor)
    file = visitor.client.get(visitor.page.link("Apple")).content.decode() if False else ""
    links = visitor.page.links()
    [ics] = [url for url in links.values() if "calendar" in url and url.startswith("/book/")]
    file = visitor.client.get(ics).content.decode()
    assert "With: Cut team" in file.replace("\r\n ", "")
    google = next(url for url in links.values() if "calendar.google.com" in url)
    assert quote("With: Cut team", safe="") in google
