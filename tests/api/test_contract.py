"""The client against the sandbox, which is written independently: every operation, documented error and fault."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kordless_booking.api.client import Kordless
from kordless_booking.api.resources import Booking, Contact, NewBooking, PriceKind, Slot
from kordless_booking.api.session import wsgi_transport
from kordless_booking.exceptions import (
    BadRequest,
    ContactRefused,
    KeyRefused,
    KordlessError,
    NotFound,
    OutcomeUnknown,
    Refused,
    SlotTaken,
    TooMany,
)
from kordless_booking.sandbox import NORTH_KEY, SANDBOX_KEY, SANDBOX_ORG, Limits, Sandbox
from kordless_booking.sandbox.faults.injector import KINDS
from tests.support.api_clients import BASE

NOW = datetime(2026, 12, 1, 15, tzinfo=UTC)
MORROW = datetime(2026, 12, 2, tzinfo=UTC)
JANE = Contact(name="Jané Doe 👋", email="jane+hair@example.com", phone="+12125550123")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A fresh Kordless without rate limits, on the morning of 1 December 2026."""
    kordless = Sandbox(":memory:", now=NOW, limits=Limits.off(), sleep=lambda seconds: None)
    yield kordless
    kordless.close()


@pytest.fixture
def door(sandbox: Sandbox) -> Kordless:
    """A client of Acme Salon."""
    return opened(sandbox)


def opened(sandbox: Sandbox, **options: Any) -> Kordless:
    """A client on the sandbox."""
    settings: dict[str, Any] = {"api_key": SANDBOX_KEY, "org_slug": SANDBOX_ORG, "base_url": BASE}
    path = "https://api.kordless.ai/api/calendar/v1/public"
    return Kordless(**settings | {"base_url": path, "transport": wsgi_transport(sandbox)} | options)


def times(door: Kordless, slug: str = "haircut", days: int = 7, **options: Any) -> tuple[Slot, ...]:
    """Return the free times from tomorrow on."""
    return door.availability(slug, MORROW, MORROW + timedelta(days=days), **options)


def wanted(slot: Slot, slug: str = "haircut", **changes: Any) -> NewBooking:
    """A booking of that slot."""
    settings: dict[str, Any] = {
        "service_slug": slug,
        "start": slot.start,
        "end": slot.end,
        "timezone": "Europe/Paris",
        "contact": JANE,
        "host_id": slot.host.id if slot.host else None,
    }
    return NewBooking(**settings | changes)


def booked(door: Kordless, key: str = "key-1") -> Booking:
    """The first free haircut, booked."""
    return door.create(wanted(times(door)[0]), idempotency_key=key)


def test_the_organization(door: Kordless) -> None:
    """The business with all its public services, each kind of price among them."""
    offer = door.organization()
    assert (offer.organization.name, offer.organization.slug) == ("Acme Salon", SANDBOX_ORG)
    assert len(offer.services) >= 6
    assert {service.price.kind for service in offer.services} == set(PriceKind)
    assert all(service.bookable for service in offer.services)


def test_a_service_that_is_listed_as_not_public_is_not_bookable(door: Kordless, sandbox: Sandbox) -> None:
    """Kordless may list what visitors can't book."""
    sandbox.faults.add("not_public", service="beard-trim")
    services = door.organization().services
    assert [service.slug for service in services if not service.bookable] == ["beard-trim"]


def test_a_service(door: Kordless) -> None:
    """Each service with its calendar."""
    for service in door.organization().services:
        detail = door.service(service.slug)
        assert detail.service == service
        assert detail.calendar.duration_minutes == service.duration_minutes
        assert detail.calendar.timezone == "America/New_York"


def test_availability(door: Kordless) -> None:
    """Sorted free times in UTC, once per host; a class has seats for a party."""
    slots = times(door)
    assert slots
    assert list(slots) == sorted(slots, key=lambda slot: (slot.start, slot.host.id if slot.host else ""))
    assert len({slot.host.id for slot in slots if slot.host}) == 2
    assert all(slot.start.tzinfo is UTC and slot.end - slot.start == timedelta(hours=1) for slot in slots)
    assert {slot.capacity for slot in times(door, "styling-class", 30, party_size=3)} == {8}


def test_a_whole_life_of_a_booking(door: Kordless, sandbox: Sandbox) -> None:
    """Created, looked up by either contact in any case, moved, canceled: each answer agrees."""
    slot, *_between, other = (found for found in times(door) if found.host and found.host.id == "host_sarah")
    made = door.create(wanted(slot, notes="Window seat, bitte"), idempotency_key="life-1")
    assert (made.status, made.start, made.end) == ("confirmed", slot.start, slot.end)
    for contact in (JANE.email, JANE.phone):
        found = door.lookup(made.confirmation_number.lower(), contact or "")
        assert (found.service_slug, found.organization_slug) == ("haircut", SANDBOX_ORG)
        assert found.contact == JANE
    moved = door.reschedule(made.confirmation_number, JANE.phone or "", start=other.start, end=other.end)
    assert (moved.confirmation_number, moved.start) == (made.confirmation_number, other.start)
    gone = door.cancel(made.confirmation_number, JANE.email or "")
    assert (gone.status, gone.start) == ("canceled", other.start)
    assert [request.status for request in sandbox.requests if request.status not in {200, 201}] == []


def test_a_pending_booking_is_not_called_confirmed(door: Kordless) -> None:
    """A service that is confirmed by hand answers "pending"."""
    slot = times(door, "bridal-styling")[0]
    assert door.create(wanted(slot, "bridal-styling"), idempotency_key="p").status == "pending"


def test_the_same_key_books_once(door: Kordless, sandbox: Sandbox) -> None:
    """Sent twice, one booking and one number; with another body, Refused."""
    first, second = times(door)[:2]
    new = wanted(first)
    one = door.create(new, idempotency_key="same")
    assert door.create(new, idempotency_key="same").confirmation_number == one.confirmation_number
    assert len(sandbox.bookings()) == 1
    with pytest.raises(Refused):
        door.create(wanted(second), idempotency_key="same")


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("status", {"status": 500, "carried_out": True}),
        ("status", {"status": 502, "carried_out": True, "html": True}),
        ("reset", {}),
        ("reset", {"after_bytes": 0}),
        ("hang", {"carried_out": True}),
        ("no_number", {}),
        ("empty", {}),
        ("broken_json", {}),
        ("other_booking", {}),
    ],
)
def test_a_lost_answer_is_found_with_the_same_key(
    door: Kordless, sandbox: Sandbox, kind: str, options: dict[str, Any]
) -> None:
    """The booking was made and its answer lost: unknown, not failed; the same key then tells the number."""
    sandbox.faults.add(kind, "create", times=1, **options)
    new = wanted(times(door)[0])
    with pytest.raises(OutcomeUnknown):
        door.create(new, idempotency_key="lost")
    found = door.create(new, idempotency_key="lost")
    assert [row["number"] for row in sandbox.bookings()] == [found.confirmation_number]


Refusal = Callable[[Kordless, Sandbox], object]


def long_range(door: Kordless, sandbox: Sandbox) -> object:
    """More than 62 days."""
    return door.availability("haircut", MORROW, MORROW + timedelta(days=63))


def no_mail(door: Kordless, sandbox: Sandbox) -> object:
    """An e-mail that is none."""
    return door.create(wanted(times(door)[0], contact=Contact(name="X", email="nobody")), idempotency_key="k")


def taken(door: Kordless, sandbox: Sandbox) -> object:
    """A time that went by phone."""
    slot = times(door)[0]
    sandbox.book_by_phone("haircut", slot.start, slot.host.id if slot.host else None)
    return door.create(wanted(slot), idempotency_key="k")


def not_public(door: Kordless, sandbox: Sandbox) -> object:
    """A service that visitors can't book."""
    slot = times(door)[0]
    return door.create(wanted(slot, "staff-training", host_id=None), idempotency_key="k")


def wrong_contact(operation: str) -> Refusal:
    """A real number with somebody else's e-mail."""

    def refused(door: Kordless, sandbox: Sandbox) -> object:
        made = booked(door)
        return act(door, operation, made.confirmation_number, "else@example.com")

    return refused


def wrong_number(operation: str) -> Refusal:
    """A number that nobody has."""
    return lambda door, sandbox: act(door, operation, "BOOK_NONE", JANE.email or "")


def canceled_before(operation: str) -> Refusal:
    """A booking that is canceled already."""

    def refused(door: Kordless, sandbox: Sandbox) -> object:
        made = booked(door)
        door.cancel(made.confirmation_number, JANE.email or "")
        return act(door, operation, made.confirmation_number, JANE.email or "")

    return refused


def act(door: Kordless, operation: str, number: str, contact: str) -> object:
    """Lookup, cancel or reschedule."""
    if operation == "reschedule":
        start = MORROW + timedelta(hours=19)
        return door.reschedule(number, contact, start=start, end=start + timedelta(hours=1))
    return {"lookup": door.lookup, "cancel": door.cancel}[operation](number, contact)


def move_to_taken(door: Kordless, sandbox: Sandbox) -> object:
    """Another's time."""
    first, *_rest, last = (slot for slot in times(door) if slot.host and slot.host.id == "host_sarah")
    made = door.create(wanted(first), idempotency_key="k")
    sandbox.book_by_phone("haircut", last.start, "host_sarah")
    return door.reschedule(made.confirmation_number, JANE.email or "", start=last.start, end=last.end)


def move_and_stretch(door: Kordless, sandbox: Sandbox) -> object:
    """Another length."""
    slot = times(door)[0]
    made = door.create(wanted(slot), idempotency_key="k")
    return door.reschedule(
        made.confirmation_number, JANE.email or "", start=slot.start, end=slot.end + timedelta(hours=1)
    )


REFUSALS: list[tuple[str, int, type[KordlessError], Refusal]] = [
    ("service", 404, NotFound, lambda door, sandbox: door.service("no-such-service")),
    ("availability", 400, BadRequest, long_range),
    ("availability", 404, NotFound, lambda door, sandbox: times(door, "no-such-service")),
    ("create", 400, BadRequest, no_mail),
    ("create", 404, NotFound, lambda door, sandbox: door.create(wanted(times(door)[0], "none"), idempotency_key="k")),
    ("create", 409, SlotTaken, taken),
    ("create", 422, Refused, not_public),
    ("lookup", 403, ContactRefused, wrong_contact("lookup")),
    ("lookup", 404, NotFound, wrong_number("lookup")),
    ("cancel", 403, ContactRefused, wrong_contact("cancel")),
    ("cancel", 404, NotFound, wrong_number("cancel")),
    ("cancel", 422, Refused, canceled_before("cancel")),
    ("reschedule", 400, BadRequest, move_and_stretch),
    ("reschedule", 403, ContactRefused, wrong_contact("reschedule")),
    ("reschedule", 404, NotFound, wrong_number("reschedule")),
    ("reschedule", 409, SlotTaken, move_to_taken),
    ("reschedule", 422, Refused, canceled_before("reschedule")),
]


@pytest.mark.parametrize(
    ("operation", "status", "expected", "refused"), REFUSALS, ids=[f"{row[0]}-{row[1]}" for row in REFUSALS]
)
def test_each_documented_refusal(
    door: Kordless, sandbox: Sandbox, operation: str, status: int, expected: type[KordlessError], refused: Refusal
) -> None:
    """The sandbox sends each documented error, and the client raises its exception class."""
    with pytest.raises(expected) as caught:
        refused(door, sandbox)
    assert type(caught.value) is expected
    assert (caught.value.operation, caught.value.status) == (operation, status)
    assert sandbox.requests[-1].status == status


KEYED: dict[str, Callable[[Kordless], object]] = {
    "organization": lambda door: door.organization(),
    "service": lambda door: door.service("haircut"),
    "availability": times,
    "create": lambda door: door.create(
        NewBooking(
            service_slug="haircut",
            start=MORROW + timedelta(hours=19),
            end=MORROW + timedelta(hours=20),
            timezone="UTC",
            contact=JANE,
        ),
        idempotency_key="k",
    ),
}


@pytest.mark.parametrize("operation", KEYED)
@pytest.mark.parametrize(
    ("options", "status", "expected"),
    [
        ({"api_key": "wrong"}, 401, KeyRefused),
        ({"api_key": NORTH_KEY}, 403, KeyRefused),
        ({"org_slug": "nobody"}, 404, NotFound),
    ],
)
def test_keys_and_organizations_are_checked(
    sandbox: Sandbox, operation: str, options: dict[str, str], status: int, expected: type[KordlessError]
) -> None:
    """A wrong key, another's key and an unknown organization, for each operation that needs a key."""
    with pytest.raises(expected) as caught:
        KEYED[operation](opened(sandbox, **options))
    assert (type(caught.value), caught.value.status) == (expected, status)


@pytest.mark.parametrize("operation", KEYED)
def test_too_many_requests(sandbox: Sandbox, door: Kordless, operation: str) -> None:
    """The 61st request, or the 11th creation, of a minute is TooMany, and says when to come back."""
    sandbox.limits = Limits(general=1, creations=1)
    door.organization()
    with pytest.raises(TooMany) as caught:
        KEYED[operation](door)
    assert 1 <= (caught.value.retry_after or 0) <= 62


@pytest.mark.parametrize("operation", ["lookup", "cancel", "reschedule"])
def test_too_many_questions_about_a_booking(sandbox: Sandbox, door: Kordless, operation: str) -> None:
    """Operations without a key are limited too."""
    made = booked(door)
    sandbox.limits = Limits(contact=1, retry_after=True)
    door.lookup(made.confirmation_number, JANE.email or "")
    with pytest.raises(TooMany) as caught:
        act(door, operation, made.confirmation_number, JANE.email or "")
    assert 1 <= (caught.value.retry_after or 0) <= 62


MILD: dict[str, dict[str, Any]] = {"huge": {"megabytes": 3}, "drip": {"seconds": 0.0, "size": 500}}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_fault_gets_past_the_client(sandbox: Sandbox, door: Kordless, kind: str) -> None:
    """Whatever the sandbox does, each operation gives its struct or a KordlessError, never anything else."""
    made = booked(door)
    slot = times(door)[3]
    sandbox.faults.add(kind, **MILD.get(kind, {}))
    number, contact = made.confirmation_number, JANE.email or ""
    calls: list[Callable[[], object]] = [
        door.organization,
        lambda: door.service("haircut"),
        lambda: times(door),
        lambda: door.create(wanted(slot), idempotency_key="other"),
        lambda: door.lookup(number, contact),
        lambda: door.reschedule(number, contact, start=slot.start, end=slot.end),
        lambda: door.cancel(number, contact),
    ]
    for call in calls:
        try:
            assert call() is not None
        except KordlessError as error:
            assert error.operation  # noqa: PT017 (any other exception must fail here)


@pytest.mark.parametrize(
    ("kind", "operation", "call"),
    [
        ("other_org", "organization", lambda door: door.organization()),
        ("other_org", "service", lambda door: door.service("haircut")),
        ("other_booking", "service", lambda door: door.service("haircut")),
        ("other_booking", "availability", times),
    ],
)
def test_answers_about_others_are_never_believed(
    sandbox: Sandbox, door: Kordless, kind: str, operation: str, call: Callable[[Kordless], object]
) -> None:
    """Another organization's or service's answer is OutcomeUnknown."""
    sandbox.faults.add(kind, operation)
    with pytest.raises(OutcomeUnknown) as caught:
        call(door)
    assert caught.value.reason == "mismatch"


def test_over_real_http(sandbox: Sandbox) -> None:
    """The same over a real socket: browse, book, look up."""
    with sandbox.serve() as url:
        door = Kordless(api_key=SANDBOX_KEY, org_slug=SANDBOX_ORG, base_url=url, browse_seconds=10, booking_seconds=10)
        made = booked(door)
        assert door.lookup(made.confirmation_number, JANE.phone or "").contact == JANE
        door.close()
