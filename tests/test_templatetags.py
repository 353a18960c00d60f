"""The widget inside a page of the host's own."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.template import Context, Template, engines
from django.test import Client, RequestFactory
from pytest_django import Settings

from kordless_booking.sandbox import NORTH_KEY, NORTH_ORG, Sandbox
from tests.support.visitor import JANE, Page, Visitor

pytestmark = pytest.mark.django_db

INLINE = {"HX-Request": "true", "HX-Target": "kb-inline-widget"}


def rendered(text: str, path: str = "/page/") -> str:
    """A template with the tag, as the page at a path."""
    template = engines["django"].from_string("{% load kordless_booking %}" + text)
    return template.render({}, RequestFactory().get(path))


def test_the_first_step_stands_in_the_page(site: Settings, client: Client):
    """A host's page holds the services in its own answer, as a region and not as a second page."""
    page = Visitor(client).open("/page/")
    assert page.texts("h1") == ["A page of the host's own"]
    assert page.heading == "What would you like to book?"
    assert page.tree.css_first("h2.kb-title") is not None
    assert len(page.tree.css("main")) == len(page.tree.css("title")) == len(page.tree.css("html")) == 1
    [region] = page.tree.css("[role=region].kb")
    assert region.attributes["aria-label"]
    assert page.links(".kb-service a")["Haircut"] == "/book/haircut/?lang=en"


def test_a_service_shows_its_times(site: Settings, client: Client):
    """With a service the first free times stand in the host's page."""
    page = Visitor(client).open("/page/?service=haircut")
    assert page.heading == "Haircut"
    assert page.times_of_day[0] == "10:30 AM"
    assert page.texts("h2, h3")[:2] == ["Haircut", "Dec 2026 \u2013 Jan 2027"]


def test_swaps_stay_inside(site: Settings, client: Client):
    """A swap inside the host's page is for its stage, leaves address and title alone, and goes on to the end."""
    walk = Visitor(client, INLINE)
    page = Visitor(client).open("/page/?service=haircut")
    for link in page.tree.css(".kb [data-hx-get]"):
        assert link.attributes.get("data-hx-push-url", "false") == "false"
    form = walk.open(next(iter(page.times.values())))
    assert form.heading == "Your details"
    assert not form.tree.css("title, main, h1, html > head > link")
    assert walk.send(form, "Book appointment", **JANE).heading == "You’re booked"
    for each in walk.seen:
        assert 'data-hx-push-url="true"' not in each.html
        assert "kb-stage" not in {node.attributes["id"] for node in each.tree.css("[id]")}


def address_of(page: Page) -> str | None:
    """Return the address that the browser's history gets of an inline step."""
    return page.tree.css("[data-kb-step]")[0].attributes.get("data-kb-address")


def test_inline_steps_say_the_address_that_shows_them_again(site: Settings, client: Client):
    """Each step up to the form has one; what comes after it, or opens a booking, has none."""
    first = Visitor(client).open("/page/")
    walk = Visitor(client, INLINE)
    times = walk.open(first.links(".kb-service a")["Haircut"])
    form = walk.open(next(iter(times.times.values())))
    zones = walk.open(times.link("Change time zone"))
    lookup = walk.open(times.link("Change or cancel a booking"))
    for page in (first, times, zones, form, lookup):
        address = address_of(page)
        assert address
        assert "gAAAA" not in address
        assert walk.open(address).heading == page.heading
        assert address_of(walk.open(address)) == address
    typed = walk.open(form.link("Choose another time"))
    assert address_of(typed)
    booked = walk.send(form, "Book appointment", **JANE)
    assert (booked.heading, address_of(booked)) == ("You’re booked", None)
    managed = walk.open(booked.link("Change or cancel"))
    assert address_of(managed) is None
    assert address_of(walk.send(managed, "Reschedule")) is None
    assert address_of(Visitor(client, {"HX-Request": "true"}).open("/book/haircut/")) is None


def test_the_history_is_left_alone_on_request(site: Settings):
    """`history=False` is for hosts with a router of their own."""
    assert " data-kb-history>" in rendered("{% booking_widget %}")
    assert "data-kb-history" not in rendered("{% booking_widget history=False %}")


def test_two_widgets_on_a_page_are_distinct(site: Settings):
    """Each has a stage of its own, so no id stands there twice."""
    both = '{% booking_widget service="haircut" name="one" %}{% booking_widget service="beard-trim" name="two" %}'
    page = Page("/page/", Client().get("/book/"))
    page.tree = type(page.tree)(rendered(both))
    ids = [node.attributes["id"] for node in page.tree.css("[id]")]
    assert {"kb-inline-one", "kb-inline-two"} <= set(ids)
    assert len(ids) == len(set(ids))


def test_a_single_service_starts_at_its_times(site: Settings):
    """Also inside a page a business with one service shows its times at once."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "API_KEY": NORTH_KEY, "ORG_SLUG": NORTH_ORG}
    assert "Check-up" in rendered("{% booking_widget %}")


def test_one_of_several_accounts(two_accounts: Settings):
    """`account` says whose widget it is; its links lead into that account's mount."""
    html = rendered('{% booking_widget account="south" %}')
    assert "Acme Salon" in html
    assert "/south/haircut/" in html
    assert "North Dental" in rendered('{% booking_widget account="north" %}')


def test_several_accounts_need_a_name(two_accounts: Settings):
    """Without `account` a site with several businesses is told what to write."""
    with pytest.raises(ImproperlyConfigured, match="north, south"):
        rendered("{% booking_widget %}")


@pytest.mark.parametrize(("kind", "options"), [("status", {"status": 500}), ("key_revoked", {}), ("html", {})])
def test_the_page_around_it_survives(
    site: Settings, client: Client, sandbox: Sandbox, kind: str, options: dict[str, int]
):
    """Whatever goes wrong with Kordless, the host's page is shown, with the reason where the widget would be."""
    sandbox.faults.add(kind, **options)
    page = Visitor(client).open("/page/")
    assert page.status == 200
    assert page.texts("h1") == ["A page of the host's own"]
    assert page.heading in {"Temporarily unavailable", "Online booking is paused"}
    assert Visitor(client).open("/page/?service=haircut").status == 200


def test_an_unknown_service_is_an_error_in_place(site: Settings, client: Client):
    """A template that names a service that is gone shows a page all the same."""
    page = Visitor(client).open("/page/?service=no-such-thing")
    assert (page.status, page.heading) == (200, "This service isn’t available")
    assert Visitor(client).open("/page/?service=../../x").status == 200


def test_it_sets_no_cookie_and_needs_no_session(site: Settings, client: Client):
    """The host's page stays without a cookie."""
    response = client.get("/page/")
    assert not response.cookies
    assert "Cookie" not in response.get("Vary", "")


def test_it_needs_the_request(site: Settings):
    """A page that doesn't give its request to templates is told so."""
    with pytest.raises(ImproperlyConfigured, match="request"):
        Template("{% load kordless_booking %}{% booking_widget %}").render(Context({}))


def test_choices_of_the_page_are_heeded(site: Settings, client: Client):
    """Zone and hours in the host page's own query are the widget's; nonsense is dropped."""
    page = Visitor(client).open("/page/?service=haircut&tz=Asia/Kathmandu&hours=24&day=x")
    assert "Your time zone: Kathmandu" in page.text


def test_hostile_texts_stay_texts(site: Settings, client: Client, sandbox: Sandbox):
    """Text that the tag marks as safe has been escaped by the widget's own templates."""
    sandbox.faults.add("hostile")
    for url in ("/page/", "/page/?service=haircut", "/page/?service=<script>alert(1)</script>"):
        html = client.get(url).content.decode()
        assert "<script>alert" not in html
        assert "<img src=x" not in html


def test_two_widgets_share_their_assets(site: Settings):
    """The second widget on a page brings neither style sheet nor scripts again."""
    page = rendered('{% booking_widget name="one" %}{% booking_widget service="haircut" name="two" %}')
    assert page.count('rel="stylesheet" href=') == 1
    assert page.count('rel="stylesheet" data-kb-later ') == 1
    assert page.count("booking.js") == 1
    assert page.index("kb-inline-one") < page.index("kb-inline-two")
