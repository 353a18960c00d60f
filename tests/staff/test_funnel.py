"""The funnel's page and file: right numbers, for those who may see them, and safe in a spreadsheet."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from kordless_booking.funnel.counters import OTHER_SOURCES
from kordless_booking.models import CampaignCount, FunnelCount, LostDemandCount
from kordless_booking.sandbox import Sandbox
from kordless_booking.staff import funnel
from tests.support.staff import Hire
from tests.support.visitor import Page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

TODAY = date(2026, 12, 1)
URL = "/admin/kordless_booking/funnelcount/"


def count(
    *numbers: int,
    ago: int = 0,
    of: str = "haircut",
    placement: FunnelCount.Placement = FunnelCount.Placement.PAGE,
    account: str = "default",
) -> None:
    """Write down so many visits, services, slots, contacts and bookings, some days ago."""
    for stage, number in zip(FunnelCount.Stage, numbers, strict=False):
        names = {"day": TODAY - timedelta(days=ago), "account": account, "service": of, "placement": placement}
        FunnelCount.objects.create(**names, stage=stage, count=number)


def seen(client: Client, query: str = "") -> Page:
    """The page."""
    page = Page(URL, client.get(f"{URL}{query}"))
    assert page.status == 200
    return page


def bars(page: Page) -> dict[str, tuple[str, str]]:
    """Stage to (number, share)."""
    rows = [[cell.text().strip() for cell in row.css("th, td")] for row in page.tree.css(".kb-funnel tbody tr")]
    return {name: (number, share) for name, _, number, share in rows}


def lines(client: Client, query: str = "") -> list[list[str]]:
    """The file's lines."""
    response = client.get(f"{URL}csv/{query}")
    assert response.status_code == 200
    return list(csv.reader(io.StringIO(response.content.decode())))


def test_the_stages_add_up(owner: Client) -> None:
    """Over days, services and sources, each with its share of the visits."""
    count(6, of="")
    count(2, 4, 2, 1, 1)
    count(2, 1, 1, ago=3, placement=FunnelCount.Placement.EMBED)
    assert bars(seen(owner)) == {
        "Visits": ("10", "100%"),
        "Services opened": ("5", "50%"),
        "Times chosen": ("3", "30%"),
        "Forms sent": ("1", "10%"),
        "Booked": ("1", "10%"),
    }


def test_no_share_of_the_funnel_is_more_than_all(owner: Client) -> None:
    """Who opens three services counts three times; the share says how many visits came so far at most."""
    count(2, 6, 8, 1, 3)
    page = seen(owner)
    assert bars(page) == {
        "Visits": ("2", "100%"),
        "Services opened": ("6", "100%"),
        "Times chosen": ("8", "100%"),
        "Forms sent": ("1", "50%"),
        "Booked": ("3", "50%"),
    }
    widths = [float((rect.attributes["width"] or "").rstrip("%")) for rect in page.tree.css(".kb-funnel rect")]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] == 100


def campaign(source: str, number: int, *, ago: int = 0, of: str = "haircut") -> None:
    """Write down bookings that came from a campaign source, some days ago."""
    CampaignCount.objects.create(
        day=TODAY - timedelta(days=ago), account="default", service=of, placement="page", source=source, count=number
    )


def campaign_rows(page: Page) -> list[list[str]]:
    """The campaign sources with their numbers, as they are listed."""
    rows = page.tree.css("section:has(#kb-campaigns) tbody tr")
    return [[cell.text().strip() for cell in row.css("th, td")] for row in rows]


def test_bookings_are_shown_by_campaign_source(owner: Client) -> None:
    """Those with most bookings first, the rest in one row, with the filters of the page and escaped."""
    assert campaign_rows(seen(owner)) == []
    for number in range(funnel.MAX_CAMPAIGNS):
        campaign(f"source-{number}", 20 - number)
    campaign("source-0", 3, ago=1)
    campaign("rare", 2, of="beard-trim")
    campaign(OTHER_SOURCES, 4)
    rows = campaign_rows(seen(owner))
    assert rows[0] == ["source-0", "23"]
    assert rows[-1] == ["Others", "6"]
    assert len(rows) == funnel.MAX_CAMPAIGNS + 1
    assert campaign_rows(seen(owner, "?service=beard-trim")) == [["rare", "2"]]
    campaign("<b>&", 50)
    assert campaign_rows(seen(owner))[0] == ["<b>&", "50"]


def lose(number: int, *, ago: int = 0, of: str = "haircut", month: date = TODAY, placement: str = "page") -> None:
    """Write down how often visitors were shown no free time in a month, some days ago."""
    LostDemandCount.objects.create(
        day=TODAY - timedelta(days=ago), account="default", service=of, placement=placement, month=month, count=number
    )


def test_lost_demand_is_shown_by_service_month_and_day(owner: Client) -> None:
    """With the filters of the page, and as a column of the file."""
    assert "everybody who looked in this period was shown free times" in seen(owner).text
    lose(2)
    lose(3, month=date(2027, 1, 1), placement="embed")
    lose(4, ago=1, of="beard-trim")
    page = seen(owner)
    tables = page.tree.css("section:has(#kb-lost) table")
    rows = [[[cell.text().strip() for cell in line.css("th, td")] for line in one.css("tbody tr")] for one in tables]
    assert rows == [[["haircut", "5"], ["beard-trim", "4"]], [["December 2026", "6"], ["January 2027", "3"]]]
    assert [line.css("td")[-1].text().strip() for line in page.tree.css(".kb-tall tbody tr")][:3] == ["5", "4", "0"]
    assert "January 2027" not in seen(owner, "?placement=page").text
    assert [(line[0], line[2], line[-1]) for line in lines(owner)[1:]] == [
        ("2026-11-30", "beard-trim", "4"),
        ("2026-12-01", "haircut", "3"),
        ("2026-12-01", "haircut", "2"),
    ]


def test_a_period_ends_today_and_has_every_day(owner: Client) -> None:
    """Also those without any; what is older is not in it."""
    count(1, ago=6)
    count(1, ago=7)
    page = seen(owner, "?days=7")
    assert bars(page)["Visits"] == ("1", "100%")
    assert len(page.tree.css(".kb-chart g")) == 7
    assert len(page.tree.css(".kb-tall tbody tr")) == 7
    assert page.texts(".kb-tall tbody th")[0] == "12/01/2026"
    assert bars(seen(owner, "?days=30"))["Visits"] == ("2", "100%")


def test_of_one_service_the_way_begins_with_its_opening(owner: Client) -> None:
    """Its visits are only those that began there; filters are plain query text."""
    count(1, 8, 4, 2, 1)
    count(9, 9, of="beard-trim", placement=FunnelCount.Placement.EMBED)
    found = bars(seen(owner, "?service=haircut"))
    assert "Visits" not in found
    assert found["Services opened"] == ("8", "100%")
    assert found["Booked"] == ("1", "12%")
    assert bars(seen(owner, "?placement=embed"))["Visits"] == ("9", "100%")
    assert "kb-days" in seen(owner, "?service=haircut&placement=embed").html


@pytest.mark.parametrize(
    "query",
    ["?days=365", "?days=x&placement=nowhere", "?service=%00", "?account=other", "?service=" + "x" * 5000, "?e=1"],
)
def test_what_makes_no_sense_is_left_out(owner: Client, query: str) -> None:
    """Quietly."""
    count(1)
    seen(owner, query)
    assert lines(owner, query)[0][0] == "day"


def test_services_go_by_their_names(owner: Client, client: Client, sandbox: Sandbox) -> None:
    """As far as they are cached: Kordless isn't asked."""
    count(1, 1)
    count(1, of="")
    assert "haircut" in seen(owner).texts("#kb-service option")
    assert sandbox.requests == []
    client.get("/book/")
    request_count = len(sandbox.requests)
    page = seen(owner)
    assert "Haircut" in page.texts("#kb-service option")
    assert {"Haircut", "None chosen"} <= set(page.texts("section:has(#kb-by-service) tbody th"))
    assert len(sandbox.requests) == request_count


def test_the_chart_can_be_read_without_seeing_it(owner: Client) -> None:
    """It has a title and says where its numbers are; nothing on the page is inline."""
    count(3, 2, 1, 1, 1)
    page = seen(owner)
    drawn = page.tree.css_first(".kb-chart svg")
    assert drawn.attributes["role"] == "img"
    named = (drawn.attributes["aria-labelledby"] or "").split()
    assert len(named) == 2
    assert all(page.tree.css_first(f"#{name}").text().strip() for name in named)
    assert "Visits 3, Booked 1" in page.html
    assert " style=" not in page.html
    assert not page.tree.css("script:not([src]), style")


def test_the_file_has_a_line_for_whatever_was_counted(owner: Client) -> None:
    """In the columns that the documentation names, with the same filters as the page."""
    count(2, 1, 1, 1, 1)
    count(6, of="", ago=1, placement=FunnelCount.Placement.INLINE)
    assert lines(owner) == [
        [
            "day",
            "account",
            "service",
            "placement",
            "visits",
            "services_opened",
            "times_chosen",
            "forms_sent",
            "booked",
            "no_free_times",
        ],
        ["2026-11-30", "default", "", "inline", "6", "0", "0", "0", "0", "0"],
        ["2026-12-01", "default", "haircut", "page", "2", "1", "1", "1", "1", "0"],
    ]
    assert len(lines(owner, "?placement=inline&days=7")) == 2
    response = owner.get(f"{URL}csv/?days=7")
    assert response["Content-Disposition"] == 'attachment; filename="funnel-2026-11-25-2026-12-01.csv"'
    assert response["Content-Type"] == "text/csv; charset=utf-8"


@pytest.mark.parametrize(
    "service", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("//x","y")', "a,b", "'=1"]
)
def test_no_cell_is_a_formula(owner: Client, service: str) -> None:
    """Whatever somebody called a service in Kordless; a comma in it moves no column."""
    count(1, 1, of=service)
    [cell] = [line[2] for line in lines(owner)[1:]]
    assert cell[0] not in "=+-@\t\r"
    assert cell in {service, f"'{service}"}


def test_it_is_for_those_who_may(hire: Hire) -> None:
    """Strangers log in first, and staff need the permission; nobody adds to it."""
    assert hire("view_funnelcount").get(URL).status_code == 200
    assert hire("view_overview", "view_webhookdelivery").get(URL).status_code == 403
    assert hire().get(f"{URL}csv/").status_code == 403
    assert Client().get(URL).status_code == 302
    assert hire("view_funnelcount").post(URL).status_code == 405
    for other in ("add/", "1/change/", "1/delete/"):
        assert hire("view_funnelcount").get(f"{URL}{other}").status_code == 404


def test_two_businesses_are_distinguished(owner: Client, two_accounts: Settings) -> None:
    """By a filter that a site with one doesn't have."""
    two_accounts.ROOT_URLCONF = "tests.projects.plain.urls"
    count(3, account="north")
    count(4, account="south")
    assert bars(seen(owner))["Visits"] == ("7", "100%")
    assert bars(seen(owner, "?account=north"))["Visits"] == ("3", "100%")
    assert [line[1] for line in lines(owner, "?account=south")] == ["account", "south"]


def test_a_large_table_costs_a_handful_of_queries(
    owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """Whatever the number of rows."""
    for number in range(40):
        count(1, 1, 1, ago=number % 30, of=f"service-{number}")
    with django_assert_max_num_queries(9):
        seen(owner)


def test_counting_that_is_off_is_shown(owner: Client, shop: Settings) -> None:
    """Rather than showing an empty chart without a word."""
    shop.KORDLESS_BOOKING = {**shop.KORDLESS_BOOKING, "FUNNEL": False}
    assert "turned off" in seen(owner).text
