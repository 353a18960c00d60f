"""Lenient parsing: odd documents become structs, or raise OutcomeUnknown."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kordless_booking.api import parsing
from kordless_booking.api.parsing import (
    MAX_METADATA_BYTES,
    SkippedItems,
    is_same_service,
    parse_booking,
    parse_organization,
    parse_service_detail,
    parse_slots,
)
from kordless_booking.api.resources import (
    Booking,
    CalendarSettings,
    Host,
    Location,
    OrganizationDetail,
    Price,
    PriceKind,
    ServiceDetail,
    Slot,
    Team,
    decode,
    encode,
    intern_values,
)
from kordless_booking.exceptions import OutcomeUnknown
from tests.support.api_clients import CALENDAR, DOCUMENTS, END, LONG, NUMBER, ORGANIZATION, SERVICE, SHORT, SLOT, START


def offer(document: object, dropped: SkippedItems | None = None) -> OrganizationDetail:
    """The offer of acme-salon in `document`."""
    return parse_organization(document, dropped or SkippedItems(), org_slug="acme-salon")


def detail(document: object) -> ServiceDetail:
    """The haircut of acme-salon in `document`."""
    return parse_service_detail(document, SkippedItems(), org_slug="acme-salon", slug="haircut")


def service(**changes: Any) -> Any:
    """The documented service with some fields changed."""
    return offer({"organization": ORGANIZATION, "services": [SERVICE | changes]}).services[0]


def slots(*items: object, dropped: SkippedItems | None = None) -> tuple[Slot, ...]:
    """The slots of an answer with these items."""
    return parse_slots({"slots": list(items)}, dropped or SkippedItems())


def slot(**changes: Any) -> Slot:
    """The documented slot with some fields changed."""
    (found,) = slots(SLOT | changes)
    return found


def respelt(document: Any, style: str) -> Any:
    """The same document with every name in another style."""
    if isinstance(document, list):
        return [respelt(item, style) for item in document]
    if not isinstance(document, dict):
        return document
    return {one_name(name, style): respelt(value, style) for name, value in document.items()}


def one_name(name: str, style: str) -> str:
    """`startsAt` or `starts_at` in "camel" or "snake"."""
    words = re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower().split("_")
    return "_".join(words) if style == "snake" else words[0] + "".join(word.title() for word in words[1:])


def test_the_documented_organization() -> None:
    """The example of the documentation, field by field."""
    found = offer(DOCUMENTS["organization"])
    assert (found.organization.name, found.organization.slug) == ("Acme Salon", "acme-salon")
    assert found.organization.branding.primary_color == "#6366f1"
    (only,) = found.services
    assert (only.key, only.slug, only.name, only.category) == ("haircut", "haircut", "Haircut", "Hair")
    assert (only.duration_minutes, only.bookable) == (60, True)
    assert only.price == Price(kind=PriceKind.FIXED, amount=Decimal("45.5"), currency="USD")


def test_the_documented_service() -> None:
    """The example's calendar settings, whatever their casing inside one another."""
    calendar = detail(DOCUMENTS["service"]).calendar
    assert calendar.location == Location(type="onsite", value="123 Main St")
    assert calendar.cancellation_policy is not None
    assert (calendar.cancellation_policy.notice_hours, calendar.cancellation_policy.text) == (24.0, "Call us")
    assert (calendar.booking_window_days, calendar.buffer_after) == (60, 10)


def test_the_documented_slot() -> None:
    """The example of availability, field by field."""
    assert slot() == Slot(
        start=START,
        end=END,
        capacity=1,
        available=1,
        service_id="haircut",
        host=Host(id="host_sarah", name="Sarah"),
        team=None,
        timezone="America/New_York",
    )


def test_the_documented_bookings() -> None:
    """The short form under "booking" and the long form bare."""
    short = parse_booking(DOCUMENTS["create"])
    assert (short.confirmation_number, short.status, short.start, short.end) == (NUMBER, "confirmed", START, END)
    assert short.ics_url == "https://example.com/a.ics"
    long = parse_booking(LONG)
    assert (long.organization_slug, long.service_slug, long.timezone) == ("acme-salon", "haircut", "Europe/Paris")
    assert long.contact is not None
    assert long.contact.name == "Jane Doe"
    assert parse_booking({"booking": LONG}) == long


@pytest.mark.parametrize("style", ["snake", "camel"])
def test_every_document_is_read_in_any_spelling(style: str) -> None:
    """All snake_case and all camelCase give the same structs as the documented mixture."""
    assert offer(respelt(DOCUMENTS["organization"], style)) == offer(DOCUMENTS["organization"])
    assert detail(respelt(DOCUMENTS["service"], style)) == detail(DOCUMENTS["service"])
    assert slots(respelt(SLOT, style)) == slots(SLOT)
    assert parse_booking(respelt(LONG, style)) == parse_booking(LONG)


@pytest.mark.parametrize("names", [("start_at", "end_at"), ("starts_at", "ends_at"), ("startsAt", "endsAt")])
def test_times_are_read_in_all_three_spellings(names: tuple[str, str]) -> None:
    """Slots and bookings understand each of the spellings that Kordless uses somewhere."""
    times = dict(zip(names, ("2026-12-01T14:00:00Z", "2026-12-01T15:00:00Z"), strict=True))
    assert (slots(times)[0].start, slots(times)[0].end) == (START, END)
    assert parse_booking({"confirmationNumber": NUMBER} | times).start == START


def test_unknown_fields_are_ignored() -> None:
    """New fields upstream change nothing."""
    assert slot(surprise={"a": [1]}, starts=None) == slot()
    assert parse_booking(LONG | {"surprise": 1}) == parse_booking(LONG)


def test_a_bare_minimum_is_enough() -> None:
    """Only what can't be guessed is needed."""
    found = offer({"organization": {}, "services": [{"slug": "haircut"}]})
    assert found.organization.name == "acme-salon"
    assert found.services[0].name == "haircut"
    assert found.services[0].price == Price()
    assert detail({"service": {}}).service.slug == "haircut"
    assert detail({"service": {}}).calendar == CalendarSettings()
    assert slots({"startsAt": SLOT["startsAt"], "endsAt": SLOT["endsAt"]})[0].available == 1
    assert parse_booking({}, number=NUMBER, start=START, end=END).confirmation_number == NUMBER


def test_a_service_without_a_length_or_texts_still_stands() -> None:
    """Null texts, a null duration and a null branding are nothing, not "None"."""
    found = service(description=None, category=None, duration=None, price=None, currency=None)
    assert (found.description, found.category, found.duration_minutes) == (None, None, None)
    assert offer({"organization": ORGANIZATION | {"branding": None}, "services": None}).services == ()


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (45, Price(kind=PriceKind.FIXED, amount=Decimal(45), currency="USD")),
        ("45.00", Price(kind=PriceKind.FIXED, amount=Decimal(45), currency="USD")),
        (45.1, Price(kind=PriceKind.FIXED, amount=Decimal("45.1"), currency="USD")),
        (0, Price(kind=PriceKind.FREE, currency="USD")),
        ("0.00", Price(kind=PriceKind.FREE, currency="USD")),
        ("free", Price(kind=PriceKind.FREE, currency="USD")),
        (None, Price(kind=PriceKind.VARIABLE, currency="USD")),
        ("variable", Price(kind=PriceKind.VARIABLE, currency="USD")),
        ("from 45", Price(kind=PriceKind.VARIABLE, currency="USD")),
        (-1, Price(kind=PriceKind.UNSPECIFIED, currency="USD")),
        ("", Price(kind=PriceKind.UNSPECIFIED, currency="USD")),
        ("NaN", Price(kind=PriceKind.UNSPECIFIED, currency="USD")),
        ("-5", Price(kind=PriceKind.UNSPECIFIED, currency="USD")),
        (True, Price(kind=PriceKind.UNSPECIFIED, currency="USD")),
        ({"amount": 1}, Price(kind=PriceKind.UNSPECIFIED, currency="USD")),
        (1e300, Price(kind=PriceKind.UNSPECIFIED, currency="USD")),
    ],
)
def test_prices_are_distinguished(price: object, expected: Price) -> None:
    """A number is fixed, 0 free, null or a word variable, and anything unusable is unsaid."""
    assert service(price=price).price == expected


def test_an_absent_price_is_unspecified() -> None:
    """No price at all is not the same as a null price."""
    document = {name: value for name, value in SERVICE.items() if name != "price"}
    found = offer({"organization": ORGANIZATION, "services": [document]}).services[0]
    assert found.price.kind is PriceKind.UNSPECIFIED


@pytest.mark.parametrize(("value", "currency"), [("usd", "USD"), ("US", None), ("$", None), (840, None), (None, None)])
def test_a_currency_is_three_letters(value: object, currency: str | None) -> None:
    """Anything else is no currency."""
    assert service(currency=value).price.currency == currency


@pytest.mark.parametrize(
    ("changes", "capacity", "free"),
    [
        ({}, 1, 1),
        ({"capacity": None, "availableCapacity": None}, 1, 1),
        ({"capacity": 8, "availableCapacity": None}, 8, 8),
        ({"capacity": None, "availableCapacity": 5}, 5, 5),
        ({"capacity": "8", "availableCapacity": 3.0}, 8, 3),
        ({"capacity": 8, "availableCapacity": -2}, 8, 0),
        ({"capacity": -1, "availableCapacity": 4}, 0, 0),
        ({"capacity": 2, "availableCapacity": 9}, 2, 2),
        ({"capacity": 0, "availableCapacity": 0}, 0, 0),
        ({"capacity": None, "availableCapacity": 0}, 1, 0),
    ],
)
def test_seats_are_counted_with_care(changes: dict[str, Any], capacity: int, free: int) -> None:
    """Null is one seat or all seats, negative is none, and never more are free than there are."""
    found = slot(**changes)
    assert (found.capacity, found.available) == (capacity, free)


@pytest.mark.parametrize(
    ("changes", "host"),
    [
        ({"host": None, "hostId": None}, None),
        ({"host": None}, Host(id="host_sarah")),
        ({"hostId": None}, Host(id="host_sarah", name="Sarah")),
        ({"hostId": 7, "host": None}, Host(id="7")),
        ({"host": {"id": "x", "display_name": "Sam"}, "hostId": None}, Host(id="x", name="Sam")),
        ({"host": {"id": "x", "name": "Sam"}, "hostId": None}, Host(id="x", name="Sam")),
        ({"host": "Sam"}, Host(id="host_sarah", name="Sam")),
        ({"host": {"name": "Sam"}, "hostId": None}, None),
        ({"host": [], "hostId": {}}, None),
    ],
)
def test_hosts_are_read_from_every_form(changes: dict[str, Any], host: Host | None) -> None:
    """Id and name come from either field and any spelling; nobody without an id is a host."""
    assert slot(**changes).host == host


def test_a_team_is_read_like_a_host() -> None:
    """A team has an id and perhaps a name."""
    assert slot(teamId="team_1", team={"id": "team_1", "name": "Hair"}).team == Team(id="team_1", name="Hair")


def test_one_bad_slot_hides_no_good_one() -> None:
    """Unusable slots are left out, counted, and the first is logged by its path and not its value."""
    dropped = SkippedItems()
    found = slots(
        SLOT,
        SLOT | {"startsAt": "2026-12-01T14:00:00"},
        SLOT | {"endsAt": "2026-12-01T13:00:00Z"},
        SLOT | {"capacity": "many"},
        None,
        7,
        dropped=dropped,
    )
    assert len(found) == 1
    assert dropped == SkippedItems(count=5, first_path="$.slots[1].startsAt")


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        "slots",
        {"slots": {}},
        {"slots": "none"},
        {"slots": [{}]},
        {"slots": [None, 1]},
        {"slots": [SLOT | {"startsAt": "14:00"}]},
    ],
)
def test_nothing_but_rubbish_is_a_bad_payload(document: object) -> None:
    """An answer without a single usable slot is OutcomeUnknown, not "no times"."""
    with pytest.raises(OutcomeUnknown) as caught:
        parse_slots(document, SkippedItems())
    assert caught.value.reason == "bad_payload"
    assert "14:00" not in str(caught.value)


@pytest.mark.parametrize("document", [{"slots": []}, {"slots": None}])
def test_no_slots_are_an_answer(document: object) -> None:
    """An empty list is empty."""
    assert parse_slots(document, SkippedItems()) == ()


def test_slots_are_sorted_and_merged() -> None:
    """By instant, then host; the same time and host stands there once, with the fewer seats."""
    later = SLOT | {"startsAt": "2026-12-01T16:00:00+01:00", "endsAt": "2026-12-01T17:00:00+01:00"}
    other = SLOT | {"hostId": "host_bob", "host": None}
    full = SLOT | {"availableCapacity": 0, "startsAt": "2026-12-01T09:00:00-05:00"}
    found = slots(later, SLOT, full, other)
    assert [(item.start.hour, item.host.id if item.host else "", item.available) for item in found] == [
        (14, "host_bob", 1),
        (14, "host_sarah", 0),
        (15, "host_sarah", 1),
    ]


def test_more_slots_than_a_response_may_have_are_refused_and_never_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalog then reads in parts; what was cut off would look booked out."""
    monkeypatch.setattr(parsing, "MAX_SLOTS", 20)
    items = [SLOT | {"startsAt": (START - timedelta(minutes=i)).isoformat()} for i in range(21)]
    assert len(slots(*items[:20])) == 20
    with pytest.raises(OutcomeUnknown) as caught:
        slots(*items)
    assert caught.value.reason == "too_large"


def test_equal_parts_of_slots_share_their_memory() -> None:
    """One object for each host, team and time, also after the cache: a month has thousands of slots."""
    items = [SLOT | {"startsAt": (START - timedelta(minutes=i)).isoformat(), "teamId": "t"} for i in range(9)]
    found = slots(*items)
    again = intern_values(decode(encode(found), tuple[Slot, ...]))
    assert again == found
    for listed in (found, again):
        for name in ("host", "team", "end", "service_id", "timezone"):
            assert len({id(getattr(slot, name)) for slot in listed}) == 1, name


@pytest.mark.parametrize("slug", ["", "a/b", "../x", "a\\b", "..", ". .", "x" * 201, None])
def test_a_service_that_fits_no_url_is_left_out_and_named(slug: str | None) -> None:
    """A slug that a path could not carry drops its service and no other, and the doctor can say which it was."""
    dropped = SkippedItems()
    bad = {"slug": slug, "name": "Bad"}
    found = offer({"organization": ORGANIZATION, "services": [bad, SERVICE, SERVICE | {"name": "Again"}]}, dropped)
    assert [item.slug for item in found.services] == ["haircut"]
    assert dropped == SkippedItems(count=2, first_path="$.services[0].slug")
    assert found.left_out == ((slug or "Bad")[:100], "haircut")


@pytest.mark.parametrize(
    "slug", ["Hair.Cut", "hair cut", "naïve", "美容", "<b>", "50%", "a?b#c", "x" * 200, ".hair", "~"]
)
def test_a_slug_may_have_any_characters_of_a_path(slug: str) -> None:
    """They are percent-encoded in paths."""
    assert service(slug=slug).slug == slug


def test_one_slug_is_one_service() -> None:
    """Of two services with one slug the first counts."""
    dropped = SkippedItems()
    found = offer({"organization": ORGANIZATION, "services": [SERVICE, SERVICE | {"name": "Other"}]}, dropped)
    assert [item.name for item in found.services] == ["Haircut"]
    assert dropped.first_path == "$.services[1]"


@pytest.mark.parametrize(
    "document",
    [
        None,
        {},
        [],
        {"organization": ORGANIZATION},
        {"services": []},
        {"organization": None, "services": []},
        {"organization": ORGANIZATION, "services": [{}, None]},
        {"organization": ORGANIZATION, "services": {"a": 1}},
    ],
)
def test_an_offer_needs_a_business_and_services(document: object) -> None:
    """Without an organization, or without a single usable service of several, OutcomeUnknown."""
    with pytest.raises(OutcomeUnknown, match=r"unusable answer at \$"):
        offer(document)


@pytest.mark.parametrize("document", [None, {}, {"service": None}, {"service": {"slug": "a/b"}}])
def test_a_service_answer_needs_a_service(document: object) -> None:
    """Without a usable service, OutcomeUnknown."""
    with pytest.raises(OutcomeUnknown) as caught:
        detail(document)
    assert caught.value.reason == "bad_payload"


def test_calendar_settings_are_taken_as_far_as_they_make_sense() -> None:
    """Negative, absurd and wrongly typed settings are nothing; a location may be mere text."""
    odd = CALENDAR | {
        "buffer_before": -5,
        "buffer_after": "10",
        "booking_window_days": 0,
        "slot_interval_minutes": "half an hour",
        "location": "Upstairs",
        "cancellation_policy": {"noticeHours": "1.5", "policyText": ""},
    }
    calendar = detail({"service": SERVICE, "calendarSettings": odd}).calendar
    assert (calendar.buffer_before, calendar.buffer_after) == (0, 10)
    assert calendar.booking_window_days is None
    assert calendar.slot_interval_minutes is None
    assert calendar.location == Location(type="custom", value="Upstairs")
    assert calendar.cancellation_policy is not None
    assert (calendar.cancellation_policy.notice_hours, calendar.cancellation_policy.text) == (1.5, None)


@pytest.mark.parametrize(
    ("spelling", "status"),
    [
        ("confirmed", "confirmed"),
        ("Pending", "pending"),
        ("cancelled", "canceled"),
        ("CANCELED", "canceled"),
        ("CANCELLED", "canceled"),
        ("waitlisted", "waitlisted"),
        (None, ""),
        ({}, ""),
    ],
)
def test_a_status_is_spelt_one_way(spelling: object, status: str) -> None:
    """Canceled has one l and small letters; a newer status passes; nothing is nothing."""
    assert parse_booking(SHORT | {"status": spelling}).status == status


@pytest.mark.parametrize(
    "document",
    [
        None,
        {},
        {"booking": None},
        {"booking": []},
        {"booking": {name: value for name, value in SHORT.items() if name != "confirmation_number"}},
        {"booking": SHORT | {"confirmation_number": ""}},
        {"booking": SHORT | {"confirmation_number": "x" * 201}},
        {"booking": SHORT | {"confirmation_number": "BOOK\n1"}},
        {"booking": SHORT | {"start_at": "tomorrow"}},
    ],
)
def test_a_created_booking_needs_a_number_and_times(document: object) -> None:
    """Without a usable number nobody may be told that they are booked."""
    with pytest.raises(OutcomeUnknown) as caught:
        parse_booking(document, start=START, end=END)
    assert caught.value.reason == "bad_payload"


@pytest.mark.parametrize(
    "expected",
    [
        {"number": "BOOK_OTHER"},
        {"org_slug": "other"},
        {"service_slug": "other"},
        {"start": START + timedelta(days=1)},
    ],
)
def test_another_booking_than_asked_is_a_mismatch(expected: dict[str, Any]) -> None:
    """A number, organization, service or start that nobody asked about is never taken for the answer."""
    with pytest.raises(OutcomeUnknown) as caught:
        parse_booking(LONG, **expected)
    assert caught.value.reason == "mismatch"


NUMBERS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=200).filter(
    lambda text: text.strip() == text
)


@given(NUMBERS)
def test_any_line_of_text_is_a_confirmation_number(number: str) -> None:
    """Whoever is booked gets to know it, whatever the number looks like."""
    assert parse_booking(SHORT | {"confirmation_number": number}, start=START, end=END).confirmation_number == number


@given(
    fraction=st.integers(-900_000, 999_999),
    digits=st.integers(1, 9),
    is_expected=st.booleans(),
)
def test_a_fraction_of_a_second_is_no_other_time(fraction: int, digits: int, is_expected: bool) -> None:
    """An answer to what was asked has the time that was asked for; any other the nearest second."""
    moment = START + timedelta(microseconds=fraction)
    text = f"{moment:%Y-%m-%dT%H:%M:%S}.{f'{moment.microsecond:06}000'[:digits]}Z"
    given = {"start": START, "end": END} if is_expected else {}
    found = parse_booking(SHORT | {"start_at": text}, **given)
    assert found.start.microsecond == 0
    assert abs(found.start - START) <= timedelta(seconds=0 if is_expected else 1)
    other = parse_booking(SHORT | {"end_at": text.replace("T14", "T15").replace("T13", "T14")}, **given)
    assert (other.end.microsecond, abs(other.end - END) <= timedelta(seconds=0 if is_expected else 1)) == (0, True)


def test_the_last_second_of_all_is_a_time() -> None:
    """Rounding ends at the last second of the year 9999."""
    last = parse_booking(SHORT | {"end_at": "9999-12-31T23:59:59.9Z"})
    assert (last.end.year, last.end.second, last.end.microsecond) == (9999, 59, 0)


@pytest.mark.parametrize(
    "end", [None, "", "tomorrow", 17, [], "2026-12-01T14:00:00Z", "2026-12-01", "1999-01-01T00:00:00Z"]
)
def test_an_end_that_is_of_no_use_is_the_end_that_was_asked_for(end: object) -> None:
    """A number and the right start are a booking; nobody is left waiting for its end."""
    assert parse_booking({"booking": SHORT | {"end_at": end}}, start=START, end=END).end == END
    with pytest.raises(OutcomeUnknown):
        parse_booking({"booking": SHORT | {"end_at": end}})


def test_case_makes_no_other_booking() -> None:
    """Confirmation numbers and slugs are compared without regard to case."""
    assert parse_booking(LONG, number=NUMBER.lower(), org_slug="ACME-salon", service_slug="Haircut")


def test_another_organization_or_service_than_asked_is_a_mismatch() -> None:
    """An answer about somebody else's business is never shown."""
    for read in (
        lambda: parse_organization(DOCUMENTS["organization"], SkippedItems(), org_slug="other"),
        lambda: parse_service_detail(DOCUMENTS["service"], SkippedItems(), org_slug="other", slug="haircut"),
        lambda: parse_service_detail(DOCUMENTS["service"], SkippedItems(), org_slug="acme-salon", slug="other"),
    ):
        with pytest.raises(OutcomeUnknown) as caught:
            read()
        assert caught.value.reason == "mismatch"


def test_webhook_ids_are_the_same_service() -> None:
    """`srv_haircut` and `haircut` are one."""
    assert parse_booking(LONG | {"service_slug": "srv_haircut"}, service_slug="haircut")
    assert is_same_service("srv_haircut", "haircut")
    assert is_same_service("Haircut", "srv_haircut")
    assert not is_same_service("haircut", "shave")


NAMES = sorted(
    {name for document in (ORGANIZATION, SERVICE, CALENDAR, SLOT, LONG) for name in document}
    | {"organization", "services", "service", "calendarSettings", "slots", "booking", "calendar_invite", "branding"}
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["2026-12-01T14:00:00Z", "haircut", "acme-salon", NUMBER, "45.0"])
    | st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
)
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=6), inner, max_size=8)
    ),
    max_leaves=25,
)
READERS = [
    (lambda document: parse_organization(document, SkippedItems(), org_slug="acme-salon"), OrganizationDetail),
    (
        lambda document: parse_service_detail(document, SkippedItems(), org_slug="acme-salon", slug="haircut"),
        ServiceDetail,
    ),
    (lambda document: parse_slots(document, SkippedItems()), tuple),
    (lambda document: parse_booking(document, number=NUMBER, start=START, end=END), Booking),
    (parse_booking, Booking),
]


@pytest.mark.long
@pytest.mark.parametrize(("read", "shape"), READERS)
@settings(max_examples=50)
@given(document=JSON)
def test_any_document_is_a_struct_or_an_outcome_unknown(read: Any, shape: type, document: Any) -> None:
    """Whatever JSON comes, the reader gives its struct (which JSON can hold again) or OutcomeUnknown."""
    try:
        found = read(document)
    except OutcomeUnknown:
        return
    assert isinstance(found, shape)
    assert encode(found)


@settings(max_examples=80)
@given(st.data())
def test_one_broken_leaf_breaks_little(data: st.DataObject) -> None:
    """The documented answers with any one field replaced still give a struct or OutcomeUnknown."""
    read, shape, document = data.draw(
        st.sampled_from(
            [
                (READERS[0], DOCUMENTS["organization"]),
                (READERS[1], DOCUMENTS["service"]),
                (READERS[2], DOCUMENTS["availability"]),
                (READERS[3], DOCUMENTS["create"]),
                (READERS[4], DOCUMENTS["lookup"]),
            ]
        ).map(lambda pair: (*pair[0], pair[1]))
    )
    copy = json.loads(json.dumps(document))
    spot: Any = copy
    while isinstance(spot, dict | list):
        holder = spot
        keys = list(spot) if isinstance(spot, dict) else list(range(len(spot)))
        if not keys:
            break
        key = data.draw(st.sampled_from(keys))
        spot = holder[key]
        if data.draw(st.booleans()):
            break
    holder[key] = data.draw(JSON)
    try:
        assert isinstance(read(copy), shape)
    except OutcomeUnknown as error:
        assert error.reason in {"bad_payload", "mismatch"}  # noqa: PT017 (any other exception must fail here)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=True)
    | st.text(st.characters(exclude_categories=[]), max_size=50),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=30,
)


def levels(value: object) -> int:
    """Return how deep a value is nested."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(levels, inner), default=0) if isinstance(value, dict | list) else 0


@given(JSON)
def test_metadata_is_plain_and_bounded(value: object) -> None:
    """Whatever is sent: texts without control characters, three levels, 10 KB, and unchanged by the cache."""
    found = service(metadata=value)
    text = found.metadata_json
    assert len(text) <= MAX_METADATA_BYTES + 2
    assert not re.search(r"[\x00-\x08\x7f]", "".join(json.loads(text)))
    assert levels(dict(found.metadata)) <= 3
    assert decode(encode(found), type(found)) == found
    assert json.loads(json.dumps(dict(found.metadata))) == dict(found.metadata)


def test_metadata_keeps_what_fits() -> None:
    """Fifty names and 10 KB; a deeper level is None, and what is too large is left out whole."""
    many = {f"name {number}": number for number in range(60)}
    assert dict(service(metadata=many).metadata) == dict(list(many.items())[:50])
    assert dict(service(metadata={"a": {"b": {"c": {"d": 1}, "e": 1}}}).metadata) == {"a": {"b": {"c": None, "e": 1}}}
    wide = {"list": ["x" * 1_000] * 20, "short": "y"}
    assert dict(service(metadata=wide).metadata) == {}
    assert dict(service(metadata=dict(reversed(wide.items()))).metadata) == {"short": "y"}
    assert dict(service(metadata={"text": "z" * 5_000}).metadata) == {"text": "z" * 2_000}
    assert dict(service(metadata={"price": Decimal("1.5"), "nan": Decimal("nan"), "\0": 1}).metadata) == {
        "price": 1.5,
        "nan": None,
    }
    for nothing in (None, [], "text", 3, {}):
        assert dict(service(metadata=nothing).metadata) == {}
