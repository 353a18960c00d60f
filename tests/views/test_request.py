"""One request to the widget: account, layout, language, addresses and the frame around a step."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import QueryDict
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from kordless_booking.api.resources import Branding, Organization
from kordless_booking.sandbox import Sandbox
from kordless_booking.views import request as request_module
from kordless_booking.views.page import business_of, origin_of
from kordless_booking.views.request import WidgetRequest
from tests.support.salon import open_salon
from tests.support.visitor import HTMX, Visitor

pytestmark = pytest.mark.django_db


def visit_with(**headers: str) -> WidgetRequest:
    """A visit of a request with these headers."""
    return WidgetRequest.from_http(
        RequestFactory().get("/book/", headers={name.replace("_", "-"): text for name, text in headers.items()})
    )


def test_htmx_gets_a_fragment(site: Settings, client: Client):
    """A swap gets the content alone, with its title; a browser gets the document."""
    page, fragment = Visitor(client).open("/book/"), Visitor(client, HTMX).open("/book/")
    assert "<!doctype html>" in page.html
    assert "<html" not in fragment.html
    assert "<script" not in fragment.html
    assert page.texts("title") == fragment.texts("title") == ["Choose a service · Acme Salon"]
    assert page.texts("main") == fragment.texts("main")


def test_going_back_gets_a_whole_page(site: Settings, client: Client):
    """When htmx restores a page of its history it needs the document."""
    headers = {**HTMX, "HX-History-Restore-Request": "true"}
    assert "<!doctype html>" in Visitor(client, headers).open("/book/haircut/").html


def test_the_results_of_a_search_are_those_of_the_stage_around_them(site: Settings, client: Client):
    """Inside a page of the site too: htmx names the results as its target, and looks for them in the response."""
    open_salon(site, 300)
    service = Visitor(client).open("/book/").hrefs(".kb-service a")[0]
    for target in ("kb-inline-side", "kb-stage"):
        for url in ("/book/?q=treatment", f"{service}zone/?q=nepal"):
            page = Visitor(client, {"HX-Request": "true", "HX-Target": f"{target}_found"}).open(url)
            form = page.tree.css_first("form[role=search]")
            results = (form.attributes["data-hx-target"] or "").removeprefix("#")
            assert results == f"{target}_found"
            assert page.tree.css(f"[id={results}] > *")
            assert f"#{results} > *" in (form.attributes["data-hx-select"] or "")


@pytest.mark.parametrize("target", ["kb-inline-<b>", "kb-inline-", "kb-inline-" + "x" * 60, "body", "kb-inline-É", ""])
def test_only_our_own_stages_are_heeded(site: Settings, client: Client, target: str):
    """A target that we never gave is ignored."""
    page = Visitor(client, {"HX-Request": "true", "HX-Target": target}).open("/book/")
    assert 'data-hx-target="#kb-stage"' in page.html
    assert target not in {"kb-inline-<b>"} or "<b>" not in page.html


@pytest.mark.parametrize(
    "given_id", ["short", "x" * 65, "with blank inside", "a\tb-cdefgh", "<script>alert</script>", "ünïcödéé"]
)
def test_a_request_id_is_ours_unless_it_is_plain(site: Settings, given_id: str):
    """An id from outside is kept only if it can't mean anything else."""
    assert visit_with(X_Request_ID=given_id).id != given_id
    assert visit_with(X_Request_ID="0af7651916cd43dd8448eb211c80319c").id == "0af7651916cd43dd8448eb211c80319c"


@given(st.text(st.sampled_from("ab&=;+%2fF0é\x00 ") | st.characters(max_codepoint=255), max_size=30))
def test_a_query_is_read_as_django_reads_it(text: str):
    """Pages of the widget and the site's own code agree on what a query says."""
    request = RequestFactory().get("/book/", QUERY_STRING=text)
    assert request_module._read_plain_query(request) in (None, request.GET.dict())


def test_a_query_that_somebody_else_has_read_is_left_to_django(site: Settings):
    """Middleware may have replaced it, a client may name another encoding, and too many names are refused."""
    replaced = RequestFactory().get("/book/?tz=Europe/Paris")
    replaced.GET = QueryDict("tz=Asia/Tokyo")
    assert WidgetRequest.from_http(replaced).query == {"tz": "Asia/Tokyo"}
    encoded = RequestFactory().get("/book/?tz=Europe/Paris", CONTENT_TYPE="text/plain; charset=utf-16")
    assert WidgetRequest.from_http(encoded).query == {"tz": "Europe/Paris"}
    many = RequestFactory().get("/book/?" + "&".join(f"n{number}=1" for number in range(1001)))
    visit = WidgetRequest.from_http(many)
    assert (visit.query, visit.is_readable) == ({}, False)


def test_the_id_is_the_same_on_page_header_and_log(
    site: Settings, client: Client, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
):
    """The reference on a problem page finds the log lines, also those of the calls to Kordless."""
    sandbox.faults.add("status", status=500)
    page = Visitor(client, {"X-Request-ID": "find-me-again-1"}).open("/book/")
    assert page.response["X-Request-ID"] == "find-me-again-1"
    assert "find-me-again-1" in page.text
    lines = [record.getMessage() for record in caplog.records if "find-me-again-1" in record.getMessage()]
    assert {line.split()[0] for line in lines} >= {"event=kordless_call"}
    assert len([line for line in lines if "status=503" in line]) == 1


@given(st.text(max_size=60))
def test_no_logo_origin_breaks_the_policy(url: str):
    """An origin is https with a plain host, or none: nothing in it can end a directive."""
    found = origin_of(f"https://{url}" if "[" not in url and "]" not in url else None)
    assert found is None or not set(found) & set(" ;,'\"\r\n")


@pytest.mark.parametrize(
    ("logo", "kept"),
    [
        ("https://cdn.example/logo.png", True),
        ("http://cdn.example/logo.png", False),
        ("javascript:alert(1)", False),
        ("https://user:secret@cdn.example/logo.png", False),
        ("//cdn.example/logo.png", False),
        ("https://cdn.example;script-src *", False),
        ("data:image/png;base64,x", False),
        (None, False),
    ],
)
def test_a_logo_is_shown_only_from_a_safe_address(logo: str | None, kept: bool):
    """Everything else is the business's first letter."""
    business = business_of(Organization(name="acme", slug="acme", branding=Branding(logo=logo)))
    assert (business.logo is not None) is kept
    assert business.initial == "A"


def test_a_business_is_called_by_its_own_name():
    """The company's name comes first, then the organization's, then its slug."""
    assert business_of(Organization(name="Org", slug="o", branding=Branding(company_name=" Brand "))).name == "Brand"
    assert business_of(Organization(name="Org", slug="o", branding=Branding())).name == "Org"
    assert business_of(Organization(name="  ", slug="o", branding=Branding())).name == "o"


def test_a_broken_configuration_is_explained(site: Settings, client: Client):
    """Without usable settings every page is a plain 503 that shows no secret."""
    site.KORDLESS_BOOKING = {"API_KEY": "secret-key-here", "ORG_SLUG": "not a slug!"}
    for url in ("/book/", "/book/haircut/", "/book/manage/"):
        response = client.get(url)
        assert response.status_code == 503
        assert b"secret-key-here" not in response.content
        assert not response.cookies


def test_several_accounts_need_their_namespace(two_accounts: Settings):
    """A mount without the name of one of several accounts is a mistake that says so."""
    with pytest.raises(ImproperlyConfigured, match="north, south"):
        WidgetRequest.from_http(RequestFactory().get("/x/"))


def test_progress_leads_back_but_never_forward(site: Settings, client: Client):
    """Past steps are links as long as nothing is booked; the current one says that it is."""
    any_visitor = Visitor(client)
    expected = {"/book/": [], "/book/haircut/": ["Service"]}
    for url, links in expected.items():
        assert [*any_visitor.open(url).links(".kb-progress a")] == links
    assert any_visitor.open("/book/haircut/").texts("[aria-current=step]") == ["Time"]
    assert [*any_visitor.book().links(".kb-progress a")] == []


def test_a_demo_says_so(site: Settings, client: Client):
    """On the sandbox the foot of the page says that nothing is real; on an account it doesn't."""
    assert "nothing here is real" not in client.get("/book/").content.decode()
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "SANDBOX": True}
    assert "nothing here is real" in client.get("/book/").content.decode()
