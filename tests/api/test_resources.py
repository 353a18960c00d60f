"""Resources are immutable, hide personal data in their repr, and survive the cache."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.api import resources
from kordless_booking.api.parsing import (
    SkippedItems,
    parse_booking,
    parse_organization,
    parse_service_detail,
    parse_slots,
)
from kordless_booking.api.resources import (
    Booking,
    Contact,
    NewBooking,
    OrganizationDetail,
    Price,
    PriceKind,
    ServiceDetail,
    Slot,
    decode,
    encode,
)
from tests.support.api_clients import CONTACT, DOCUMENTS, END, LONG, NEW, NUMBER, START


def test_what_is_public_is_pinned() -> None:
    """The names that others build on are these."""
    assert resources.__all__ == [
        "CONFIRMATION_NUMBER",
        "Booking",
        "Branding",
        "CalendarSettings",
        "CancellationPolicy",
        "Contact",
        "Host",
        "Location",
        "NewBooking",
        "Organization",
        "OrganizationDetail",
        "Price",
        "PriceKind",
        "Service",
        "ServiceDetail",
        "Slot",
        "Team",
        "decode",
        "encode",
    ]


def test_the_offer_survives_the_cache() -> None:
    """An offer is the same after JSON, its exact price included."""
    offer = parse_organization(DOCUMENTS["organization"], SkippedItems(), org_slug="acme-salon")
    assert decode(encode(offer), OrganizationDetail) == offer


def test_a_service_survives_the_cache() -> None:
    """A service with its calendar is the same after JSON."""
    detail = parse_service_detail(DOCUMENTS["service"], SkippedItems(), org_slug="acme-salon", slug="haircut")
    assert decode(encode(detail), ServiceDetail) == detail


def test_slots_survive_the_cache() -> None:
    """A tuple of slots is the same after JSON, its times still aware."""
    slots = parse_slots(DOCUMENTS["availability"], SkippedItems())
    back = decode(encode(slots), tuple[Slot, ...])
    assert back == slots
    assert back[0].start.utcoffset() is not None


def test_bookings_survive_the_cache() -> None:
    """NewBooking and Booking are equal after encoding and decoding."""
    booking = parse_booking(LONG)
    assert decode(encode(booking), Booking) == booking
    assert decode(encode(NEW), NewBooking) == NEW


@given(st.decimals(min_value=0, max_value=10**9, allow_nan=False, places=2))
def test_prices_survive_the_cache_to_the_cent(amount: Decimal) -> None:
    """No price is rounded on its way through JSON."""
    price = Price(kind=PriceKind.FIXED, amount=amount, currency="USD")
    assert decode(encode(price), Price) == price


@pytest.mark.parametrize("data", [b"", b"{", b"null", b"[]", b'{"organization": 1}', b"\x80\x04", b'"\xff"'])
def test_other_bytes_are_rejected(data: bytes) -> None:
    """Bytes of another version or of another origin raise ValueError."""
    with pytest.raises(ValueError, match="expected"):
        decode(data, OrganizationDetail)


def test_nobody_is_named_in_a_repr() -> None:
    """The repr of what holds a contact or a confirmation number shows neither."""
    shown = repr([parse_booking(LONG), NEW, NEW.contact, Contact(name="Zzqx", email=CONTACT)])
    for secret in (CONTACT, "Jane", "Zzqx", "+12125550123", NUMBER):
        assert secret not in shown


def test_resources_do_not_change() -> None:
    """Assigning to a field raises."""
    slot = Slot(start=START, end=END)
    with pytest.raises(AttributeError):
        slot.available = 3  # type: ignore[misc]
    assert slot == Slot(start=datetime(2026, 12, 1, 14, tzinfo=UTC), end=END)
