"""Answers that are given again: to whom, for how long, and never another's."""

import gzip
import os
import pickle
import re
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, QueryDict
from django.test import Client, RequestFactory
from django.urls import resolve
from django.utils.text import compress_string
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.booking.choices import QUERY_NAMES
from kordless_booking.booking.form_input import encrypt_form_input
from kordless_booking.conf import get_account
from kordless_booking.sandbox import Sandbox
from kordless_booking.upstream.registry import services_for
from kordless_booking.upstream.request_view import RequestView
from kordless_booking.upstream.window import Days
from kordless_booking.views import compression, decorators, response_cache, skeletons
from kordless_booking.views.request import WidgetRequest
from tests.support.all_pages import finish_fetches
from tests.support.clock import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[0, 1], ids=["the cache alone", "a second of memory"], autouse=True)
def memory(request: pytest.FixtureRequest, site: Settings) -> None:
    """The plain site, with and without a second of memory."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "LOCAL_CACHE_SECONDS": request.param}


def test_a_page_given_again_is_not_older_than_its_minute(client: Client, clock: Traveller):
    """The clock on it goes on, and a time that has begun is gone."""
    before = client.get("/book/haircut/?tz=Europe/Paris").content.decode()
    clock.move_to(NOW + timedelta(seconds=59))
    assert client.get("/book/haircut/?tz=Europe/Paris").content.decode() == before
    clock.move_to(NOW + timedelta(seconds=60))
    after = client.get("/book/haircut/?tz=Europe/Paris").content.decode()
    assert "4:00\xa0PM" in before
    assert "4:01\xa0PM" in after


def test_each_answer_is_its_own(client: Client):
    """A header that middleware sets on one response appears on no other, and each has its own request id."""
    client.get("/book/haircut/")
    first, second = client.get("/book/haircut/"), client.get("/book/haircut/")
    assert first["X-Request-ID"] != second["X-Request-ID"]
    first["X-Written-On"] = "the first"
    assert "X-Written-On" not in client.get("/book/haircut/")
    assert first["Content-Security-Policy"] == second["Content-Security-Policy"]


def test_a_stored_page_is_a_response_like_any_other(client: Client):
    """A middleware of the site's changes, reads and pickles its headers as those of the page that was made."""
    made, stored = client.get("/book/haircut/"), client.get("/book/haircut/")
    del made["X-Request-ID"], stored["X-Request-ID"]
    stored.headers["X-Site"] = made.headers["X-Site"] = "é".encode().decode("latin-1")
    restored = pickle.loads(pickle.dumps(stored.headers))  # noqa: S301 (ours)
    for headers in (stored.headers, restored):
        assert sorted(headers.items()) == sorted(made.items())
        assert headers["x-site"] == made["X-Site"]
        assert "content-type" in headers
        assert "X-Request-ID" not in headers


def test_who_asks_in_other_words_gets_another_page(client: Client):
    """The language of the browser, an htmx request and a query are part of what was asked."""
    pages = {
        client.get("/book/haircut/").content,
        client.get("/book/haircut/", headers={"HX-Request": "true", "HX-Target": "kb-stage"}).content,
        client.get("/book/haircut/", headers={"HX-Request": "true", "HX-Target": "kb-inline-side"}).content,
        client.get("/book/haircut/", headers={"Accept-Language": "de"}).content,
        client.get("/book/haircut/?hours=24").content,
        client.get("/book/haircut/", headers={"Accept-Language": "fr"}).content,
    }
    assert len(pages) == 6


@pytest.mark.parametrize("charset", ["cp037", "utf-16", "utf-7", "unicode_escape"])
def test_no_charset_of_one_client_decides_what_another_gets(client: Client, charset: str):
    """A query means the same whatever charset a client names, which is no part of the key of a stored page."""
    url = "/book/haircut/?tz=Asia%2FTokyo&lang=de"
    first = client.get(url, headers={"Content-Type": f"text/plain; charset={charset}"}).content.decode()
    assert "Tokio" in first
    assert "Tokio" in client.get(url).content.decode()


@pytest.mark.usefixtures("two_accounts")
def test_two_businesses_never_share_a_page(client: Client):
    """The same words at another mount are another business's page."""
    for _again in range(2):
        assert "North Dental" in client.get("/north/check-up/").content.decode()
        assert "Acme Salon" in client.get("/south/haircut/").content.decode()
        assert client.get("/south/check-up/").status_code == 404


def test_responses_with_form_input_are_cached_for_nobody(client: Client, site: Settings):
    """A page that carries what somebody typed is made for them alone, and no browser stores it either."""
    sent = {"form_input": encrypt_form_input("default", {"name": "Zzqx Canary"}) or ""}
    tokens = set()
    for path in ("/book/haircut/", "/book/styling-class/", "/book/", "/book/haircut/zone/"):
        response = client.post(path, sent)
        [token] = set(re.findall(r'name="form_input" value="([^"]+)"', response.content.decode()))
        tokens.add(token)
        assert response["Cache-Control"] == "no-store, private"
        assert "form_input" not in client.get(path).content.decode()
    assert len(tokens) == 4
    cached = repr((response_cache._responses, skeletons._pages))
    assert not any(token in cached for token in (*tokens, sent["form_input"]))


@pytest.mark.usefixtures("site")
def test_an_invalidation_in_this_process_is_seen_at_once(client: Client, sandbox: Sandbox):
    """Whoever books in this process sees it on the next page, within the second too."""
    page, known = "/book/full-color/?day=2026-12-09", services_for(get_account(None))
    before = client.get(page).content
    slot = next(
        slot for slot in known.catalog.slots("full-color", Days.of_month(NOW.date())).value if slot.start.day == 9
    )
    sandbox.book_by_phone("full-color", slot.start)
    assert client.get(page).content == before
    known.catalog.for_request(RequestView(known.catalog_cache)).invalidate_slots("full-color")
    assert client.get(page).content != before


def test_the_memory_is_bounded(client: Client):
    """The answer given longest ago goes first."""
    client.get("/book/haircut/")
    [(key, stored)] = response_cache._responses.items()
    for number in range(response_cache.MAX_RESPONSES):
        response_cache._insert((f"/{number}", *key[1:]), stored)
    assert len(response_cache._responses) == response_cache.MAX_RESPONSES
    assert key not in response_cache._responses


def test_the_pages_of_a_minute_that_is_over_are_dropped(client: Client, clock: Traveller):
    """None of them is served again, so none takes memory."""
    for number in range(4):
        client.get(f"/book/haircut/?accent=00000{number}")
    assert len(response_cache._responses) == 4
    clock.shift(60)
    client.get("/book/haircut/")
    assert len(response_cache._responses) == 1


def test_no_parameter_fills_the_memory_with_copies_of_a_long_page(client: Client, monkeypatch: pytest.MonkeyPatch):
    """A color of the host page's is another key; together, the responses have no more bytes than allowed."""
    size = len(client.get("/book/haircut/").content)
    monkeypatch.setattr(response_cache, "MAX_BYTES", 5 * size)
    for number in range(8):
        client.get(f"/book/haircut/?accent=00000{number}")
        assert sum(len(each.body.plain) for each in response_cache._responses.values()) <= 5 * size
    assert len(response_cache._responses) >= 2
    monkeypatch.setattr(response_cache, "MAX_BYTES", size // 2)
    assert client.get("/book/haircut/?accent=000009").status_code == 200
    assert not response_cache._responses


def test_no_header_fills_the_memory_with_long_keys(client: Client, monkeypatch: pytest.MonkeyPatch):
    """A client's headers are a part of the key, and count like the page itself."""
    size = len(client.get("/book/haircut/").content)
    monkeypatch.setattr(response_cache, "MAX_BYTES", 8 * size)
    for number in range(8):
        client.get("/book/haircut/", headers={"Accept-Language": f"en-{number}" + " " * 3 * size})
        assert sum(len(str(key)) for key in response_cache._responses) <= 8 * size


AD_LANDINGS = (
    "gclid=EAIaIQob",
    "fbclid=IwAR0",
    "utm_source=mail&utm_medium=a%26b",
    "x=1&y",
    "=",
    "&&",
    "_ga=1.2&tz_=Asia/Tokyo",
)


@pytest.mark.parametrize("address", ["/book/", "/book/haircut/", "/book/haircut/?tz=Asia/Tokyo&hours=24"])
def test_every_ad_landing_is_served_from_the_cache(client: Client, address: str):
    """Names that no page reads are no part of the key: each visitor of a campaign has a click id of their own."""
    page = client.get(address).content
    assert len(response_cache._responses) == 1
    for landing in AD_LANDINGS:
        path, _, query = address.partition("?")
        for each in (f"{landing}&{query}", f"{query}&{landing}" if query else landing):
            assert client.get(f"{path}?{each}").content == page
    assert len(response_cache._responses) == 1


def test_an_ad_landing_leaves_no_trace_on_the_stored_page(client: Client):
    """The first visitor's click id stands in no link, form or header of the page that all others get."""
    for address in ("/book/", "/book/haircut/"):
        response = client.get(f"{address}?gclid=Zzqx7&lang=de")
        assert b"Zzqx7" not in response.content
        assert "Zzqx7" not in repr(response.headers)


def test_an_escaped_name_is_read_as_django_reads_it(client: Client):
    """`%74z` is `tz`: no spelling gets the page of another zone."""
    client.get("/book/haircut/")
    assert "Tokyo" in client.get("/book/haircut/?%74z=Asia/Tokyo").content.decode()
    assert "Tokyo" not in client.get("/book/haircut/").content.decode()


def test_no_made_up_name_or_thank_you_page_takes_room(client: Client):
    """Any link can have one, so honest pages would make room for as many as somebody makes up."""
    client.get("/book/haircut/")
    [key] = response_cache._responses
    for number in range(5):
        for made_up in (
            f"thanks=http://testserver/{number}",
            f"%74hanks=http://testserver/{number}",
            f"tz=Asia/Tokyo&thank%73=https://else.example/{number}",
            f"thanks=&x={number}",
            f"%78{number}=1",
            f"t+%7A{number}=1",
        ):
            assert client.get(f"/book/haircut/?{made_up}").status_code == 200
    assert list(response_cache._responses) == [key]


@pytest.mark.parametrize("name", ["accent", "q", "near", "taken", "tz"])
@pytest.mark.parametrize("limit", ["MAX_RESPONSES", "MAX_BYTES"])
def test_made_up_pages_take_the_room_of_each_other(
    client: Client, monkeypatch: pytest.MonkeyPatch, name: str, limit: str
):
    """A page that was asked for again stays, however many pages of one request each somebody makes up."""
    client.get("/book/haircut/")
    # What the first page has begun to fetch would make the stored one outdated when it arrives.
    finish_fetches()
    for _again in range(2):
        client.get("/book/haircut/")
    [(key, stored)] = response_cache._responses.items()
    monkeypatch.setattr(response_cache, limit, 5 if limit == "MAX_RESPONSES" else 5 * stored.size)
    for number in range(12):
        client.get(f"/book/haircut/?{name}=1000{number:02}")
        assert key in response_cache._responses
        assert len(response_cache._responses) <= 5


def test_each_host_gets_its_own_thank_you_page(client: Client, site: Settings):
    """A page that one host may not lead to is another host's own."""
    site.ALLOWED_HOSTS = ["a.example", "b.example"]
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "EMBED_ORIGINS": ["'self'"]}
    url = "/book/haircut/?tz=Europe/Berlin&thanks=https://b.example/t"
    for _again in range(2):
        assert b"thanks=" not in client.get(url, headers={"Host": "a.example"}).content
        assert b"thanks=" in client.get(url, headers={"Host": "b.example"}).content


class NotesReads:
    """A mapping that notes which of its names are read."""

    read: set[str]

    def __getitem__(self, name: str) -> Any:
        self.read.add(name)
        return super().__getitem__(name)  # type: ignore[misc]

    def __contains__(self, name: object) -> bool:
        self.read.add(str(name))
        return bool(super().__contains__(name))  # type: ignore[misc]

    def get(self, name: str, default: Any = None) -> Any:
        """As a dictionary's."""
        self.read.add(name)
        return super().get(name, default)  # type: ignore[misc]

    def __iter__(self) -> Any:
        raise AssertionError("a shared page reads names that it can't know")


class NotedNames(NotesReads, dict[str, str]):
    """The last values of a query, which note what is read of them."""

    def __init__(self, values: dict[str, str], read: set[str]) -> None:
        self.read = read
        super().__init__(values)

    items = keys = values = NotesReads.__iter__


class NotedQuery(NotesReads, QueryDict):
    """A request's query that notes what is read of it."""

    def __init__(self, query: str) -> None:
        self.read = set()
        super().__init__(query)
        self.read.clear()

    def dict(self) -> NotedNames:
        """Return the last values, which are noted as well."""
        return NotedNames({name: values[-1] for name, values in self.lists()}, self.read)


@pytest.mark.parametrize(
    "address", ["/book/", "/book/haircut/", "/book/haircut/zone/", "/book/styling-class/", "/book/nothing/"]
)
def test_a_shared_page_reads_no_query_name_that_is_not_in_its_key(address: str, sandbox: Sandbox):
    """Whoever reads another name on a shared page adds it to READ_NAMES, or two visitors get one page."""
    request = RequestFactory().get(address, {"tz": "Asia/Tokyo", "q": "cut", "gclid": "1"})
    request.GET = query = NotedQuery(request.META["QUERY_STRING"])
    request.resolver_match = match = resolve(request.path)
    assert match.func(request, *match.args, **match.kwargs).status_code in {200, 404}
    assert query.read >= QUERY_NAMES
    assert query.read <= response_cache.READ_NAMES


GZIP = "django.middleware.gzip.GZipMiddleware"


@pytest.fixture
def compressions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list to which each compression of a body appends its size: ours, and GZipMiddleware's."""
    sizes: list[int] = []

    def count(original: Any) -> Any:
        def compressed(body: bytes, *args: Any, **options: Any) -> Any:
            sizes.append(len(body))
            return original(body, *args, **options)

        return compressed

    monkeypatch.setitem(compression._CODERS, "gzip", count(compression._CODERS["gzip"]))
    monkeypatch.setattr("django.middleware.gzip.compress_string", count(compress_string))
    return sizes


def test_a_stored_page_is_compressed_once_for_all_visitors(client: Client, site: Settings, compressions: list[int]):
    """Where the site compresses its responses, those from the cache are compressed already."""
    site.MIDDLEWARE = [GZIP, *site.MIDDLEWARE]
    client.get("/book/haircut/")
    # What the first page has begun to fetch would make the stored one outdated when it arrives.
    finish_fetches()
    plain = client.get("/book/haircut/").content
    assert not compressions
    for _visitor in range(5):
        response = client.get("/book/haircut/", headers={"Accept-Encoding": "gzip, deflate"})
        assert response["Content-Encoding"] == "gzip"
        assert response["Content-Length"] == str(len(response.content))
        assert "Accept-Encoding" in response["Vary"]
        assert "HX-Request" in response["Vary"]
        assert gzip.decompress(response.content) == plain
    assert compressions == [len(plain)]
    refused = client.get("/book/haircut/", headers={"Accept-Encoding": "compress"})
    assert refused.content == plain
    assert "Content-Encoding" not in refused
    assert "Accept-Encoding" in refused["Vary"]


def test_validators_of_a_compressed_page_are_those_of_its_bytes(client: Client, site: Settings):
    """ConditionalGetMiddleware, in either place, answers 304 to the visitor who has these bytes and to no other."""
    conditional = "django.middleware.http.ConditionalGetMiddleware"
    for middleware in ([GZIP, conditional], [conditional, GZIP]):
        site.MIDDLEWARE = [*middleware, *site.MIDDLEWARE]
        client.get("/book/haircut/")
        packed = client.get("/book/haircut/", headers={"Accept-Encoding": "gzip"})
        headers = {"Accept-Encoding": "gzip", "If-None-Match": packed["ETag"]}
        assert client.get("/book/haircut/", headers=headers).status_code == 304
        other = client.get("/book/haircut/?hours=24", headers=headers)
        assert (other.status_code, other["ETag"] != packed["ETag"]) == (200, True)


@pytest.mark.parametrize(
    "middleware",
    [[], [GZIP, f"{__name__}.marks_the_body"], [f"{__name__}.marks_the_body", GZIP]],
    ids=["none compresses", "a site's own after it", "before it"],
)
def test_only_a_site_that_compresses_gets_compressed_pages(client: Client, site: Settings, middleware: list[str]):
    """A middleware of the site's that changes bodies sees plain ones, wherever it could see them before."""
    site.MIDDLEWARE = [*middleware, *site.MIDDLEWARE]
    for _again in range(3):
        response = client.get("/book/haircut/", headers={"Accept-Encoding": "gzip"})
        assert (response.get("Content-Encoding") == "gzip") == bool(middleware)
        body = gzip.decompress(response.content) if middleware and middleware[0] == GZIP else response.content
        if len(middleware) == 2:
            assert (b"<!-- marked -->" in body) == (middleware[0] == GZIP)


def marks_the_body(get_response: Any) -> Any:
    """Middleware of a site's own that appends to each HTML body which it can read."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response: HttpResponse = get_response(request)
        if "Content-Encoding" not in response:
            response.content += b"<!-- marked -->"
        return response

    return middleware


@pytest.mark.django_db
def test_a_compressed_form_counts_in_the_bytes_of_the_memory(
    client: Client, site: Settings, monkeypatch: pytest.MonkeyPatch
):
    """Both forms of a body are bounded together."""
    site.MIDDLEWARE = [GZIP, *site.MIDDLEWARE]
    size = len(client.get("/book/haircut/").content)
    monkeypatch.setattr(response_cache, "MAX_BYTES", size + 100)
    client.get("/book/haircut/", headers={"Accept-Encoding": "gzip"})
    assert not response_cache._responses


class Noted(dict[str, Any]):
    """A request's META that notes what is read of it."""

    def __init__(self, meta: dict[str, Any]) -> None:
        super().__init__(meta)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.read.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.read.add(str(name))
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """As a dictionary's."""
        self.read.add(name)
        return super().get(name, default)


NOT_IN_THE_PAGE = {
    "HTTP_X_REQUEST_ID",  # each answer has its own
    "HTTP_ACCEPT_ENCODING",  # in which form the page is sent
    *("HTTP_KB_AHEAD", "HTTP_KB_SEEN", "HTTP_KB_TAKEN", "HTTP_IF_NONE_MATCH"),  # whether there is a page at all
    *("HTTP_PURPOSE", "HTTP_SEC_PURPOSE", "HTTP_X_MOZ"),
    *("HTTP_USER_AGENT", "HTTP_CACHE_CONTROL", "HTTP_HX_BOOSTED", "HTTP_REFERER", "HTTP_HX_CURRENT_URL"),  # counts
    *("HTTP_HOST", "SERVER_NAME", "HTTP_SEC_FETCH_DEST", "HTTP_X_FORWARDED_HOST"),
    # Decide who may fetch; a page that a refusal changed is stored for nobody.
    *("REMOTE_ADDR", "HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP"),
}


@pytest.mark.parametrize("address", ["/book/", "/book/haircut/?tz=Asia/Tokyo", "/book/haircut/zone/", "/book/nothing/"])
def test_a_shared_page_depends_on_nothing_but_what_was_asked(address: str):
    """Of a request's headers only those that make another key, and no user, session or cookie, are looked at."""
    request = RequestFactory().get(address)
    request.META = meta = Noted(request.META)
    request.resolver_match = match = resolve(request.path)
    for name in ("user", "session", "COOKIES", "POST", "site", "_messages"):
        assert name not in vars(request)
    assert match.func(request, *match.args, **match.kwargs).status_code in {200, 404}
    assert "COOKIES" not in vars(request)
    assert meta.read - NOT_IN_THE_PAGE == {"QUERY_STRING", *response_cache._HEADERS}


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return a list of callbacks: one is run between the rendering of a page and its storage in the cache."""
    happens: list[Any] = []

    def later(key: response_cache.CacheKey, visit: WidgetRequest, response: HttpResponse) -> None:
        if happens:
            happens.pop()()
        response_cache.store(key, visit, response)

    monkeypatch.setattr(decorators, "store", later)
    return happens


def test_a_page_is_of_the_minute_that_it_shows(client: Client, clock: Traveller, meanwhile: list[Any]):
    """Also one that was begun in one minute and finished in the next."""
    meanwhile.append(lambda: clock.shift(60))
    address = "/book/haircut/?tz=Europe/Paris"
    assert "4:00\xa0PM" in client.get(address).content.decode()
    assert "4:01\xa0PM" in client.get(address).content.decode()


def test_an_invalidation_during_rendering_is_seen_on_the_next_page(
    client: Client, sandbox: Sandbox, meanwhile: list[Any]
):
    """Somebody books between the page's being read and its being kept, and looks again within the second."""
    address, known = "/book/full-color/?day=2026-12-09", services_for(get_account(None))

    def booked() -> None:
        slot = next(
            slot for slot in known.catalog.slots("full-color", Days.of_month(NOW.date())).value if slot.start.day == 9
        )
        sandbox.book_by_phone("full-color", slot.start)
        known.catalog.for_request(RequestView(known.catalog_cache)).invalidate_slots("full-color")

    meanwhile.append(booked)
    before = client.get(address).content
    assert client.get(address).content != before


def test_the_same_path_under_another_prefix_is_another_page():
    """Where the server's prefix ends is part of what was asked: every link begins with it."""
    shorter = RequestFactory().get("/inner/book/", SCRIPT_NAME="/outer")
    longer = RequestFactory().get("/book/", SCRIPT_NAME="/outer/inner")
    shorter.resolver_match = longer.resolver_match = resolve("/book/")
    assert shorter.path == longer.path
    assert response_cache.cache_key(shorter) != response_cache.cache_key(longer)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # Python 3.12 warns of forking with threads
def test_a_forked_child_starts_without_stored_responses(client: Client):
    """They would be validated against the parent's cache, which the child's invalidations don't reach."""
    client.get("/book/haircut/")
    assert response_cache._responses
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        os._exit(len(response_cache._responses))
    assert os.waitpid(child, 0)[1] == 0
    assert response_cache._responses
