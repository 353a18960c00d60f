"""Format of our values in a cache; nothing else is accepted."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.upstream.memory_cache import Storable
from kordless_booking.upstream.plain_values import UNREADABLE, PlainSerde, PlainSerializer

VALUES = st.binary() | st.text(st.characters(codec="utf-8")) | st.integers(-(10**18), 10**18)


@given(VALUES)
def test_a_value_comes_back_as_it_was_with_its_type(value: Storable) -> None:
    """Digits in bytes or a text do not become a number."""
    for loaded in (
        PlainSerializer().loads(PlainSerializer().dumps(value)),
        PlainSerde().deserialize("key", *PlainSerde().serialize("key", value)),
    ):
        assert loaded == value
        assert type(loaded) is type(value)


@pytest.mark.parametrize(
    ("value", "written"), [(7, b"7"), (-7, b"-7"), ("text", b"stext"), (b'{"a":1}', b'b{"a":1}'), (True, b"1")]
)
def test_a_value_is_readable_in_the_server(value: Storable, written: bytes) -> None:
    """Numbers are digits, as other clients of the server write them."""
    assert PlainSerializer().dumps(value) == written


@pytest.mark.parametrize(
    "planted",
    [
        pickle.dumps(7),
        pickle.dumps(b"text", 0),
        b"",
        b"7_0",
        b" 7",
        b"9" * 20,
        b"--7",
        b"s\xff",
        b"{}",
        "7",
        None,
        7.0,
    ],
)
def test_whatever_we_did_not_write_is_unreadable(planted: Any) -> None:
    """It is neither loaded nor an error."""
    assert PlainSerializer().loads(planted) is UNREADABLE
    assert PlainSerde().deserialize("key", planted, 1) is UNREADABLE


@pytest.mark.parametrize("value", [1.5, None, ["a"], {"a": 1}, object()])
def test_nothing_but_numbers_texts_and_bytes_is_stored(value: Any) -> None:
    """A mistake of ours shows where it is made."""
    with pytest.raises(TypeError, match="The cache stores integers, strings and bytes"):
        PlainSerializer().dumps(value)
