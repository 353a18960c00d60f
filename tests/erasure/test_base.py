"""Matching a person: every spelling of a contact matches, and nobody else's does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.erasure.base import AmbiguousContact, Person, iter_strings

US, BOTH = frozenset({"US"}), frozenset({"US", "GB"})


@pytest.mark.parametrize(
    ("text", "regions", "contacts"),
    [
        ("Jane@Example.COM ", US, {"jane@example.com"}),
        ("(212) 555-0147", US, {"+12125550147"}),
        ("+44 20 7946 0958", US, {"+442079460958"}),
        ("020 7946 0958", BOTH, {"+442079460958"}),
    ],
)
def test_spellings(text: str, regions: frozenset[str], contacts: set[str]):
    """An e-mail in any case, a phone number from any of the accounts' countries."""
    assert contacts <= Person.from_texts([text], regions).contacts
    assert Person.from_texts([text], regions).matches(next(iter(contacts)))


def test_a_number_that_may_be_two_people_s_is_nobody():
    """In France and in the Netherlands it is another person's cell phone, of whom only one has asked."""
    with pytest.raises(AmbiguousContact):
        Person.from_texts(["06 12 34 56 78"], frozenset({"FR", "NL"}))
    assert Person.from_texts(["06 12 34 56 78"], frozenset({"FR"})).contacts == {"+33612345678"}
    assert Person.from_texts(["+31 6 12345678"], frozenset({"FR", "NL"})).contacts == {"+31612345678"}


@pytest.mark.parametrize("text", ["", " ", "jane", "@", "jane@", "@example.com", "ja ne@example.com", "12", "1" * 50])
def test_what_is_no_contact(text: str):
    """Rejected without being repeated."""
    with pytest.raises(ValueError, match="neither an email address nor a phone number"):
        Person.from_texts(["jane@example.com", text], US)


@given(st.text(max_size=60))
def test_nobody_else_is_meant(text: str):
    """Whatever stands in a field."""
    meant = Person.from_texts(["jane@example.com"], US).matches(text)
    assert meant == (text.strip().casefold() == "jane@example.com")


def test_nothing_is_nobody():
    """A contact that isn't there."""
    assert not Person.from_texts(["jane@example.com"], US).matches(None)


@pytest.mark.long
@given(
    st.recursive(
        st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_every_text_is_looked_at(document: object):
    """However deep, but names of fields."""
    found = sorted(iter_strings({"a": [document, "needle"]}))
    assert "needle" in found
    assert all(isinstance(text, str) for text in found)
