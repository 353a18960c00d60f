"""Form input stays in the bodies of requests: no URL has it, and no URL opens it."""

import random
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client, RequestFactory
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.booking.form_input import TOKEN_SECONDS, decrypt_form_input, encrypt_form_input
from kordless_booking.forms import ContactForm
from kordless_booking.sandbox import Sandbox
from kordless_booking.views.problems import Problem
from kordless_booking.views.request import WidgetRequest
from tests.support.clock import NOW
from tests.support.visitor import JANE, Page, Visitor

pytestmark = pytest.mark.django_db

CJK = "".join(random.Random(7).choices([chr(number) for number in range(0x4E00, 0x9FFF)], k=1000))  # noqa: S311 (no secret)
TYPED = {"name": "Zzqx Canary", "email": "canary@example.com", "phone": "", "notes": CJK}
DRESSED_PAGES = Path(__file__).resolve().parents[1] / "projects" / "dressed" / "pages"
_TOKEN = re.compile(r"gAAAA[\w-]{40,}")
_URL_HEADERS = (
    "Location",
    "HX-Push-Url",
    "HX-Replace-Url",
    "HX-Location",
    "HX-Redirect",
    "Refresh",
    "Content-Location",
)
_URL_ATTRIBUTES = (
    "href",
    "action",
    "formaction",
    "src",
    "content",
    "data-hx-get",
    "data-hx-post",
    "data-kb-detect-zone",
    "data-kb-address",
)


def urls_of(page: Page) -> Iterator[str]:
    """Yield the address of a page and all that it leads to, in its headers and attributes."""
    yield page.url
    yield from (page.response[name] for name in _URL_HEADERS if name in page.response)
    for node in page.tree.css("*"):
        yield from (node.attributes.get(name) or "" for name in _URL_ATTRIBUTES)


def opens_form_input(url: str) -> bool:
    """Return True if a token in the address can be decrypted as form input."""
    limits, now = ContactForm().max_lengths(), NOW.timestamp()
    return any(decrypt_form_input("default", token, now, limits) for token in _TOKEN.findall(url))


def take(sandbox: Sandbox, times: int = 1) -> None:
    """Have Kordless refuse the next creations: the time is taken."""
    sandbox.faults.add("status", "create", times=times, status=409)


def typed_in(page: Page) -> dict[str, str]:
    """Return the values of the contact form."""
    found = page.form("Book appointment")[2]
    return {name: found[name] for name in TYPED}


def test_no_url_has_a_token_of_form_input(any_visitor: Visitor, sandbox: Sandbox, clock: Traveller):
    """A visitor loses a time and goes on by each control of each page; what was typed comes along everywhere."""
    form = any_visitor.choose("styling-class")
    take(sandbox)
    lost = any_visitor.send(form, "Book appointment", **TYPED)
    assert (lost.status, lost.response["Cache-Control"]) == (409, "no-store, private")
    waiting = list(lost.links(".kb-slot button, .kb-hosts button").values())
    assert len(waiting) > 10
    for url in [*waiting[:4], *waiting[-4:]]:
        page = any_visitor.open(url)
        assert page.status == 200
        assert page.response["Cache-Control"] == "no-store, private"
    assert typed_in(any_visitor.open(next(iter(lost.times.values())))) == TYPED
    if lost.tree.css("select[name=party]"):
        page = any_visitor.send(lost, "Update", party="2")
        assert typed_in(any_visitor.open(next(iter(page.times.values())))) == TYPED
    zones = any_visitor.open(lost.link("Change time zone"))
    for url in (zones.link("Back to the times"), zones.link("Kathmandu")):
        assert typed_in(any_visitor.open(next(iter(any_visitor.open(url).times.values())))) == TYPED
    back = any_visitor.open(any_visitor.open(next(iter(lost.times.values()))).link("Choose another time"))
    assert typed_in(any_visitor.open(next(iter(back.times.values())))) == TYPED
    used = any_visitor.choose("haircut")
    any_visitor.send(used, "Book appointment", **JANE)
    refused = any_visitor.send(used, "Book appointment", **TYPED)
    assert refused.heading == "This time was already requested from this page"
    any_visitor.open("/book/haircut/contact/", {"draft": "nonsense", **TYPED})
    sandbox.faults.add("status", "create", times=1, status=404)
    gone = any_visitor.send(form, "Book appointment", **TYPED)
    sandbox.faults.clear()
    services = any_visitor.open(gone.link("See all services"))
    page = any_visitor.open(any_visitor.open(services.link("Haircut")).link("Later dates"))
    assert typed_in(any_visitor.open(next(iter(page.times.values())))) == TYPED
    urls = {url for page in any_visitor.responses for url in urls_of(page)}
    assert [url for url in urls if opens_form_input(url)] == []
    assert "zzqx" not in " ".join(urls).lower()


def test_a_step_of_the_sites_own_keeps_what_was_typed(client: Client, site: Settings, sandbox: Sandbox):
    """A site's own template of a page has the form that its buttons post, though it knows nothing of it."""
    site.TEMPLATES = [{**site.TEMPLATES[0], "DIRS": [DRESSED_PAGES]}]
    visitor = Visitor(client)
    form = visitor.choose("haircut")
    sandbox.faults.add("status", "create", times=1, status=404)
    gone = visitor.send(form, "Book appointment", **TYPED)
    services = visitor.open(gone.link("See all services"))
    assert services.tree.css(".welcome")
    page = visitor.open(services.link("Haircut"))
    assert typed_in(visitor.open(next(iter(page.times.values())))) == TYPED


def test_a_token_in_a_url_opens_nothing(client: Client, site: Settings):
    """Whoever has a link learns nothing of what somebody typed, on any page."""
    token = encrypt_form_input("default", TYPED)
    any_visitor = Visitor(client)
    start = next(iter(any_visitor.open("/book/haircut/").times.values()))
    for url in ("/book/", "/book/haircut/?x=1", "/book/haircut/zone/?x=1", f"{start}&x=1"):
        page = any_visitor.open(f"{url}{'&' if '?' in url else '?'}form_input={token}")
        assert page.status == 200
        assert not page.tree.css("[name=form_input], [form$=form-input]")
        assert "Zzqx" not in page.html
        assert token not in page.html


def test_a_token_in_a_form_opens_for_a_quarter_of_an_hour(any_visitor: Visitor, sandbox: Sandbox, clock: Traveller):
    """Then the page leads on without it."""
    form = any_visitor.choose()
    take(sandbox)
    lost = any_visitor.send(form, "Book appointment", **TYPED)
    url = next(iter(lost.times.values()))
    clock.shift(TOKEN_SECONDS)
    assert typed_in(any_visitor.open(url)) == TYPED
    clock.shift(1)
    assert typed_in(any_visitor.open(url))["notes"] == ""


def test_a_form_of_another_account_opens_nothing(client: Client, site: Settings):
    """The token is the account's own."""
    token = encrypt_form_input("north", TYPED) or ""
    page = Visitor(client).open("/book/haircut/", {"form_input": token})
    assert not page.tree.css("[name=form_input]")


def test_the_same_page_posted_again_keeps_its_key(any_visitor: Visitor, sandbox: Sandbox):
    """Back to the times and the same time once more is the same request: it isn't booked a second time."""
    form = any_visitor.choose("styling-class")
    take(sandbox)
    lost = any_visitor.send(form, "Book appointment", **TYPED)
    url = next(iter(lost.times.values()))
    first, second = any_visitor.open(url), any_visitor.open(url)
    assert any_visitor.send(first, "Book appointment").heading == "You’re booked"
    again = any_visitor.send(second, "Book appointment")
    assert again.heading == "You’re booked"
    assert any_visitor.open(url).heading == "This time was already requested from this page"
    assert len(sandbox.bookings()) == 1


def test_the_same_page_posted_again_keeps_its_key_when_fewer_hosts_are_left(any_visitor: Visitor, sandbox: Sandbox):
    """The first booking takes one of two hosts. The same time chosen once more is still the same request."""
    form = any_visitor.choose("haircut", "?day=2026-12-10")
    take(sandbox)
    lost = any_visitor.send(form, "Book appointment", **TYPED)
    again = set()
    for url in lost.times.values():
        page = any_visitor.open(url)
        # Else it overlaps with one that was just booked, and nobody is left.
        if page.heading == "Your details":
            assert any_visitor.send(page, "Book appointment").heading == "You’re booked"
            again.add(any_visitor.open(url).heading)
    assert again == {"Haircut", "This time was already requested from this page"}


def test_the_page_of_an_attempt_reveals_nothing_that_was_typed(
    visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings
):
    """Its link shows no detail in any state, and leads to a form with them only for minutes after the rejection."""
    form = visitor.choose("haircut", "?day=2026-12-09")
    sandbox.faults.add("status", "create", times=1, status=429, retry_after=20)
    short = {**TYPED, "notes": "Careful"}
    waiting = visitor.send(form, "Book appointment", **short)
    assert "/attempt/" in waiting.url
    take(sandbox)
    clock.shift(21)
    site.KORDLESS_BOOKING = dict(site.KORDLESS_BOOKING)  # services anew, with nothing blocked
    lost = visitor.open(waiting.url)
    assert (lost.status, lost.url) == (409, waiting.url)
    for page in (waiting, lost):
        assert "Zzqx" not in page.html
        assert "Careful" not in page.html
        assert not any(opens_form_input(url) for url in set(urls_of(page)))
    assert typed_in(visitor.open(next(iter(lost.times.values())))) == short
    clock.shift(TOKEN_SECONDS - 10)
    assert typed_in(visitor.open(next(iter(visitor.open(waiting.url).times.values())))) == short
    clock.shift(timedelta(seconds=11))
    late = visitor.open(waiting.url)
    assert not late.tree.css("[name=form_input]")
    assert "just taken" in late.alert


def test_the_times_cant_be_read_after_a_lost_slot(any_visitor: Visitor, sandbox: Sandbox):
    """The problem page leads on to the times, and nothing that was typed is lost."""
    form = any_visitor.choose()
    take(sandbox)
    sandbox.faults.add("status", "availability", status=500)
    failed = any_visitor.send(form, "Book appointment", **TYPED)
    sandbox.faults.clear()
    assert failed.status in {409, 503}
    url = failed.link("Choose a time") if failed.status == 503 else next(iter(failed.days.values()))
    page = any_visitor.open(url)
    assert typed_in(any_visitor.open(next(iter(page.times.values())))) == TYPED


def test_no_repr_has_what_was_typed(site: Settings):
    """A repr may end up in a log or in an error report."""
    request = RequestFactory().post("/book/haircut/", TYPED)
    visit = WidgetRequest.from_http(request)
    assert visit.form_input == {name: text for name, text in TYPED.items() if text}
    problem = Problem("x", 409, "x", "x", form_input=TYPED)
    for thing in (visit, visit.with_form_input(TYPED), problem):
        assert "Zzqx" not in repr(thing) + str(thing)


def test_a_page_of_the_site_that_answers_a_form_keeps_it_to_itself(client: Client, site: Settings):
    """The widget inside a page of the site reads nothing of a form that the page answers."""
    response = client.post("/page/", {"name": "Zzqx Canary", "email": "canary@example.com"})
    assert response.status_code in {200, 405}
    assert 'name="form_input"' not in response.content.decode()


def test_no_parameter_makes_a_page_long(client: Client, site: Settings):
    """A page repeats none of the parameters that it doesn't know, in any of its hundreds of links."""
    short = {url: len(client.get(url).content) for url in ("/book/", "/book/haircut/", "/book/haircut/zone/")}
    junk = "A" * 3500
    for url, size in short.items():
        for name in ("form_input", "draft", "after", "start", "taken", "host", "tz", "month", "theme", "q", "x"):
            long = len(client.get(url, {name: junk}).content)
            assert long < max(size, 400_000) + 2 * len(junk), (url, name)
            assert long < size + 25_000 or url.endswith("zone/"), (url, name)


@pytest.mark.parametrize("letter", ['"', "%", "&", "<", "+", "a", "~"])
def test_no_host_or_team_makes_a_page_of_zones_long(client: Client, site: Settings, letter: str):
    """Its links carry any id, also one that nobody has, and escape none."""
    short = len(client.get("/book/haircut/zone/").content)
    long = len(client.get("/book/haircut/zone/", {"host": letter * 100, "team": letter * 100}).content)
    assert long < short + 110_000


def test_a_form_that_has_expired_books_once_however_often_it_is_sent(
    any_visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings
):
    """Back to a form that took too long, and sent again: the visitor gets the booking that they have."""
    form = any_visitor.choose("styling-class", "?day=2026-12-09")
    clock.shift(timedelta(hours=3))
    first = any_visitor.send(form, "Book appointment", **JANE)
    second = any_visitor.send(form, "Book appointment", **JANE)
    assert first.status == second.status == 409
    assert "You were away for a while" in first.alert
    assert any_visitor.send(first, "Book appointment").heading == "You’re booked"
    assert any_visitor.send(form, "Book appointment", **JANE).heading == "You’re booked"
    assert any_visitor.send(second, "Book appointment").heading == "You’re booked"
    assert len(sandbox.bookings()) == 1
    # With other details it is somebody else's, and both are told so.
    other = any_visitor.send(form, "Book appointment", **{**JANE, "name": "John"})
    assert other.heading == "This time was already requested from this page"
    assert len(sandbox.bookings()) == 1
