"""The busy page: it loads itself again, keeps what was typed, and promises only what it can keep."""

from __future__ import annotations

import re

import pytest
import time_machine
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.test import Client, RequestFactory
from pytest_django import Settings

from kordless_booking import exceptions
from kordless_booking.sandbox import Limits, Sandbox
from kordless_booking.upstream.rate_limiter import ADDRESS_LIMIT
from kordless_booking.views.problems import MAX_RELOAD_SECONDS, from_api_error
from tests.support.scarce_site import open_scarce_salon, visitor_from
from tests.support.visitor import HTMX, JANE, Page, Visitor

pytestmark = pytest.mark.django_db

GOES_ON = re.compile(r"You don’t need to do anything: this page goes on by itself in about \d+ (second|minute)s?\.")


@pytest.fixture
def busy(site: Settings) -> Sandbox:
    """Kordless says too many to everything, and nothing is cached."""
    sandbox = open_scarce_salon(site, 3)
    sandbox.limits = Limits(general=0)
    return sandbox


def poll(page: Page) -> dict[str, str | None]:
    """Return the attributes of the element by which the script loads the page again."""
    node = page.tree.css_first("[data-kb-poll]")
    assert node is not None, page.text
    return dict(node.attributes)


@pytest.mark.parametrize("url", ["/book/", "/book/haircut/?tz=Asia/Tokyo&month=2026-12", "/book/haircut/?embed=1"])
def test_a_whole_page_loads_itself_again_with_and_without_javascript(busy: Sandbox, url: str) -> None:
    """The same URL, so that nothing that was chosen is lost, after Retry-After and a little more."""
    page = Visitor(Client()).once(url)
    assert (page.status, page.heading) == (503, "Very busy right now")
    after = int(page.response["Retry-After"])
    assert page.refresh is not None
    assert 1 <= after < page.refresh <= after + 3
    assert f'<noscript><meta http-equiv="refresh" content="{page.refresh}"></noscript>' in page.html
    attributes = poll(page)
    assert attributes["data-hx-get"] == url
    assert attributes["data-hx-trigger"] == f"load delay:{page.refresh}s, click"
    assert "hidden" not in attributes
    assert GOES_ON.search(page.text)
    assert page.links()["Try again"] == url


def test_a_fragment_loads_itself_again_in_its_place(busy: Sandbox) -> None:
    """As the script asks for it, and so with JavaScript alone."""
    page = Visitor(Client(), HTMX).once("/book/haircut/")
    assert (page.status, page.refresh) == (503, None)
    assert poll(page)["data-hx-get"] == "/book/haircut/"
    assert poll(page)["data-hx-target"] == "#kb-stage"
    assert page.tree.css_first("[data-kb-step]").attributes["data-kb-step"] == "busy"
    assert GOES_ON.search(page.text)


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_form_input_is_kept_while_the_page_waits(
    site: Settings, clock: time_machine.Traveller, headers: dict[str, str]
) -> None:
    """It is posted again by the script, and by the button without one: a form is never sent again by itself."""
    sandbox = open_scarce_salon(site, 3)
    visitor = Visitor(Client(), headers)
    visitor.choose()
    sandbox.limits = Limits(general=0)
    posted = visitor.once("/book/treat-0/", {**JANE, "notes": "Please ring twice"})
    assert (posted.status, posted.refresh) == (503, None)
    attributes = poll(posted)
    assert attributes["data-hx-post"] == "/book/treat-0/"
    assert attributes["data-hx-include"] == "#kb-stage-form-input"
    # Without JavaScript nothing would happen by itself, so nothing is said of it.
    assert ("hidden" in attributes) is (headers == {})
    sandbox.limits = Limits()
    clock.shift(61)  # as long as Kordless said
    again = visitor.open(posted.links()["Try again"])
    page = visitor.open(next(iter(again.times.values())))
    assert page.form("Book appointment")[2]["notes"] == "Please ring twice"


def test_a_changed_party_and_the_form_behind_it_are_kept(site: Settings, clock: time_machine.Traveller) -> None:
    """By the way back from the contact form, and by the form of the free times: both post what was typed."""
    sandbox = open_scarce_salon(site, 3)
    visitor = Visitor(Client())
    form = visitor.choose()
    sandbox.limits = Limits(general=0)
    draft = form.form("Book appointment")[2]
    back = visitor.once("/book/treat-0/?lang=en", {**draft, **JANE})
    assert (back.status, poll(back)["data-hx-post"]) == (503, "/book/treat-0/?lang=en")
    token = back.tree.css_first("[name=form_input]").attributes["value"] or ""
    changed = visitor.once("/book/treat-0/?lang=en", {"form_input": token, "party": "3"})
    assert (changed.status, poll(changed)["data-hx-post"]) == (503, "/book/treat-0/?party=3&lang=en")
    sandbox.limits = Limits()
    clock.shift(61)  # as long as Kordless said
    again = visitor.open(changed.links()["Try again"])
    assert again.status == 200
    assert again.tree.css_first("[name=form_input]") is not None


def test_a_booking_is_never_sent_again_by_itself(site: Settings) -> None:
    """The contact form that was sent comes back with all that was typed, and nothing in it loads anything."""
    sandbox = open_scarce_salon(site, 3)
    visitor = Visitor(Client())
    form = visitor.choose()
    sandbox.limits = Limits(creations=0)
    page = visitor.send(form, "Book appointment", **JANE)
    assert page.number == ""
    assert "data-hx-post" not in str(page.tree.css_first("[data-kb-poll]"))
    assert [request.operation for request in sandbox.requests].count("create") == 1


def in_a_page_of_the_sites(tag: str) -> Page:
    """Render a template of the site's with the widget in it."""
    request: HttpRequest = RequestFactory(REMOTE_ADDR="198.51.100.1").get("/about/?page=2")
    html = Template("{% load kordless_booking %}" + tag).render(Context({"request": request}))
    return Page("/about/", HttpResponse(html))


@pytest.mark.parametrize(
    ("tag", "url"),
    [("{% booking_widget %}", "/book/?lang=en"), ("{% booking_widget 'haircut' %}", "/book/haircut/?lang=en")],
)
def test_in_a_page_of_the_sites_the_widget_alone_is_loaded_again(busy: Sandbox, tag: str, url: str) -> None:
    """Not the page around it. It can't do that without JavaScript, so it doesn't say so."""
    page = in_a_page_of_the_sites(tag)
    attributes = poll(page)
    assert attributes["data-hx-get"] == url
    assert attributes["data-hx-target"] == "#kb-inline-widget"
    assert "hidden" in attributes
    assert page.links()["Try again"] == url
    assert "Please try again in" in page.text


def test_an_address_over_its_own_limit_is_told_so(site: Settings) -> None:
    """The others aren't many: this one is."""
    open_scarce_salon(site, 30)
    visitor = visitor_from("203.0.113.7")
    for number in range(20):
        visitor.once(f"/book/treat-{number}/")
    assert visitor.page.status == 503
    assert visitor.page.heading == "Too many attempts"
    assert "Many pages were opened from your connection within a minute." in visitor.page.text
    assert GOES_ON.search(visitor.page.text)
    assert visitor.page.refresh is not None


@pytest.mark.parametrize(
    ("seconds", "words"), [(1, "about 1 second."), (89, "about 89 seconds."), (90, "about 2 minutes.")]
)
def test_the_estimate_is_shown_in_seconds_or_minutes(seconds: int, words: str) -> None:
    """As people say it."""
    assert words in from_api_error(exceptions.TooMany(retry_after=seconds)).reload_text
    if seconds < 90:
        own = exceptions.TooMany(retry_after=seconds, reason=ADDRESS_LIMIT)
        assert words in from_api_error(own).reload_text


def test_a_long_wait_is_asked_about_twice_a_minute(busy: Sandbox, site: Settings) -> None:
    """The order may change, and the place is kept by asking."""
    page = Visitor(Client()).once("/book/")
    assert page.refresh is not None
    assert page.refresh <= MAX_RELOAD_SECONDS + 3
    assert int(page.response["Retry-After"]) <= MAX_RELOAD_SECONDS


def test_no_other_problem_loads_itself_again(site: Settings, client: Client) -> None:
    """A page that isn't there won't be there in a minute."""
    page = Visitor(client).once("/book/nothing/")
    assert (page.status, page.refresh) == (404, None)
    assert page.tree.css_first("[data-kb-poll]") is None
