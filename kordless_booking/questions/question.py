"""Questions of the setting QUESTIONS: parsed once, with every mistake named.

A value of the setting has a list of questions for each service, by its slug, and under "*" those of all services. A
site that keeps its questions elsewhere names a function instead, which returns such a list for one service.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.conf import settings
from django.utils.functional import Promise
from django.utils.module_loading import import_string

from kordless_booking.normalization import has_visible_text, visible_text
from kordless_booking.presentation.site_texts import SiteText, text_in

KINDS: Final = ("text", "long_text", "choice", "choices", "yes_no", "number", "date", "phone")
"""Kinds of questions. Each has one kind of field."""
FREE_KINDS: Final = frozenset({"text", "long_text", "phone"})
"""Kinds whose answer may be any text of the visitor's."""
FOR_ALL: Final = "*"
"""Key of the questions that every service has, after its own."""

MAX_QUESTIONS: Final = 20
"""Questions of one service. A form with more is sent by nobody."""
MAX_CHOICES: Final = 50
"""Answers to choose from."""
MAX_RADIOS: Final = 5
"""Answers up to which all of them are in sight. More are in a list that opens."""
MAX_NAME: Final = 40
"""Characters of a question's name."""
MAX_LABEL: Final = 150
"""Characters of a label, a title or the label of a choice."""
MAX_VALUE: Final = 100
"""Characters of the value of a choice."""
MAX_HELP: Final = 500
"""Characters of a help text."""
MAX_ANSWER: Final = 1000
"""Characters of a typed answer, as of the notes."""
MAX_ALL_CHOICES: Final = 200
"""Answers to choose from in one form, of all its questions: each is an element of its own."""
MAX_TEXTS: Final = 8000
"""Characters of all that the questions of one form show, in any one language. A phone shows about 500 at once."""
MAX_NOTES: Final = 2000
"""Characters that are sent as notes, together. Kordless doesn't document how many it takes: the sandbox takes these."""
MAX_FIXED: Final = 900
"""Characters of the notes that all titles of a service may take, with the longest answers that visitors choose. What
they type has to fit beside it: 1,000 of their own notes, and an answer or two.
"""
_CHARACTER_BYTES: Final = 12
"""Bytes that a character takes at most when URL-encoded."""
MOST_ANSWERS: Final = _CHARACTER_BYTES * MAX_QUESTIONS * MAX_ANSWER
"""Bytes that the typed answers of any service can add to a form."""
_PHONE_LENGTH: Final = 40
_FIXED_ANSWER: Final = 14
"""Characters of a number, a date, or yes or no."""
_FIRST_DATE: Final = date(1900, 1, 1)
_LAST_DATE: Final = date(2100, 12, 31)
_DEFAULT_LENGTHS: Final = {"text": 200, "long_text": 500, "phone": _PHONE_LENGTH}
LARGEST_NUMBER: Final = 10**9
"""Largest number that is taken, by its size: more digits are a phone number or a bank card's."""
_MAX_DECIMALS: Final = 6

_NAME: Final = re.compile(rf"[a-z][a-z0-9_]{{0,{MAX_NAME - 1}}}")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}")
_END_OF_LABEL: Final = " ?:\u00bf\uff1f\uff1a\u061f"
"""Characters around a label that don't stand in the notes, where a colon follows it."""


class WrongQuestion(ValueError):
    """A question that can't be asked. The text says what is wrong, and repeats it."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """Question of a service."""

    name: str
    """Key of its answer, and the end of its field's name."""
    label: SiteText
    kind: str
    """One of KINDS."""
    required: bool = False
    help: SiteText = ""
    title: SiteText = ""
    """Label in the notes, the mails and the confirmation; "" for the label itself."""
    choices: tuple[tuple[str, SiteText], ...] = ()
    """Values and labels of the answers to choose from."""
    max_length: int = 0
    """Characters of a typed answer."""
    min: int | float | date | None = None
    max: int | float | date | None = None
    """Bounds of a number or a date, both included. A date has both."""
    decimals: int = 0
    """Digits of a number after the point."""

    def title_in(self, language: str) -> str:
        """Return its title, else its label."""
        return text_in(self.title or self.label, language)

    @property
    def heading(self) -> str:
        """Title in the notes, in the site's own language, which the business reads. Without a colon in it."""
        return heading_of(self.title_in(settings.LANGUAGE_CODE)) or self.name

    @property
    def shown_length(self) -> int:
        """Characters that the form shows of it, in the language that needs most."""
        texts = [self.label, self.help, *(label for _value, label in self.choices)]
        return sum(max(map(len, _written(text)), default=0) for text in texts)

    @property
    def fixed_length(self) -> int:
        """Characters of its line in the notes, but for what a visitor types."""
        sizes = [len(text_in(label, settings.LANGUAGE_CODE)) + len(ANSWER_SEPARATOR) for _value, label in self.choices]
        longest = sum(sizes) if self.kind == "choices" else max(sizes, default=0)
        return len(self.heading) + len(": \n") + (longest or (0 if self.kind in FREE_KINDS else _FIXED_ANSWER))


def heading_of(title: str) -> str:
    """Return a title as it stands before a colon: without one of its own, and without a question mark."""
    return " ".join(title.replace(":", " ").split()).strip(_END_OF_LABEL)


def _written(text: SiteText) -> list[str]:
    """Return what a text says in each language that the settings have it in; nothing of one that gettext translates."""
    values = text.values() if isinstance(text, Mapping) else [text]
    return [value for value in values if isinstance(value, str)]


ANSWER_SEPARATOR: Final = "; "
"""Stands between several answers to one question."""

Questions = tuple[Question, ...]


def largest_answers(questions: Questions) -> int:
    """Return the most bytes that typed answers add to a form."""
    return sum(_CHARACTER_BYTES * question.max_length for question in questions)


def parse_questions(given: object) -> Questions:
    """Parse the list of questions of one service. Raises WrongQuestion."""
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise WrongQuestion(f"{_shown(given)} is not a list of questions.")
    return _together([_parse(each, number) for number, each in enumerate(given, 1)])


def merge_questions(own: Questions, shared: Questions) -> Questions:
    """Return a service's own questions, and those of all services without the ones that it asks in its own way."""
    names = {question.name for question in own}
    return _together([*own, *(question for question in shared if question.name not in names)])


def _together(questions: list[Question]) -> Questions:
    names = [question.name for question in questions]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise WrongQuestion(f'There are two questions with the name "{twice}".')
    if len(questions) > MAX_QUESTIONS:
        raise WrongQuestion(f"There are {len(questions)} questions: at most {MAX_QUESTIONS} can be asked.")
    if (length := sum(question.fixed_length for question in questions)) > MAX_FIXED:
        raise WrongQuestion(
            f"Titles and choices take {length} characters of the notes, and {MAX_FIXED} at most may: "
            'give long ones a short "title".'
        )
    if (choices := sum(len(question.choices) for question in questions)) > MAX_ALL_CHOICES:
        raise WrongQuestion(
            f"There are {choices} answers to choose from: at most {MAX_ALL_CHOICES} can be in one form."
        )
    if (shown := sum(question.shown_length for question in questions)) > MAX_TEXTS:
        raise WrongQuestion(
            f"Labels, help texts and choices have {shown} characters, and {MAX_TEXTS} at most are shown in one form."
        )
    return tuple(questions)


_KEYS: Final = {
    "text": ("max_length",),
    "long_text": ("max_length",),
    "choice": ("choices",),
    "choices": ("choices",),
    "yes_no": (),
    "number": ("min", "max", "decimals"),
    "date": ("min", "max"),
    "phone": (),
}
"""Keys that a kind has besides those of all questions."""
_COMMON_KEYS: Final = ("name", "label", "kind", "required", "help", "title")


def _parse(given: object, number: int) -> Question:
    if not isinstance(given, Mapping):
        raise WrongQuestion(f"Question {number} is {_shown(given)}, not a dictionary.")
    name = given.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise WrongQuestion(
            f'Question {number} has the name {_shown(name)}: use at most {MAX_NAME} of "a" to "z", "0" to "9" and "_", '
            "and begin with a letter."
        )
    try:
        return _parse_named(given, name)
    except WrongQuestion as error:
        raise WrongQuestion(f'Question "{name}": {error}') from None


def _parse_named(given: Mapping[Any, Any], name: str) -> Question:
    kind = given.get("kind")
    if kind not in KINDS:
        raise WrongQuestion(f"kind is {_shown(kind)}: use {_listed(KINDS)}.")
    known = (*_COMMON_KEYS, *_KEYS[kind])
    if (unknown := next((key for key in given if key not in known), None)) is not None:
        raise WrongQuestion(f"unknown key {_shown(unknown)}. A question of this kind has: {', '.join(known)}.")
    required = given.get("required", False)
    if not isinstance(required, bool):
        raise WrongQuestion(f"required is {_shown(required)}: use True or False.")
    label = _text(given.get("label"), "label", MAX_LABEL)
    if "help" in given and given["help"] != "":
        given = {**given, "help": _text(given["help"], "help", MAX_HELP)}
    title = _text(given["title"], "title", MAX_LABEL) if given.get("title", "") != "" else ""
    return Question(
        name=name,
        label=label,
        kind=kind,
        required=required,
        help=given.get("help", ""),
        title=title,
        choices=_choices(given.get("choices")) if "choices" in _KEYS[kind] else (),
        max_length=_max_length(given.get("max_length"), kind),
        **_bounds(given, kind),
    )


def _text(given: object, key: str, longest: int) -> SiteText:
    """Check a text of the site's, in one language or by language."""
    if isinstance(given, Promise):
        # What it says is known in each language only.
        return given
    if isinstance(given, Mapping):
        if not given:
            raise WrongQuestion(f"{key} is an empty dictionary: give it a text for each language.")
        for language, text in given.items():
            if not isinstance(language, str) or not _LANGUAGE.fullmatch(language):
                raise WrongQuestion(f'{key} has {_shown(language)}, which is no language code such as "de".')
            _line(text, f'{key} of "{language}"', longest)
        # A copy: the site's own could change.
        return {language: str(text) for language, text in given.items()}
    return _line(given, key, longest)


def _line(given: object, key: str, longest: int) -> str:
    if not isinstance(given, str) or not has_visible_text(given):
        raise WrongQuestion(f"{key} is {_shown(given)}, not a text.")
    if len(given) > longest:
        raise WrongQuestion(f"{key} has {len(given)} characters: use at most {longest}.")
    if given != visible_text(given):
        raise WrongQuestion(f"{key} is {_shown(given)}: a line break, or a character that doesn't show.")
    return given


def _choices(given: object) -> tuple[tuple[str, SiteText], ...]:
    if not isinstance(given, Sequence) or isinstance(given, str) or not 1 < len(given) <= MAX_CHOICES:
        raise WrongQuestion(f"choices is {_shown(given)}: use a list of 2 to {MAX_CHOICES} answers.")
    found: list[tuple[str, SiteText]] = []
    for each in given:
        match each:
            case str():
                found.append((_line(each, "a choice", MAX_VALUE), each))
            case [value, label]:
                text = _text(label, f"the label of {_shown(value)}", MAX_LABEL)
                found.append((_line(value, "a choice", MAX_VALUE), text))
            case _:
                raise WrongQuestion(f"the choice {_shown(each)} is neither a text nor a pair of value and label.")
    values = [value for value, _label in found]
    if twice := next((value for value in values if values.count(value) > 1), None):
        raise WrongQuestion(f"choices has {_shown(twice)} twice.")
    return tuple(found)


def _max_length(given: object, kind: str) -> int:
    if given is None:
        return _DEFAULT_LENGTHS.get(kind, 0)
    if not isinstance(given, int) or isinstance(given, bool) or not 1 <= given <= MAX_ANSWER:
        raise WrongQuestion(f"max_length is {_shown(given)}: use a whole number from 1 to {MAX_ANSWER}.")
    return given


def _bounds(given: Mapping[Any, Any], kind: str) -> dict[str, Any]:
    if kind not in {"number", "date"}:
        return {}
    decimals = given.get("decimals", 0)
    if not isinstance(decimals, int) or isinstance(decimals, bool) or not 0 <= decimals <= _MAX_DECIMALS:
        raise WrongQuestion(f"decimals is {_shown(decimals)}: use a whole number from 0 to {_MAX_DECIMALS}.")
    parse: Callable[[object, str], Any] = _date if kind == "date" else _number
    low, high = (None if given.get(key) is None else parse(given[key], key) for key in ("min", "max"))
    if kind == "date":
        low, high = low or _FIRST_DATE, high or _LAST_DATE
    if low is not None and high is not None and low > high:
        raise WrongQuestion(f"min is {given.get('min')!r}, which is more than max, {given.get('max')!r}.")
    return {"min": low, "max": high, "decimals": decimals}


def _number(given: object, key: str) -> int | float:
    if not isinstance(given, int | float) or isinstance(given, bool) or not abs(given) <= LARGEST_NUMBER:
        raise WrongQuestion(f"{key} is {_shown(given)}, not a number.")
    return given


def _date(given: object, key: str) -> date:
    if isinstance(given, date):
        return date(given.year, given.month, given.day)
    try:
        return date.fromisoformat(given if isinstance(given, str) else "")
    except ValueError:
        raise WrongQuestion(f'{key} is {_shown(given)}: use a date such as "2026-12-31".') from None


QuestionsSetting = Mapping[str, Questions] | Callable[[str, str], Any]
"""Value of the setting as an account has it: questions by slug, or the site's function of account and slug."""

_DOTTED: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")


def parse_setting(given: object) -> QuestionsSetting:
    """Parse a value of the setting. Raises WrongQuestion."""
    if isinstance(given, str):
        if not _DOTTED.fullmatch(given):
            raise WrongQuestion(f"{_shown(given)} is not the dotted path of a function.")
        # Imported when it is called: while settings are read, a site's models aren't there yet.
        return _Imported(given)
    if callable(given):
        return given
    if not isinstance(given, Mapping):
        raise WrongQuestion(f"{_shown(given)} is neither a dictionary nor the dotted path of a function.")
    found: dict[str, Questions] = {}
    for slug, questions in given.items():
        if not isinstance(slug, str) or not slug:
            raise WrongQuestion(f'{_shown(slug)} is neither the slug of a service nor "{FOR_ALL}".')
        try:
            found[slug] = parse_questions(questions)
        except WrongQuestion as error:
            raise WrongQuestion(f'"{slug}": {error}') from None
    shared = found.get(FOR_ALL, ())
    for slug, own in found.items():
        if slug == FOR_ALL:
            continue
        try:
            found[slug] = merge_questions(own, shared)
        except WrongQuestion as error:
            raise WrongQuestion(f'"{slug}" and "{FOR_ALL}" together: {error}') from None
    return found


def find_wrong_question(given: object) -> str:
    """Return a description of the first mistake in a value of the setting, which it repeats; "" when there is none."""
    try:
        parse_setting(given)
    except WrongQuestion as error:
        return str(error)
    return ""


@dataclass(frozen=True)
class _Imported:
    """Function of the site's that is known by its dotted path."""

    path: str

    def __call__(self, account: str, service: str) -> Any:
        return import_string(self.path)(account, service)


def _shown(value: object) -> str:
    # Cut: a whole dictionary of settings may stand here by mistake.
    return reprlib.repr(value)


def _listed(words: tuple[str, ...]) -> str:
    *most, last = (f'"{word}"' for word in words)
    return f"{', '.join(most)} or {last}"
