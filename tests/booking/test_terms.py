"""Terms of a booking: complete in every token, compact, in UTC, and the same in the request to Kordless."""

import json
from datetime import UTC, date, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as fast
from hypothesis import strategies as st

from kordless_booking.api.resources import Contact, Host, NewBooking, Slot, Team
from kordless_booking.booking.availability import AvailableTime, free_times
from kordless_booking.booking.choices import Choices
from kordless_booking.booking.draft import Draft, sign, unsign
from kordless_booking.booking.receipt import ManageLink, Receipt
from kordless_booking.booking.terms import Terms
from kordless_booking.booking.tokens import InvalidToken, encrypt_token
from kordless_booking.presentation.timezones import timezones_by_country
from tests.support.clock import NOW
from tests.support.terms import make_terms

STAMP = NOW.timestamp()
SARAH, TEAM = Host(id="host_sarah", name="Sarah"), Team(id="team_hair", name="Hair")
FULL = make_terms(host_id="host_sarah", host_name="Sarah", team_id="team_hair", team_name="Hair", party_size=3)
MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2900, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (Hypothesis wants naive bounds)
NAMES = st.none() | st.text(max_size=60)


@st.composite
def any_terms(draw: st.DrawFn) -> Terms:
    """Draw terms with any texts, at any time."""
    start = draw(MOMENTS)
    return Terms(
        service=draw(st.text(min_size=1, max_size=60)),
        start=start,
        end=start + timedelta(minutes=draw(st.integers(1, 1440))),
        timezone=draw(st.sampled_from(sorted(timezones_by_country()))),
        host_id=draw(NAMES),
        host_name=draw(NAMES),
        team_id=draw(NAMES),
        team_name=draw(NAMES),
        party_size=draw(st.integers(1, 1000)),
    )


@fast(max_examples=100, deadline=None)
@given(terms=any_terms())
def test_terms_survive_json_and_every_token(terms: Terms) -> None:
    """JSON, the signed draft and the encrypted receipt return equal terms."""
    text = json.dumps(msgspec.to_builtins(terms))
    assert msgspec.convert(json.loads(text), Terms) == terms
    draft = Draft(terms=terms, issued_at=STAMP)
    assert unsign(sign(draft, "default"), "default", max_age=60, now=STAMP) == draft
    receipt = Receipt(key="k", terms=terms, contact="canary@example.com", digest="d")
    assert Receipt.from_attempt_token(receipt.to_token("default"), "default", 0) == receipt


@fast(max_examples=100, deadline=None)
@given(terms=any_terms())
def test_the_request_to_kordless_has_all_that_kordless_takes(terms: Terms) -> None:
    """The names of host and team are for people only, and stay here."""
    contact = Contact(name="Canary", email="canary@example.com")
    new = terms.new_booking(contact, "Side door")
    fields = msgspec.structs.asdict(terms)
    shared = {name for name in fields if name in NewBooking.__struct_fields__}
    assert set(fields) - shared == {"service", "host_name", "team_name"}
    assert {name: getattr(new, name) for name in shared} == {name: fields[name] for name in shared}
    assert (new.service_slug, new.contact, new.notes) == (terms.service, contact, "Side door")


def test_local_times_become_utc() -> None:
    """Equal instants make equal terms, and equal tokens."""
    paris = timezone(timedelta(hours=1))
    local = make_terms(start=FULL.start.astimezone(paris), end=FULL.end.astimezone(paris))
    assert local == make_terms()
    assert local.start.tzinfo is local.end.tzinfo is UTC
    assert msgspec.to_builtins(local) == msgspec.to_builtins(make_terms())


def test_naive_times_are_rejected() -> None:
    """Also in a token."""
    naive = datetime(2026, 12, 2, 14)  # noqa: DTZ001 (naive on purpose)
    with pytest.raises(ValueError, match="aware"):
        make_terms(start=naive, end=NOW)
    with pytest.raises(ValueError, match="aware"):
        make_terms(end=naive)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(["haircut", "2026-12-02T14:00:00", "2026-12-02T15:00:00Z", "UTC"], Terms)


def _available(*slots: Slot, party_size: int = 1) -> AvailableTime:
    days = free_times(slots, zone=UTC, now=NOW, party_size=party_size)
    ((moment,),) = days.values()
    return moment


def _slot(host: Host | None = None, team: Team | None = None) -> Slot:
    return Slot(start=FULL.start, end=FULL.end, capacity=5, available=5, host=host, team=team)


@pytest.mark.parametrize(
    ("slots", "chosen"),
    [
        ([_slot(SARAH, TEAM)], (SARAH.id, SARAH.name, TEAM.id, TEAM.name)),
        ([_slot(SARAH)], (SARAH.id, SARAH.name, None, None)),
        ([_slot(None, TEAM)], (None, None, TEAM.id, TEAM.name)),
        ([_slot(SARAH, TEAM), _slot(Host(id="host_tom"), TEAM)], (None, None, TEAM.id, TEAM.name)),
        ([_slot(None, TEAM), _slot(Host(id="host_tom"), TEAM)], (None, None, TEAM.id, TEAM.name)),
        ([_slot(SARAH, TEAM), _slot(SARAH, Team(id="team_color"))], (SARAH.id, SARAH.name, None, None)),
        ([_slot(None, TEAM), _slot(None, Team(id="team_color"))], (None, None, None, None)),
        ([_slot(SARAH, TEAM), _slot(Host(id="host_tom"), Team(id="team_color"))], (None, None, None, None)),
        ([_slot(SARAH, TEAM), _slot()], (None, None, None, None)),
        ([_slot(None, TEAM), _slot(SARAH)], (None, None, None, None)),
        ([_slot()], (None, None, None, None)),
    ],
)
def test_only_a_host_or_team_without_alternative_is_part_of_the_terms(
    slots: list[Slot], chosen: tuple[str | None, ...]
) -> None:
    """Kordless picks among several hosts or teams, so the terms must not promise one; what all share they have."""
    terms = Terms.from_available_time(
        _available(*slots, party_size=3), service="haircut", timezone="Europe/Paris", party_size=3
    )
    assert (terms.host_id, terms.host_name, terms.team_id, terms.team_name) == chosen
    assert (terms.service, terms.start, terms.end) == (FULL.service, FULL.start, FULL.end)
    assert (terms.timezone, terms.party_size) == ("Europe/Paris", 3)


def test_without_names_leaves_the_request_body_unchanged() -> None:
    """The ids decide; the names can be asked for again."""
    contact = Contact(name="Canary")
    short = FULL.without_names()
    assert (short.host_name, short.team_name) == (None, None)
    assert short.new_booking(contact, None) == FULL.new_booking(contact, None)


def test_the_day_is_that_of_the_clock_of_the_page() -> None:
    """Half past midnight in Auckland is still yesterday in UTC; the visitor's zone stays what it was."""
    start = datetime(2026, 12, 1, 11, 30, tzinfo=UTC)
    terms = make_terms(start=start, timezone="Pacific/Auckland", party_size=2)
    before = Choices(lang="de", host_id="host_tom", month=date(2026, 12, 1))
    for zone, day in (("Pacific/Auckland", date(2026, 12, 2)), ("UTC", date(2026, 12, 1))):
        assert terms.choices_for_day(before, zone) == Choices(
            lang="de", host_id="host_tom", timezone="Pacific/Auckland", day=day, party_size=2
        )


def test_tokens_are_as_short_as_their_contents_allow() -> None:
    """Draft and receipt are parts of URLs: these are the lengths of common ones, with some room."""
    draft = Draft(terms=FULL, issued_at=STAMP)
    assert len(sign(draft, "default")) < 250
    receipt = Receipt(key=draft.nonce, terms=FULL, contact="canary@example.com")
    assert len(receipt.to_token("default")) < 300


@pytest.mark.parametrize(
    "terms",
    [None, {}, [], "haircut", ["haircut", 0, 1, "UTC"], ["haircut", *["2026-12-02T14:00:00"] * 2, "UTC"], [1] * 9],
)
def test_unreadable_terms_are_an_invalid_token(terms: object, clock: object) -> None:
    """A token of another version must lead to the page for broken links, never to an error."""
    token = encrypt_token("receipt", "default", {"key": "k", "contact": "c", "terms": terms})
    with pytest.raises(InvalidToken):
        Receipt.from_attempt_token(token, "default", STAMP)


def test_a_manage_link_has_what_a_booking_lacks() -> None:
    """Kordless repeats neither host nor team nor party size, and the booking may only move to a time that fits."""
    given = {"number": "BOOK_AB12", "contact": "canary@example.com", "expires": 1, "timezone": "UTC"}
    link = ManageLink.for_terms(FULL, **given)
    assert (link.host_id, link.team_id, link.party_size, link.timezone) == ("host_sarah", "team_hair", 3, "UTC")
    assert ManageLink.for_terms(None, **given) == ManageLink(**given)
