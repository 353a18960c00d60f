"""The seven operations: their responses, and each documented error in its order of precedence."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from kordless_booking.sandbox import NORTH_KEY, NORTH_ORG, Sandbox
from tests.support.sandbox_api import NOW, Api, assert_rejected

RANGE = {"from": "2026-12-01T00:00:00Z", "to": "2026-12-08T00:00:00Z"}


def test_organization_has_the_documented_fields(api: Api) -> None:
    """Endpoint 1 answers the organization with its branding, and every public service."""
    document = api.get("/org/acme-salon").json()
    assert set(document) == {"organization", "services"}
    assert set(document["organization"]) == {"id", "name", "slug", "tagline", "branding"}
    assert set(document["organization"]["branding"]) == {"primaryColor", "logo", "companyName", "favicon", "ogImage"}
    haircut = document["services"][0]
    north = Api(api.sandbox, key=NORTH_KEY).get(f"/org/{NORTH_ORG}").json()
    assert north["organization"]["branding"]["favicon"].startswith("https://")
    assert document["organization"]["branding"]["ogImage"].startswith("https://")
    assert haircut["metadata"] == {"room": "Front of the shop", "level": 1, "tags": ["wash", "cut"]}
    expected = {"key", "name", "slug", "description", "category", "duration", "price", "currency"}
    assert set(haircut) == expected | {"isBookablePublic", "metadata"}
    assert (haircut["duration"], haircut["price"], haircut["currency"]) == (60, 45.0, "USD")


def test_service_has_its_calendar_settings(api: Api) -> None:
    """Endpoint 2 leaves the tagline out and says the settings in their mixed casing."""
    document = api.get("/org/acme-salon/service/haircut").json()
    assert set(document) == {"organization", "service", "calendarSettings"}
    assert "tagline" not in document["organization"]
    assert document["calendarSettings"] == {
        "duration_minutes": 60,
        "slot_interval_minutes": 30,
        "buffer_before": 0,
        "buffer_after": 10,
        "booking_window_days": 60,
        "timezone": "America/New_York",
        "location": {"type": "onsite", "value": "123 Main Street, Brooklyn, NY 11201"},
        "max_parallel_bookings": 1,
        "cancellation_policy": {
            "noticeHours": 24,
            "policyText": "Plans change. Please tell us at least 24 hours ahead so that someone else can come.",
        },
    }


def test_slots_have_the_documented_fields(api: Api) -> None:
    """Endpoint 3 answers slots once per host, in UTC, with the business's zone."""
    slot = next(slot for slot in api.slots() if slot["hostId"] == "host_sarah")
    assert set(slot) == {
        "startsAt", "endsAt", "capacity", "availableCapacity", "serviceId", "hostId", "teamId", "timezone", "host",
        "team",
    }  # fmt: skip
    assert slot["host"] == {"id": "host_sarah", "displayName": "Sarah"}
    assert slot["team"]["id"] == slot["teamId"] == "team_hair"
    assert (slot["serviceId"], slot["timezone"], slot["capacity"]) == ("haircut", "America/New_York", 1)
    assert slot["startsAt"].endswith("Z")


def test_create_answers_201_with_the_short_form(api: Api) -> None:
    """Endpoint 4 answers the booking and an https invite."""
    body = api.body(party_size=1, host_id=None, team_id="team_hair", notes="Left side first")
    answer = api.create(body)
    assert answer.status_code == 201
    booking = answer.json()["booking"]
    assert set(booking) == {
        "id", "confirmation_number", "status", "start_at", "end_at", "service_name", "organization_name", "location",
    }  # fmt: skip
    assert (booking["start_at"], booking["end_at"]) == (body["starts_at"], body["ends_at"])
    assert booking["confirmation_number"] == booking["id"].upper()
    assert answer.json()["calendar_invite"]["ics_url"].startswith("https://")
    kept = api.sandbox.bookings()[0]
    assert (kept["notes"], kept["party_size"], kept["status"]) == ("Left side first", 1, "confirmed")


def test_lookup_answers_the_long_form(api: Api) -> None:
    """Endpoint 5 says whose and where, but not host, team, party size or notes."""
    number = api.book(notes="secret")
    booking = api.manage(number.lower()).json()["booking"]
    assert set(booking) == {
        "id", "confirmation_number", "status", "organization_slug", "organization_name", "start_at", "end_at",
        "service_id", "service_slug", "service_name", "contact", "location", "timezone",
    }  # fmt: skip
    assert booking["contact"]["email"] == "jane@example.com"
    assert booking["timezone"] == "Europe/Paris"


@pytest.mark.parametrize(
    "contact", ["jane@example.com", "JANE@Example.com", "%2B12125550123", "+12125550123", "12125550123"]
)
def test_contact_is_accepted_in_its_spellings(api: Api, contact: str) -> None:
    """E-mail in any case; a phone with its plus escaped, or raw as the documentation prints it."""
    path = f"{api.base}/bookings/confirmation/{api.book()}?contact={contact}"
    assert api.http.get(path).status_code == 200


def test_keyless_operations_need_no_key(api: Api) -> None:
    """Lookup, reschedule and cancel work without the API key."""
    number, slot = api.book(), api.slots()[-1]
    keyless = Api(api.sandbox, key=None)
    assert keyless.manage(number).status_code == 200
    move = {"start_at": slot["startsAt"], "end_at": slot["endsAt"]}
    if slot["hostId"] == api.sandbox.bookings()[0]["host_id"]:
        assert keyless.manage(number, "reschedule", move).status_code == 200
    assert keyless.manage(number, "cancel").status_code == 200


def test_cancel_frees_the_time(api: Api) -> None:
    """A canceled booking is said with one l and its time is offered again."""
    slot = api.slots()[0]
    number = api.book(slot=slot)
    assert slot not in api.slots()
    answer = api.manage(number, "cancel")
    assert (answer.status_code, answer.json()["booking"]["status"]) == (200, "canceled")
    assert slot in api.slots()


def test_reschedule_moves_to_another_time_of_the_same_host(api: Api) -> None:
    """The short form comes back with the new time; the old one is free again and zone and notes are taken over."""
    first, *_, other = [slot for slot in api.slots() if slot["hostId"] == "host_sarah"]
    number = api.book(slot=first, host_id="host_sarah")
    move = {"start_at": other["startsAt"], "end_at": other["endsAt"], "timezone": "Asia/Tokyo", "notes": "later"}
    answer = api.manage(number, "reschedule", move)
    assert answer.status_code == 200
    assert set(answer.json()) == {"booking"}
    assert answer.json()["booking"]["start_at"] == other["startsAt"]
    assert first in api.slots()
    assert other not in api.slots()
    kept = api.sandbox.bookings()[0]
    assert (kept["timezone"], kept["notes"]) == ("Asia/Tokyo", "later")


def test_reschedule_onto_itself_and_next_to_itself_is_no_conflict(api: Api) -> None:
    """A booking doesn't stand in its own way."""
    slot = api.slots()[0]
    number = api.book(slot=slot)
    move = {"start_at": slot["startsAt"], "end_at": slot["endsAt"]}
    assert api.manage(number, "reschedule", move).status_code == 200


@pytest.mark.parametrize("key", [None, "", "wrong"])
def test_401_comes_first(sandbox: Sandbox, key: str | None) -> None:
    """Without the right key nothing else is looked at, not even bad input."""
    api = Api(sandbox, key=key)
    assert_rejected(api.get("/org/nowhere"), 401, "authentication_error")
    assert_rejected(api.get("/org/acme-salon/service/haircut"), 401, "authentication_error")
    assert_rejected(api.get("/availability"), 401, "authentication_error")
    assert_rejected(api.post("/bookings", {}), 401, "authentication_error")


def test_403_for_the_key_of_another_organization(sandbox: Sandbox) -> None:
    """A good key opens its own organization only, whichever service is asked for."""
    north, acme = Api(sandbox, key=NORTH_KEY), Api(sandbox)
    body = acme.body()
    assert_rejected(north.get("/org/acme-salon"), 403, "permission_error")
    assert_rejected(north.get("/org/acme-salon/service/nothing"), 403, "permission_error")
    query = {"org_slug": "acme-salon", "service_slug": "haircut", **RANGE}
    assert_rejected(north.get("/availability", **query), 403, "permission_error")
    assert_rejected(north.create(body), 403, "permission_error")


def test_404_for_what_is_unknown(api: Api) -> None:
    """Unknown organizations (before 403), services and bookings."""
    assert_rejected(api.get("/org/nowhere"), 404, "not_found", "organization")
    assert_rejected(api.get("/org/acme-salon/service/nothing"), 404, "not_found", "service")
    assert_rejected(api.get("/availability", org_slug="acme-salon", service_slug="nothing", **RANGE), 404, "not_found")
    assert_rejected(api.create(api.body() | {"service_slug": "nothing"}), 404, "not_found", "service")
    assert_rejected(api.create(api.body() | {"org_slug": "nowhere"}), 404, "not_found", "organization")
    assert_rejected(api.manage("BOOK_NONE"), 404, "not_found")
    assert_rejected(api.manage("BOOK_NONE", "cancel"), 404, "not_found")


def test_403_for_another_contact(api: Api) -> None:
    """The right number with the wrong contact is rejected, in all three keyless operations."""
    number, slot = api.book(), api.slots()[0]
    move = {"start_at": slot["startsAt"], "end_at": slot["endsAt"]}
    for contact in ("john@example.com", "+12125550124", "doe"):
        assert_rejected(api.manage(number, contact=contact), 403, "permission_error")
        assert_rejected(api.manage(number, "cancel", contact=contact), 403, "permission_error")
        assert_rejected(api.manage(number, "reschedule", move, contact=contact), 403, "permission_error")


def test_400_without_contact(api: Api) -> None:
    """The contact must be in the query."""
    number = api.book()
    assert_rejected(api.get(f"/bookings/confirmation/{number}"), 400, "validation_error", "contact")
    assert_rejected(api.get(f"/bookings/confirmation/{number}", contact=" "), 400, "validation_error", "contact")
    assert_rejected(api.get(f"/bookings/confirmation/{number}", email="x@y.zz"), 400, "validation_error", "email")


def test_409_when_the_time_is_taken(api: Api) -> None:
    """The second one comes too late, with and without a host named; so does a reschedule."""
    slot = next(slot for slot in api.slots("full-color"))
    api.book("full-color", slot)
    assert_rejected(api.create(api.body("full-color", slot)), 409, "conflict")
    assert_rejected(api.create(api.body("full-color", slot, host_id="host_sarah")), 409, "conflict")
    number = api.book("full-color")
    move = {"start_at": slot["startsAt"], "end_at": slot["endsAt"]}
    assert_rejected(api.manage(number, "reschedule", move), 409, "conflict")


def test_409_for_a_time_that_the_crowd_has(api: Api) -> None:
    """A time on the grid that was never listed is taken, not nonsense."""
    body = api.body("head-spa", {"startsAt": "2026-11-24T16:00:00Z", "endsAt": "2026-11-24T16:45:00Z"})
    assert_rejected(api.create(body), 409, "conflict")


@pytest.mark.parametrize(
    ("starts", "ends", "why"),
    [
        ("2026-11-21T15:00:00Z", "2026-11-21T16:00:00Z", "passed"),
        ("2027-06-01T15:00:00Z", "2027-06-01T16:00:00Z", "window"),
        ("9999-12-31T15:00:00Z", "9999-12-31T16:00:00Z", "window"),
        ("2026-12-01T14:07:00Z", "2026-12-01T15:07:00Z", "not one"),
        ("2026-11-30T15:00:00Z", "2026-11-30T16:00:00Z", "not one"),
        ("2026-11-26T15:00:00Z", "2026-11-26T16:00:00Z", "not one"),
        ("2026-12-01T18:00:00Z", "2026-12-01T19:00:00Z", "not one"),
    ],
    ids=["past", "beyond the window", "last year of all", "off the grid", "closed weekday", "holiday", "lunch"],
)
def test_422_for_a_time_that_is_never_offered(api: Api, starts: str, ends: str, why: str) -> None:
    """Past, too far, closed and off the grid are understood but impossible."""
    assert_rejected(api.create(api.body(slot={"startsAt": starts, "endsAt": ends})), 422, "unprocessable", why)


def test_422_for_what_cant_be_changed(api: Api) -> None:
    """Canceled twice, moved after cancel, begun, or inside an enforced notice."""
    slot = api.slots()[0]
    number = api.book(slot=slot)
    move = {"start_at": slot["startsAt"], "end_at": slot["endsAt"]}
    api.manage(number, "cancel")
    assert_rejected(api.manage(number, "cancel"), 422, "unprocessable", "already canceled")
    assert_rejected(api.manage(number, "reschedule", move), 422, "unprocessable", "already canceled")
    color = api.book("full-color")
    api.sandbox.clock.advance(timedelta(hours=20))
    assert_rejected(api.manage(color, "cancel"), 422, "unprocessable", "48 hours")
    begun = api.book()
    api.sandbox.clock.set(NOW.replace(month=12, day=31))
    assert_rejected(api.manage(begun, "cancel"), 422, "unprocessable", "begun")


def test_an_internal_service_is_not_bookable(api: Api) -> None:
    """It is not in the list, says so itself, has no slots and can't be booked."""
    services = api.get("/org/acme-salon").json()["services"]
    assert all(each["isBookablePublic"] for each in services)
    assert "staff-training" not in [each["slug"] for each in services]
    assert api.get("/org/acme-salon/service/staff-training").json()["service"]["isBookablePublic"] is False
    assert api.slots("staff-training") == []
    body = api.body("staff-training", {"startsAt": "2026-12-01T15:00:00Z", "endsAt": "2026-12-01T16:00:00Z"})
    assert_rejected(api.create(body), 422, "unprocessable", "public")


def test_teams_without_hosts_are_offered_at_the_same_time(api: Api) -> None:
    """Each team is a slot of its own without a host, and can be asked for."""
    slots = api.slots("makeover")
    start = next(one["startsAt"] for one, two in pairwise(slots) if one["startsAt"] == two["startsAt"])
    at_once = [slot for slot in slots if slot["startsAt"] == start]
    assert [(slot["teamId"], slot["host"]) for slot in at_once] == [("team_day", None), ("team_stage", None)]
    assert at_once[1]["team"] == {"id": "team_stage", "displayName": "Stage team"}
    api.book("makeover", at_once[1], team_id="team_stage")
    assert [slot for slot in api.slots("makeover") if slot["startsAt"] == start] == at_once[:1]
    body = api.body("makeover", at_once[1], team_id="team_stage")
    assert_rejected(api.create(body), 409, "conflict")
    assert [each["team_id"] for each in api.sandbox.bookings()] == ["team_stage"]
    assert_rejected(api.create(body | {"team_id": "team_hair"}), 400, "validation_error", "team_id")


def test_pending_until_the_business_decides(api: Api) -> None:
    """One service is only confirmed by hand."""
    number = api.book("bridal-styling")
    assert api.manage(number).json()["booking"]["status"] == "pending"
    api.sandbox.set_status(number, "confirmed")
    assert api.manage(number).json()["booking"]["status"] == "confirmed"


def test_idempotency_key_books_once(api: Api) -> None:
    """The same key and body get the same answer for ever, even once the time is long over."""
    body = api.body()
    first = api.create(body, Idempotency_Key="k1")
    api.sandbox.clock.set(NOW.replace(year=2031))
    again = api.create(dict(reversed(body.items())), Idempotency_Key="k1")
    assert (again.status_code, again.json()) == (201, first.json())
    assert len(api.sandbox.bookings()) == 1


def test_idempotency_key_with_another_body_is_422(api: Api) -> None:
    """A key belongs to one body."""
    slots = api.slots()
    assert api.create(api.body(slot=slots[0]), Idempotency_Key="k1").status_code == 201
    assert_rejected(api.create(api.body(slot=slots[-1]), Idempotency_Key="k1"), 422, "unprocessable", "another body")
    assert len(api.sandbox.bookings()) == 1


def test_idempotency_stores_a_rejection_but_not_bad_input(api: Api) -> None:
    """A 409 is repeated although the time is free again; a 400 leaves the key unused."""
    slot = api.slots("full-color")[0]
    number = api.sandbox.book_by_phone("full-color", NOW.fromisoformat(slot["startsAt"]))
    body = api.body("full-color", slot)
    assert_rejected(api.create(body, Idempotency_Key="k1"), 409, "conflict")
    api.sandbox.set_status(number, "canceled")
    assert_rejected(api.create(body, Idempotency_Key="k1"), 409, "conflict")
    assert_rejected(api.create(body | {"party_size": 0}, Idempotency_Key="k2"), 400, "validation_error")
    assert api.create(body, Idempotency_Key="k2").status_code == 201


def test_idempotency_keys_are_per_organization(api: Api) -> None:
    """Two businesses may use the same key."""
    north = Api(api.sandbox, key=NORTH_KEY)
    slot = north.slots("check-up", org_slug="north-dental")[0]
    body = api.body("check-up", slot, org_slug="north-dental")
    assert north.create(body, Idempotency_Key="k1").status_code == 201
    assert api.create(Idempotency_Key="k1").status_code == 201


def test_idempotency_keys_have_an_end(api: Api) -> None:
    """Up to 255 characters are stored, longer ones rejected."""
    body = api.body()
    assert_rejected(api.create(body, Idempotency_Key="k" * 256), 400, "validation_error", "Idempotency-Key")
    assert api.create(body, Idempotency_Key="k" * 255).status_code == 201
