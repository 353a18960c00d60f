"""Receipts and manage links: encrypted, each for its own page and time, short enough for a URL, and silent."""

from datetime import timedelta

import msgspec
import pytest

from kordless_booking.api.resources import Booking, Contact, Location
from kordless_booking.booking.receipt import MAX_NAMED_TOKEN, ManageLink, Receipt
from kordless_booking.booking.tokens import MAX_URL_TOKEN, ExpiredToken, InvalidToken, encrypt_token
from tests.support.clock import NOW
from tests.support.terms import make_terms

STAMP = NOW.timestamp()
EMAIL = "canary+7f3a@example.com"
BOOKING = Booking(
    confirmation_number="BOOK_AB12",
    status="confirmed",
    start=NOW + timedelta(days=1),
    end=NOW + timedelta(days=1, hours=1),
    service_name="Haircut",
    organization_name="Acme Salon",
    location=Location(type="onsite", value="123 Main St"),
)
OPEN = Receipt(
    key="0123456789abcdef",
    terms=make_terms(host_name="Sarah", party_size=2),
    contact=EMAIL,
    digest="0123456789abcdef" * 4,
    form_input={"name": "Zzqx Canary", "email": EMAIL, "notes": "Side door"},
)
PLACED = msgspec.structs.replace(OPEN, digest="", form_input={}, booking=BOOKING, placed_at=int(STAMP))
LINK = ManageLink(number="BOOK_AB12", contact=EMAIL, expires=int(STAMP) + 400 * 86400, timezone="Europe/Paris")


def hardly_compressible(length: int) -> str:
    """A text that stays long however it is packed."""
    return "".join(chr(0x4E00 + (n * n * 31) % 20000) for n in range(length))


def test_an_attempts_receipt_comes_back_for_a_day(clock):
    """With what was typed, so that a conflict loses nothing."""
    token = OPEN.to_token("default")
    assert Receipt.from_attempt_token(token, "default", STAMP + 86400) == OPEN
    with pytest.raises(ExpiredToken):
        Receipt.from_attempt_token(token, "default", STAMP + 86401)


def test_a_confirmation_comes_back_for_thirty_days(clock):
    """With the booking in it, so that looking at it again asks nobody."""
    token = PLACED.to_token("default")
    assert Receipt.from_confirmation_token(token, "default", STAMP + 30 * 86400) == PLACED
    with pytest.raises(ExpiredToken):
        Receipt.from_confirmation_token(token, "default", STAMP + 30 * 86400 + 1)


def test_a_manage_link_works_until_it_expires(clock):
    """The date in it decides, and it is exact."""
    token = LINK.to_token("default")
    assert ManageLink.from_token(token, "default", LINK.expires) == LINK
    with pytest.raises(InvalidToken):
        ManageLink.from_token(token, "default", LINK.expires + 1)


def test_each_token_opens_its_own_page_only(clock):
    """An attempt is no confirmation, a confirmation is no manage link, and so on all around."""
    tokens = {
        Receipt.from_attempt_token: OPEN.to_token("default"),
        Receipt.from_confirmation_token: PLACED.to_token("default"),
        ManageLink.from_token: LINK.to_token("default"),
    }
    for read in tokens:
        for other, token in tokens.items():
            if other != read:
                with pytest.raises(InvalidToken):
                    read(token, "default", STAMP)


@pytest.mark.parametrize(
    ("read", "made"),
    [(Receipt.from_attempt_token, OPEN), (Receipt.from_confirmation_token, PLACED), (ManageLink.from_token, LINK)],
)
def test_another_account_or_any_change_is_rejected(clock, read, made):
    """One character anywhere, or the other business."""
    token = made.to_token("north")
    assert read(token, "north", STAMP) == made
    with pytest.raises(InvalidToken):
        read(token, "south", STAMP)
    for at in range(0, len(token), 7):
        with pytest.raises(InvalidToken):
            read(token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :], "north", STAMP)


@pytest.mark.parametrize("payload", [{}, {"key": 7}, {"number": "BOOK_AB12", "contact": None, "expires": "soon"}])
def test_contents_of_another_version_are_an_invalid_token(clock, payload):
    """Encrypted by us, but not as this version reads it."""
    for purpose, read in (
        ("receipt", Receipt.from_attempt_token),
        ("confirmation", Receipt.from_confirmation_token),
        ("manage", ManageLink.from_token),
    ):
        with pytest.raises(InvalidToken):
            read(encrypt_token(purpose, "default", payload), "default", STAMP)


@pytest.mark.parametrize("made", [OPEN, PLACED, LINK])
def test_nothing_personal_can_be_read(clock, made):
    """Neither in the token nor in a repr, as an error report would show it."""
    for shown in (made.to_token("default"), repr(made), str(made), f"{made}", repr([made])):
        assert not [private for private in (EMAIL, "Zzqx", "door", "BOOK_AB12") if private in shown]


def test_long_notes_stay_behind_and_the_rest_comes_along(clock):
    """The attempt page's address must fit every server."""
    long_receipt = msgspec.structs.replace(OPEN, form_input={**OPEN.form_input, "notes": hardly_compressible(1000) * 2})
    token = long_receipt.to_token("default")
    assert len(token) <= MAX_URL_TOKEN
    kept = Receipt.from_attempt_token(token, "default", STAMP)
    assert kept.form_input == {"name": "Zzqx Canary", "email": EMAIL}
    assert (kept.key, kept.contact, kept.terms.party_size) == (OPEN.key, EMAIL, 2)


def test_a_wordy_business_does_not_break_the_confirmation(clock):
    """Long texts of the business, which can be fetched again, are dropped; number, status and time stay."""
    long_receipt = msgspec.structs.replace(
        BOOKING, location=Location(type="custom", value=hardly_compressible(3000)), contact=Contact(name="Zzqx")
    )
    token = msgspec.structs.replace(PLACED, booking=long_receipt).to_token("default")
    assert len(token) <= MAX_URL_TOKEN
    kept = Receipt.from_confirmation_token(token, "default", STAMP).booking
    assert kept == Booking(confirmation_number="BOOK_AB12", status="confirmed", start=BOOKING.start, end=BOOKING.end)


def test_a_manage_link_carries_names_while_it_stays_short(clock):
    """The names of host and team make pages of the booking say them; long ones would break the link in mails."""
    named = msgspec.structs.replace(LINK, host_id="host_sarah", host_name="Sarah", team_name="Hair team")
    token = named.to_token("default")
    assert ManageLink.from_token(token, "default", STAMP) == named
    assert len(token) < 320
    long_link = msgspec.structs.replace(named, host_name=hardly_compressible(300))
    token = long_link.to_token("default")
    assert len(token) <= MAX_NAMED_TOKEN
    kept = ManageLink.from_token(token, "default", STAMP)
    assert kept == msgspec.structs.replace(named, host_name=None, team_name=None)
