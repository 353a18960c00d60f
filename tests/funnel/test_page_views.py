"""Requests that count as page views, by the headers of browsers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from urllib.parse import quote

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from kordless_booking.funnel import counters
from kordless_booking.funnel.page_views import PageView, count_later_stage, count_page_view
from kordless_booking.models import FunnelCount

CHROME = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Safari/604.1"
TIMES = PageView("default", "haircut", FunnelCount.Placement.PAGE, "/book/", "/book/haircut/")
LIST = PageView("default", "", FunnelCount.Placement.PAGE, "/book/", "")
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _nothing_yet() -> Iterator[None]:
    counters.drain()
    yield
    counters.drain()


def counted(look: PageView = TIMES, method: str = "get", *, arrives: bool = True, **headers: str) -> set[str]:
    """The stages that a request counts for."""
    given = {"User-Agent": CHROME, **{name.replace("_", "-"): value for name, value in headers.items()}}
    request = getattr(RequestFactory(), method)(look.service_path or look.root, headers=given)
    count_page_view(request, look, arrives=arrives)
    return {key.stage.value for key in counters.stage_counter.drain()}


@pytest.mark.parametrize("agent", [CHROME, FIREFOX, SAFARI])
def test_a_first_look(agent: str) -> None:
    """At a service is a visit and its opening; at the list it is a visit."""
    assert counted(User_Agent=agent) == {"visit", "service"}
    assert counted(LIST, User_Agent=agent) == {"visit"}


@pytest.mark.parametrize(
    "source", ["https://search.example/?q=hair", "http://testserver/", "http://testserver/about/", ""]
)
def test_coming_from_elsewhere_is_a_visit(source: str) -> None:
    """From another site, from the site's own other pages, or from nowhere."""
    assert counted(LIST, Referer=source) == {"visit"}


@pytest.mark.parametrize("source", ["http://testserver/book/", "http://testserver/book/manage/?lang=de"])
def test_coming_from_the_widget_itself_is_none(source: str) -> None:
    """But a service may be opened so."""
    assert counted(LIST, Referer=source) == set()
    assert counted(TIMES, Referer=source) == {"service"}


@pytest.mark.parametrize(
    "before", ["/book/haircut/", "/book/haircut/?day=2026-12-02", "/book/haircut/contact/?draft=x"]
)
def test_another_day_of_the_same_service_counts_no_more(before: str) -> None:
    """Neither as a page nor as a fragment."""
    assert counted(Referer=f"http://testserver{before}") == set()
    assert counted(**HTMX, HX_Current_URL=f"http://testserver{before}") == set()


def test_another_service_counts() -> None:
    """Also one whose name begins alike."""
    assert counted(**HTMX, HX_Current_URL="http://testserver/book/haircut-long/") == {"service"}


def test_a_fragment_is_no_visit() -> None:
    """Whatever page it is swapped into; unless the site loads its own pages so."""
    assert counted(**HTMX, HX_Current_URL="http://testserver/") == {"service"}
    assert counted(**HTMX, HX_Boosted="true", Referer="http://testserver/") == {"visit", "service"}


def test_inside_a_page_its_own_links_tell() -> None:
    """There the browser's address says nothing about what the widget showed before."""
    assert (
        counted(
            TIMES._replace(placement=FunnelCount.Placement.INLINE, continues=True),
            **HTMX,
            HX_Current_URL="http://testserver/",
        )
        == set()
    )


EMPTY = TIMES._replace(empty_month=date(2027, 1, 1))


def lost(look: PageView = EMPTY, query: str = "", **headers: str) -> int:
    """Count the requests that met no free times."""
    given = {"User-Agent": CHROME, **{name.replace("_", "-"): value for name, value in headers.items()}}
    count_page_view(RequestFactory().get(f"{look.service_path}{query}", headers=given), look)
    counted_keys = counters.lost_demand_counter.drain()
    assert all((key.service, key.month) == ("haircut", date(2027, 1, 1)) for key in counted_keys)
    return sum(counted_keys.values())


def test_a_month_without_a_free_time_is_lost_demand() -> None:
    """Each time that somebody comes to one; not where there are times."""
    assert lost(query="?month=2027-01") == 1
    assert lost(query="?month=2027-01", **HTMX, HX_Current_URL="http://testserver/book/haircut/?month=2026-12") == 1
    assert lost(TIMES) == 0


def test_an_empty_month_that_is_only_shown_in_another_way_is_no_second_loss() -> None:
    """In another time zone, by another clock or in another language: the same times are wanted."""
    before = "http://testserver/book/haircut/?month=2027-01&host=sarah"
    assert lost(query="?tz=Asia%2FTokyo&month=2027-01&host=sarah&hours=24", Referer=before) == 0
    zones = "http://testserver/book/haircut/zone/?month=2027-01&host=sarah&q=tokyo"
    assert lost(query="?tz=Asia%2FTokyo&month=2027-01&host=sarah", Referer=zones) == 0
    assert lost(query="?tz=Asia%2FTokyo&month=2027-01&host=sarah", **HTMX, HX_Current_URL=zones) == 0
    assert lost(query="?month=2027-02&host=sarah", Referer=zones) == 1
    assert lost(query="?month=2027-01", Referer=before) == 1
    assert lost(query="?month=2027-01&host=sarah", Referer="https://else.example/book/haircut/?month=2027-01") == 1


def test_a_page_is_recognized_however_the_slug_is_quoted() -> None:
    """Browsers and Django leave different characters as they are."""
    look = EMPTY._replace(service_path="/book/caf%C3%A9+bar/")
    for before in ("caf%c3%a9+bar", "café+bar", "caf%C3%A9%2Bbar"):
        request = RequestFactory().get(
            look.service_path, headers={"User-Agent": CHROME, "Referer": f"http://testserver/book/{before}/"}
        )
        count_page_view(request, look)
        assert counters.stage_counter.drain() == counters.lost_demand_counter.drain() == {}


@pytest.mark.parametrize(
    "headers",
    [{"User-Agent": "Googlebot/2.1"}, {"Sec-Purpose": "prefetch"}, {"KB-Seen": "zone"}, {"Cache-Control": "max-age=0"}],
)
def test_robots_and_open_pages_lose_nothing(headers: dict[str, str]) -> None:
    """What is no view of a page for the funnel is none here."""
    assert lost(**headers) == 0


@given(st.text(max_size=300))
def test_no_query_of_a_page_before_fails(query: str) -> None:
    """Whatever a browser says that it comes from, the loss is counted or not, and nothing is logged as failed."""
    assert lost(Referer="http://testserver/book/haircut/?" + quote(query)) in {0, 1}


def test_a_second_widget_on_a_page_is_no_second_visit() -> None:
    """But it shows its service."""
    assert counted(arrives=False) == {"service"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Purpose": "prefetch"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X-Moz": "prefetch"},
        {"Cache-Control": "max-age=0"},
        {"Cache-Control": "no-cache"},
        {"KB-Seen": "0123456789abcdef"},
        {"KB-Seen": "zone"},
        {"HX-History-Restore-Request": "true"},
        {"User-Agent": ""},
        {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"},
        {"User-Agent": "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0) Chrome/116.0"},
        {"User-Agent": "facebookexternalhit/1.1"},
        {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/140.0.0.0 Safari/537.36"},
        {"User-Agent": "curl/8.5.0"},
        {"User-Agent": "python-requests/2.32"},
        {"User-Agent": "Mozilla/5.0 (compatible; UptimeRobot/2.0)"},
    ],
)
def test_what_nobody_looks_at_does_not_count(headers: dict[str, str]) -> None:
    """Reloads, pages fetched ahead, the open page's own asking, the way back, and obvious robots."""
    assert counted(**headers) == set()


def test_only_a_page_that_is_got_counts() -> None:
    """Neither HEAD nor a script's own fetching of it."""
    assert counted(method="head") == set()
    assert counted(Sec_Fetch_Dest="empty") == {"service"}
    assert counted(Sec_Fetch_Dest="iframe") == {"visit", "service"}


def test_a_step_counts_whoever_sends_the_form() -> None:
    """A booking is one; only the choosing of a time, which is a link, may be a robot's."""
    factory = RequestFactory()
    count_later_stage(
        factory.post("/book/haircut/contact/"),
        "default",
        "haircut",
        FunnelCount.Placement.PAGE,
        FunnelCount.Stage.CONTACT,
    )
    count_later_stage(
        factory.get("/book/haircut/contact/"), "default", "haircut", FunnelCount.Placement.PAGE, FunnelCount.Stage.SLOT
    )
    assert [key.stage for key in counters.stage_counter.drain()] == [FunnelCount.Stage.CONTACT]


@given(
    headers=st.dictionaries(
        st.sampled_from(["Referer", "HX-Current-URL", "User-Agent", "Sec-Fetch-Dest", "Cache-Control", "HX-Request"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=80),
    )
)
def test_whatever_the_headers_hold_the_page_is_not_disturbed(headers: dict[str, str]) -> None:
    """Nothing is raised, and nothing of them is stored."""
    request = RequestFactory().get("/book/haircut/", headers={"User-Agent": CHROME, **headers})
    count_page_view(request, TIMES)
    for key in counters.stage_counter.drain():
        assert key[1:4] == ("default", "haircut", FunnelCount.Placement.PAGE)


def test_a_failing_count_never_reaches_the_page(caplog: pytest.LogCaptureFixture) -> None:
    """It is one line in the log, without any of the request's words."""
    request = RequestFactory().get("/book/")
    request.META |= {"HTTP_USER_AGENT": CHROME, "HTTP_REFERER": "http://testserver/canary", "HTTP_HOST": "testserver"}
    count_page_view(request, LIST._replace(root=None))  # type: ignore[arg-type]
    count_later_stage(request, "default", "haircut", FunnelCount.Placement.PAGE, FunnelCount.Stage.SLOT)
    assert [record.getMessage() for record in caplog.records] == ["event=count_failed error=TypeError"]


def test_behind_a_proxy_that_says_the_name(settings: Settings) -> None:
    """Where the site believes it, it tells the widget's own pages."""
    headers = {"Referer": "http://salon.example/book/", "X-Forwarded-Host": "salon.example"}
    assert counted(LIST, **headers) == {"visit"}
    settings.USE_X_FORWARDED_HOST = True
    assert counted(LIST, **headers) == set()
