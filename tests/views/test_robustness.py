"""No input of any kind gives a 500, and no text of the business is ever more than text."""

import re
from urllib.parse import quote

import pytest
from django.test import Client
from django.test.client import encode_multipart
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings
from selectolax.lexbor import LexborHTMLParser

from kordless_booking.sandbox import Sandbox
from kordless_booking.sandbox.faults.injector import DOCUMENT_FAULTS
from kordless_booking.views.abuse import HONEYPOT
from tests.support.matrix import thinned
from tests.support.site_cache import empty_cache
from tests.support.visitor import HTMX, JANE, Visitor

pytestmark = [pytest.mark.django_db, pytest.mark.long]

DECLARED = {200, 301, 303, 400, 403, 404, 405, 409, 413, 422, 429, 503}
modest = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

odd = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "..",
            ".",
            "%",
            "\0",
            "\r\n",
            "/",
            "//",
            "\\",
            "manage",
            "service",
            "haircut",
            "é" * 300,
            "x" * 5000,
            "<script>alert(1)</script>",
            "{{7*7}}{% load x %}",
            "2026-12-01",
            "-1",
            "9" * 400,
            "NaN",
            "Infinity",
            "null",
            "Europe/Kyiv",
            "gAAAAABrDuDw",
            "\ud7ff\U0001f469\u200d\U0001f9b1",
        ]
    ),
)
names = st.sampled_from(
    ["tz", "month", "day", "host", "party", "hours", "lang", "form_input", "taken", "start", "draft", "q", "done", "x"]
)
fields = st.sampled_from(["name", "email", "phone", "notes", "draft", "number", "contact", HONEYPOT, "x"])
pages = st.sampled_from(
    ["", "haircut/", "haircut/zone/", "haircut/contact/", "styling-class/", "manage/", "service/haircut/", "no/where"]
)


def declared(status: int, *about: object) -> None:
    """Fail with what was asked when the status is none that we declare."""
    assert status in DECLARED, (status, *about)


@modest
@given(path=st.lists(odd, max_size=4), htmx=st.booleans())
def test_any_path(site: Settings, path: list[str], htmx: bool):
    """Whatever follows the mount point, there is an answer."""

    url = "/book/" + "/".join(quote(part, safe="") for part in path)
    for ending in ("", "/"):
        declared(Client().get(url + ending, headers=HTMX if htmx else {}).status_code, url)


@modest
@given(page=pages, query=st.lists(st.tuples(names, odd), max_size=5))
def test_any_query(site: Settings, page: str, query: list[tuple[str, str]]):
    """Whatever the choices, there is a page."""
    declared(Client().get(f"/book/{page}", query_params=dict(query)).status_code, page, query)


@modest
@given(
    page=st.sampled_from(["haircut/contact/", "manage/", "manage/x/cancel/", "manage/x/reschedule/confirm/", "x/y"]),
    body=st.lists(st.tuples(fields, odd), max_size=6),
)
def test_any_form(site: Settings, page: str, body: list[tuple[str, str]]):
    """Whatever is sent, there is a page."""
    declared(Client().post(f"/book/{page}", dict(body)).status_code, page, body)


@modest
@given(
    page=st.sampled_from(["haircut/contact/", "manage/"]),
    body=st.binary(max_size=300),
    kind=st.sampled_from(
        [
            "application/x-www-form-urlencoded",
            "application/x-www-form-urlencoded; charset=nonsense",
            "multipart/form-data; boundary=x",
            "multipart/form-data",
            "application/json",
            "text/plain; charset=utf-16",
            "",
            "x",
        ]
    ),
)
def test_any_body(site: Settings, page: str, body: bytes, kind: str):
    """Bytes of any kind, under any content type."""
    declared(Client().generic("POST", f"/book/{page}", body, kind).status_code, page, kind, body)


#: Codecs that Django decodes a query and a form with when a client names them. Those that aren't of text raise.
CODECS = ["unicode_escape", "raw_unicode_escape", "utf-7", "cp037", "utf-16", "rot13", "hex", "zlib", "punycode"]


@pytest.mark.parametrize("codec", CODECS)
def test_any_codec(site: Settings, codec: str):
    """A charset that no page of ours has: a form in it can't be read, and the query of a link is UTF-8 anyway."""
    names = ("host", "with", "tz", "q", "start", "draft", "taken", "from", "v")
    halves = "&".join(f"{name}=%5Cud800" for name in names)
    texts = dict.fromkeys(("name", "number", "contact", "form_input", "draft", "shown", "q"), r"\ud800\x00")
    for page in ("", "haircut/", "haircut/zone/", "haircut/contact/", "manage/", "manage/x/", "x/y"):
        url = f"/book/{page}"
        form = encode_multipart("x", texts)
        response = Client().generic("POST", url, form, f"multipart/form-data; boundary=x; charset={codec}")
        assert response.status_code in {400, 403, 404, 405}, (url, response.status_code)
        if codec in {"rot13", "hex", "zlib", "punycode"}:  # Django itself fails on a query then
            continue
        declared(Client().generic("GET", f"{url}?{halves}", b"", f"text/plain; charset={codec}").status_code, url)


def test_more_parameters_than_django_reads(site: Settings, caplog: pytest.LogCaptureFixture):
    """Our own page says so, and no log line has the path, which may hold the token of a manage link."""
    query = "&".join(f"p{number}=" for number in range(1100))
    for page in ("", "haircut/", "haircut/contact/", "manage/TheToken/"):
        response = Client().get(f"/book/{page}?{query}")
        assert response.status_code == 400
        assert "read your request" in response.content.decode()
    assert "TheToken" not in caplog.text


def test_a_length_that_is_no_number(site: Settings):
    """Servers refuse it; where one doesn't, the form counts as empty."""
    for page in ("haircut/contact/", "manage/", "haircut/"):
        declared(Client().post(f"/book/{page}", JANE, headers={"Content-Length": "many"}).status_code, page)


@modest
@given(
    name=st.sampled_from(
        [
            "Accept-Language",
            "HX-Request",
            "HX-Target",
            "HX-Current-URL",
            "HX-History-Restore-Request",
            "X-Request-ID",
            "X-Forwarded-For",
            "Accept-Encoding",
            "Content-Length",
        ]
    ),
    value=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=80),
)
def test_any_header(site: Settings, name: str, value: str):
    """Headers are not believed either; nothing of them comes back as a header of ours."""
    response = Client().get("/book/haircut/", headers={name: value})
    declared(response.status_code, name, value)
    if not re.fullmatch(r"[A-Za-z0-9._-]{8,64}", value):
        assert response["X-Request-ID"] != value


@pytest.mark.long
def test_dates_at_the_ends_of_the_calendar(visitor: Visitor):
    """Dates where arithmetic overflows are dropped like any other nonsense."""
    for year in ("0000", "0001", "1969", "9000", "9999"):
        for rest in ("01", "12", "01-01", "12-31"):
            name = "day" if len(rest) > 2 else "month"
            assert visitor.open(f"/book/haircut/?{name}={year}-{rest}&tz=Pacific/Kiritimati").status == 200
            assert visitor.open(f"/book/haircut/zone/?{name}={year}-{rest}&tz=Pacific/Pago_Pago").status == 200
        for start in (f"{year}0101T000000Z", f"{year}1231T235959Z"):
            page = visitor.open(f"/book/haircut/contact/?start={start}&tz=Pacific/Kiritimati")
            assert page.status == 200, start


def dangers(html: str) -> list[str]:
    """Return what a page must never hold: foreign scripts and handlers, unsafe links, styles."""
    tree = LexborHTMLParser(html)
    found = []
    for node in tree.css("*"):
        if node.tag in {"iframe", "object", "embed", "base", "style"}:
            found.append(node.tag)
        if node.tag == "script" and not (node.attributes.get("src") or "").startswith("/static/"):
            found.append("script")
        for name, value in node.attributes.items():
            scheme = (value or "").strip().lower()
            if name.startswith("on") or name in {"style", "srcdoc", "hx-get"}:
                found.append(f"{node.tag} {name}")
            if name in {"href", "src", "action", "data-hx-get", "data-hx-post"} and scheme:
                right = scheme.startswith(("/", "#", "?", "https://", "tel:", "mailto:")) or scheme == "data:,"
                if not right or scheme.startswith("//"):
                    found.append(f"{name}={value}")
    return found


def visit_every_kind_of_page(any_visitor: Visitor) -> None:
    """Every kind of page once: times, zones, a form with errors, confirmation, manage, move, cancel, problems."""
    any_visitor.open(f"{any_visitor.base}?lang=en")
    for service in ("haircut", "styling-class", "color-consultation", "late-advice"):
        any_visitor.open(f"{any_visitor.base}{service}/")
    any_visitor.open(f"{any_visitor.base}haircut/zone/?q=<script>alert(1)</script>")
    form = any_visitor.choose("haircut", "?day=2026-12-09")
    any_visitor.send(
        form, "Book appointment", name="<b onclick=x>", email='"><script>alert(1)</script>', phone="javascript:1"
    )
    confirmation = any_visitor.send(form, "Book appointment", **JANE)
    manage = any_visitor.open(confirmation.link("Change or cancel"))
    slots = any_visitor.send(manage, "Reschedule")
    any_visitor.open(slots.link("Change time zone"))
    question = any_visitor.open(list(slots.times.values())[-1])
    any_visitor.send(question, "Reschedule")
    any_visitor.send(any_visitor.send(manage, "Cancel booking"), "Cancel booking")
    find = any_visitor.open(f"{any_visitor.base}manage/")
    any_visitor.send(find, "Find booking", number="<script>alert(1)</script>", contact="<img src=x onerror=alert(1)>")
    for nowhere in ("<script>alert(1)</script>/x", "x", "manage/x/", "haircut/contact/?draft=<b>"):
        any_visitor.open(f"{any_visitor.base}{nowhere}")


def test_hostile_texts_stay_texts(visitor: Visitor, sandbox: Sandbox):
    """Markup, scripts and CSS in every text of the business and of the visitor: nothing of it ever comes alive."""
    sandbox.faults.add("hostile")
    visit_every_kind_of_page(visitor)
    assert len(visitor.responses) > 20
    for page in visitor.responses:
        assert page.status in DECLARED - {503}, page.url
        assert dangers(page.html) == [], page.url
        assert "<img src=x" not in page.html
        assert "{% load" not in page.html or "&lt;img" in page.html
        assert "49" not in page.texts("title")
        assert not any("\r" in value or "\n" in value for value in page.response.headers.values())
        assert not page.response.cookies
        assert "evil.example" not in page.response.get("Content-Security-Policy", "")
    assert any("onerror" in page.text for page in visitor.responses)


def test_a_hostile_colour_is_no_style(visitor: Visitor, sandbox: Sandbox):
    """CSS in the colour leads to the default palette, in a sheet of our own making."""
    sandbox.faults.add("hostile")
    page = visitor.open("/book/")
    [sheet] = [node.attributes["href"] for node in page.tree.css("link[rel=stylesheet]:not([data-kb-later])")]
    assert re.fullmatch(r"/book/style-[0-9a-f]{6}\.css\?v=[0-9a-f]+", sheet or "")
    css = visitor.client.get(sheet).content.decode()
    assert "evil.example" not in css
    assert "<" not in css.replace("<=", "")


def test_a_hostile_calendar_file_is_one_event(visitor: Visitor, sandbox: Sandbox):
    """Line breaks and markup in names make no second event, no alarm and no header."""
    sandbox.faults.add("hostile")
    page = visitor.book("color-consultation")
    response = visitor.client.get(page.link("Apple (.ics)"))
    lines = response.content.split(b"\r\n")
    assert lines.count(b"BEGIN:VEVENT") == 1
    assert not [line for line in lines if line.startswith((b"Set-Cookie", b"BEGIN:VALARM", b"ATTENDEE"))]
    assert all(len(line) <= 75 for line in lines)
    assert b"javascript:" not in b"".join(line for line in lines if line.startswith((b"URL", b"CONFERENCE")))


@pytest.mark.long
@pytest.mark.parametrize(
    "kind", thinned(sorted(DOCUMENT_FAULTS), lambda kind: sorted(DOCUMENT_FAULTS).index(kind) % 4 == 0)
)
def test_distorted_answers_never_break_a_page(visitor: Visitor, sandbox: Sandbox, kind: str):
    """Whatever Kordless says, each page is one that we declare, and nothing is booked for another time."""
    form = visitor.choose("haircut", "?day=2026-12-09")
    sandbox.faults.add(kind)
    empty_cache()
    for url in ("/book/", "/book/haircut/", "/book/styling-class/?party=2", "/book/haircut/zone/", "/book/manage/"):
        declared(visitor.open(url).status, kind, url)
    page = visitor.send(form, "Book appointment", **JANE)
    declared(page.status, kind)
    for booking in sandbox.bookings():
        link = visitor.open("/book/manage/")
        declared(visitor.send(link, "Find booking", number=booking["number"], contact=JANE["email"]).status, kind)
    assert len(sandbox.bookings()) <= 1
    for url in list(page.links().values())[:12]:
        if url.startswith("/book/"):
            declared(visitor.client.get(url).status_code, kind, url)


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "options"),
    thinned(
        [
            ("status", {"status": 418}),
            ("status", {"status": 500}),
            ("status", {"status": 429}),
            ("redirect", {}),
            ("html", {}),
            ("broken_json", {}),
            ("empty", {}),
            ("nan", {}),
            ("duplicate_keys", {}),
            ("wrong_charset", {}),
            ("deep", {}),
            ("reset", {}),
            ("hang", {}),
        ],
        lambda fault: fault[0] in {"redirect", "broken_json", "nan", "reset", "hang"} or 500 in fault[1].values(),
        unpack=True,
    ),
)
def test_connection_faults_never_break_a_page(visitor: Visitor, sandbox: Sandbox, kind: str, options: dict[str, int]):
    """Rubbish, cuts and silence from Kordless end at pages that we declare."""
    page = visitor.book("haircut", "?day=2026-12-09")
    manage = visitor.open(page.link("Change or cancel"))
    form = visitor.choose("haircut", "?day=2026-12-10")
    sandbox.faults.add(kind, **options)
    empty_cache()
    urls = ("/book/", "/book/haircut/", "/book/haircut/zone/", manage.url, f"{manage.url}cancel/", page.url)
    for url in urls:
        declared(visitor.open(url).status, kind, url)
    declared(visitor.send(form, "Book appointment", **JANE).status, kind)
    declared(visitor.open(f"{manage.url}cancel/", {}).status, kind)
