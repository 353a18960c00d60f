"""Texts that are made from values: a masked contact."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.presentation.texts import mask_contact


@pytest.mark.parametrize(
    ("contact", "shown"),
    [
        ("jane@example.com", "j…@example.com"),
        ("j@example.com", "j…@example.com"),
        ("münchen@bücher.example", "m…@bücher.example"),
        ("+12125550123", "…23"),
        ("123", "…"),
        ("", ""),
    ],
)
def test_a_contact_is_masked(contact: str, shown: str):
    """The first letter and the domain of an email address, the last two digits of a phone number."""
    assert mask_contact(contact) == shown


@given(st.text(min_size=1, max_size=80), st.from_regex(r"[a-z]{1,20}\.example", fullmatch=True))
def test_a_mask_shows_one_character_of_the_name(name: str, domain: str):
    """Whatever stands before the last at sign."""
    assert mask_contact(f"{name}@{domain}") == f"{name[0]}…@{domain}"
