"""BASE_TEMPLATE: the site's own header, navigation and footer around every page of the widget."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.http import HttpRequest, HttpResponseBase
from django.template import engines
from django.test import Client, RequestFactory
from django.utils.functional import lazystr
from django.utils.safestring import mark_safe
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings

from kordless_booking import hooks, views
from kordless_booking.sandbox import Sandbox
from kordless_booking.views import response_cache
from kordless_booking.views.base_template import SITE_LAYOUT
from tests.projects import based
from tests.projects.strict.csp import POLICY as STRICT_POLICY
from tests.support.all_pages import every_page
from tests.support.pasted_blocks import read_blocks
from tests.support.signal_receiver import record_signals
from tests.support.visitor import HTMX, JANE, Page, Visitor

pytestmark = pytest.mark.django_db

THEMING = Path(__file__).resolve().parents[2] / "docs" / "theming.md"
TEMPLATES = Path(based.__file__).parent / "templates"
POLICY = "Content-Security-Policy"


def use_base(site: Settings, folder: Path = TEMPLATES, name: str = "site/base.html") -> None:
    """Put a template of the site's around the widget."""
    site.TEMPLATES = [{**site.TEMPLATES[0], "DIRS": [folder, *site.TEMPLATES[0]["DIRS"]]}]
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "BASE_TEMPLATE": name}


@pytest.fixture
def based_site(site: Settings) -> Settings:
    """The plain host, whose base goes around the widget."""
    use_base(site)
    return site


def own_base(site: Settings, folder: Path, source: str) -> None:
    """Put a base with this source around the widget."""
    (folder / "own.html").write_text(source)
    use_base(site, folder, "own.html")


def test_the_base_of_the_docs_goes_around_the_widget(site: Settings, client: Client, tmp_path: Path):
    """The short base.html of docs/theming.md is complete: system checks find nothing, and the widget is in it."""
    [source] = [block.text for block in read_blocks(THEMING) if block.file == "templates/base.html"]
    own_base(site, tmp_path, source)
    assert [found for found in run_checks() if (found.id or "").startswith("kordless_booking")] == []
    page = Visitor(client).open("/book/haircut/")
    assert page.texts("body > header a") == ["Acme Salon"]
    assert page.tree.css_first("main > .kb [data-kb-step]") is not None
    assert page.tree.css_first("head link[rel=stylesheet][href*='/book/style']") is not None


def test_every_page_is_inside_the_sites_own_frame(
    based_site: Settings, client: Client, sandbox: Sandbox, clock: object
):
    """All pages, problems and manage pages: one head, one title, one main, header and footer of the site, no cookie."""
    any_visitor = Visitor(client)
    every_page(any_visitor, sandbox, "en")
    refused = any_visitor.open("/book/haircut/contact/", JANE, **{"Sec-Fetch-Site": "cross-site"})
    assert refused.status == 403
    shown = [page for page in any_visitor.responses if page.html]
    assert len(shown) > 25
    assert {200, 403, 404, 422, 503} <= {page.status for page in shown}
    for page in shown:
        assert page.html.count("<html") == page.html.count("<title>") == page.html.count("<main") == 1, page.url
        assert page.texts(".site-name") == ["Acme Salon"]
        assert page.texts(".site-footer p") == ["12 Mercer Street, New York"]
        assert page.tree.css_first("main > .kb .kb-stage[id=kb-stage] > [data-kb-step]") is not None
        assert page.tree.css_first("head link[rel=stylesheet][href*='/book/style']") is not None
        assert page.tree.css_first("head script[data-kb-htmx]") is not None
        assert page.texts("title")[0] not in {"", "Acme Salon | Acme"}, page.url
        assert "kordless_content" not in page.html
        assert not page.response.cookies
        assert "private" in page.response["Cache-Control"]
        assert {"Cookie", "Sec-Fetch-Dest"} <= set(page.response["Vary"].split(", "))


def test_a_visitor_books_in_the_sites_frame_without_javascript(based_site: Settings, client: Client, sandbox: Sandbox):
    """Plain links and forms lead from the services to the confirmation."""
    any_visitor = Visitor(client)
    assert any_visitor.book().number
    assert len(sandbox.bookings()) == 1


def test_htmx_swaps_only_the_stage_of_a_page_in_the_sites_frame(based_site: Settings, client: Client):
    """A fragment has the document's title and nothing of the site's frame, and no landmark that the site has."""
    whole = Visitor(client).open("/book/haircut/")
    page = Visitor(client, HTMX).open("/book/haircut/")
    assert "site-header" not in page.html
    assert page.texts("title") == whole.texts("title") == ["Haircut · Acme Salon"]
    assert page.tree.css_first("main, header, footer") is None
    assert "data-hx-push-url" in page.html


def test_a_warm_page_in_the_sites_frame_costs_no_query_and_no_request(
    based_site: Settings, client: Client, sandbox: Sandbox, django_assert_num_queries: DjangoAssertNumQueries
):
    """The fragment comes from the response cache; only the frame is rendered again."""
    client.get("/book/haircut/")
    requests = len(sandbox.requests)
    with django_assert_num_queries(0):
        assert client.get("/book/haircut/").status_code == 200
    assert len(sandbox.requests) == requests


def test_each_visitor_gets_their_own_frame_around_the_same_fragment(based_site: Settings, client: Client):
    """Who is signed in reads their name, and nobody else does, although the fragment is shared."""
    sarah = Client()
    sarah.force_login(User.objects.create_user("sarah"))
    for _round in range(2):
        mine, theirs = (Page("/book/", each.get("/book/")) for each in (sarah, client))
        assert mine.texts(".site-user") == ["Signed in as sarah"]
        assert theirs.texts(".site-user") == []
        assert mine.tree.css_first(".kb").html == theirs.tree.css_first(".kb").html  # type: ignore[union-attr]


def test_the_frame_is_in_the_language_that_the_site_has_activated(site: Settings, client: Client, tmp_path: Path):
    """A link of the widget's own may choose another one for the widget alone; stored or not."""
    own_base(site, tmp_path, "{% load i18n %}{% get_current_language as now %}<p class=site>{{ now }}</p>" + NO_TITLE)
    for _stored in range(2):
        page = Page("/book/", client.get("/book/?lang=de"))
        assert page.texts(".site") == ["en-us"]
        assert page.tree.css_first(".kb[lang=de]") is not None
        assert page.response["Content-Language"] == "de"


def test_what_the_page_may_load_is_up_to_the_site(based_site: Settings, client: Client):
    """Our strict policy would break the site's own header, so the site's own headers apply."""
    for _stored in range(2):
        response = client.get("/book/")
        assert POLICY not in response
        assert response["X-Frame-Options"] == "DENY"
        assert response["Referrer-Policy"] == "strict-origin-when-cross-origin"
        assert response["X-Robots-Tag"].startswith("noindex")
    based_site.MIDDLEWARE = ["tests.projects.strict.csp.StrictPolicyMiddleware", *based_site.MIDDLEWARE]
    assert Client().get("/book/")[POLICY] == STRICT_POLICY


class NonceMiddleware:
    """Give each request a nonce as django-csp does, or as Django 6 does."""

    attribute = "csp_nonce"

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        setattr(request, self.attribute, lazystr(secrets.token_urlsafe()))
        return self.get_response(request)


class DjangoNonceMiddleware(NonceMiddleware):
    attribute = "_csp_nonce"


@pytest.mark.parametrize("middleware", [NonceMiddleware, DjangoNonceMiddleware])
def test_the_nonce_of_the_sites_policy_is_on_each_script_of_the_shared_fragment(
    based_site: Settings, client: Client, middleware: type
):
    """Another one for each request, though the fragment comes from the response cache."""
    based_site.MIDDLEWARE = [*based_site.MIDDLEWARE, f"{__name__}.{middleware.__name__}"]
    nonces = []
    for _stored in range(2):
        page = Page("/book/", client.get("/book/"))
        tags = page.tree.css("head script, head link[rel=stylesheet], head link[rel=preload]")
        found = {tag.attributes.get("nonce") for tag in tags}
        assert len(tags) >= 4
        assert len(found) == 1
        nonces += found
    assert None not in nonces
    assert nonces[0] != nonces[1]


def test_a_style_sheet_of_an_extension_has_the_nonce_of_the_sites_policy(based_site: Settings, client: Client):
    """A block of an extension stands in the content, and its style sheet beside it."""
    based_site.MIDDLEWARE = [*based_site.MIDDLEWARE, f"{__name__}.NonceMiddleware"]
    with hooks.temporary_hooks():
        hooks.template_slots.register(
            "services_before", lambda slot: mark_safe('<link rel="stylesheet" href="/x.css">')
        )
        for _stored in range(2):
            page = Page("/book/", client.get("/book/"))
            [own] = page.tree.css(".kb link[href='/x.css']")
            script = page.tree.css_first("head script[data-kb-htmx]")
            assert script is not None
            assert own.attributes["nonce"] == script.attributes["nonce"]


@pytest.mark.parametrize("destination", ["iframe", "frame", "embed", "object"])
def test_a_frame_has_the_page_to_itself(based_site: Settings, client: Client, destination: str):
    """The embed script's frames and hand-written ones: the package's own layout and policy, whoever came first."""
    assert "site-header" in client.get("/book/").content.decode()
    for _stored in range(2):
        response = client.get("/book/", headers={"Sec-Fetch-Dest": destination})
        assert "site-header" not in response.content.decode()
        assert "frame-ancestors 'self'" in response[POLICY]
        assert "X-Frame-Options" not in response
        assert "Sec-Fetch-Dest" in response["Vary"]
    assert "site-header" not in client.get("/book/?embed=1").content.decode()
    assert "site-header" in client.get("/book/").content.decode()


def test_the_tag_in_a_page_of_the_site_stays_as_it_was(based_site: Settings, client: Client):
    """A page of the site's own is in no frame twice."""
    page = Page("/page/", client.get("/page/"))
    assert page.html.count("<html") == 1
    assert page.tree.css_first(".site-header") is None
    assert "Haircut" in page.text


def test_a_widget_of_the_sites_template_beside_the_page_brings_no_file_again(
    site: Settings, client: Client, tmp_path: Path
):
    """One style sheet and script for both; each has its own place and query, and another color has its own look."""
    tags = "{% load kordless_booking %}{% booking_widget service='haircut' %}{% booking_widget accent='#aa3300' %}"
    own_base(site, tmp_path, NO_TITLE + tags)
    for _stored in range(2):
        page = Page("/book/", client.get("/book/?kb-tz=Asia/Tokyo"))
        assert len(page.tree.css("link[data-kb-later]")) == len(page.tree.css("script[data-kb-htmx]")) == 1
        sheets = page.tree.css("link[rel=stylesheet]:not([data-kb-later])")
        assert ["look" in str(sheet.attributes["href"]) for sheet in sheets] == [False, True]
        assert [stage.id for stage in page.tree.css(".kb-stage")] == [
            "kb-stage",
            "kb-inline-widget",
            "kb-inline-widget--2",
        ]
        looks = [widget.attributes["class"] for widget in page.tree.css(".kb")]
        assert looks[:2] == ["kb", "kb"]
        assert looks[2] not in {None, "kb"}
        assert [card.attributes.get("data-kb-zone") for card in page.tree.css("[data-kb-step=slot]")] == ["Asia/Tokyo"]


def test_what_is_known_of_a_user_and_the_metadata_of_a_tag_stay_theirs_in_the_sites_frame(
    based_site: Settings, client: Client, sandbox: Sandbox
):
    """From a tag in the site's page through the frame to the signal: in no address, cache or page of others."""
    prefill = "tests.support.site_prefill.known_user"
    based_site.KORDLESS_BOOKING = {**based_site.KORDLESS_BOOKING, "PREFILL": prefill}
    tag = "{% load kordless_booking %}{% booking_widget 'haircut' metadata=order %}"
    order = {"order": 17, "cart": "canary-cart"}
    times = Page("/page/", client.get("/book/"))
    own = engines["django"].from_string(tag).render({"order": order}, RequestFactory().get("/page/"))
    times.tree = type(times.tree)(own)
    url = next(iter(times.times.values()))
    client.cookies["who"] = "Ada Lovelace"
    before = len(response_cache._responses)
    any_visitor = Visitor(client)
    form = any_visitor.open(url)
    assert form.texts(".site-name") == ["Acme Salon"]
    # Its id is none that the site's page may have.
    assert form.tree.css_first("label[for=kb-name]") is not None
    assert form.tree.css_first("input#kb-name").attributes["value"] == "Ada Lovelace"  # type: ignore[union-attr]
    assert form.response["Cache-Control"] == "no-store, private"
    assert form.response["Vary"].split(", ").count("Cookie") == 1
    assert {"Cookie", "Sec-Fetch-Dest"} <= set(form.response["Vary"].split(", "))
    with record_signals() as recorder:
        booked = any_visitor.send(form, "Book appointment", **JANE)
    assert booked.number
    assert [arguments["metadata"] for arguments in recorder.arguments] == [order]
    assert "Ada Lovelace" not in Visitor(Client()).open(url).html
    assert len(response_cache._responses) == before
    for page in any_visitor.responses:
        assert "canary-cart" not in f"{page.url} {page.html}"
        assert not {"Lovelace", "canary"} & set(re.split(r"\W", page.url))


def test_no_htmx_of_the_site_acts_on_the_page_in_its_frame(based_site: Settings, client: Client):
    """Its markup keeps every htmx off until the script has chosen one; nothing of the page brings a global htmx."""
    page = Page("/book/", client.get("/book/"))
    widget = page.tree.css_first(".kb")
    assert widget is not None
    assert {"data-hx-disable", "data-hx-ignore", "data-kb-page"} <= set(widget.attributes)
    assert [script.attributes["src"] for script in page.tree.css("script[src]")] == [
        "/static/kordless_booking/booking-in-page.js"
    ]
    assert (
        page.tree.css_first("link[rel=preload]").attributes["href"]
        == page.tree.css_first(  # type: ignore[union-attr]
            "script[src]"
        ).attributes["data-kb-htmx"]
    )  # type: ignore[union-attr]


def test_a_replaced_layout_inside_the_sites_frame_is_rendered_for_each_visitor(
    site: Settings, client: Client, tmp_path: Path
):
    """What a copy of layouts/site.html shows of one visitor reaches no other."""
    own = tmp_path / SITE_LAYOUT
    own.parent.mkdir(parents=True)
    shipped = Path(views.__file__).parents[1] / "templates" / SITE_LAYOUT
    own.write_text(shipped.read_text() + "<p class=who>{{ request.user.username }}</p>")
    own_base(site, tmp_path, ROOT)
    sarah = Client()
    sarah.force_login(User.objects.create_user("sarah"))
    assert Page("/book/", sarah.get("/book/")).texts(".who") == ["sarah"]
    assert Page("/book/", client.get("/book/")).texts(".who") == [""]


NO_HEAD = "<!doctype html><title>Ours</title><body>{% block kordless_content %}{% endblock %}"
NO_TITLE = "<head>{% block kordless_head %}{% endblock %}</head>{% block kordless_content %}{% endblock %}"
ROOT = "<title>{% block title %}{% endblock %}</title>" + NO_TITLE


@pytest.mark.parametrize("source", [NO_HEAD, NO_TITLE], ids=["no head", "no title"])
def test_a_base_without_all_blocks_still_gives_a_whole_page(
    site: Settings, client: Client, tmp_path: Path, source: str
):
    """Style sheet, script and the one title are there, whatever the base has a block for."""
    own_base(site, tmp_path, source)
    page = Page("/book/haircut/", client.get("/book/haircut/"))
    assert page.texts("title") == ["Haircut · Acme Salon"]
    assert page.html.count("data-kb-htmx") == page.html.count("data-kb-step") == 1
    assert page.tree.css_first("link[href*='/book/style']") is not None


DRAWING = "<svg><title>Our logo</title></svg>{% block kordless_content %}{% endblock %}"


@pytest.mark.parametrize(
    "source",
    [
        f"<!doctype html><html><head>{{% block kordless_head %}}{{% endblock %}}</head><body>{DRAWING}</body></html>",
        f"<!doctype html><html><head></head><body>{DRAWING}</body></html>",
        f"<!doctype html><html><HEAD><TITLE>Ours</TITLE></HEAD><BODY>{DRAWING}</BODY></html>",
        f"<!doctype html><html><body>{DRAWING}</body></html>",
    ],
)
def test_the_title_of_a_drawing_in_the_header_is_not_the_documents(
    site: Settings, client: Client, tmp_path: Path, source: str
):
    """The document's title stands in its head, and what the header draws keeps its own."""
    own_base(site, tmp_path, source)
    page = Page("/book/haircut/", client.get("/book/haircut/"))
    assert page.texts("head > title") == ["Haircut · Acme Salon"]
    assert page.texts("svg > title") == ["Our logo"]
    assert page.html.startswith("<!doctype html>")


BROKEN = {
    "no such template": None,
    "no block": "<html><body>Ours</body></html>",
    "raises": "{% block kordless_content %}{% endblock %}{% url 'nowhere' %}",
    "does not compile": "{% nonsense %}",
}


@pytest.mark.parametrize("source", BROKEN.values(), ids=BROKEN)
def test_a_broken_base_loses_no_booking_and_no_page(
    site: Settings, sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture, source: str | None
):
    """Visitors book without the site's frame; the log says why, and nothing of the address."""
    own_base(site, tmp_path, source or "")
    if source is None:
        use_base(site, tmp_path, "nowhere.html")
    # Error trackers are told, and so is Django's test client, which would raise it.
    any_visitor = Visitor(Client(raise_request_exception=False))
    with caplog.at_level(logging.ERROR):
        page = any_visitor.book()
    assert page.number
    assert len(sandbox.bookings()) == 1
    assert page.tree.css_first("head link[href*='/book/style']") is not None
    [line] = [record.getMessage() for record in caplog.records if "base_template_failed" in record.getMessage()][:1]
    assert "account=default" in line
    assert "/book/" not in line


@pytest.mark.parametrize("source", [BROKEN[name] for name in BROKEN if name != "raises"])
def test_a_base_that_can_not_be_used_is_an_error_of_the_check(site: Settings, tmp_path: Path, source: str | None):
    """E015 for a template that isn't there, doesn't compile, or has no place for the widget."""
    own_base(site, tmp_path, source or "")
    if source is None:
        use_base(site, tmp_path, "nowhere.html")
    assert [message.id for message in run_checks(tags=["kordless_booking"])] == ["kordless_booking.E015"]


def test_a_base_that_is_not_found_is_reported_with_the_folders_that_django_knows(site: Settings, tmp_path: Path):
    """In a new project that is none; a base that extends what isn't there is reported with the name of that."""
    use_base(site, tmp_path, "nowhere.html")
    [message] = run_checks(tags=["kordless_booking"])
    assert f"'nowhere.html': \"DIRS\" in TEMPLATES lists {tmp_path}" in str(message.hint)
    own_base(site, tmp_path, '{% extends "gone.html" %}')
    [message] = run_checks(tags=["kordless_booking"])
    assert "finds no 'gone.html'" in str(message.hint)
    site.TEMPLATES = [{**site.TEMPLATES[0], "DIRS": []}]
    [message] = run_checks(tags=["kordless_booking"])
    assert "'own.html': \"DIRS\" in TEMPLATES is empty" in str(message.hint)


def test_a_base_without_a_place_for_the_head_is_reported(site: Settings, tmp_path: Path):
    """W011: it works, but the style sheet comes late."""
    own_base(site, tmp_path, NO_HEAD)
    assert [message.id for message in run_checks(tags=["kordless_booking"])] == ["kordless_booking.W011"]


def test_a_base_may_extend_another_one_and_stand_anywhere(site: Settings, client: Client, tmp_path: Path):
    """The blocks may be in what it extends; so are those of the check."""
    (tmp_path / "root.html").write_text(ROOT)
    own_base(site, tmp_path, '{% extends "root.html" %}{% block title %}Ours{% endblock %}')
    assert run_checks(tags=["kordless_booking"]) == []
    assert Page("/book/", client.get("/book/")).texts("title") == ["Choose a service · Acme Salon"]


def test_without_a_base_template_no_response_changes(site: Settings, client: Client):
    """A setting that is off: the header that asks for a frame says nothing, and no Vary names it."""
    plain, framed = client.get("/book/"), client.get("/book/", headers={"Sec-Fetch-Dest": "iframe"})
    assert plain.content == framed.content
    assert "Sec-Fetch-Dest" not in plain["Vary"]
    assert "Cookie" not in plain["Vary"]
    assert SITE_LAYOUT not in {each.name for each in plain.templates}
    assert POLICY in plain


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.text(max_size=40))
def test_no_query_breaks_out_of_the_sites_frame(based_site: Settings, client: Client, query: str):
    """What a visitor types into the search stands in the fragment, escaped, and splits no page."""
    page = Page("/book/", client.get("/book/", {"q": f"{query}<!-- kordless_content --></title><b>"}))
    assert page.status in {200, 400}
    assert page.html.count("<html") == 1
    assert page.html.count('id="kb-stage"') == 1
    assert page.tree.css_first(".site-footer") is not None
