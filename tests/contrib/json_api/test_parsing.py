"""What programs send, as texts of any kind: questions for times, places of errors, and texts that agents read."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.contrib.json_api.agent_pages import escape
from kordless_booking.contrib.json_api.attempts import OrderBody, _build_order, _find_place
from kordless_booking.contrib.json_api.responses import ApiProblem
from kordless_booking.limits import MAX_PARTY_SIZE
from kordless_booking.presentation.timezones import canonical_timezone
from kordless_booking.views.program_reads import MAX_DAYS, TimesQuery, WrongQuery, write_time
from tests.support.clock import NOW

NAMES = ("from", "to", "tz", "party", "host", "team")
VALUES = st.one_of(
    st.text(max_size=12),
    st.dates().map(date.isoformat),
    st.integers(-5, 100).map(str),
    st.sampled_from(["Europe/Kiev", "UTC", "EST5EDT", "Pacific/Apia", ""]),
)


@given(st.dictionaries(st.sampled_from(NAMES), VALUES))
def test_any_query_is_a_question_for_31_days_or_says_what_is_wrong(query: dict[str, str]) -> None:
    """Nothing else is raised, and each mistake has the name of a parameter that was given."""
    try:
        parsed = TimesQuery.parse(query, now=NOW, business_zone="America/New_York")
    except WrongQuery as wrong:
        errors = wrong.errors
    else:
        errors = {}
        assert timedelta(0) <= parsed.last - parsed.first < timedelta(days=MAX_DAYS)
        assert parsed.zone == canonical_timezone(parsed.zone)
        assert 1 <= parsed.party <= MAX_PARTY_SIZE
    assert errors.keys() <= {*query, "to"}
    assert all(errors.values())


@given(st.dates(date(1970, 1, 1), date(8999, 12, 1)), st.integers(0, MAX_DAYS - 1))
def test_dates_are_read_as_they_are_written(first: date, days: int) -> None:
    """A question that is right is understood exactly."""
    query = {"from": first.isoformat(), "to": (first + timedelta(days=days)).isoformat()}
    parsed = TimesQuery.parse(query, now=NOW, business_zone=None)
    assert (parsed.first, parsed.last, parsed.zone) == (first, first + timedelta(days=days), "UTC")


@given(st.datetimes(datetime(1971, 1, 1), datetime(9000, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_a_time_is_written_exactly(local: datetime, offset: int) -> None:
    """Read again it is the same moment, to the microsecond."""
    moment = local.replace(tzinfo=timezone(timedelta(minutes=offset)))
    assert datetime.fromisoformat(write_time(moment)) == moment
    assert write_time(moment.astimezone(UTC)) == write_time(moment)
    assert write_time(moment).endswith("Z")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
ORDER = {
    "service": "haircut",
    "start": "2026-12-01T10:00:00Z",
    "end": "2026-12-01T11:00:00Z",
    "timezone": "UTC",
    "contact": {"name": "Jane"},
}


@given(st.dictionaries(st.sampled_from([*ORDER, "party", "host", "answers", "guests", "consents", "x"]), JSON))
def test_any_body_is_an_order_or_has_a_place_that_is_wrong(changes: dict[str, object]) -> None:
    """The place is a JSON pointer, and the error repeats no value."""
    try:
        body = msgspec.json.decode(msgspec.json.encode({**ORDER, **changes}), type=OrderBody)
    except msgspec.ValidationError as error:
        pointer, text = _find_place(str(error))
        assert pointer.split("/")[1] in {*ORDER, *changes}
        # The place alone: a field that is unknown may be called "$".
        assert " - at `" not in text
        return
    with suppress(ApiProblem):
        order, _language = _build_order(body)
        assert order.terms.start == body.start


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Expected `str`, got `int` - at `$.contact.name`", "/contact/name"),
        ("Expected `str`, got `int` - at `$.guests[1]`", "/guests/1"),
        ("Object missing required field `contact`", "/contact"),
        ("Object contains unknown field `a/b` - at `$.contact`", "/contact/a~1b"),
        ("Expected `str`, got `int` - at `$.answers[...]`", "/answers"),
        ("Expected `object`, got `array`", "/"),
    ],
)
def test_the_place_of_an_error_is_a_json_pointer(text: str, place: str) -> None:
    """As RFC 6901 has it."""
    assert _find_place(text)[0] == place


@given(st.text())
def test_a_text_of_the_business_is_one_line_without_markup(text: str) -> None:
    """Whatever it has in it: each character that means something in Markdown is escaped."""
    line = escape(text)
    assert len(line.splitlines()) <= 1
    assert not re.search(r"[`*_\[\]<>#|~]", re.sub(r"\\.", "", line))
