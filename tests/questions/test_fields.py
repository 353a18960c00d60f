"""Fields of questions: what they take, how an answer is said, sent and carried, and what they refuse in words."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from kordless_booking.contact_fields import ContactFields
from kordless_booking.forms import ContactForm
from kordless_booking.questions.answers import answer_input
from kordless_booking.questions.question import KINDS, MAX_NOTES, parse_questions

JANE = {"name": "Jane Doe", "email": "jane@example.com", "phone": "", "notes": ""}
SIZES = [["s", {"en": "Small", "de": "Klein"}], ["m", {"en": "Medium", "de": "Mittel"}], ["l", "Large"]]


def question_of(kind: str, **more: Any) -> dict[str, Any]:
    """Return a question with the name "q"."""
    choices = {"choices": SIZES} if "choice" in kind else {}
    return {"name": "q", "label": "Any wish?", "kind": kind, **choices, **more}


def filled(question: dict[str, Any], answer: Any, *, region: str | None = "US", **more: Any) -> ContactForm:
    """Return the form with a question and an answer to it, as it is posted."""
    data = QueryDict(urlencode({**JANE, "answer_q": answer, **more}, doseq=True))
    return ContactForm(data, questions=parse_questions([question]), region=region)


GOOD: dict[str, tuple[dict[str, Any], Any, Any, str]] = {
    "a text": (question_of("text"), "  Window  seat\u200b ", "Window  seat", "Any wish: Window  seat"),
    "a text that looks like another answer": (
        question_of("text"),
        "no\r\nPaid: yes",
        "no Paid: yes",
        "Any wish: no Paid: yes",
    ),
    "lines that look like another answer": (
        question_of("long_text"),
        "no\r\n\r\nPaid: yes\u2028VIP: yes",
        "no\n\nPaid: yes\nVIP: yes",
        "Any wish: no / Paid: yes / VIP: yes",
    ),
    "markup": (question_of("text"), "<b>&amp;", "<b>&amp;", "Any wish: <b>&amp;"),
    "a choice": (question_of("choice"), "m", "m", "Any wish: Medium"),
    "a choice of many": (
        question_of("choice", choices=[f"Row {n}" for n in range(9)]),
        "Row 3",
        "Row 3",
        "Any wish: Row 3",
    ),
    "choices": (question_of("choices"), ["l", "s", "l"], ["s", "l"], "Any wish: Small; Large"),
    "choices from a token": (question_of("choices"), "s\nl", ["s", "l"], "Any wish: Small; Large"),
    "yes": (question_of("yes_no"), "yes", True, "Any wish: Yes"),
    "no": (question_of("yes_no"), "no", False, "Any wish: No"),
    "a number": (question_of("number"), " 12 ", 12, "Any wish: 12"),
    "zero": (question_of("number", min=0), "0", 0, "Any wish: 0"),
    "a negative number": (question_of("number", min=-3), "\u22122", -2, "Any wish: -2"),
    "digits of another script": (question_of("number"), "٤٢", 42, "Any wish: 42"),
    "full-width digits": (question_of("number"), "\uff14\uff12", 42, "Any wish: 42"),
    "a decimal comma": (question_of("number", decimals=1), "42,5", 42.5, "Any wish: 42.5"),
    "a date": (question_of("date"), "2026-12-31", "2026-12-31", "Any wish: 2026-12-31"),
    "a date as it is typed": (question_of("date"), "2026.1.5", "2026-01-05", "Any wish: 2026-01-05"),
    "a phone number": (question_of("phone"), "(212) 555-0123", "+12125550123", "Any wish: +12125550123"),
    "a phone number with an extension": (
        question_of("phone"),
        "212-555-0123 ext. 45",
        "+12125550123 ext. 45",
        "Any wish: +12125550123 ext. 45",
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_an_answer_has_a_value_for_programs_and_one_line_in_the_notes(name: str):
    """The line is title and answer, whatever was typed: no answer can look like another one."""
    question, typed, value, line = GOOD[name]
    form = filled(question, typed)
    assert form.is_valid(), form.errors
    [answer] = form.answers()
    assert (answer.name, answer.value, type(answer.value)) == ("q", value, type(value))
    assert form.notes_text() == line
    assert repr(answer) == "Answer('q', …)"


BAD: dict[str, tuple[dict[str, Any], Any, str]] = {
    "nothing": (question_of("text", required=True), "", "Please answer this question: Any wish?"),
    "nothing visible": (
        question_of("long_text", required=True),
        " \u200b\r\n",
        "Please answer this question: Any wish?",
    ),
    "no choice": (question_of("choice", required=True), "", "Please answer this question: Any wish?"),
    "no choices": (question_of("choices", required=True), [], "Please answer this question: Any wish?"),
    "neither yes nor no": (question_of("yes_no", required=True), "", "Please answer this question: Any wish?"),
    "no number": (question_of("number", required=True), "\u3164", "Please answer this question: Any wish?"),
    "no date": (question_of("date", required=True), "", "Please answer this question: Any wish?"),
    "a long text": (
        question_of("text", max_length=3),
        "four",
        "Please shorten your answer to “Any wish?” to 3 characters.",
    ),
    "10,000 characters": (
        question_of("long_text"),
        "x" * 10_000,
        "Please shorten your answer to “Any wish?” to 500 characters.",
    ),
    "a null character": (question_of("text"), "a\0b", "Null characters are not allowed."),
    "an unknown choice": (question_of("choice"), "xl", "Please choose one of the answers to “Any wish?”."),
    "a label for a value": (question_of("choice"), "Small", "Please choose one of the answers to “Any wish?”."),
    "an unknown choice of several": (
        question_of("choices"),
        ["s", "xl"],
        "Please choose one of the answers to “Any wish?”.",
    ),
    "a choice with a null character": (
        question_of("choices"),
        "s\0",
        "Please choose one of the answers to “Any wish?”.",
    ),
    "maybe": (question_of("yes_no"), "maybe", "Please choose one of the answers to “Any wish?”."),
    "a percent sign": (
        question_of("choice", label="100 % sure? %(value)s"),
        "xl",
        "Please choose one of the answers to “100 % sure? %(value)s”.",
    ),
    "words": (question_of("number"), "three", "Please enter a whole number for “Any wish?”, such as 3."),
    "a half": (question_of("number"), "2.5", "Please enter a whole number for “Any wish?”, such as 3."),
    "thousands": (question_of("number"), "1.000", "Please enter a whole number for “Any wish?”, such as 3."),
    "too many decimals": (
        question_of("number", decimals=1),
        "2.55",
        "Please enter a number for “Any wish?”, such as 2.5.",
    ),
    "infinity": (question_of("number"), "1e999", "Please enter a whole number for “Any wish?”, such as 3."),
    "10,000 digits": (question_of("number"), "9" * 10_000, "Please enter a whole number for “Any wish?”, such as 3."),
    "the number of a bank card": (
        question_of("number"),
        "4111111111111111",
        "Please enter a whole number for “Any wish?”, such as 3.",
    ),
    "a card's number around a point": (
        question_of("number", decimals=6),
        "4111111111.111111",
        "Please enter a number for “Any wish?”, such as 2.5.",
    ),
    "an American phone number": (
        question_of("number"),
        "2125550147",
        "Please enter a whole number for “Any wish?”, such as 3.",
    ),
    "a number below": (question_of("number", min=1), "0", "Please enter a number of at least 1 for “Any wish?”."),
    "a number above": (
        question_of("number", max=1500),
        "1501",
        "Please enter a number of at most 1,500 for “Any wish?”.",
    ),
    "a number outside": (
        question_of("number", min=0.5, max=2, decimals=2),
        "2.01",
        "Please enter a number from 0.5 to 2 for “Any wish?”.",
    ),
    "no such day": (question_of("date"), "2026-02-30", "Please enter a date for “Any wish?” like this: 2026-12-31."),
    "an American date": (
        question_of("date"),
        "12/31/2026",
        "Please enter a date for “Any wish?” like this: 2026-12-31.",
    ),
    "the year 0": (question_of("date"), "0000-01-01", "Please enter a date for “Any wish?” like this: 2026-12-31."),
    "a date outside": (
        question_of("date", min="2026-01-01"),
        "2025-12-31",
        "Please enter a date from January 1, 2026 to December 31, 2100 for “Any wish?”.",
    ),
    "no phone number": (
        question_of("phone"),
        "12",
        (
            "Please check the phone number for “Any wish?”. If it’s from another country, start with + and the country "
            "code."
        ),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_wrong_answer_is_refused_in_words_that_name_the_question(name: str):
    """The other fields have no error, and what was typed stays in the form."""
    question, typed, expected = BAD[name]
    form = filled(question, typed)
    assert dict(form.errors) == {"answer_q": [expected]}
    shown = form["answer_q"].value()
    assert shown == typed or shown == [each for each in typed if each] or shown == [typed]


def test_a_question_of_another_direction_is_isolated_in_the_error():
    """Its question mark stands at its own end. One of the page's direction stays as it is."""
    shown = {}
    for language in ("en", "ar"):
        for label in ("Any wish?", "هل من رغبة؟"):
            with translation.override(language):
                [error] = filled(question_of("text", label=label, required=True), "").errors["answer_q"]
            shown[language, label] = "\u2068" in error
            assert label in error
    assert list(shown.values()) == [False, True, True, False]


def test_a_question_that_is_optional_may_be_left_empty():
    """Of each kind: nothing is sent, and there is no answer."""
    for kind in KINDS:
        form = filled(question_of(kind), "")
        assert form.is_valid(), form.errors
        assert (form.answers(), form.notes_text()) == ((), None)


def test_answers_are_the_last_paragraph_of_the_notes():
    """After the visitor's own notes, whatever these look like, and after an extension; also where notes are hidden."""
    notes = "Any wish: a lot\n\nAny wish: more"
    form = filled(question_of("text"), "Tea", notes=notes, phone="212-555-0123 ext. 9")
    assert form.is_valid()
    assert form.notes_text() == f"{notes}\nPhone extension: 9\n\nAny wish: Tea"
    hidden = ContactForm(
        {**JANE, "answer_q": "Tea"},
        shown=ContactFields(notes="hidden"),
        questions=parse_questions([question_of("text")]),
    )
    assert hidden.is_valid()
    assert hidden.notes_text() == "Any wish: Tea"
    assert "notes" not in hidden.fields


def test_a_question_may_be_named_as_a_field_of_ours():
    """Its field and answer are its own."""
    questions = parse_questions([{"name": name, "label": name.title(), "kind": "text"} for name in JANE])
    form = ContactForm({**JANE, **{f"answer_{name}": f"my {name}" for name in JANE}}, questions=questions)
    assert form.is_valid()
    assert form.contact().name == "Jane Doe"
    assert {answer.name: answer.value for answer in form.answers()} == {name: f"my {name}" for name in JANE}


def test_the_notes_are_the_same_in_each_language_of_the_page(settings: Settings):
    """They are the business's, in the site's language. The answer itself is shown in the visitor's."""
    settings.LANGUAGE_CODE = "de"
    question = question_of("choices", label={"en": "Sizes?", "de": "Größen?", "ar": "المقاسات؟"})
    seen = set()
    for language in ("en", "de", "ar", "ja"):
        with translation.override(language):
            form = filled(question, ["s", "m"])
            assert form.is_valid()
            seen.add(form.notes_text())
            [answer] = form.answers()
            shown = {"en": ("Sizes?", "Small, Medium"), "de": ("Größen?", "Klein, Mittel")}.get(language)
            assert shown is None or (answer.title, answer.text) == shown
    assert seen == {"Größen: Klein; Mittel"}


def test_texts_that_are_too_long_together_are_refused_at_the_longest():
    """Within their own limits each: nothing is cut off, and the form says by how much."""
    questions = [{"name": f"q{n}", "label": f"Question {n}", "kind": "long_text"} for n in range(4)]
    answers = {"answer_q0": "a" * 400, "answer_q1": "b" * 500, "answer_q2": "c" * 499, "notes": "d" * 480}
    form = ContactForm({**JANE, **answers}, questions=parse_questions(questions))
    assert form.is_valid()
    assert len(form.notes_text() or "") <= MAX_NOTES
    longer = ContactForm({**JANE, **answers, "notes": "d" * 600}, questions=parse_questions(questions))
    excess = len(f"{'d' * 600}\n\n") + sum(
        len(f"Question 0: {text}\n") for name, text in answers.items() if "_" in name
    )
    count = excess - 1 - MAX_NOTES
    text = f"Your answers and notes are too long together. Please shorten this text by {count} characters."
    assert dict(longer.errors) == {"notes": [text]}


def test_enter_on_a_phone_leads_to_the_next_field_that_is_typed_into():
    """The last of them sends the form, though a choice may follow: the script finds no field after it."""
    questions = parse_questions([question_of("text"), {**question_of("choice"), "name": "size"}])
    form = ContactForm(shown=ContactFields(notes="hidden"), questions=questions)
    hints = {name: field.widget.attrs.get("enterkeyhint") for name, field in form.fields.items()}
    assert hints == {"name": "next", "email": "next", "phone": "next", "answer_q": None, "answer_size": None}
    assert "data-kb-prefill" not in form.fields["answer_size"].widget.attrs
    assert form.fields["answer_q"].widget.attrs["data-kb-prefill"] == "prefillAnswerQ"


@given(
    st.dictionaries(st.text(max_size=60) | st.from_regex(r"answer_[a-z0-9_]{1,45}"), st.text(max_size=300), max_size=40)
)
def test_form_input_of_questions_is_bounded(values: dict[str, str]):
    """Only names of questions, 20 at most; and what is kept is kept unchanged."""
    kept = answer_input(values)
    assert len(kept) <= 20
    assert all(name.startswith("answer_") and values[name] == text for name, text in kept.items())


@given(kind=st.sampled_from(KINDS), typed=st.text(max_size=2000), required=st.booleans())
def test_any_answer_is_taken_or_refused(kind: str, typed: str, required: bool):
    """Never with an exception, and what is taken makes one line of the notes."""
    form = filled(question_of(kind, required=required), typed)
    if form.is_valid():
        lines = (form.notes_text() or "").splitlines()
        assert len(lines) == len(form.answers()) <= 1
    else:
        assert set(form.errors) == {"answer_q"}
