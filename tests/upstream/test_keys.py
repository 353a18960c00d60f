"""Cache keys: one for each name, valid everywhere, revealing nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.upstream.keys import cache_key

PARTS = st.lists(st.text(max_size=30), max_size=4).map(tuple)


@pytest.mark.long
@given(one=PARTS, other=PARTS)
def test_two_names_never_share_a_key(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    """However parts are cut or what they contain."""
    assert (cache_key("a", *one) == cache_key("a", *other)) == (one == other)
    assert cache_key("a", *one) != cache_key("b", *one)


@given(parts=PARTS)
def test_every_backend_accepts_the_key(parts: tuple[str, ...]) -> None:
    """Short, printable, without spaces, whatever a visitor put into an address."""
    assert re.fullmatch(r"kordless:[0-9a-f]{64}", cache_key("account", *parts))


def test_half_a_character_is_a_name_too() -> None:
    """A lone surrogate from a broken address must not raise."""
    assert cache_key("account", "\ud800") != cache_key("account", "\udfff")
