"""Strict validation: any spelling, type or value but the documented one is a 400 that names the field."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.sandbox.response import ApiError
from kordless_booking.sandbox.strict import reject_unknown_fields, utc_seconds
from tests.support.sandbox_api import Api, assert_rejected

QUERY = {
    "org_slug": "acme-salon",
    "service_slug": "haircut",
    "from": "2026-12-01T00:00:00Z",
    "to": "2026-12-08T00:00:00Z",
}


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("startsAt", "starts_at"),
        ("start_at", "starts_at"),
        ("partySize", "party_size"),
        ("hostId", "host_id"),
        ("orgSlug", "org_slug"),
    ],
)
def test_another_spelling_in_create_is_rejected_with_a_hint(api: Api, wrong: str, right: str) -> None:
    """The spelling of another endpoint is not this one's."""
    body = api.body()
    body[wrong] = body.pop(right, None)
    assert_rejected(api.create(body), 400, "validation_error", f"'{wrong}'.*'{right}'")


def test_another_spelling_in_reschedule_is_rejected(api: Api) -> None:
    """Reschedule says start_at."""
    number, slot = api.book(), api.slots()[0]
    move = {"starts_at": slot["startsAt"], "ends_at": slot["endsAt"]}
    assert_rejected(api.manage(number, "reschedule", move), 400, "validation_error", "'start_at'")


def test_another_spelling_in_availability_is_rejected(api: Api) -> None:
    """Availability says partySize, and knows no host filter."""
    assert_rejected(api.get("/availability", **QUERY, party_size=2), 400, "validation_error", "partySize")
    assert_rejected(api.get("/availability", **QUERY, hostId="host_sarah"), 400, "validation_error", "hostId")


@pytest.mark.parametrize("name", ["org_slug", "service_slug", "starts_at", "ends_at", "timezone", "contact"])
@pytest.mark.parametrize("value", [..., None, 7, [], " "])
def test_needed_fields_of_create(api: Api, name: str, value: Any) -> None:
    """Each needed field, absent or of another type, is named."""
    body = api.body() | {name: value}
    if value is ...:
        del body[name]
    assert_rejected(api.create(body), 400, "validation_error", name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("party_size", 0),
        ("party_size", "2"),
        ("party_size", True),
        ("party_size", 1.0),
        ("host_id", 7),
        ("host_id", "host_nobody"),
        ("team_id", "team_nobody"),
        ("notes", "x" * 2001),
        ("notes", ["x"]),
        ("timezone", "Mars/Olympus"),
        ("timezone", "../../etc/passwd"),
        ("starts_at", "2026-12-01T14:00:00"),
        ("starts_at", "2026-12-01T14:00:00+01:00"),
        ("starts_at", "2026-12-01"),
        ("starts_at", "2026-W49-1T14:00:00Z"),
        ("starts_at", "2026-02-30T14:00:00Z"),
        ("ends_at", "2026-12-01T14:00:00.5Z"),
    ],
)
def test_wrong_values_in_create(api: Api, name: str, value: Any) -> None:
    """Wrong values are named; naive times and other offsets are among them."""
    assert_rejected(api.create(api.body() | {name: value}), 400, "validation_error", name)


@pytest.mark.parametrize(
    ("contact", "detail"),
    [
        ({"email": "jane@example.com"}, "name"),
        ({"name": "", "email": "jane@example.com"}, "name"),
        ({"name": "Jane"}, "'email' or a 'phone'"),
        ({"name": "Jane", "email": None, "phone": None}, "'email' or a 'phone'"),
        ({"name": "Jane", "email": "jane"}, "email"),
        ({"name": "Jane", "email": "jane@localhost"}, "email"),
        ({"name": "Jane", "phone": "call me"}, "phone"),
        ({"name": "Jane", "phone": "+1 23"}, "phone"),
        ({"name": "Jane", "mail": "jane@example.com"}, "contact.mail"),
        ({"name": "Jane\x00", "email": "jane@example.com"}, "name"),
        ({"name": "Jane\ud800", "email": "jane@example.com"}, "name"),
    ],
)
def test_contact_must_be_somebody(api: Api, contact: dict[str, Any], detail: str) -> None:
    """A name, and an e-mail or a phone that looks like one."""
    assert_rejected(api.create(api.body() | {"contact": contact}), 400, "validation_error", detail)


@pytest.mark.parametrize("contact", [{"name": "J", "email": "j@ex.co"}, {"name": "J", "phone": "+49 30 123456"}])
def test_one_way_of_contact_is_enough(api: Api, contact: dict[str, Any]) -> None:
    """An e-mail alone or a phone alone will do."""
    assert api.create(api.body() | {"contact": contact}).status_code == 201


def test_the_length_must_be_the_slots_own(api: Api) -> None:
    """Neither create nor reschedule can make an appointment longer."""
    body = api.body()
    longer = body["starts_at"].replace("T16", "T18")
    assert_rejected(api.create(body | {"ends_at": longer}), 400, "validation_error", "60 minutes")
    number = api.book()
    move = {"start_at": body["starts_at"], "end_at": longer}
    assert_rejected(api.manage(number, "reschedule", move), 400, "validation_error", "60 minutes")


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"from": "2026-12-09T00:00:00Z"}, "before"),
        ({"to": "2027-02-02T00:00:00Z"}, "62 days"),
        ({"from": "0001-01-01T00:00:00Z", "to": "9999-12-31T00:00:00Z"}, "62 days"),
        ({"from": "2026-12-01T00:00:00"}, "from"),
        ({"partySize": "0"}, "partySize"),
        ({"partySize": "two"}, "partySize"),
        ({"partySize": "٢"}, "partySize"),
        ({"timezone": "Mars"}, "timezone"),
        ({"org_slug": ""}, "org_slug"),
    ],
)
def test_wrong_values_in_availability(api: Api, change: dict[str, str], detail: str) -> None:
    """Ranges over 62 days, backwards or naive, and odd numbers are rejected."""
    assert_rejected(api.get("/availability", **(QUERY | change)), 400, "validation_error", detail)


def test_62_days_are_fine_and_plus_zero_is_utc(api: Api) -> None:
    """The longest range is allowed, and UTC may be written +00:00."""
    query = QUERY | {"from": "2026-12-01T00:00:00+00:00", "to": "2027-02-01T00:00:00Z"}
    assert api.get("/availability", **query).status_code == 200


def test_extra_query_is_rejected_where_none_is_documented(api: Api) -> None:
    """Organization, service and create take no query."""
    assert_rejected(api.get("/org/acme-salon", page=2), 400, "validation_error", "page")
    assert_rejected(api.get("/org/acme-salon/service/haircut", x=1), 400, "validation_error", "x")
    assert_rejected(api.post("/bookings?x=1", api.body()), 400, "validation_error", "x")


@given(st.datetimes(timezones=st.just(None)).map(lambda found: found.replace(microsecond=0)))
def test_any_utc_time_reads_back(value: Any) -> None:
    """Every whole second is understood with Z and with +00:00, and rejected without."""
    text = value.isoformat()
    assert utc_seconds({"at": text + "Z"}, "at") == utc_seconds({"at": text + "+00:00"}, "at")
    with pytest.raises(ApiError):
        utc_seconds({"at": text}, "at")


@given(st.dictionaries(st.text(max_size=20), st.none(), min_size=1, max_size=3))
def test_only_the_documented_names(given_: dict[str, None]) -> None:
    """Any name that isn't on the list is rejected."""
    if set(given_) - {"good"}:
        with pytest.raises(ApiError) as caught:
            reject_unknown_fields(given_, ["good"])
        assert caught.value.status == 400
