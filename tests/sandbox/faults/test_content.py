"""Faults of the content: well-formed responses with wrong values."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.sandbox_api import Api


def test_hostile_texts(api: Api) -> None:
    """Markup, javascript: and CSS stand wherever a business can type."""
    number = api.book()
    api.sandbox.faults.add("hostile")
    document = api.get("/org/acme-salon").json()
    assert "<script>" in document["organization"]["name"]
    assert "<script>" in document["services"][0]["description"]
    assert document["organization"]["branding"]["logo"].startswith("javascript:")
    assert "body{" in document["organization"]["branding"]["primaryColor"]
    assert "<script>" in api.slots()[0]["host"]["displayName"]
    assert api.manage(number).json()["booking"]["location"]["value"].startswith("javascript:")


def test_unknown_values(api: Api) -> None:
    """A new status and a new location type."""
    number = api.book()
    api.sandbox.faults.add("unknown_values")
    booking = api.manage(number).json()["booking"]
    assert (booking["status"], booking["location"]["type"]) == ("waitlisted", "hologram")


def test_long_texts(api: Api) -> None:
    """Names of 300 letters."""
    api.sandbox.faults.add("long_texts")
    names = [each["name"] for each in api.get("/org/acme-salon").json()["services"]]
    assert all(len(name) >= 100 for name in names)


def test_terms_changed(api: Api) -> None:
    """Another price everywhere, another length on request."""
    api.sandbox.faults.add("terms_changed", price=51.5, duration=45)
    document = api.get("/org/acme-salon/service/haircut").json()
    assert (document["service"]["price"], document["service"]["duration"]) == (51.5, 45)
    assert document["calendarSettings"]["duration_minutes"] == 45


def test_org_renamed(api: Api) -> None:
    """The new name stands in offers and bookings alike."""
    number = api.book()
    api.sandbox.faults.add("org_renamed", name="Shears", slug="shears")
    assert api.get("/org/acme-salon").json()["organization"]["name"] == "Shears"
    booking = api.manage(number).json()["booking"]
    assert (booking["organization_name"], booking["organization_slug"]) == ("Shears", "shears")


def test_somebody_elses(api: Api) -> None:
    """Another booking, another service, another organization, or no number at all."""
    body = api.body()
    number = api.book()
    api.sandbox.faults.add("other_booking", times=2)
    other = api.manage(number).json()["booking"]
    assert other["confirmation_number"] != number
    assert other["service_slug"] != "haircut"
    assert api.slots()[0]["serviceId"] != "haircut"
    api.sandbox.faults.add("other_org", times=1)
    assert api.get("/org/acme-salon").json()["organization"]["slug"] == "somebody-else"
    api.sandbox.faults.add("no_number", times=1)
    api.sandbox.clock.use_real_time()
    assert "confirmation_number" not in api.manage(number).json()["booking"]
    assert body


def test_no_status(api: Api) -> None:
    """The booking is made and says all but its status."""
    api.sandbox.faults.add("no_status", operation="create")
    assert "status" not in api.create().json()["booking"]
    assert api.sandbox.bookings()[0]["status"] == "confirmed"


def test_not_public(api: Api) -> None:
    """One service of the list, or each one, is not for visitors."""
    api.sandbox.faults.add("not_public", service="haircut", times=1)
    services = api.get("/org/acme-salon").json()["services"]
    assert [each["slug"] for each in services if not each["isBookablePublic"]] == ["haircut"]
    api.sandbox.faults.add("not_public")
    assert not any(each["isBookablePublic"] for each in api.get("/org/acme-salon").json()["services"])
