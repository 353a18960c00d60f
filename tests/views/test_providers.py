"""Hosts and teams: who can be chosen, what the choice is called, and that it reaches Kordless and every page after."""

from urllib.parse import quote

import pytest
from pytest_django import Settings

from kordless_booking.sandbox import Sandbox
from kordless_booking.views.slot_page import MAX_HOST_LINKS
from tests.support.matrix import thinned
from tests.support.odd_businesses import use_odd_business
from tests.support.odd_slots import Slots, book_at, offer, person, with_providers
from tests.support.visitor import JANE, Page, Visitor

pytestmark = pytest.mark.django_db

SARAH, MIGUEL = person("host_sarah", "Sarah"), person("host_miguel", "Miguel")
CUT, COLOR = person("team_cut", "Cut team"), person("team_color", "Color team")


def book_first(visitor: Visitor) -> str:
    """Book the first time on the page; return the summary beside the form."""
    return book_at(visitor, next(iter(visitor.page.times.values())))


def test_teams_without_hosts_are_offered_by_name(any_visitor: Visitor, site: Settings, sandbox: Sandbox):
    """A chosen team is sent, and named in the summary and on the confirmation."""
    kordless = offer(site, sandbox, with_providers((None, CUT), (None, COLOR)))
    page = any_visitor.open("/book/haircut/")
    assert page.texts(".kb-hosts a") == ["Anyone", "Color team", "Cut team"]
    page = any_visitor.open(page.link("Cut team"))
    assert page.texts(".kb-hosts a[aria-current]") == ["Cut team"]
    assert all("team=team_cut" in url for url in page.times.values())
    assert "With Cut team" in book_first(any_visitor)
    assert "With Cut team" in any_visitor.page.text
    [body] = kordless.bodies
    assert (body["team_id"], body.get("host_id")) == ("team_cut", None)


def test_no_team_is_sent_when_several_would_do(any_visitor: Visitor, site: Settings, sandbox: Sandbox):
    """Anyone stays anyone: the first team in the list isn't given every booking."""
    kordless = offer(site, sandbox, with_providers((None, CUT), (None, COLOR)))
    any_visitor.open("/book/haircut/")
    assert "With" not in book_first(any_visitor)
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
    assert visitor.page.texts(".kb-hosts a[aria-current]") == ["Sarah"]
    book_first(visitor)
    sent = [(body.get("host_id"), body.get("team_id")) for body in kordless.bodies]
    assert sent == [("host_sarah", None), ("host_sarah", "team_color")]


def test_a_team_in_the_link_is_preselected(visitor: Visitor, site: Settings, sandbox: Sandbox):
    """`?team=` works as `?host=` does, for a team whose hosts have names, too."""
    offer(site, sandbox, with_providers((SARAH, CUT), (MIGUEL, COLOR)))
    page = visitor.open("/book/haircut/?team=team_color")
    assert page.texts(".kb-hosts a") == ["Anyone", "Miguel", "Sarah", "Color team"]
    assert page.texts(".kb-hosts a[aria-current]") == ["Color team"]
    assert "With Miguel (Color team)" in book_first(visitor)


@pytest.mark.parametrize("query", ["host=host_miguel", "team=team_hair"])
def test_host_and_team_survive_the_way_through_the_list_of_services(any_visitor: Visitor, site: Settings, query: str):
    """From the list to the times and back again, by the link and by the progress line."""
    page = any_visitor.open(f"/book/?{query}")
    page = any_visitor.open(page.link("Haircut"))
    assert page.times
    assert all(query in url for url in page.times.values())
    for way in ("All services", "Service"):
        assert query in page.link(way)
    page = any_visitor.open(page.link("All services"))
    assert query in page.link("Haircut")


def test_the_calendar_says_with_whom(visitor: Visitor, site: Settings, sandbox: Sandbox):
    """The calendar file and the links to calendars name the team."""
    offer(site, sandbox, with_providers((None, CUT), (None, COLOR)))
    visitor.open("/book/haircut/?team=team_cut")
    book_first(visitor)
    links = visitor.page.links()
    file = visitor.client.get(links["Apple (.ics)"]).content.decode()
    assert "Team: Cut team" in file.replace("\r\n ", "")
    google = next(url for url in links.values() if "calendar.google.com" in url)
    assert quote("Team: Cut team", safe="") in google


ODD_IDS = ["Sarah Müller", "a/b?c=d&e#f", "мастер 1", "~tilde", "x" * 101, "日本" * 100, '"><script>']
ODD_PROVIDERS = [(kind, id_) for id_ in ODD_IDS for kind in ("host", "team")]


@pytest.mark.parametrize(("kind", "id_"), thinned(ODD_PROVIDERS, lambda pair: pair in ODD_PROVIDERS[::3], unpack=True))
def test_a_host_or_team_with_any_id_is_the_one_that_is_booked(
    visitor: Visitor, site: Settings, sandbox: Sandbox, kind: str, id_: str
):
    """The id itself reaches Kordless, whatever it is made of, by a click as by a link of the site's."""
    odd, other = person(id_, "Odd"), person("usual", "Usual")
    pairs = [(odd, None), (other, None)] if kind == "host" else [(None, odd), (None, other)]
    kordless = offer(site, sandbox, with_providers(*pairs))
    page = visitor.open("/book/haircut/")
    visitor.open(page.link("Odd"))
    assert visitor.page.texts(".kb-hosts a[aria-current]") == ["Odd"]
    assert "With Odd" in book_first(visitor)
    visitor.open(f"/book/haircut/?{kind}={quote(id_, safe='')}")
    assert "With Odd" in book_first(visitor)
    assert [body[f"{kind}_id"] for body in kordless.bodies] == [id_, id_]


@pytest.mark.parametrize("query", ["host=nobody", "host=%00", "team=nobody", "host=" + "h" * 5000, "host=~abc"])
def test_a_choice_that_nobody_answers_to_books_nobody_else(visitor: Visitor, sandbox: Sandbox, query: str):
    """The link to a time with such a host leads back to the times, never to a form that would book anyone."""
    start = next(iter(visitor.open("/book/haircut/").times.values())).partition("?")[2]
    page = visitor.open(f"/book/haircut/contact/?{query}&{start}")
    assert page.url.startswith("/book/haircut/?")
    assert not page.tree.css("form[method=post]")


def test_hosts_of_one_name_are_told_apart_by_their_teams(visitor: Visitor, site: Settings, sandbox: Sandbox):
    """Two Sarahs: each with the name of her team beside hers, and each the one that is booked."""
    kordless = offer(site, sandbox, with_providers((SARAH, CUT), (person("host_s2", "Sarah"), COLOR), (MIGUEL, CUT)))
    page = visitor.open("/book/haircut/")
    assert page.texts(".kb-hosts a") == ["Anyone", "Miguel", "Sarah (Color team)", "Sarah (Cut team)"]
    visitor.open(page.link("Sarah (Color team)"))
    book_first(visitor)
    assert kordless.bodies[0]["host_id"] == "host_s2"


def test_hosts_of_one_name_and_team_are_numbered(visitor: Visitor, site: Settings, sandbox: Sandbox):
    """Hosts that nothing else tells apart have numbers, always in the same order."""
    twins = with_providers((person("s2", "Sarah"), CUT), (person("s1", "sarah"), CUT), (MIGUEL, None))
    kordless = offer(site, sandbox, twins)
    page = visitor.open("/book/haircut/")
    assert page.texts(".kb-hosts a") == ["Anyone", "Miguel", "sarah (1 of 2)", "Sarah (2 of 2)"]
    visitor.open(page.link("Sarah (2 of 2)"))
    book_first(visitor)
    assert kordless.bodies[0]["host_id"] == "s2"


def _crowd(count: int) -> list[dict[str, str]]:
    return [person(f"host {number:02}", f"Host {number:02}") for number in range(count)]


def test_up_to_a_dozen_hosts_are_links(visitor: Visitor, site: Settings, sandbox: Sandbox):
    """And no select."""
    offer(site, sandbox, with_providers(*[(host, None) for host in _crowd(MAX_HOST_LINKS)]))
    page = visitor.open("/book/haircut/")
    assert len(page.texts(".kb-hosts a")) == MAX_HOST_LINKS + 1
    assert not page.tree.css("select[name=with]")


def test_more_than_a_dozen_hosts_are_a_select_that_needs_no_script(
    any_visitor: Visitor, site: Settings, sandbox: Sandbox
):
    """A form by GET with a button; what else was chosen stays chosen, and Anyone is the way back."""
    pairs = [*((host, None) for host in _crowd(MAX_HOST_LINKS)), (None, CUT)]
    kordless = offer(site, sandbox, with_providers(*pairs))
    page = any_visitor.open("/book/haircut/?tz=Europe/Kyiv&hours=24&host=host%2003")
    assert page.texts(".kb-hosts a") == []
    options = page.tree.css("select[name=with] option")
    assert [option.text() for option in options][:2] == ["Anyone", "Host 00"]
    assert len(options) == MAX_HOST_LINKS + 2
    [chosen] = [option for option in options if "selected" in option.attributes]
    assert chosen.text() == "Host 03"
    page = any_visitor.send(
        page, "Update", **{"with": next(o.attributes["value"] for o in options if o.text() == "Cut team")}
    )
    assert {"tz": "Europe/Kyiv", "hours": "24"}.items() <= page.query.items()
    assert "With Cut team" in book_first(any_visitor)
    page = any_visitor.open("/book/haircut/?team=team_cut")
    any_visitor.send(page, "Update", **{"with": ""})
    book_first(any_visitor)
    sent = [(body.get("host_id"), body.get("team_id")) for body in kordless.bodies]
    assert sent == [(None, "team_cut"), (None, None)]


def test_a_select_does_not_claim_anyone_for_a_host_without_times(visitor: Visitor, site: Settings, sandbox: Sandbox):
    """A chosen host who has nothing in the weeks shown is an option of its own, and stays chosen."""
    crowd, away = _crowd(MAX_HOST_LINKS + 1), person("away", "Away")
    everyone = with_providers(*[(host, None) for host in [*crowd, away]])

    def from_january(slots: Slots) -> Slots:
        return [slot for slot in everyone(slots) if slot["host"] != away or slot["startsAt"] >= "2027-01-05"]

    offer(site, sandbox, from_january)
    page = visitor.open("/book/haircut/?host=away&month=2026-12")
    [chosen] = page.tree.css("select[name=with] option[selected]")
    assert (chosen.text(), chosen.attributes["value"]) == ("The person you chose", "host:away")


def _reschedule(visitor: Visitor, query: str) -> Page:
    """Book under a query, and open the page of the times to move to."""
    page = visitor.open(visitor.book("haircut", f"?day=2026-12-09&{query}").link("Change or cancel"))
    return visitor.send(page, "Reschedule")


def test_moving_a_booking_says_whose_times_are_shown(visitor: Visitor, site: Settings):
    """Those of the booking's own host."""
    page = _reschedule(visitor, "host=host_miguel")
    assert "These are the times with Miguel." in page.text


def test_moving_a_booking_of_a_team_offers_the_team_s_times(visitor: Visitor, site: Settings, sandbox: Sandbox):
    """The link to the booking carries the team, and the page says that the person in it stays the same."""
    times = visitor.open("/book/haircut/?day=2026-12-09").times.values()
    # At the first of these times more than one of the team is free, so Kordless picks.
    page = next(page for url in times if "With Hair team" in (page := visitor.open(url)).text)
    page = visitor.send(page, "Book appointment", **JANE)
    page = visitor.send(visitor.open(page.link("Change or cancel")), "Reschedule")
    assert "These are the times with Hair team. Your booking stays with the same person" in page.text
    offer(site, sandbox, with_providers((None, COLOR), (SARAH, COLOR)))
    page = visitor.reload()
    assert not page.times


def test_moving_a_booking_that_was_found_says_that_nobody_knows_with_whom(visitor: Visitor, sandbox: Sandbox):
    """Kordless doesn't say whom a booking is with, and a booking found by its number has no terms."""
    number = visitor.book("haircut", "?day=2026-12-09&host=host_miguel").number
    page = visitor.open("/book/manage/")
    page = visitor.send(page, "Find booking", number=number, contact=JANE["email"])
    page = visitor.send(page, "Reschedule")
    assert "We can’t tell from here who you booked with." in page.text
    assert page.times


def test_moving_a_booking_of_a_single_host_says_nothing_of_it(visitor: Visitor):
    """A service with one provider needs no note about whose times these are."""
    page = visitor.open(visitor.book("full-color").link("Change or cancel"))
    page = visitor.send(page, "Reschedule")
    assert "These are the times with" not in page.text
    assert "who you booked with" not in page.text


def test_moving_a_booking_of_teams_alone_says_team_and_not_person(visitor: Visitor, site: Settings, sandbox: Sandbox):
    """Nobody knows which team a booking has that was found by its number, and no person is in it."""
    use_odd_business(site, sandbox, "teams")
    number = visitor.book("two-teams", "?team=team_south").number
    page = visitor.send(visitor.open("/book/manage/"), "Find booking", number=number, contact=JANE["email"])
    page = visitor.send(page, "Reschedule")
    assert "We can’t tell from here which team you booked with. Your booking stays with the same team" in page.text
    assert "person" not in page.text


def test_a_host_in_another_team_is_not_shown_without_times(visitor: Visitor, site: Settings, sandbox: Sandbox):
    """The page says that it looked for both together; the host's own times are one link away."""
    use_odd_business(site, sandbox, "teams")
    page = visitor.open("/book/hosts-and-a-team/?host=host_anna&team=team_south")
    assert not page.times
    assert "Only times with Anna (South team) were looked at." in page.text
    assert visitor.open(page.link("Anna")).times


def test_a_name_of_somebody_available_is_not_shown_as_unavailable(visitor: Visitor, site: Settings, sandbox: Sandbox):
    """Of two hosts of one name the other does the service, and the form names that one."""
    use_odd_business(site, sandbox, "odd-names")
    visitor.open("/book/same-name/")  # from here on the cache knows the name
    page = visitor.open("/book/only-sam/?host=host_sam_2")
    assert "This person isn’t available for this." in page.text
    assert "Sam Lee" not in page.text
    form = visitor.open(next(iter(page.times.values())))
    assert "With Sam Lee" in form.text
