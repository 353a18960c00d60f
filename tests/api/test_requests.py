"""Requests are exactly the documented ones, and impossible input is never sent."""

import json
import pickle
import re
from datetime import datetime, timedelta, timezone
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.api.client import Kordless
from kordless_booking.api.requests import (
    Operation,
    booking_path,
    contact_query,
    create_body,
    encode_json,
    format_utc,
    path_segment,
    validated_party_size,
)
from kordless_booking.api.resources import Contact, NewBooking
from kordless_booking.exceptions import NotFound
from tests.support.api_clients import BASE, CALLS, DOCUMENTS, END, KEY, NEW, START, answering, client

SENT = {
    "organization": ("GET", "/org/acme-salon", "", None),
    "service": ("GET", "/org/acme-salon/service/haircut", "", None),
    "availability": (
        "GET",
        "/availability",
        "org_slug=acme-salon&service_slug=haircut&from=2026-12-01T14%3A00%3A00Z&to=2026-12-01T15%3A00%3A00Z&partySize=1",
        None,
    ),
    "create": (
        "POST",
        "/bookings",
        "",
        {
            "org_slug": "acme-salon",
            "service_slug": "haircut",
            "starts_at": "2026-12-01T14:00:00Z",
            "ends_at": "2026-12-01T15:00:00Z",
            "timezone": "Europe/Paris",
            "contact": {"name": "Jane Doe", "email": "canary+7f3a@example.com", "phone": "+12125550123"},
        },
    ),
    "lookup": ("GET", "/bookings/confirmation/BOOK_AB12", "contact=canary%2B7f3a%40example.com", None),
    "cancel": ("POST", "/bookings/confirmation/BOOK_AB12/cancel", "contact=canary%2B7f3a%40example.com", None),
    "reschedule": (
        "POST",
        "/bookings/confirmation/BOOK_AB12/reschedule",
        "contact=canary%2B7f3a%40example.com",
        {"start_at": "2026-12-01T14:00:00Z", "end_at": "2026-12-01T15:00:00Z"},
    ),
}


@pytest.mark.parametrize("operation", CALLS)
def test_every_request_is_spelt_as_documented(operation: str) -> None:
    """Method, path, query and body of each operation are those of the contract, to the letter."""
    network = answering(DOCUMENTS[operation])
    CALLS[operation](client(network))
    (request,) = network.requests
    method, path, query, body = SENT[operation]
    assert request.method == method
    assert request.url.raw_path.decode() == httpx.URL(BASE).path + path + (f"?{query}" if query else "")
    assert (json.loads(request.content) if request.content else None) == body


@pytest.mark.parametrize("operation", CALLS)
def test_the_key_travels_only_where_it_is_the_proof(operation: str) -> None:
    """Operations proved by a contact carry no API key, all others do, and none an organization id."""
    network = answering(DOCUMENTS[operation])
    CALLS[operation](client(network))
    headers = network.requests[0].headers
    keyed = operation not in {"lookup", "cancel", "reschedule"}
    assert headers.get("x-kordless-key") == (KEY if keyed else None)
    assert "x-organization-id" not in headers
    assert headers["accept"] == "application/json"
    assert headers["user-agent"].startswith("kordless-booking/")


def test_a_create_carries_its_idempotency_key() -> None:
    """The key of the caller goes into the Idempotency-Key header, and JSON is said to be JSON."""
    network = answering(DOCUMENTS["create"], 201)
    client(network).create(NEW, idempotency_key="abc-123")
    assert network.requests[0].headers["idempotency-key"] == "abc-123"
    assert network.requests[0].headers["content-type"] == "application/json"


def test_optional_answers_of_the_visitor_are_sent_when_there() -> None:
    """Party, host, team and notes of a create travel under their documented names."""
    more = NewBooking(
        service_slug="haircut",
        start=START,
        end=END,
        timezone="Europe/Paris",
        contact=Contact(name="Jané 👋", phone="+12125550123"),
        party_size=3,
        host_id="host_sarah",
        team_id="team_1",
        notes="Grüße",
    )
    body = json.loads(create_body(more, "acme-salon"))
    assert body["party_size"] == 3
    assert body["host_id"] == "host_sarah"
    assert body["team_id"] == "team_1"
    assert body["notes"] == "Grüße"
    assert body["contact"] == {"name": "Jané 👋", "phone": "+12125550123"}


def test_the_same_booking_has_the_same_bytes() -> None:
    """A repeated create sends byte-identical content, also when its times came in another zone."""
    elsewhere = timezone(timedelta(hours=5, minutes=45))
    moved = NewBooking(
        service_slug=NEW.service_slug,
        start=START.astimezone(elsewhere),
        end=END.astimezone(elsewhere),
        timezone=NEW.timezone,
        contact=NEW.contact,
    )
    assert create_body(moved, "acme-salon") == create_body(NEW, "acme-salon")


NAIVE = datetime(2026, 12, 1, 14)  # noqa: DTZ001 (what must be refused)


@pytest.mark.parametrize("pair", [(NAIVE, NAIVE + timedelta(hours=1)), (NAIVE, END), (START, NAIVE)])
def test_naive_times_never_pass(pair: tuple[datetime, datetime]) -> None:
    """A naive datetime anywhere raises ValueError and nothing is sent."""
    network = answering({})
    door = client(network)
    start, end = pair
    new = NewBooking(service_slug="haircut", start=start, end=end, timezone="UTC", contact=NEW.contact)
    for call in (
        lambda: door.availability("haircut", start, end),
        lambda: door.create(new, idempotency_key="k"),
        lambda: door.reschedule("BOOK_AB12", "a@example.com", start=start, end=end),
    ):
        with pytest.raises(ValueError, match="aware"):
            call()
    assert network.requests == []


def test_a_span_must_end_after_it_starts() -> None:
    """An empty or reversed range raises ValueError and nothing is sent."""
    network = answering({})
    with pytest.raises(ValueError, match="after it starts"):
        client(network).availability("haircut", START, START)
    with pytest.raises(ValueError, match="after it starts"):
        client(network).reschedule("BOOK_AB12", "a@example.com", start=END, end=START)
    assert network.requests == []


@pytest.mark.parametrize(
    "contact",
    [Contact(name="Jane"), Contact(name=" ", email="a@example.com"), Contact(name="Jane", email="", phone="")],
)
def test_a_contact_needs_a_name_and_a_way_to_reach_it(contact: Contact) -> None:
    """Without a name, or without both e-mail and phone, ValueError."""
    new = NewBooking(service_slug="haircut", start=START, end=END, timezone="UTC", contact=contact)
    with pytest.raises(ValueError, match="contact needs"):
        create_body(new, "acme-salon")


def test_a_booking_needs_a_service_and_a_zone() -> None:
    """An empty service or time zone raises ValueError."""
    new = NewBooking(service_slug="haircut", start=START, end=END, timezone="", contact=NEW.contact)
    with pytest.raises(ValueError, match="time zone"):
        create_body(new, "acme-salon")


@pytest.mark.parametrize("size", [0, -1, 1001, True])
def test_a_party_has_a_sane_size(size: int) -> None:
    """Nobody, fewer, far too many and a truth value raise ValueError."""
    with pytest.raises(ValueError, match="party"):
        validated_party_size(size)


@pytest.mark.parametrize("key", ["", "a b", "a\r\nX: y", "ключ", "x" * 256])
def test_an_idempotency_key_fits_a_header(key: str) -> None:
    """A key that could break out of its header raises ValueError and nothing is sent."""
    network = answering({})
    with pytest.raises(ValueError, match="idempotency"):
        client(network).create(NEW, idempotency_key=key)
    assert network.requests == []


@pytest.mark.parametrize(
    "number",
    [
        "",
        "x" * 201,
        "../../x",
        "AB12/../services",
        "..\\x",
        ".",
        "/AB12",
        "AB//12",
        "AB12\n",
        "A\0BC",
        "A\u2028B",
        "A\ud800",
    ],
)
def test_an_impossible_number_is_not_found_without_a_call(number: str) -> None:
    """An impossible confirmation number raises NotFound, and nothing is sent."""
    network = answering(DOCUMENTS["lookup"])
    door = client(network)
    if number.strip() != "AB12":
        with pytest.raises(NotFound):
            door.lookup(number, "a@example.com")
        with pytest.raises(NotFound):
            door.cancel(number, "a@example.com")
        assert network.requests == []


@pytest.mark.parametrize("contact", ["", "   ", "x" * 400, "a\nb@example.com", "\ud800@example.com", "a\0"])
def test_an_impossible_contact_is_not_found_without_a_call(contact: str) -> None:
    """An empty, endless or unencodable contact is NotFound, nothing sent."""
    network = answering(DOCUMENTS["lookup"])
    with pytest.raises(NotFound):
        client(network).lookup("BOOK_AB12", contact)
    assert network.requests == []


@pytest.mark.parametrize("slug", ["", " ", ".", "..", ". .", "a/b", "a\\b", "a\nb", "x" * 201, "\udfff"])
def test_an_impossible_slug_is_not_found_without_a_call(slug: str) -> None:
    """A slug that would leave its path segment is NotFound, nothing sent."""
    network = answering(DOCUMENTS["service"])
    with pytest.raises(NotFound):
        client(network).service(slug)
    with pytest.raises(NotFound):
        client(network).availability(slug, START, END)
    assert network.requests == []


@given(st.text(min_size=1, max_size=40))
def test_a_slug_stays_one_segment(slug: str) -> None:
    """Whatever text passes as a slug makes exactly one segment of plain path characters."""
    try:
        found = path_segment(slug, "service")
    except NotFound:
        return
    path = httpx.URL(f"{BASE}/org/acme/service/{found}").raw_path.decode("ascii")
    assert path.count("/") == httpx.URL(BASE).path.count("/") + 4
    assert not set(path) & set("?# \\")


@given(st.text(max_size=60))
def test_a_contact_stays_one_value(contact: str) -> None:
    """Whatever text passes as a contact arrives as exactly that one value of the query."""
    try:
        query = contact_query(contact, "lookup")
    except NotFound:
        return
    url = httpx.URL(f"{BASE}/x?{query}")
    assert url.params.multi_items() == [("contact", contact.strip())]
    assert "+" not in query


@given(st.text(max_size=70))
def test_a_number_in_a_path_is_plain(number: str) -> None:
    """A number is one segment of a booking's path, which no client, proxy or server resolves to another one."""
    try:
        path = booking_path(number, "lookup")
    except NotFound:
        return
    segment = path.removeprefix("/bookings/confirmation/")
    assert re.fullmatch(r"[A-Za-z0-9%_.~-]+", segment)
    assert unquote(segment) == number.strip()
    assert httpx.URL(f"{BASE}{path}").raw_path.decode().endswith(path)
    assert not {"", ".", ".."} & set(re.split(r"[/\\]", unquote(segment)))


@given(st.datetimes(timezones=st.timezones()))
def test_times_travel_in_utc(moment: datetime) -> None:
    """An aware time of any zone is written in UTC and means the same instant."""
    try:
        written = format_utc(moment)
    except OverflowError:
        return
    assert written.endswith("Z")
    assert datetime.fromisoformat(written) == moment.astimezone(timezone.utc)  # noqa: UP017 (told apart from ours)


def test_lone_surrogates_are_still_bytes() -> None:
    """Text that is no Unicode becomes question marks instead of an exception."""
    assert encode_json({"notes": "a\ud800b"}) == b'{"notes":"a?b"}'


def test_a_call_does_not_tell_what_it_carries() -> None:
    """The repr of a call shows its operation alone."""
    call = Operation("lookup", "GET", "/p/BOOK", lambda document, dropped: None, query="contact=a", body=b"x")
    assert repr(call) == "Operation(operation='lookup')"


@pytest.mark.parametrize("slug", ["", "..", "a/b"])
def test_an_organization_that_fits_no_path_is_a_mistake(slug: str) -> None:
    """A client for an impossible organization can't be made."""
    with pytest.raises(ValueError, match="slug"):
        client(answering({}), org_slug=slug)


def test_a_client_is_not_copied() -> None:
    """A client can't be pickled, and so neither can its key."""
    door: Kordless = client(answering({}))
    with pytest.raises(TypeError):
        pickle.dumps(door)
