"""Folding of long texts: their start, and the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.presentation.texts import MAX_UNFOLDED_CHARS, MAX_UNFOLDED_LINES, fold_long_text


@given(
    st.text(max_size=2000)
    | st.lists(st.sampled_from(["word", "字" * 50, "\n", "👩🏽\u200d🦱", "e\u0301"])).map(" ".join)
)
def test_folding_loses_nothing(text: str):
    """Start and rest are the text but for the space between them, and the start is short."""
    folded = fold_long_text(text)
    assert "".join((folded.start + folded.rest).split()) == "".join(text.split())
    assert len(folded.start) <= MAX_UNFOLDED_CHARS
    assert folded.start.count("\n") < MAX_UNFOLDED_LINES
    assert bool(folded.start) is bool(text.strip())


@given(st.text(max_size=MAX_UNFOLDED_CHARS, alphabet=st.characters(exclude_characters="\n")))
def test_a_short_text_has_no_rest(text: str):
    """A click must be worth it."""
    assert fold_long_text(text).rest == ""


def test_a_text_is_folded_between_two_words():
    """No word is torn."""
    words = ["a" * (1 + number % 9) for number in range(200)]
    folded = fold_long_text(" ".join(words))
    assert [*folded.start.split(), *folded.rest.split()] == words
    assert 200 <= len(folded.start) <= 240


def test_many_lines_are_folded_after_a_few():
    """A list of a word a line is long, though it has few characters."""
    folded = fold_long_text("\n".join(f"{number}." for number in range(1, 20)))
    assert folded.start == "1.\n2.\n3.\n4.\n5."
    assert folded.rest.startswith("6.\n")


@pytest.mark.parametrize("character", ["e\u0301", "👩🏽\u200d🦱", "字"])
def test_a_text_without_spaces_is_folded_between_two_characters(character: str):
    """An accent stays with its letter, and a joined emoji in one piece."""
    folded = fold_long_text(character * 400)
    assert set(folded.start.split(character)) == set(folded.rest.split(character)) == {""}


def test_endless_marks_are_folded_all_the_same():
    """No writing has twenty marks on a letter."""
    folded = fold_long_text("e" + "\u0301" * 5000)
    assert len(folded.start) <= 300
