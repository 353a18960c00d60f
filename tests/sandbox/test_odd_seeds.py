"""The odd businesses: each shows what its slug says, within the contract."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kordless_booking.sandbox import SEEDS, Limits, Sandbox, find_key
from kordless_booking.sandbox.odd_seeds import ODD_BUSINESSES
from tests.support.sandbox_api import NOW, Api, assert_rejected


def odd(slug: str) -> Api:
    """Client of one odd business, which is free of rate limits."""
    return Api(Sandbox(now=NOW, limits=Limits.off(), seed="odd"), key=find_key(slug))


def slots_of(api: Api, org: str, service: str, first_day: int = 0, days: int = 31) -> list[dict[str, Any]]:
    start = datetime(2026, 11, 22, tzinfo=UTC) + timedelta(days=first_day)
    span = {"from": f"{start:%FT%TZ}", "to": f"{start + timedelta(days=days):%FT%TZ}"}
    return api.slots(service, org_slug=org, **span)


def length(slot: dict[str, Any]) -> timedelta:
    return datetime.fromisoformat(slot["endsAt"]) - datetime.fromisoformat(slot["startsAt"])


def test_the_odd_seed_has_the_businesses_of_the_demo_too() -> None:
    """An account may name any business; an unknown seed or organization is rejected."""
    assert {each.slug for each in SEEDS["odd"]} > {each.slug for each in SEEDS["demo"]}
    assert len({each.slug for each in SEEDS["odd"]}) == len({each.key for each in SEEDS["odd"]}) == len(SEEDS["odd"])
    with pytest.raises(ValueError, match="unknown seed 'even'; known: demo, odd"):
        Sandbox(seed="even")
    with pytest.raises(
        ValueError, match="no organization 'even'; it has acme-salon, north-dental, lakeside-studio, odd-times"
    ):
        find_key("even")


@pytest.mark.parametrize("business", ODD_BUSINESSES, ids=lambda business: business.slug)
def test_each_service_answers_all_operations_about_it(business: Any) -> None:
    """List, details and times of each odd service are those of its business."""
    api = odd(business.slug)
    services = api.get(f"/org/{business.slug}").json()["services"]
    assert [each["slug"] for each in services] == [each.slug for each in business.services]
    for service in business.services[:12]:
        found = api.get(f"/org/{business.slug}/service/{service.slug.replace('/', '%2F')}").json()
        assert found["service"]["name"] == service.name
        times = slots_of(api, business.slug, service.slug, days=3)
        assert bool(times) == (not service.booked_out_days), service.slug


def test_starts_with_a_fraction_of_a_second_are_booked_as_they_are_listed() -> None:
    """The fraction comes back with the booking, and a request without it is a 400."""
    api = odd("odd-times")
    slot = slots_of(api, "odd-times", "fractions")[0]
    assert slot["startsAt"].endswith(":00.250Z")
    body = api.body("fractions", slot, org_slug="odd-times")
    whole = {name: body[name].replace(".250", "") for name in ("starts_at", "ends_at")}
    assert_rejected(api.create(body | whole), 400, "validation_error", "starts_at")
    booking = api.create(body).json()["booking"]
    assert (booking["start_at"], booking["end_at"]) == (slot["startsAt"], slot["endsAt"])
    assert api.manage(booking["confirmation_number"]).json()["booking"]["start_at"] == slot["startsAt"]
    other = slots_of(api, "odd-times", "fractions")[-1]
    move = {"start_at": other["startsAt"], "end_at": other["endsAt"]}
    moved = api.manage(booking["confirmation_number"], "reschedule", move)
    assert moved.json()["booking"]["start_at"] == other["startsAt"]


def test_one_start_is_offered_in_several_lengths() -> None:
    """Each length is a slot; a booking has the length that was asked for, and takes the others with it."""
    api = odd("odd-times")
    slots = slots_of(api, "odd-times", "several-lengths")
    at_once = [slot for slot in slots if slot["startsAt"] == slots[0]["startsAt"]]
    assert [length(slot) for slot in at_once] == [timedelta(minutes=minutes) for minutes in (30, 60, 90)]
    assert [slot["startsAt"] for slot in slots] == sorted(slot["startsAt"] for slot in slots)
    number = api.book("several-lengths", at_once[2], org_slug="odd-times")
    found = api.manage(number).json()["booking"]
    assert (found["start_at"], found["end_at"]) == (at_once[2]["startsAt"], at_once[2]["endsAt"])
    left = slots_of(api, "odd-times", "several-lengths")
    assert not [slot for slot in left if slot["startsAt"] < at_once[2]["endsAt"]]
    shorter = {"start_at": left[0]["startsAt"], "end_at": left[0]["endsAt"]}
    assert_rejected(api.manage(number, "reschedule", shorter), 400, "validation_error", "90 minutes apart")
    wrong = api.body("several-lengths", left[0] | {"endsAt": left[1]["startsAt"]}, org_slug="odd-times")
    assert_rejected(api.create(wrong), 400, "validation_error", "30 or 60 or 90 minutes apart")


@pytest.mark.parametrize(("service", "hours"), [("one-day", 24), ("three-days", 72)])
def test_long_bookings_block_all_of_their_days(service: str, hours: int) -> None:
    """Nothing is offered that reaches into a booking of days, or that it reaches into."""
    api = odd("odd-times")
    slots = slots_of(api, "odd-times", service)
    assert {length(slot) for slot in slots} == {timedelta(hours=hours)}
    taken = slots[5]
    api.book(service, taken, org_slug="odd-times")
    left = slots_of(api, "odd-times", service)
    assert left == [
        slot for slot in slots if slot["endsAt"] <= taken["startsAt"] or slot["startsAt"] >= taken["endsAt"]
    ]
    for overlapping in (slots[4], slots[6]):
        if overlapping not in left:
            assert_rejected(api.create(api.body(service, overlapping, org_slug="odd-times")), 409, "conflict")


def test_first_free_times_are_far_away() -> None:
    """Four months, 75 days without a window, next month, never."""
    api = odd("odd-times")

    def first(service: str) -> int | None:
        for month in range(0, 186, 31):
            if found := slots_of(api, "odd-times", service, first_day=month):
                return (datetime.fromisoformat(found[0]["startsAt"]) - NOW).days
        return None

    assert first("in-four-months") == 121
    assert first("no-window") == 74
    assert api.get("/org/odd-times/service/no-window").json()["calendarSettings"]["booking_window_days"] is None
    assert first("booked-out-this-month") == 30
    assert first("never-free") is None


def test_notice_has_fractions_of_an_hour() -> None:
    """0.5 and 1.5 hours are sent as they are, and enforced."""
    api = odd("odd-times")
    for service, notice in (("half-hour-notice", 0.5), ("ninety-minutes-notice", 1.5)):
        policy = api.get(f"/org/odd-times/service/{service}").json()["calendarSettings"]["cancellation_policy"]
        assert policy["noticeHours"] == notice
        slot = slots_of(api, "odd-times", service)[-1]
        number = api.book(service, slot, org_slug="odd-times")
        api.sandbox.clock.set(datetime.fromisoformat(slot["startsAt"]) - timedelta(hours=notice - 0.1))
        assert_rejected(api.manage(number, "cancel"), 422, "unprocessable", f"{notice} hours")
        api.sandbox.clock.set(NOW)
        assert api.manage(number, "cancel").status_code == 200


def test_ids_with_other_characters_are_booked() -> None:
    """Each host and team with an odd id can be asked for and gets the booking."""
    api = odd("odd-names")
    for service, name in (("odd-host-ids", "hostId"), ("odd-team-ids", "teamId")):
        first = slots_of(api, "odd-names", service)[0]["startsAt"]
        at_once = [slot for slot in slots_of(api, "odd-names", service) if slot["startsAt"] == first]
        assert max(len(slot[name]) for slot in at_once) > 100
        for slot in at_once:
            wanted = {"host_id": slot["hostId"], "team_id": slot["teamId"]}
            api.book(service, slot, org_slug="odd-names", **wanted)
            made = api.sandbox.bookings()[-1]
            assert {"host_id": made["host_id"], "team_id": made["team_id"]} == wanted
        assert first not in {slot["startsAt"] for slot in slots_of(api, "odd-names", service)}


def test_hosts_of_one_name_and_texts_without_end() -> None:
    """Two hosts say the same name; description and policy have 5,000 characters."""
    api = odd("odd-names")
    hosts = {(slot["hostId"], slot["host"]["displayName"]) for slot in slots_of(api, "odd-names", "same-name")}
    assert hosts == {("host_sam_1", "Sam Lee"), ("host_sam_2", "Sam Lee")}
    assert {slot["hostId"] for slot in slots_of(api, "odd-names", "only-sam")} == {"host_sam_1"}
    found = api.get("/org/odd-names/service/long-texts").json()
    assert len(found["service"]["description"]) == 5000
    assert len(found["calendarSettings"]["cancellation_policy"]["policyText"]) == 5000


def test_teams_in_every_combination() -> None:
    """Teams alone, two teams at once, two hosts of a team, one host in two teams, and all of it mixed."""
    api = odd("teams")

    def at_once(service: str) -> list[tuple[str | None, str | None]]:
        slots = slots_of(api, "teams", service)
        return [(each["hostId"], each["teamId"]) for each in slots if each["startsAt"] == slots[0]["startsAt"]]

    assert at_once("one-team") == [(None, "team_north")]
    assert at_once("two-teams") == [(None, "team_north"), (None, "team_south")]
    assert at_once("two-hosts-of-one-team") == [("host_anna", "team_north"), ("host_ben", "team_north")]
    assert at_once("one-host-in-two-teams") == [("host_anna", "team_north"), ("host_anna", "team_south")]
    assert at_once("hosts-and-a-team") == [
        ("host_anna", "team_north"), ("host_ben", None), (None, "team_south"), (None, None),
    ]  # fmt: skip
    slot = slots_of(api, "teams", "one-host-in-two-teams")[0]
    body = api.body("one-host-in-two-teams", slot, org_slug="teams", host_id="host_anna", team_id="team_south")
    assert api.create(body).status_code == 201
    assert api.sandbox.bookings()[-1]["team_id"] == "team_south"
    # It is the same person.
    assert slot["startsAt"] not in {each["startsAt"] for each in slots_of(api, "teams", "one-host-in-two-teams")}
    wrong = body | {"host_id": "host_anna", "team_id": "team_west"}
    assert_rejected(api.create(wrong), 400, "validation_error", "team_id")


def test_many_hosts_have_many_slots() -> None:
    """Six hosts have more than 5,000 slots a month, twelve about 15,000; forty hosts are forty people."""
    api = odd("many-hosts")
    six = slots_of(api, "many-hosts", "six-hosts")
    assert 7000 < len(six) < 7500
    assert len({slot["hostId"] for slot in six}) == 6
    assert 14_000 < len(slots_of(api, "many-hosts", "twelve-hosts")) < 15_000
    assert len({slot["hostId"] for slot in slots_of(api, "many-hosts", "forty-hosts")}) == 40


def test_many_services_stand_in_many_categories() -> None:
    """300 services in 25 categories."""
    services = odd("many-services").get("/org/many-services").json()["services"]
    assert len(services) == 300
    assert set(Counter(each["category"] for each in services).values()) == {12}


@pytest.mark.parametrize(
    ("slug", "name"),
    [
        ("windows-zone", "Eastern Standard Time"),
        ("lower-case-zone", "america/new_york"),
        ("unknown-zone", "Brooklyn Time"),
    ],
)
def test_zones_are_sent_as_the_business_wrote_them(slug: str, name: str) -> None:
    """Settings and slots say the name; the times are those of New York, and the sandbox accepts IANA names only."""
    api = odd(slug)
    assert api.get(f"/org/{slug}/service/visit").json()["calendarSettings"]["timezone"] == name
    slots = slots_of(api, slug, "visit", first_day=1)
    assert {slot["timezone"] for slot in slots} == {name}
    assert slots[0]["startsAt"] == "2026-11-23T14:00:00Z"
    body = api.body("visit", slots[0], org_slug=slug)
    assert_rejected(api.create(body | {"timezone": name}), 400, "validation_error", "timezone")
    assert api.create(body).status_code == 201


def test_bookings_of_another_seed_are_unknown(tmp_path: Any) -> None:
    """A file that was filled under the odd seed is read under the demo's without an error of the server."""
    path = str(tmp_path / "kordless.sqlite3")
    first = Sandbox(path, now=NOW, seed="odd")
    api = Api(first, key=find_key("teams"))
    number = api.book("one-team", slots_of(api, "teams", "one-team")[0], org_slug="teams")
    first.close()
    demo = Sandbox(path, now=NOW)
    assert_rejected(Api(demo).manage(number), 404, "not_found")
    demo.close()
