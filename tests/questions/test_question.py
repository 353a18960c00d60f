"""The setting QUESTIONS: parsed once, each mistake with the value that is wrong."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from kordless_booking.presentation.site_texts import languages_without, text_in
from kordless_booking.questions.question import (
    FOR_ALL,
    KINDS,
    MAX_FIXED,
    WrongQuestion,
    find_wrong_question,
    merge_questions,
    parse_questions,
    parse_setting,
)

CHOICES = {"choices": ["Red", "Blue"]}


def question(name: str = "allergies", kind: str = "text", **more: Any) -> dict[str, Any]:
    """Return a question as a site writes it."""
    return {"name": name, "label": "Any allergies?", "kind": kind, **(CHOICES if "choice" in kind else {}), **more}


MISTAKES = {
    "not a dictionary": ([question()], "is neither a dictionary nor"),
    "not a path": ("questions", "'questions' is not the dotted path of a function."),
    "a number": (3, "3 is neither a dictionary nor the dotted path"),
    "no slug": ({"": [question()]}, "'' is neither the slug"),
    "no list": ({"haircut": question()}, '"haircut": {'),
    "a text for a list": ({"haircut": "text"}, "\"haircut\": 'text' is not a list of questions."),
    "no question": ({"haircut": ["Any allergies?"]}, "\"haircut\": Question 1 is 'Any allergies?', not a dictionary."),
    "no name": ({"*": [{"label": "L", "kind": "text"}]}, '"*": Question 1 has the name None'),
    "a long name": ({"*": [question("a" * 41)]}, "Question 1 has the name 'aaaa"),
    "a name with a line break": ({"*": [question("a\nb")]}, "Question 1 has the name 'a\\nb'"),
    "a name like a path": ({"*": [question("../etc")]}, "Question 1 has the name '../etc'"),
    "a capital": ({"*": [question("Allergies")]}, "has the name 'Allergies'"),
    "a name twice": ({"*": [question(), question()]}, 'There are two questions with the name "allergies".'),
    "no kind": ({"*": [{"name": "a", "label": "L"}]}, 'Question "a": kind is None: use "text", "long_text"'),
    "an unknown kind": ({"*": [question(kind="color")]}, "Question \"allergies\": kind is 'color'"),
    "a kind that can't be hashed": ({"*": [question(kind=["text"])]}, "kind is ['text']"),
    "an unknown key": ({"*": [question(min=3)]}, "unknown key 'min'. A question of this kind has: name, label"),
    "required as a word": ({"*": [question(required="yes")]}, "required is 'yes': use True or False."),
    "no label": ({"*": [{"name": "a", "kind": "text"}]}, "label is None, not a text."),
    "an invisible label": ({"*": [question(label="\u200b ")]}, "label is "),
    "a label of two lines": ({"*": [question(label="a\nb")]}, "label is 'a\\nb': a line break"),
    "a label that turns the line": ({"*": [question(label="a\u202eb")]}, "or a character that doesn't show"),
    "a long label": ({"*": [question(label="x" * 151)]}, "label has 151 characters: use at most 150."),
    "a label in no language": ({"*": [question(label={})]}, "label is an empty dictionary"),
    "a label in a wrong language": ({"*": [question(label={"german!": "a"})]}, "label has 'german!', which is no"),
    "a label that is missing": ({"*": [question(label={"de": ""})]}, "label of \"de\" is '', not a text."),
    "a long help": ({"*": [question(help="x" * 501)]}, "help has 501 characters"),
    "no choices": ({"*": [question(kind="choice", choices=None)]}, "choices is None: use a list of 2 to 50"),
    "one choice": ({"*": [question(kind="choices", choices=["Red"])]}, "choices is ['Red']: use a list of 2"),
    "many choices": ({"*": [question(kind="choice", choices=[str(n) for n in range(51)])]}, "use a list of 2 to 50"),
    "a choice twice": ({"*": [question(kind="choice", choices=["Red", "Red"])]}, "choices has 'Red' twice."),
    "a choice of three": (
        {"*": [question(kind="choice", choices=[["a", "b", "c"], "d"])]},
        "neither a text nor a pair",
    ),
    "a choice of no text": ({"*": [question(kind="choice", choices=[["a", 1], "d"])]}, "the label of 'a' is 1"),
    "a choice of two lines": ({"*": [question(kind="choice", choices=["a\nb", "c"])]}, "a choice is 'a\\nb'"),
    "a length of no number": (
        {"*": [question(max_length="9")]},
        "max_length is '9': use a whole number from 1 to 1000",
    ),
    "a large length": ({"*": [question(max_length=1001)]}, "max_length is 1001"),
    "a bound of no number": ({"*": [question(kind="number", min="1")]}, "min is '1', not a number."),
    "a bound that is no number": ({"*": [question(kind="number", max=float("nan"))]}, "max is nan, not a number."),
    "bounds the wrong way": ({"*": [question(kind="number", min=3, max=1)]}, "min is 3, which is more than max, 1."),
    "many decimals": ({"*": [question(kind="number", decimals=7)]}, "decimals is 7: use a whole number from 0 to 6."),
    "no date": ({"*": [question(kind="date", min="31.12.2026")]}, "min is '31.12.2026': use a date such as"),
    "dates the wrong way": ({"*": [question(kind="date", min="2101-01-01")]}, "is more than max, None"),
    "many questions": ({"*": [question(f"a{n}") for n in range(21)]}, "There are 21 questions: at most 20"),
    "many together": (
        {"*": [question(f"a{n}") for n in range(11)], "haircut": [question(f"b{n}") for n in range(10)]},
        '"haircut" and "*" together: There are 21 questions',
    ),
    "many choices together": (
        {"*": [question(f"a{n}", kind="choice", choices=[str(each) for each in range(50)]) for n in range(5)]},
        "There are 250 answers to choose from: at most 200",
    ),
    "long texts together": (
        {"*": [question(f"a{n}", help={"en": "x", "de": "x" * 500}) for n in range(16)]},
        "have 8224 characters, and 8000 at most are shown in one form",
    ),
    "long titles": ({"*": [question(f"a{n}", label="x" * 150) for n in range(8)]}, f"and {MAX_FIXED} at most may"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_the_questions_is_described_with_its_value(name: str):
    """The description names service, question and key, and repeats what is wrong."""
    value, expected = MISTAKES[name]
    assert expected in find_wrong_question(value)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_question_is_accepted(kind: str):
    """With its label alone, and with texts by language."""
    text = {"en": "A text", "de": "Ein Text", "zh-hant": "文字"}
    for each in (question(kind=kind), question(kind=kind, label=text, help=text, title=text, required=True)):
        assert find_wrong_question({"haircut": [each]}) == ""


def test_a_service_has_its_own_questions_before_those_of_all():
    """A question of the same name is asked once, in the service's own way. The site's values stay unchanged."""
    given = {
        FOR_ALL: [question("source"), question("allergies")],
        "haircut": [question("allergies", required=True), question("length", "number")],
        "color": [],
    }
    found = parse_setting(given)
    assert isinstance(found, dict)
    names = {slug: [each.name for each in questions] for slug, questions in found.items()}
    assert names == {
        FOR_ALL: ["source", "allergies"],
        "haircut": ["allergies", "length", "source"],
        "color": ["source", "allergies"],
    }
    assert found["haircut"][0].required
    assert merge_questions((), found[FOR_ALL]) == found[FOR_ALL]


def test_a_text_is_shown_in_the_visitors_language_else_in_the_sites(settings: Settings):
    """A regional variant serves its language; where neither is there, the first text is shown."""
    settings.LANGUAGE_CODE = "fr"
    text = {"de": "Farbe", "pt-br": "Cor", "fr": "Couleur"}
    shown = {code: text_in(text, code) for code in ("de", "de-at", "pt", "fr", "en")}
    assert shown == {"de": "Farbe", "de-at": "Farbe", "pt": "Cor", "fr": "Couleur", "en": "Couleur"}
    assert text_in({"ar": "لون"}, "en") == "لون"
    assert text_in(gettext_lazy("Email or phone"), "de") == "E-Mail oder Telefon"
    assert text_in("Color", "de") == "Color"
    assert languages_without(text, ["de", "de-at", "en", "ar"]) == ["en", "ar"]
    assert languages_without("Color", ["de"]) == []


def test_a_heading_in_the_notes_has_no_colon_of_its_own():
    """The colon after it is the first one of its line."""
    headings = [
        parse_questions([question(label=label)])[0].heading
        for label in (
            "Any allergies?",
            "¿Alergias?",
            "Time: when?",
            "Allergien:",
            "هل لديك حساسية؟",
            "何ですか\uff1f",
            "?",
        )
    ]
    assert headings == [
        "Any allergies",
        "Alergias",
        "Time when",
        "Allergien",
        "هل لديك حساسية",
        "何ですか",
        "allergies",
    ]


def test_dates_are_bounded_also_where_the_site_names_no_bounds():
    """Nobody was born in the year 3."""
    [parsed] = parse_questions([question(kind="date", max=date(2020, 12, 31))])
    assert (parsed.min, parsed.max) == (date(1900, 1, 1), date(2020, 12, 31))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["name", "label", "kind", "choices", "min", "max", "help", "*", "haircut"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(_JSON)
def test_any_value_is_parsed_or_refused_in_words(value: Any):
    """Never with another exception, and never without a word."""
    if find_wrong_question(value):
        with pytest.raises(WrongQuestion):
            parse_setting(value)
    else:
        assert parse_setting(value) is not None
