"""Answers to a business's questions: as they are kept with a booking, sent in its notes, and carried between forms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from kordless_booking.api.msgspec_warmup import warm_up
from kordless_booking.questions.question import FREE_KINDS, MAX_CHOICES, MAX_NAME, MAX_QUESTIONS, MAX_VALUE

FIELD_PREFIX: Final = "answer_"
"""Begin of the names of fields, so that a question may be named as a field of ours."""
_FIELD_NAME: Final = re.compile(rf"{FIELD_PREFIX}[a-z][a-z0-9_]{{0,{MAX_NAME - 1}}}")
CHOSEN_SEPARATOR: Final = "\n"
"""Stands between several chosen values in form input. No value has a line break."""
_MAX_INPUT: Final = MAX_CHOICES * (MAX_VALUE + 1)
"""Characters of the form input of one question: all choices. Far more than is taken of what is typed."""


_MAX_MAILED_DIGITS: Final = 6
"""Digits of a number that a mail to the customer has: anybody can type a number to call and somebody else's address."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Answer of a visitor, as it was given: the question may be changed or dropped later."""

    name: str
    """Name of the question."""
    kind: str
    """Kind of the question."""
    title: str
    """Title of the question, in the visitor's language."""
    text: str
    """The answer as it is shown, in the visitor's language."""
    value: bool | int | float | str | list[str | dict[str, str]]
    """The answer for programs: True or False, a number, a date in ISO 8601, a phone number in E.164, the value of what
    was chosen, what was typed, or a name and an email address for each guest."""

    @property
    def is_free_text(self) -> bool:
        """True when it may be any text of the visitor's, or a number that is as long as a phone number."""
        if self.kind == "number":
            return sum(map(str.isdigit, str(self.value))) > _MAX_MAILED_DIGITS
        return self.kind in FREE_KINDS

    def __repr__(self) -> str:
        # Personal data: it must not appear in a traceback or a log.
        return f"Answer({self.name!r}, …)"


def answer_values(answers: Iterable[Answer]) -> dict[str, Any]:
    """Return the answers by the names of their questions, as signals have them."""
    return {answer.name: answer.value for answer in answers}


def convert_answers(stored: object) -> tuple[Answer, ...]:
    """Return answers that were stored as JSON; none where they can't be read: no booking must fail for them."""
    try:
        return msgspec.convert(stored or (), tuple[Answer, ...])
    except msgspec.ValidationError:
        return ()


def answer_input(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the form input of questions: those of any service, because form input is carried from one to another.

    `values` may be a posted form, in which a name can have several values. Bounded, as all form input.
    """
    found: dict[str, str] = {}
    read_all = getattr(values, "getlist", lambda name: [values[name]])
    for name in filter(_FIELD_NAME.fullmatch, values):
        # The first of them, as many as a question has choices.
        text = CHOSEN_SEPARATOR.join(map(str, filter(None, read_all(name)[:MAX_CHOICES])))
        if text:
            found[name] = text[:_MAX_INPUT]
        # One more: the guests.
        if len(found) > MAX_QUESTIONS:
            break
    return found


# While one thread imports this: msgspec crashes when two threads use a new type for the first time at once.
warm_up(Answer, tuple[Answer, ...])
