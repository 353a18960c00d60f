"""Words for mails: whole sentences, and headers of one line."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.mail.texts import (
    MAX_SUBJECT_SERVICE_CHARS,
    greeting_name,
    mail_texts,
    one_line,
    shorten,
    subject_line,
)
from kordless_booking.models import OutgoingMail


@pytest.mark.parametrize("kind", OutgoingMail.Kind)
def test_each_kind_of_mail_has_its_words(kind: OutgoingMail.Kind):
    """All of them, with what was booked and when in the subject."""
    words = mail_texts(kind, "confirmed", "Haircut", "today")
    assert words.subject.startswith("Haircut, today: ")
    assert all((words.headline, words.about, words.enclosed))


def test_a_request_that_is_moved_is_still_a_request():
    """It says so."""
    assert "still has to be accepted" in mail_texts(OutgoingMail.Kind.RESCHEDULED, "pending", "Haircut", "today").about


@given(st.text(max_size=400), st.sampled_from(["Wed, Dec 9, 9:00 AM", "\u2066Wed, Dec 9, 9:00 AM\u2069"]))
def test_a_subject_says_when_and_what_became_of_it_however_long_the_service_is_called(service: str, when: str):
    """The name is cut, never the rest, and the whole is one line that a phone shows."""
    subject = mail_texts(OutgoingMail.Kind.CONFIRMED, "confirmed", service, when).subject
    line = subject_line(subject, "ltr")
    assert line.endswith(f", {when}: confirmed")
    assert len(line) <= MAX_SUBJECT_SERVICE_CHARS + len(when) + len(", : confirmed") + 1
    assert subject_line(line, "ltr") == line
    assert "\n" not in line


@given(st.text(max_size=200), st.sampled_from(["ltr", "rtl"]))
def test_a_subject_begins_in_the_direction_of_its_language(text: str, direction: str):
    """Its first letter with a direction, or a mark before it, has that of the language; isolates are closed."""
    line = subject_line(text, direction)
    kinds = [kind for kind in map(unicodedata.bidirectional, line) if kind in {"L", "R", "AL"}]
    assert not kinds or (kinds[0] == "L") == (direction == "ltr")
    assert sum(map(line.count, "\u2066\u2067\u2068")) == line.count("\u2069")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Haircut", "Haircut"),
        ("Classic haircut with beard trim and wash", "Classic haircut with…"),
        ("Donaudampfschifffahrtsgesellschaft", "Donaudampfschifffahrtsg…"),
        ("Cut, color, and a long list (of things)", "Cut, color, and a long…"),
    ],
)
def test_a_long_name_is_cut_between_words(text: str, shown: str):
    """Without the punctuation before the cut; one long word is cut where the room ends."""
    assert shorten(text, 24) == shown


@given(st.text(alphabet="हनदकab \u093f\u0940\u094d\u200d", max_size=80), st.integers(5, 40))
def test_a_cut_never_splits_a_letter_from_its_marks(text: str, limit: int):
    """In Hindi a vowel or a joiner belongs to the consonant before it; the first letter alone is always shown."""
    short = shorten(text, limit)
    assert len(short) <= limit
    if short != text:
        kept, rest = short[:-1], text[len(short) - 1 :]
        assert (short[-1], text.startswith(kept)) == ("…", True)
        assert len(kept) <= 1 or (unicodedata.category(rest[0])[0] != "M" and "\u200d" not in {kept[-1], rest[0]})


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
