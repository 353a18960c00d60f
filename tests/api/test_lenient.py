"""Lenient objects: every spelling of a name, and safe type conversions."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.api.lenient import (
    MISSING,
    InvalidField,
    LenientObject,
    as_bool,
    as_datetime,
    as_decimal,
    as_int,
    as_text,
    normalize_name,
)


@pytest.mark.parametrize("name", ["startsAt", "starts_at", "StartsAt", "STARTS_AT", "starts-at"])
def test_all_spellings_are_one(name: str) -> None:
    """Case, underscores and hyphens make no difference to a name."""
    assert normalize_name(name) == "startsat"
    assert LenientObject({name: "2026-12-01T14:00:00Z"}).utc_datetime("startsAt") == datetime(
        2026, 12, 1, 14, tzinfo=UTC
    )


def test_the_first_name_that_says_something_wins() -> None:
    """A null under one spelling doesn't hide the value under another."""
    fields = LenientObject({"starts_at": None, "startsAt": 1, "start_at": 2})
    assert fields.raw("startsAt", "start_at") == 1
    assert LenientObject({"startsAt": 1, "starts_at": 2}).raw("startsAt") == 1
    assert LenientObject({"a": None}).raw("a", "b") is None
    assert LenientObject({"a": None}).raw("b") is MISSING


@pytest.mark.parametrize("value", [None, 1, "x", [], [{}], True])
def test_only_an_object_has_fields(value: object) -> None:
    """Anything else is unreadable, and the path says where."""
    with pytest.raises(InvalidField, match=r"^\$\.slots\[3\]$"):
        LenientObject(value, "$.slots[3]")


def test_what_is_needed_is_asked_for_by_its_documented_name() -> None:
    """The path of something missing is spelt as documented and holds no value."""
    fields = LenientObject({"name": 3.5, "at": "later", "inner": "no"}, "$.x")
    for read, path in (
        (lambda: fields.required_datetime("at"), "$.x.at"),
        (lambda: fields.required_datetime("at", otherwise=datetime.now(UTC)), "$.x.at"),
        (lambda: fields.required_object("inner"), "$.x.inner"),
    ):
        with pytest.raises(InvalidField) as caught:
            read()
        assert caught.value.path == path


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, 3),
        ("3", 3),
        (" +3 ", 3),
        (30.0, 30),
        (Decimal("30.0"), 30),
        (Decimal("3E+1"), 30),
        ("30.0", 30),
        (-2, -2),
        (0, 0),
        (Decimal("0E-400"), 0),
        (2.5, None),
        (True, None),
        (None, None),
        ("", None),
        ("three", None),
        ("٣", None),
        ("1_0", None),
        (10**10, None),
        (10**400, None),
        (float("nan"), None),
        (float("inf"), None),
        (Decimal("1E+999999"), None),
        (Decimal("sNaN"), None),
        ([3], None),
        ({}, None),
    ],
)
def test_whole_numbers_are_read_where_that_is_safe(value: object, number: int | None) -> None:
    """Text and floats that are whole numbers count; halves, words, truth values and giants don't."""
    assert as_int(value) == number


@pytest.mark.parametrize(
    ("value", "number"),
    [("45.50", "45.50"), (45.1, "45.1"), (45, "45"), (Decimal("45.10"), "45.10"), ("nan", None), (1e300, None)],
)
def test_numbers_keep_their_digits(value: object, number: str | None) -> None:
    """A price is exactly what was written."""
    assert as_decimal(value) == (None if number is None else Decimal(number))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (" Sarah ", "Sarah"),
        ("", None),
        ("  ", None),
        (7, "7"),
        (10**40, None),
        (True, None),
        (None, None),
        ([], None),
        (1.5, None),
        ("a\0b\x1b[1m\ud800c\x7f", "ab[1mc"),
        ("one\ntwo\ttab", "one\ntwo\ttab"),
    ],
)
def test_texts_are_trimmed_and_printable(value: object, text: str | None) -> None:
    """Control characters and lone surrogates go, blank is nothing, an id may be a number."""
    assert as_text(value) == text


def test_texts_are_limited() -> None:
    """A text of a megabyte is cut."""
    assert as_text("x" * 1_000_000) == "x" * 10_000
    assert as_text("x" * 100, limit=9) == "x" * 9


@pytest.mark.parametrize(
    ("value", "flag"),
    [(True, True), (False, False), (1, True), (0, False), ("true", True), ("FALSE", False), ("no", False)],
)
def test_flags_are_read_where_that_is_safe(value: object, *, flag: bool) -> None:
    """Numbers and words that plainly mean yes or no count."""
    assert as_bool(value, otherwise=not flag) is flag


@pytest.mark.parametrize("value", [None, "perhaps", 2, [], {}])
def test_other_flags_are_the_default(value: object) -> None:
    """Anything else leaves it at the default."""
    assert as_bool(value, otherwise=True) is True
    assert as_bool(value, otherwise=False) is False


@pytest.mark.parametrize(
    "text",
    [
        "2026-12-01T14:00:00Z",
        "2026-12-01t14:00z",
        "2026-12-01 14:00:00+00:00",
        "2026-12-01T15:00:00.000+01:00",
        "2026-12-01T19:45:00+0545",
        "2026-12-01T14:00:00.000000000Z",
        " 2026-12-01T04:00:00-10:00 ",
    ],
)
def test_any_offset_is_the_same_instant(text: str) -> None:
    """Mixed offsets and precisions all become one UTC time."""
    moment = as_datetime(text)
    assert moment == datetime(2026, 12, 1, 14, tzinfo=UTC)
    assert moment is not None
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        "2026-12-01T14:00:00",
        "2026-12-01",
        "2026-W49-2T14:00Z",
        "2026-02-30T14:00:00Z",
        "2026-12-01T24:00:01Z",
        "2026-12-01T14:00:60Z",
        "2026-12-01T14:00:00+99:99",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "٢٠٢٦-12-01T14:00:00Z",
        "now",
        "",
        1_796_000_000,
        None,
        [],
    ],
)
def test_what_is_no_instant_is_nothing(value: object) -> None:
    """Naive times, dates, numbers and impossible times are nobody's instant."""
    assert as_datetime(value) is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(VALUES, st.dictionaries(st.text(max_size=8), VALUES, max_size=4))
def test_no_value_upsets_a_reader(value: Any, document: dict[str, Any]) -> None:
    """Every reader gives its type or nothing for any value at all."""
    assert isinstance(as_text(value), str | None)
    assert isinstance(as_int(value), int | None)
    assert isinstance(as_decimal(value), Decimal | None)
    assert isinstance(as_datetime(value), datetime | None)
    assert isinstance(as_bool(value, otherwise=True), bool)
    fields = LenientObject({"x": value, **document})
    fields.raw(*document)
    text = fields.text("x")
    assert text is None or text.encode()
