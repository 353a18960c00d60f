"""The visitor's way to a time: services, the slot page around it, and the time zone."""

from datetime import datetime

import pytest
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.presentation import timezone_search
from kordless_booking.presentation.timezone_search import ZoneChoice
from kordless_booking.sandbox import NORTH_KEY, NORTH_ORG, Sandbox
from kordless_booking.views import response_cache
from tests.support.visitor import Visitor, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def dentist(site: Settings) -> Settings:
    """A business with a single service."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "API_KEY": NORTH_KEY, "ORG_SLUG": NORTH_ORG}
    return site


def test_services_stand_under_their_category(any_visitor: Visitor):
    """The first page lists every public service under its category, with the business's own names."""
    page = any_visitor.open("/book/")
    assert page.heading == "What would you like to book?"
    assert page.texts(".kb-business-name") == ["Acme Salon"]
    assert page.texts("section h2") == ["Hair", "Classes", "Advice", "Wellness"]
    assert list(page.links(".kb-service a"))[:3] == ["Haircut", "Full color", "Beard trim"]


def test_services_say_description_length_and_price(any_visitor: Visitor):
    """A card says the length and the price in the service's currency; free and variable in words, unsaid not at all."""
    cards = {text.split(" ")[0]: text for text in any_visitor.open("/book/").texts(".kb-service")}
    assert "Wash, cut and finish" in cards["Haircut"]
    assert "$45.00 1 hr" in cards["Haircut"]
    assert "$18.50 20 min" in cards["Beard"]
    assert "Price varies 2 hr 30 min" in cards["Bridal"]
    assert "Free 30 min" in cards["Color"]
    assert cards["Head"].endswith("weeks. 45 min")


def test_a_service_that_is_not_public_is_not_offered(any_visitor: Visitor):
    """A service that is not public is neither listed nor reached by its address."""
    assert "Staff training" not in any_visitor.open("/book/").text
    assert "staff-training" not in any_visitor.open("/book/").html
    for address in ("/book/staff-training/", "/book/staff-training/zone/", "/book/staff-training/contact/"):
        page = any_visitor.open(f"{address}?start=20261202T140000Z")
        assert (page.status, page.heading) == (404, "This service isn’t available")


def test_a_service_that_is_listed_as_not_public_is_not_offered(any_visitor: Visitor, sandbox: Sandbox):
    """A service that Kordless lists as not public is neither shown nor reached by its address."""
    sandbox.faults.add("not_public", service="beard-trim")
    assert "Beard trim" not in any_visitor.open("/book/").text
    page = any_visitor.open("/book/beard-trim/")
    assert (page.status, page.heading) == (404, "This service isn’t available")


def test_a_service_link_leads_to_its_times(any_visitor: Visitor):
    """Following a service's link shows its times, and a link back to all services."""
    page = any_visitor.open(any_visitor.open("/book/").link("Beard trim"))
    assert (page.status, page.heading) == (200, "Beard trim")
    assert page.times
    assert any_visitor.open(page.link("All services")).heading == "What would you like to book?"


def test_a_single_service_starts_at_its_times(dentist: Settings, client: Client):
    """A business with one service leads from its first page to the times, keeping what was chosen."""
    page = Visitor(client).open("/book/?tz=Asia/Tokyo&hours=24")
    assert page.heading == "Check-up"
    assert page.query == {"tz": "Asia/Tokyo", "hours": "24"}
    assert "All services" not in page.texts(".kb-back")


def test_a_service_of_no_name_is_a_kind_404(any_visitor: Visitor):
    """An unknown service gets its own words, the right status and a way to the others."""
    page = any_visitor.open("/book/no-such-service/")
    assert (page.status, page.heading) == (404, "This service isn’t available")
    assert any_visitor.open(page.link("See all services")).status == 200


def test_an_unknown_address_is_a_kind_404(visitor: Visitor):
    """Every other address under the mount point is a page of the widget, too."""
    for address in ("/book/a/b/c/d", "/book/haircut/contact/more/", "/book/robots.txt", "/book/%F0%9F%92%87/x"):
        page = visitor.open(address)
        assert (page.status, page.heading) == (404, "Page not found"), address


def test_choices_travel_along_every_link(any_visitor: Visitor):
    """Zone, hours, language and party stand in the links to and from the slot page."""
    chosen = {"tz": "Asia/Kathmandu", "hours": "24", "lang": "en"}
    page = any_visitor.open("/book/?tz=Asia/Kathmandu&hours=24&lang=en")
    page = any_visitor.open(page.link("Styling class"))
    assert page.query == chosen
    for url in [*page.days.values(), *page.times.values(), page.link("Later dates"), page.link("All services")]:
        here = any_visitor.once(url)
        assert chosen.items() <= here.query.items(), url


ABSURD = (
    "tz=America",
    "tz=../../etc/passwd",
    "tz=" + "A" * 300,
    "tz=Europe/Paris%00",
    "tz=europe/paris%0d%0aSet-Cookie:x",
    "month=2026-13",
    "month=0001-01",
    "month=9999-12",
    "month=-1",
    "month=%D9%A2%D9%A0%D9%A2%D9%A6-12",
    "day=2026-02-30",
    "day=0001-01-01",
    "day=9999-12-31",
    "day=20261201",
    "day=2026-W49-2",
    "party=0",
    "party=-3",
    "party=99999999999999999999",
    "party=1e3",
    "party=%C2%B2",
    "hours=13",
    "lang=tlh",
    "lang=../../en",
    "host=",
    "team=",
    "with=",
    "form_input=nonsense!",
    "form_input=" + "k" * 5000,
    "taken=3",
    "unknown=1",
)


def test_absurd_choices_are_dropped(visitor: Visitor, sandbox: Sandbox):
    """A value that makes no sense is dropped quietly: the page is the one without it, and no link repeats it."""
    sane = visitor.open("/book/styling-class/").links()
    for absurd in ABSURD:
        page = visitor.open(f"/book/styling-class/?{absurd}")
        assert (page.status, page.heading) == (200, "Styling class"), absurd
        assert page.links() == sane, absurd
    assert len(sandbox.requests) <= 6


def test_the_last_of_several_values_counts(visitor: Visitor):
    """A choice that stands in the address several times is read once."""
    page = visitor.open("/book/haircut/?tz=Asia/Tokyo&tz=Europe/Kyiv&tz=Nowhere/Atlantis&tz=Europe/Paris")
    assert "Your time zone: Paris" in page.text


def test_many_different_months_cost_kordless_little(visitor: Visitor, sandbox: Sandbox):
    """Hundreds of made-up months and days come to the same few requests: a range is always a month in the window."""
    visitor.open("/book/haircut/")
    sandbox.clear_requests()
    for year in range(1990, 2190, 5):
        assert visitor.open(f"/book/haircut/?month={year}-07").status == 200
        assert visitor.open(f"/book/haircut/?day={year}-07-14").status == 200
    assert len(sandbox.requests) <= 5


def test_made_up_services_cost_kordless_little(visitor: Visitor, sandbox: Sandbox):
    """An address that was just found to lead nowhere is not asked for again."""
    for _again in range(5):
        assert visitor.open("/book/made-up/").status == 404
    assert len([request for request in sandbox.requests if request.operation == "service"]) <= 1


def test_a_taken_time_is_explained(visitor: Visitor):
    """The slot page says why the visitor is back; nothing else in the query can speak."""
    assert "just taken" in visitor.open("/book/haircut/?taken=1").alert
    assert "your own first attempt" in visitor.open("/book/haircut/?taken=2").alert
    assert visitor.open("/book/haircut/?taken=%3Cb%3E").alert == ""


def test_zones_are_listed_by_region_with_offset_and_time(any_visitor: Visitor):
    """Without a question the zone page lists zones; each row leads back to the same day in that zone."""
    page = any_visitor.open(any_visitor.open("/book/haircut/?day=2026-12-09&hours=24").link("Change time zone"))
    assert page.heading == "Choose your time zone"
    page = any_visitor.send(page, "Search", q="kyiv")
    [(name, url)] = page.links(".kb-zones button").items()
    assert name == "Kyiv, Ukraine Eastern European Time · GMT+2 17:00"
    back = any_visitor.open(url)
    assert back.query == {"tz": "Europe/Kyiv", "day": "2026-12-09", "hours": "24"}
    assert "Your time zone: Kyiv · GMT+2" in back.text


def test_zones_are_found_by_offset_and_country(visitor: Visitor):
    """A zone is found by country or offset; what isn't found says so kindly."""
    found = visitor.open("/book/haircut/zone/?q=nepal")
    assert next(iter(found.links(".kb-zones button"))).startswith("Kathmandu, Nepal Nepal Time · GMT+5:45")
    assert found.texts("[data-kb-say]") == ["1 time zone found"]
    assert visitor.open("/book/haircut/zone/").texts("[data-kb-say]") == []
    assert visitor.open("/book/haircut/zone/?q=%2B5:45").links(".kb-zones button")
    assert "No matching time zone" in visitor.open("/book/haircut/zone/?q=Atlantis").text
    assert visitor.open("/book/haircut/zone/?q=" + "x%3Cb%3E" * 400).status == 200


def test_likely_zones_come_first_and_the_rest_is_folded_by_continent(any_visitor: Visitor):
    """The zone in use, the business's and their neighbors are in sight; only the visitor's own continent is open."""
    page = any_visitor.open("/book/haircut/zone/?tz=Europe/Berlin&host=host_sarah")
    assert page.texts("h2.kb-label") == ["Suggested", "All time zones"]
    suggested = list(page.links("section:first-of-type .kb-zones button").items())
    assert [name.split(",")[0] for name, _url in suggested[:4]] == ["Berlin", "New York", "Paris", "Madrid"]
    assert suggested[0][0] == "Berlin, Germany Central European Time · GMT+1 4:00 PM"
    assert any_visitor.open(suggested[1][1]).query == {"host": "host_sarah", "tz": "America/New_York"}
    assert page.texts("summary")[0] == "Europe"
    assert len(page.texts("summary")) == 6
    assert page.texts("details[open] summary") == ["Europe"]
    assert page.texts("details[open] .kb-zones button")[1].startswith("Andorra GMT+1")


def test_the_page_of_zones_is_half_as_long_as_a_list_of_all(visitor: Visitor):
    """Its rows repeat no URL, and zones with the same clock in one country share a row."""
    page = visitor.open("/book/haircut/zone/?tz=America/New_York&embed=1&accent=ff0000&host=host_sarah")
    assert 300 < len(page.tree.css(".kb-zones button")) < 340
    assert len(page.html) < 52_000  # 98 kB with a link to each of 418 zones


def test_a_search_with_too_many_answers_says_so(visitor: Visitor):
    """The best are shown, and the number is that of all."""
    page = visitor.open("/book/haircut/zone/?q=a")
    assert len(page.tree.css(".kb-zones button")) == 50
    assert "Only the best matches are shown." in page.text
    assert int(page.texts("[data-kb-say]")[0].split()[0]) > 50
    assert "best matches" not in visitor.open("/book/haircut/zone/?q=san").text


def test_a_large_city_that_gives_no_zone_its_name_leads_to_its_zone(any_visitor: Visitor):
    """The row is called as the visitor calls the city."""
    page = any_visitor.open("/book/haircut/zone/?q=北京")
    [(name, url)] = page.links(".kb-zones button").items()
    assert name.startswith("Beijing, China China Time · GMT+8")
    assert any_visitor.open(url).query == {"tz": "Asia/Shanghai"}


def test_the_page_of_zones_is_made_once_a_minute_for_everybody(
    client: Client, site: Settings, monkeypatch: pytest.MonkeyPatch
):
    """The list is the same for all visitors; what they search for is stored for nobody."""
    listed: list[str] = []
    make = timezone_search.list_zones

    def note(now: datetime, language: str) -> list[ZoneChoice]:
        listed.append(language)
        return make(now, language)

    monkeypatch.setattr(timezone_search, "list_zones", note)
    pages = {client.get("/book/haircut/zone/?tz=Asia/Tokyo&utm_source=x").content for _ in range(3)}
    assert (len(pages), listed) == (1, ["en"])
    client.get("/book/haircut/zone/?tz=Asia/Tokyo")
    assert listed == ["en"]
    stored = len(response_cache._responses)
    client.get("/book/haircut/zone/?q=nepal")
    assert len(response_cache._responses) == stored


def test_the_current_zone_is_marked(visitor: Visitor):
    """The zone in use is marked in the list, also when it is the business's own."""
    page = visitor.open("/book/haircut/zone/?q=new+york")
    assert [node.attributes.get("aria-current") for node in page.tree.css(".kb-zones button")] == ["true"]


def test_the_current_zone_is_marked_once(visitor: Visitor):
    """Among the suggested ones, and not again among those of its continent."""
    page = visitor.open("/book/haircut/zone/?tz=Europe/Berlin")
    names = [text_of(node) for node in page.tree.css(".kb-zones button") if text_of(node).startswith("Berlin")]
    assert len(names) == 2
    assert page.texts(".kb-zones [aria-current]") == names[:1]


def test_a_slot_page_is_fetched_once_for_everybody(visitor: Visitor, sandbox: Sandbox):
    """A second visitor in another zone, language and hours costs Kordless nothing."""
    visitor.open("/book/haircut/")
    request_count = len(sandbox.requests)
    visitor.open("/book/haircut/?tz=Asia/Tokyo&hours=24")
    visitor.open("/book/haircut/?tz=Pacific/Apia")
    assert len(sandbox.requests) == request_count


def test_browsing_writes_nothing_to_the_database(visitor: Visitor, django_assert_num_queries):
    """Looking at services, times and zones needs no database."""
    with django_assert_num_queries(0):
        visitor.open("/book/")
        visitor.open("/book/haircut/?tz=Asia/Tokyo")
        visitor.open("/book/haircut/zone/")


def test_an_outage_is_explained(any_visitor: Visitor, sandbox: Sandbox, clock: Traveller):
    """With nothing cached and Kordless down, each step is a 503 with Retry-After and a link to try again."""
    sandbox.faults.add("status", status=500)
    for address in ("/book/", "/book/haircut/?tz=Asia/Tokyo", "/book/haircut/zone/"):
        page = any_visitor.open(address)
        assert (page.status, page.heading) == (503, "Temporarily unavailable"), address
        assert int(page.response["Retry-After"]) > 0
        assert page.link("Try again") == address
    sandbox.faults.clear()
    clock.shift(120)
    assert any_visitor.open("/book/").status == 200


def test_known_times_outlive_an_outage(visitor: Visitor, sandbox: Sandbox, clock: Traveller):
    """When Kordless fails, times of a few minutes ago are still shown, and it is said how old they are."""
    before = visitor.open("/book/haircut/")
    sandbox.faults.add("status", status=503)
    clock.shift(400)
    page = visitor.open("/book/haircut/")
    assert (page.status, page.times) == (200, before.times)
    assert "Last checked 6 minutes ago" in page.text
    # Below the times, which it would push out of a phone's first screen.
    assert page.html.index('class="kb-times"') < page.html.index("Last checked") < page.html.index('class="kb-zone"')


def test_a_rejected_api_key_pauses_booking(any_visitor: Visitor, sandbox: Sandbox):
    """When Kordless rejects the API key, booking is paused, in words that blame nobody and show no key."""
    sandbox.faults.add("key_revoked")
    page = any_visitor.open("/book/")
    assert (page.status, page.heading) == (503, "Online booking is paused")
    assert "kordless-sandbox-key" not in page.html


def test_an_unknown_business_is_a_404(site: Settings, client: Client):
    """A business that Kordless doesn't know has no booking page."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "ORG_SLUG": "nobody"}
    page = Visitor(client).open("/book/")
    assert (page.status, page.heading) == (404, "This booking page isn’t available")


def test_a_removed_service_is_gone(visitor: Visitor, sandbox: Sandbox):
    """A service that was removed is neither listed nor found."""
    sandbox.faults.add("service_removed", service="haircut")
    assert "haircut" not in visitor.open("/book/").html
    assert visitor.open("/book/haircut/").status == 404


def test_a_business_that_offers_nothing_says_so(visitor: Visitor, sandbox: Sandbox):
    """Without any service the first page says it in words."""
    sandbox.faults.add("service_removed")
    page = visitor.open("/book/")
    assert (page.status, "Nothing can be booked online right now" in page.text) == (200, True)
