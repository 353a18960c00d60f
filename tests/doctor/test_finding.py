"""How a finding of the doctor reads."""

import pytest

from kordless_booking.doctor.finding import fix


@pytest.mark.parametrize(
    ("advice", "end"),
    [
        ("", "THEME is wrong."),
        ("remove it.", ": remove it."),
        ("remove it", ": remove it."),
        ("did you mean A?", " A?"),
    ],
)
def test_a_finding_ends_with_one_mark(advice: str, end: str):
    """A full stop, or the question mark that is there: a hint of a system check may be a question."""
    assert str(fix("E004", "THEME is wrong", advice)).endswith(end)
