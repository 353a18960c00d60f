"""Origins that may send to the widget or frame it, and the headers of every response."""

from collections.abc import Iterator
from itertools import product
from urllib.parse import unquote, urljoin

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import include, path
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from kordless_booking.conf import get_account
from kordless_booking.sandbox import Sandbox
from kordless_booking.views import security
from tests.support.visitor import HTMX, JANE, Page, Visitor

pytestmark = [pytest.mark.django_db, pytest.mark.long]

SITES = (None, "same-origin", "same-site", "cross-site", "none", "", "SAME-ORIGIN", "same-origin, cross-site")
OWN = "http://testserver"
#: Where a proxy ends TLS and Django isn't told so, its own pages are on https.
OWN_ORIGINS = {OWN, "https://testserver"}
ORIGINS = (
    None,
    OWN,
    "null",
    "https://testserver",
    "https://testserver:8000",
    "https://testserver.evil.example",
    "http://testserver:8000",
    "http://testserver.evil.example",
    "http://evil.example",
    "http://evil.example/http://testserver",
    "//testserver",
    "http://[",
    "http://user@testserver",
    "",
)
REFERERS = (None, f"{OWN}/book/haircut/", "http://evil.example/", "https://testserver/", "about:client", "http://[::1")


def allowed(site: str | None, origin: str | None, referer: str | None) -> bool:
    """Return the rule's decision: Sec-Fetch-Site first, then Origin, then Referer."""
    if site is not None:
        return site == "same-origin"
    if origin:
        return origin in OWN_ORIGINS
    return referer is None or referer.startswith(tuple(f"{own}/" for own in OWN_ORIGINS))


def test_every_combination_of_where_it_comes_from(rf: RequestFactory):
    """Only a request of our own pages, or of no page at all, may change anything."""
    for site, origin, referer in product(SITES, ORIGINS, REFERERS):
        named = {"Sec-Fetch-Site": site, "Origin": origin, "Referer": referer}
        request = rf.post("/book/", headers={name: value for name, value in named.items() if value is not None})
        assert security.is_same_origin(request) is allowed(site, origin, referer), named


@given(st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60))
def test_no_origin_breaks_the_guard(origin: str):
    """Whatever stands in Origin, the answer is yes or no, and yes only for our own."""
    request = RequestFactory().post("/book/", headers={"Origin": origin})
    assert security.is_same_origin(request) is (origin in {"", *OWN_ORIGINS})


def test_an_http_page_is_foreign_to_an_https_site(rf: RequestFactory):
    """Anybody on the way may have written it."""
    for named in ({"Origin": OWN}, {"Referer": f"{OWN}/book/"}):
        assert not security.is_same_origin(rf.post("/book/", headers=named, secure=True))
        assert security.is_same_origin(rf.post("/book/", headers={"Origin": "https://testserver"}, secure=True))


def test_an_old_safari_books_behind_a_proxy_that_ends_tls(visitor: Visitor, sandbox: Sandbox):
    """It sends no Sec-Fetch-Site, and its Origin is on https while Django sees http."""
    visitor.headers = {"Origin": "https://testserver"}
    assert visitor.book().heading == "You’re booked"
    assert len(sandbox.bookings()) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_foreign_page_can_not_book(visitor: Visitor, sandbox: Sandbox, headers: dict[str, str]):
    """A form that a foreign page sends is rejected before anything is sent to Kordless."""
    method, action, fields = visitor.choose().form("Book appointment")
    request_count = len(sandbox.requests)
    page = visitor.open(action, {**fields, **JANE}, **headers)
    assert (method, page.status, page.heading) == ("post", 403, "Please continue on our booking page")
    # With the field that makes a POST one that only renders, it is still the form.
    assert visitor.open(action, {**fields, **JANE, "form_input": "x"}, **headers).status == 403
    assert len(sandbox.requests) == request_count


def test_a_foreign_page_can_not_cancel(visitor: Visitor, sandbox: Sandbox):
    """Not even with the customer's own manage link."""
    page = visitor.open(visitor.book().link("Change or cancel"))
    _method, action, _fields = visitor.send(page, "Cancel booking").form("Cancel booking")
    assert visitor.open(action, {}, **{"Sec-Fetch-Site": "cross-site"}).status == 403
    assert sandbox.bookings()[0]["status"] == "confirmed"


def test_a_client_that_is_no_browser_may_book(visitor: Visitor):
    """Without any of the three headers there is no page that could have been tricked."""
    _method, action, fields = visitor.choose().form("Book appointment")
    response = visitor.client.post(action, {**fields, **JANE})
    assert response.status_code == 303


@pytest.fixture
def pages(visitor: Visitor) -> dict[str, str]:
    """One address of every kind of page."""
    contact = visitor.choose("haircut", "?day=2026-12-09")
    confirmation = visitor.send(contact, "Book appointment", **JANE)
    manage = confirmation.link("Change or cancel")
    slots = visitor.open(f"{manage}reschedule/")
    return {
        "services": "/book/",
        "slots": "/book/haircut/",
        "zone": "/book/haircut/zone/",
        "contact": contact.url,
        "confirmation": confirmation.url,
        "calendar": confirmation.link("Apple (.ics)"),
        "find": "/book/manage/",
        "manage": manage,
        "manage calendar": f"{manage}booking.ics",
        "cancel": f"{manage}cancel/",
        "reschedule": f"{manage}reschedule/",
        "reschedule zone": f"{manage}reschedule/zone/",
        "reschedule confirm": next(iter(slots.times.values())),
        "nowhere": "/book/x/y/z",
        "unknown service": "/book/unknown/",
        "broken link": "/book/manage/x/",
    }


def policy_of(response: HttpResponse) -> dict[str, str]:
    """The content security policy by directive."""
    parts = response["Content-Security-Policy"].split("; ")
    return dict(part.split(" ", 1) for part in parts)


def test_every_page_says_who_may_frame_it(visitor: Visitor, pages: dict[str, str], site: Settings):
    """Each page, whole and fragment, GET and HEAD: a strict policy, no X-Frame-Options, no cookie, not indexed."""
    for name, url in pages.items():
        for headers in ({}, HTMX):
            for method in (visitor.client.get, visitor.client.head, visitor.client.options):
                response = method(url, headers=headers)
                policy = policy_of(response)
                assert policy["default-src"] == "'none'", name
                assert policy["frame-ancestors"] == "'self'", name
                assert policy["script-src"] == policy["style-src"] == "'self'", name
                assert policy["form-action"] == policy["connect-src"] == "'self'", name
                assert "unsafe" not in response["Content-Security-Policy"], name
                assert "X-Frame-Options" not in response, name
                assert not response.cookies, name
                assert response["X-Content-Type-Options"] == "nosniff", name
                assert response["X-Robots-Tag"].startswith("noindex"), name
                assert response["Referrer-Policy"] in {"strict-origin-when-cross-origin", "same-origin"}, name


def test_pages_with_something_personal_are_never_stored(visitor: Visitor, pages: dict[str, str]):
    """From the contact form on nothing is stored, and its address is told to nobody else."""
    for name, url in pages.items():
        response = visitor.client.get(url)
        if name in {"services", "slots", "zone"}:
            assert response["Cache-Control"] == "private, no-cache", name
        else:
            assert response["Cache-Control"] == "no-store, private", name
            assert response["Referrer-Policy"] == "same-origin", name


def test_caches_distinguish_pages_and_fragments(visitor: Visitor, pages: dict[str, str]):
    """Vary names each header that changes a page, and never the cookie."""
    for name, url in pages.items():
        vary = visitor.client.get(url)["Vary"]
        assert {"HX-Request", "HX-Target", "Accept-Language"} <= {part.strip() for part in vary.split(",")}, name
        assert "Cookie" not in vary, name


def test_what_a_view_says_of_caches_stays(site: Settings):
    """A page may depend on more than every page does, and one response's headers are none of another's."""
    account = get_account("kordless_booking")
    varied, plain = HttpResponse(headers={"Vary": "Cookie"}), HttpResponse()
    for response in (varied, plain, varied):
        security.set_security_headers(response, account, cache=security.CACHE_PRIVATE)
    assert varied["Vary"] == "Cookie, HX-Request, HX-Target, Accept-Language"
    plain["X-Robots-Tag"] = "none"
    other = HttpResponse()
    security.set_security_headers(other, account, cache=security.CACHE_PRIVATE)
    assert (other["Vary"], other["X-Robots-Tag"]) == ("HX-Request, HX-Target, Accept-Language", "noindex, nofollow")


def test_embedding_sites_are_named(site: Settings, client: Client):
    """EMBED_ORIGINS may frame the widget, besides the site itself."""
    origins = ["https://shop.example", "https://*.market.example"]
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "EMBED_ORIGINS": origins}
    for url in ("/book/", "/book/haircut/", "/book/manage/", "/book/x/y"):
        ancestors = policy_of(client.get(url))["frame-ancestors"].split()
        assert ancestors[0] == "'self'"
        assert set(ancestors[1:]) == set(origins)


def test_static_files_from_elsewhere_are_let_in(site: Settings, client: Client):
    """A site that serves its static files from another host can still load scripts and styles from there."""
    site.STATIC_URL = "https://cdn.example/static/"
    policy = policy_of(client.get("/book/"))
    assert policy["script-src"] == policy["style-src"] == "'self' https://cdn.example"


@pytest.fixture
def strict(site: Settings) -> Iterator[Settings]:
    """The host behind a login wall, with a policy of its own and a transaction around each request."""
    from tests.projects.strict import settings as project  # noqa: PLC0415 (read only where it is put on)

    site.ROOT_URLCONF = project.ROOT_URLCONF
    site.MIDDLEWARE = project.MIDDLEWARE
    site.LOGIN_URL = project.LOGIN_URL
    site.X_FRAME_OPTIONS = "DENY"
    site.SECURE_REFERRER_POLICY = "no-referrer"
    return site


def test_a_strict_host_lets_visitors_through(strict: Settings, client: Client, sandbox: Sandbox):
    """Login wall, host policy and cookie CSRF don't keep anybody from booking, moving and cancelling."""
    assert client.get("/staff/").status_code == 302
    any_visitor = Visitor(Client(enforce_csrf_checks=True))
    page = any_visitor.book("haircut", "?day=2026-12-09")
    assert page.heading == "You’re booked"
    page = any_visitor.open(page.link("Change or cancel"))
    slots = any_visitor.send(page, "Reschedule")
    moved = any_visitor.send(any_visitor.open(list(slots.times.values())[-1]), "Reschedule")
    assert "rescheduled" in moved.text
    page = any_visitor.send(any_visitor.send(moved, "Cancel booking"), "Cancel booking")
    assert "canceled" in page.text
    for each in any_visitor.responses:
        assert policy_of(each.response)["frame-ancestors"] == "'self'"
        assert "X-Frame-Options" not in each.response
        assert not each.response.cookies
        assert each.response["Referrer-Policy"] != "no-referrer"


def test_the_sheet_is_let_through_as_well(strict: Settings, client: Client):
    """A login wall does not hide the style sheet."""
    assert client.get("/book/style-112233.css").status_code == 200


def test_an_unsafe_method_must_be_one_that_a_page_knows(visitor: Visitor, pages: dict[str, str], sandbox: Sandbox):
    """PUT, PATCH, DELETE and a POST where there is no form are a 405 that says what is allowed."""
    for name, url in pages.items():
        for method in ("put", "patch", "delete", "trace"):
            response = getattr(visitor.client, method)(url, headers={"Sec-Fetch-Site": "same-origin"})
            assert response.status_code == 405, name
            assert "GET" in response["Allow"], name
    for name in ("confirmation", "manage", "reschedule"):
        assert visitor.client.post(pages[name]).status_code == 405, name
    # These render what a GET renders, with what was typed in the body.
    for name in ("services", "slots", "zone"):
        assert visitor.client.post(pages[name]).status_code in {200, 303}, name
    assert len(sandbox.bookings()) == 1
    assert sandbox.bookings()[0]["status"] == "confirmed"


@pytest.mark.parametrize("slug", ["%5Cevil.example", "a%3Fb", "a%23b", "a%2520b", "%22%3E", "caf%C3%A9"])
def test_no_path_leads_the_form_of_a_refused_post_elsewhere(site: Settings, client: Client, slug: str):
    """Whatever a service is called, "Continue in a new tab" leads to the page that was posted to."""
    site.ROOT_URLCONF = (path("", include("kordless_booking.urls")),)
    url = f"/{slug}/contact/"
    response = client.post(url, {**JANE, "draft": "x"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403
    # A browser takes a backslash for a slash.
    action = Page(url, response).form("Continue in a new tab")[1].replace("\\", "/")
    assert unquote(urljoin("https://salon.example", action).split("?")[0]) == unquote(f"https://salon.example{url}")
