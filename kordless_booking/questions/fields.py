"""Fields of the contact form that ask a business's questions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import reduce
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django import forms
from django.conf import settings
from django.utils import translation
from django.utils.datastructures import MultiValueDict
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext, pgettext_lazy

from kordless_booking.form_fields import VisitorTextField, build_label
from kordless_booking.lazy_imports import LazyModule
from kordless_booking.normalization import (
    compact_text,
    has_visible_text,
    normalize_email,
    parse_phone,
    validate_deliverable_email,
)
from kordless_booking.presentation.locales import locale_of
from kordless_booking.presentation.search import fold_digits
from kordless_booking.presentation.site_texts import text_in
from kordless_booking.questions.answers import CHOSEN_SEPARATOR, Answer
from kordless_booking.questions.question import ANSWER_SEPARATOR, LARGEST_NUMBER, MAX_ANSWER, MAX_RADIOS, Question

if TYPE_CHECKING:
    from babel import dates, numbers
else:
    dates = LazyModule("babel.dates")
    numbers = LazyModule("babel.numbers")

_MAX_NUMBER: Final = 20
"""Characters of a number as typed."""
_MAX_DATE: Final = 20
"""Characters of a date as typed."""
GUESTS: Final = "guests"
"""Name of the answer that has the guests."""
_AROUND_ADDRESS: Final = str.maketrans(dict.fromkeys("<>(),;", " "))
"""Characters that people write around an address, or between it and a name."""
_DATE: Final = re.compile(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?\d{1,10}(?:\.\d{1,12})?", re.ASCII)
_MAX_DIGITS: Final = 12
"""Digits of a number, before and after its point. A bank card's has 13 or more."""


class AnswerField(forms.Field):
    """Base class of the fields: what they have in common is the question, and how an answer is said."""

    question: Question
    language: str

    def __init__(self, question: Question, language: str, **options: Any) -> None:
        self.question, self.language = question, language
        help_text = text_in(question.help, language)
        super().__init__(
            label=build_label(text_in(question.label, language), required=question.required),
            required=question.required,
            # Isolated, as the label: it may be of another direction than the page.
            help_text=format_html("<bdi>{}</bdi>", help_text) if help_text else "",
            **options,
        )
        self.error_messages["required"] = _("Please answer this question: %(question)s") % self.named
        # Not of one radio button: a group of them says it.
        if question.required and not self.widget.use_fieldset:
            self.widget.attrs["aria-required"] = "true"

    @property
    def named(self) -> dict[str, str]:
        """Return the placeholder of the error messages that names the question."""
        return {"question": isolate(text_in(self.question.label, self.language), self.language)}

    def build_answer(self, value: Any) -> Answer:
        """Return the answer for a cleaned value that isn't empty."""
        return Answer(
            name=self.question.name,
            kind=self.question.kind,
            title=self.question.title_in(self.language),
            text=self.format_value(value, self.language),
            value=self.store(value),
        )

    def write_note(self, value: Any) -> str:
        """Return the line of the notes for a cleaned value that isn't empty: title and answer.

        In the site's own language, whatever the visitor's is: the body of a request that is sent again must be the
        same, also after the language has changed. Always one line, so that no answer can look like another one.
        """
        answer = " / ".join(filter(None, map(str.strip, self.format_for_notes(value).splitlines())))
        return f"{self.question.heading}: {answer}"

    def format_for_notes(self, value: Any) -> str:
        """Return the answer as it stands in the notes, for the business."""
        return self.format_value(value, settings.LANGUAGE_CODE)

    def format_value(self, value: Any, language: str) -> str:
        """Return the answer in words."""
        return str(value)

    def store(self, value: Any) -> Any:
        """Return the answer for programs."""
        return value

    @property
    def is_typed(self) -> bool:
        """True where the answer is typed, and may be long."""
        return self.question.max_length > 0


def isolate(text: str, language: str) -> str:
    """Return a text for the middle of a sentence in a language, isolated where its direction is another one.

    Else its question mark would stand on the side of the sentence's end.
    """
    kinds = {unicodedata.bidirectional(letter) for letter in text}
    is_rtl = locale_of(language).text_direction == "rtl"
    # FSI and PDI: the text's first letter decides.
    return f"\u2068{text}\u2069" if kinds & ({"L"} if is_rtl else {"R", "AL"}) else text


class _TextField(AnswerField, VisitorTextField):
    """A line, or with `long_text` several."""

    def __init__(self, question: Question, language: str, **options: Any) -> None:
        attributes: dict[str, str | int] = {"autocomplete": "off", "dir": "auto"}
        widget = (
            forms.Textarea(attrs={**attributes, "rows": 3})
            if question.kind == "long_text"
            else forms.TextInput(attrs={**attributes, "enterkeyhint": "next"})
        )
        limit = question.max_length
        super().__init__(question, language, widget=widget, max_length=limit, **options)
        # Django's own validator doesn't name the question.
        text = ngettext(
            "Please shorten your answer to “%(question)s” to %(count)s character.",
            "Please shorten your answer to “%(question)s” to %(count)s characters.",
            limit,
        ) % {**self.named, "count": limit}
        self.validators = [*(each for each in self.validators if not hasattr(each, "limit_value")), _Limit(limit, text)]


class _Limit:
    """Validator of a text's length."""

    def __init__(self, limit: int, message: str) -> None:
        self.limit, self.message = limit, message

    def __call__(self, value: str) -> None:
        if len(value) > self.limit:
            raise forms.ValidationError(self.message, code="max_length")


class _ParsedField(AnswerField):
    """Field whose text is parsed. A text input, also for numbers and dates: every keyboard and language can fill it."""

    max_length = 0

    def __init__(self, question: Question, language: str, **options: Any) -> None:
        attributes = {"autocomplete": "off", "dir": "ltr", "enterkeyhint": "next", "maxlength": self.max_length}
        super().__init__(question, language, widget=forms.TextInput(attrs=attributes), **options)

    def to_python(self, value: Any) -> Any:
        text = str(value or "")[: 4 * self.max_length]
        if not has_visible_text(text):
            return None
        if "\0" in text or len(text) > self.max_length or (parsed := self.parse(text)) is None:
            raise forms.ValidationError(self.explain(), code="invalid")
        return parsed

    def parse(self, text: str) -> Any:
        """Return the value of a text in which something shows; None when it isn't one."""
        raise NotImplementedError

    def explain(self) -> str:
        """Return what is expected, for a text that isn't it."""
        raise NotImplementedError


class _NumberField(_ParsedField):
    """Number as people type it, with a point or a comma."""

    max_length = _MAX_NUMBER

    def __init__(self, question: Question, language: str, **options: Any) -> None:
        super().__init__(question, language, **options)
        # Phones have no minus on this keyboard.
        if question.min is not None and not isinstance(question.min, date) and question.min >= 0:
            self.widget.attrs["inputmode"] = "decimal" if question.decimals else "numeric"

    def parse(self, text: str) -> int | float | None:
        # Digits of any script, and a minus sign that phones put there.
        typed = fold_digits(compact_text(text))
        plain = "".join(typed.split()).replace("\u2212", "-").replace("\u066b", ".").replace(",", ".")
        # A separator is that of the decimals, in which languages differ, and none of thousands: "1.000" is either one
        # or a thousand. So a whole number has none.
        if not _NUMBER.fullmatch(plain) or len(plain.partition(".")[2]) > self.question.decimals:
            return None
        number = Decimal(plain)
        if abs(number) > LARGEST_NUMBER or sum(map(str.isdigit, plain)) > _MAX_DIGITS:
            return None
        return int(number) if number == int(number) else float(number)

    def explain(self) -> str:
        if not self.question.decimals:
            return _("Please enter a whole number for “%(question)s”, such as 3.") % self.named
        example = numbers.format_decimal(Decimal("2.5"), locale=locale_of(self.language))
        return _("Please enter a number for “%(question)s”, such as %(example)s.") % {**self.named, "example": example}

    def validate(self, value: int | float | None) -> None:
        super().validate(value)
        low, high = self.question.min, self.question.max
        if value is None or isinstance(low, date) or isinstance(high, date):
            return
        shown = {key: self._format(bound) for key, bound in (("min", low), ("max", high)) if bound is not None}
        named = {**self.named, **shown}
        if (low is None or value >= low) and (high is None or value <= high):
            return
        if high is None:
            text = _("Please enter a number of at least %(min)s for “%(question)s”.") % named
        elif low is None:
            text = _("Please enter a number of at most %(max)s for “%(question)s”.") % named
        else:
            text = _("Please enter a number from %(min)s to %(max)s for “%(question)s”.") % named
        raise forms.ValidationError(text, code="out_of_range")

    def _format(self, number: int | float) -> str:
        return str(numbers.format_decimal(Decimal(str(number)), locale=locale_of(self.language)))

    def format_value(self, value: int | float, language: str) -> str:
        # With all its digits: Babel's own pattern has three after the point.
        pattern = "#,##0." + "#" * 6
        return str(numbers.format_decimal(Decimal(str(value)), pattern, locale=locale_of(language)))

    def format_for_notes(self, value: int | float) -> str:
        # The same in each language, and for programs.
        return str(value)


class _DateField(_ParsedField):
    """Date. Browsers have a calendar for it, and send it in ISO 8601; without one, it is typed like that."""

    max_length = _MAX_DATE

    def __init__(self, question: Question, language: str, **options: Any) -> None:
        super().__init__(question, language, **options)
        self.widget.input_type = "date"
        # What is typed where a browser has no calendar is bounded by `parse`: a date has no such attribute in HTML.
        del self.widget.attrs["maxlength"]
        self.widget.attrs |= {"min": f"{question.min}", "max": f"{question.max}"}

    def parse(self, text: str) -> date | None:
        typed = fold_digits(compact_text(text))
        if not (found := _DATE.fullmatch(typed)):
            return None
        try:
            return date(*map(int, found.groups()))
        except ValueError:
            return None

    def explain(self) -> str:
        example = {"example": "2026-12-31"}
        # Translators: the example is a date as year, month and day with hyphens.
        return _("Please enter a date for “%(question)s” like this: %(example)s.") % {**self.named, **example}

    def validate(self, value: date | None) -> None:
        super().validate(value)
        low, high = self.question.min, self.question.max
        if value is None or not isinstance(low, date) or not isinstance(high, date) or low <= value <= high:
            return
        bounds = {"min": self.format_value(low, self.language), "max": self.format_value(high, self.language)}
        text = _("Please enter a date from %(min)s to %(max)s for “%(question)s”.") % {**self.named, **bounds}
        raise forms.ValidationError(text, code="out_of_range")

    def format_value(self, value: date, language: str) -> str:
        return str(dates.format_date(value, "long", locale=locale_of(language)))

    def format_for_notes(self, value: date) -> str:
        return value.isoformat()

    def store(self, value: date) -> str:
        return value.isoformat()


class _PhoneField(_ParsedField):
    """Phone number. Its value is E.164, with the digits to dial after it, if there are any."""

    def __init__(self, question: Question, language: str, *, region: str | None) -> None:
        self.region, self.max_length = region, question.max_length
        super().__init__(question, language)
        self.widget.input_type = "tel"
        self.widget.attrs["inputmode"] = "tel"

    def parse(self, text: str) -> str | None:
        number = parse_phone(text, self.region)
        if number is None:
            return None
        return f"{number.e164} ext. {number.extension}" if number.extension else number.e164

    def explain(self) -> str:
        return (
            _(
                "Please check the phone number for “%(question)s”. If it’s from another country, start with + and the "
                "country code."
            )
            % self.named
        )


class _YesNoField(AnswerField, forms.TypedChoiceField):
    """Yes or no, of which none is chosen beforehand."""

    def __init__(self, question: Question, language: str) -> None:
        answers = [("yes", pgettext("answer", "Yes")), ("no", pgettext("answer", "No"))]
        options = {"choices": answers, "widget": forms.RadioSelect, "empty_value": None}
        super().__init__(question, language, coerce=lambda value: value == "yes", **options)
        self.error_messages["invalid_choice"] = _unknown_choice(self)

    def format_value(self, value: bool, language: str) -> str:
        with translation.override(language):
            return pgettext("answer", "Yes") if value else pgettext("answer", "No")


class _ChoiceField(AnswerField, forms.ChoiceField):
    """One of several answers: all in sight where they are few, else in a list that opens."""

    def __init__(self, question: Question, language: str) -> None:
        choices = [(value, text_in(label, language)) for value, label in question.choices]
        few = len(choices) <= MAX_RADIOS
        if not few:
            # Translators: first line of a list to choose from
            choices = [("", pgettext("choice", "Please choose")), *choices]
        widget = forms.RadioSelect if few else forms.Select
        super().__init__(question, language, choices=choices, widget=widget)
        self.error_messages["invalid_choice"] = _unknown_choice(self)

    def format_value(self, value: str, language: str) -> str:
        return text_in(dict(self.question.choices)[value], language)


class _Checkboxes(forms.CheckboxSelectMultiple):
    """Checkboxes that also read what form input has of them: one text."""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        values = data.getlist(name) if isinstance(data, MultiValueDict) else [data.get(name) or ""]
        return [each for text in values for each in str(text).split(CHOSEN_SEPARATOR) if each]

    def format_value(self, value: Any) -> list[str]:
        return super().format_value(value.split(CHOSEN_SEPARATOR) if isinstance(value, str) else value)


class _ChoicesField(AnswerField, forms.MultipleChoiceField):
    """Any of several answers."""

    def __init__(self, question: Question, language: str) -> None:
        choices = [(value, text_in(label, language)) for value, label in question.choices]
        super().__init__(question, language, choices=choices, widget=_Checkboxes)
        self.error_messages["invalid_choice"] = _unknown_choice(self)

    def to_python(self, value: Any) -> list[str]:
        chosen = super().to_python(value)
        # In the order of the question, and each once, however they were sent. What isn't known is refused then.
        known = [each for each, _label in self.question.choices if each in chosen]
        return [*known, *(each for each in chosen if each not in known)]

    def format_value(self, value: list[str], language: str) -> str:
        with translation.override(language):
            # Translators: several chosen answers, such as "Neck, Back"; the comma is yours to choose
            joined = pgettext("list of answers", "%(answers)s, %(next)s")
        first, *others = self._labels(value, language)
        return reduce(lambda answers, label: joined % {"answers": answers, "next": label}, others, first)

    def format_for_notes(self, value: list[str]) -> str:
        return ANSWER_SEPARATOR.join(self._labels(value, settings.LANGUAGE_CODE))

    def _labels(self, value: list[str], language: str) -> list[str]:
        labels = dict(self.question.choices)
        return [text_in(labels[each], language) for each in value]


def _unknown_choice(field: AnswerField) -> str:
    # A percent sign in the question isn't a placeholder of Django's.
    text = _("Please choose one of the answers to “%(question)s”.") % field.named
    return text.replace("%", "%%")


def build_field(question: Question, language: str, region: str | None) -> AnswerField:
    """Build the field of a question, with its texts in a language. `region` is where phone numbers are from."""
    match question.kind:
        case "text" | "long_text":
            return _TextField(question, language)
        case "number":
            return _NumberField(question, language)
        case "date":
            return _DateField(question, language)
        case "phone":
            return _PhoneField(question, language, region=region)
        case "yes_no":
            return _YesNoField(question, language)
        case "choice":
            return _ChoiceField(question, language)
    return _ChoicesField(question, language)


class _GuestsField(_TextField):
    """Guests, one in each line: a name, an email address or both."""

    def __init__(self, language: str, limit: int) -> None:
        self.limit = limit
        help_text = ngettext(
            "%(count)s guest: name and, if you like, email. We don’t write to guests.",
            "Up to %(count)s guests, one per line: name and, if you like, email. We don’t write to guests.",
            limit,
        ) % {"count": limit}
        # A long text: whatever is typed there is mailed to nobody.
        question = Question(
            name=GUESTS, label=pgettext_lazy("label", "Guests"), kind="long_text", help=help_text, max_length=MAX_ANSWER
        )
        super().__init__(question, language)
        self.widget.attrs |= {"rows": min(max(limit, 2), 4), "autocapitalize": "words"}

    def normalize(self, text: str) -> str:
        return "\n".join(guest.text for guest in parse_guests(super().normalize(text)))

    def validate(self, value: str) -> None:
        super().validate(value)
        # What is too long is refused by its length, without reading it all.
        guests = parse_guests(value) if len(value) <= self.question.max_length else []
        if len(guests) > self.limit:
            text = ngettext(
                "Please enter %(count)s guest at most.", "Please enter %(count)s guests at most.", self.limit
            )
            raise forms.ValidationError(text % {"count": self.limit}, code="too_many")
        for guest in guests:
            if "@" in guest.name or (guest.email and not _is_deliverable(guest.email)):
                text = _("Please check the guest “%(guest)s”: each line has one name and one email address at most.")
                # Isolated, as the name of a question: it may be of another direction than the page.
                raise forms.ValidationError(text % {"guest": isolate(guest.text, self.language)}, code="invalid")

    def store(self, value: str) -> list[dict[str, str]]:
        return [{"name": guest.name, "email": guest.email} for guest in parse_guests(value)]


def _is_deliverable(email: str) -> bool:
    try:
        validate_deliverable_email(email)
    except forms.ValidationError:
        return False
    return True


class Guest(NamedTuple):
    """Somebody whom the visitor brings along."""

    name: str
    email: str
    """In its canonical spelling; "" where none was given."""

    @property
    def text(self) -> str:
        """Return the line that stands for the guest: "Ada <ada@example.com>", or what there is of it."""
        return f"{self.name} <{self.email}>" if self.name and self.email else self.name or self.email


def parse_guests(text: str) -> list[Guest]:
    """Return the guests in a text, one for each line that says anything. An address may be anywhere in its line."""
    return [guest for line in text.splitlines() if any(guest := _parse_guest(line))]


def _parse_guest(line: str) -> Guest:
    words = line.translate(_AROUND_ADDRESS).split()
    # The first one: another stays in the name, where it is refused.
    address = next((word for word in words if "@" in word), "")
    if address:
        words.remove(address)
    return Guest(" ".join(words), normalize_email(address))


def build_guests_field(language: str, limit: int) -> AnswerField:
    """Build the field that asks for as many guests as `limit`."""
    return _GuestsField(language, limit)
