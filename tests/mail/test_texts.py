"""Words for mails: whole sentences, and headers of one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.mail.texts import greeting_name, mail_texts, one_line
from kordless_booking.models import OutgoingMail


@pytest.mark.parametrize("kind", OutgoingMail.Kind)
def test_each_kind_of_mail_has_its_words(kind: OutgoingMail.Kind):
    """All of them, with what was booked and when in the subject."""
    words = mail_texts(kind, "confirmed", "Haircut", "today")
    assert words.subject.endswith(": Haircut, today")
    assert all((words.headline, words.about, words.enclosed))


def test_a_request_that_is_moved_is_still_a_request():
    """It says so."""
    assert "still has to be accepted" in mail_texts(OutgoingMail.Kind.RESCHEDULED, "pending", "Haircut", "today").about


@given(st.text(max_size=400))
def test_a_header_is_one_printable_line(text: str):
    """Whatever Kordless writes; at most 150 characters."""
    line = one_line(text)
    assert line.isprintable()
    assert len(line) <= 150
    assert one_line(line) == line


@pytest.mark.parametrize("name", ["Jane Doe", "José O'Neill-Łukasz", "李小龍", "محمد", "Dr. med. Anna B", "X Æ A-12"])
def test_names(name: str):
    """They greet with it."""
    assert greeting_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", " ", "http://a", "a.b", "x@y", "Win 10000", "<b>", "a/b", "back\\slash", "you: pay", "w" * 61, "WWW"],
)
def test_what_is_no_name(name: str):
    """They greet without."""
    assert greeting_name(name) == ""
