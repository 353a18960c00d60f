"""The two sample businesses cover every case that a visitor can meet."""

from __future__ import annotations

from kordless_booking.sandbox import NORTH_KEY, Sandbox
from kordless_booking.sandbox.seeds import ACME
from tests.support.sandbox_api import Api


def test_acme_shows_every_case(api: Api) -> None:
    """Categories, locations, prices, buffers, policies, seats, hosts, teams, windows."""
    services = {each["slug"]: each for each in api.get("/org/acme-salon").json()["services"]}
    settings = {slug: api.get(f"/org/acme-salon/service/{slug}").json()["calendarSettings"] for slug in services}
    assert len(services) >= 9
    assert len({slot["teamId"] for slot in api.slots("makeover")}) == 2
    assert len({each["category"] for each in services.values()}) >= 4
    assert {each["location"]["type"] for each in settings.values()} == {"onsite", "phone", "meet_url", "custom"}
    assert services["color-consultation"]["price"] == 0
    assert services["bridal-styling"]["price"] is None
    assert "price" not in services["head-spa"]
    assert settings["styling-class"]["max_parallel_bookings"] == 8
    assert settings["full-color"]["buffer_before"] == 15
    assert settings["late-advice"]["cancellation_policy"] is None
    assert {each["slot_interval_minutes"] for each in settings.values()} >= {15, 30, 60}
    assert ACME.services[0].team is not None


def test_some_slots_have_no_host(api: Api) -> None:
    """The phone line belongs to nobody."""
    slot = api.slots("late-advice")[0]
    assert (slot["host"], slot["hostId"], slot["team"], slot["teamId"]) == (None, None, None, None)


def test_evening_slots_cross_midnight_for_others(api: Api) -> None:
    """Late-night advice in New York is tomorrow morning in Europe, and at home runs past midnight."""
    starts = {slot["startsAt"][11:13] for slot in api.slots("late-advice")}
    assert {"04", "05", "06"} & starts


def test_north_has_one_service() -> None:
    """The small business: one service, its own key, another zone, no tagline."""
    document = Api(Sandbox(), key=NORTH_KEY).get("/org/north-dental").json()
    assert [each["slug"] for each in document["services"]] == ["check-up"]
    assert document["organization"]["tagline"] is None
    detail = Api(Sandbox(), key=NORTH_KEY).get("/org/north-dental/service/check-up").json()
    assert detail["calendarSettings"]["timezone"] == "Europe/Berlin"
