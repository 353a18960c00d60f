"""Forms that a visitor fills in: the contact for a booking, and the search for an existing booking."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any, Final, Literal, cast

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.text import Truncator
from django.utils.translation import get_language, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from kordless_booking.api.resources import CONFIRMATION_NUMBER, Contact
from kordless_booking.consent import Consent, GivenConsent
from kordless_booking.contact_fields import ContactFields
from kordless_booking.form_fields import VisitorTextField, active_language, build_label
from kordless_booking.normalization import (
    compact_text,
    normalize_email,
    parse_phone,
    to_e164,
    validate_deliverable_email,
    visible_text,
)
from kordless_booking.questions.answers import FIELD_PREFIX, Answer
from kordless_booking.questions.fields import GUESTS, AnswerField, build_field, build_guests_field
from kordless_booking.questions.question import MAX_NOTES, Questions

MAX_PHONE: Final = 40
"""Characters of a phone number as typed; E.164 itself has 15 digits at most."""
MAX_EMAIL: Final = 254
"""Characters of an email address: SMTP's limit for a path is 256 with its angle brackets (RFC 5321)."""


_REQUIRED_LABELS: Final = {
    "email": pgettext_lazy("label", "Email"),
    "phone": pgettext_lazy("label", "Phone"),
    "notes": pgettext_lazy("label", "Notes"),
}
"""Labels of fields that are required."""
_OPTIONAL_LABELS: Final = {
    "email": pgettext_lazy("label", "Email (optional)"),
    "phone": pgettext_lazy("label", "Phone (optional)"),
}
"""Labels of these two fields where the other one is required."""
_REQUIRED_ERRORS: Final = {
    "email": _("Please enter your email address."),
    "phone": _("Please enter your phone number."),
    # Translators: error of the field "Notes", where a business requires it
    "notes": _("Please fill in the notes."),
}

# A label in front of a pasted number: words without a digit, then a colon. Without a space on either side of the colon
# it may be a part of the number.
_LABEL: Final = re.compile(r"[^\d:_]*(?:[^\d:_\x21-\x7e][^\d:_]*:|:(?=\s))")
_USUAL_NUMBER: Final = re.compile(r"[A-Z0-9_-]{4,64}")
"""Number such as the "BOOK_AB12" of Kordless's documentation."""
_DOCUMENTED_NUMBER: Final = re.compile(r"BOOK([^A-Z0-9]*)([A-Z0-9]{4,59})")
"""The documented form, "BOOK_" and then letters and digits, in upper case and with anything between its two parts."""
_OTHER_HYPHENS: Final = "\u2212\u30fc"
"""Minus, and the sign on the hyphen's key of Japanese keyboards: Unicode counts neither as a dash."""
_AROUND_NUMBER: Final = "#\"'`*<>()[]{}\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u2039\u203a\u00ab\u00bb\u300c\u300d"
"""Characters that people or mail programs put around a number."""


def clean_confirmation_number(text: str, label: str = "") -> str:
    """Return a confirmation number as it is looked up, from what people paste.

    Full-width letters, characters that don't show, spaces, a label such as `label` with or without a colon, a "#" in
    front, quotation marks, and punctuation behind the number: all that goes. The case is upper, because Kordless
    ignores it: one spelling makes one throttle key.
    """
    number = compact_text(text)
    for words in filter(None, (label, "Confirmation number")):
        start, rest = number[: len(words)], number[len(words) :]
        if start.casefold() == words.casefold() and not rest[:1].isalnum():
            number = rest.lstrip(" :")
            break
    else:
        number = _LABEL.sub("", number, count=1) if _LABEL.match(number) else number
    number = "".join(number.split())
    return number.lstrip(_AROUND_NUMBER).rstrip(_AROUND_NUMBER + ".,;:!?\u3002\u3001").upper()


def to_documented_form(number: str) -> str:
    """Return a cleaned confirmation number with the underscore of Kordless's documentation, such as "BOOK_AB12".

    People leave it out, or type a space or any kind of hyphen. A number of another form stays as it is, and so does one
    that begins with the word "booking". Kordless documents an example and no rule, so this may be another number.
    """
    match = _DOCUMENTED_NUMBER.fullmatch(number)
    if match is None:
        return number
    between, code = match.groups()
    if not all(sign in _OTHER_HYPHENS or unicodedata.category(sign) in {"Pd", "Pc"} for sign in between):
        return number
    return number if not between and code.startswith("ING") else f"BOOK_{code}"


def throttled_number(number: str) -> str:
    """Return what all spellings of a confirmation number have in common, as its identity for a throttle.

    Letters and digits alone, in one case. Kordless ignores the case, and may ignore more: who guesses the contact of
    one booking must not get new tries by spelling its number in another way.
    """
    folded = compact_text(number).upper().casefold()
    return "".join(letter for letter in folded if letter.isalnum()) or folded


class VisitorForm(forms.Form):
    """Base class of both forms.

    `region` (ISO 3166) is where a phone number without a country code is from; None when that isn't known.
    """

    # The browser's own messages would be in its language, not in the widget's. `aria-required` tells screen readers.
    use_required_attribute = False
    pair: tuple[str, ...] = ()
    """Names of two fields that stand beside each other where there is room."""

    def __init__(self, *args: Any, region: str | None = None, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        # The widget may be in a page that has an element with the id `id_name`.
        kwargs.setdefault("auto_id", "kb-%s")
        super().__init__(*args, **kwargs)
        self.region = region


class ContactField(VisitorTextField):
    """Field of the contact form. Its declaration there is all that a field needs to be kept, sent and prefilled."""

    max_length: int
    """Characters. Longer input is refused, and cut where it is kept for the next form."""

    def __init__(
        self,
        *,
        sent_as: Literal["contact.name", "contact.email", "contact.phone", "notes"],
        max_length: int,
        heading: str = "",
        **options: Any,
    ) -> None:
        super().__init__(max_length=max_length, **options)
        #: Place in the body of the create request. Any number of fields can be sent as notes, one under another.
        self.sent_as = sent_as
        #: What stands before the text in the notes, for the business. Not translated: the body of a request that is
        #: sent again must be the same, also after the visitor has changed the language.
        self.heading = heading


class ContactEmailField(ContactField, forms.EmailField):
    """Email address in the contact form."""

    default_validators = [validate_deliverable_email]  # noqa: RUF012 (as Django declares it)

    def normalize(self, text: str) -> str:
        return normalize_email(text)


def _name_part(label: Any, autocomplete: str, missing: Any) -> ContactField:
    return ContactField(
        label=label,
        sent_as="contact.name",
        max_length=60,
        widget=forms.TextInput(
            attrs={
                "autocomplete": autocomplete,
                "autocapitalize": "words",
                "enterkeyhint": "next",
                "dir": "auto",
                "aria-required": "true",
            }
        ),
        error_messages={"required": missing},
    )


_NAME_PARTS: Final[Mapping[str, ContactField]] = {
    # Translators: given name, such as "Ada" of "Ada Lovelace"; the second field where the family name comes first
    "first_name": _name_part(pgettext_lazy("label", "First name"), "given-name", _("Please enter your first name.")),
    # Translators: family name, such as "Lovelace" of "Ada Lovelace"
    "last_name": _name_part(pgettext_lazy("label", "Last name"), "family-name", _("Please enter your last name.")),
}
"""Fields in the place of `ContactForm.name` where a site asks for the name in two parts."""
_ONLY_NAME_ERRORS: Final = {
    "first_name": _("Please enter your first name. If you have only one name, enter a hyphen here."),
    "last_name": _("Please enter your last name. If you have only one name, enter a hyphen here."),
}
"""Error of a part that is missing while the other one is there."""
_FAMILY_NAME_FIRST: Final = frozenset({"hu", "ja", "ko", "vi", "zh"})
"""Languages in which the family name comes first."""
# Hangul, kana and Chinese characters: names in them begin with the family name, wherever they are read.
_EAST_ASIAN: Final = re.compile(
    "[\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)


def _is_family_name_first(language: str | None) -> bool:
    return (language or "").partition("-")[0].lower() in _FAMILY_NAME_FIRST


def join_name(first: str, last: str) -> str:
    """Return the name that is sent for a first and a last name.

    A part that is only punctuation is left out: it is what people enter who have one name. The family name comes first
    where both parts are in East Asian letters, and on a site whose own language (LANGUAGE_CODE) does so. Not by the
    visitor's language: the body of a form that is sent again must be the same, also after the language has changed.
    """
    parts = [part for part in (first, last) if not all(unicodedata.category(letter)[0] == "P" for letter in part)]
    if _is_family_name_first(settings.LANGUAGE_CODE) or all(_EAST_ASIAN.search(part) for part in parts):
        parts.reverse()
    return " ".join(parts)


class _ConsentBox(forms.CheckboxInput):
    """Checkbox that sends the fingerprint of its text, and counts as ticked with no other value."""

    def __init__(self, fingerprint: str) -> None:
        # True is what a bound form has read with `value_from_datadict`.
        super().__init__(check_test=lambda value: value is True or value == fingerprint)
        self._fingerprint = fingerprint

    def format_value(self, value: Any) -> str:
        return self._fingerprint

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return data.get(name) == self._fingerprint


class ConsentField(forms.BooleanField):
    """Box to tick. It's never ticked unless the visitor has ticked it, with the text that it has now."""

    is_consent = True
    """For templates, where a box has another layout."""

    def __init__(self, consent: Consent) -> None:
        self.consent = consent
        text = consent.text_in(active_language())
        label = build_label(text, required=consent.required)
        # Translators: error of a checkbox that is still empty, above the form
        missing = _("Please check this box to book: “%(label)s”") % {"label": Truncator(text).chars(80)}
        widget = _ConsentBox(consent.fingerprint)
        if consent.required:
            widget.attrs["aria-required"] = "true"
        super().__init__(label=label, required=consent.required, widget=widget, error_messages={"required": missing})


class ContactForm(VisitorForm):
    """Form for the contact: a name, and an email address or a phone number. `cleaned_data["phone"]` is E.164.

    `shown` says which of the fields a site asks for, and which it requires. With `by_phone` the appointment takes place
    by phone, and the phone number is required. `also` are fields that Kordless has asked for after a first try, see
    `require_other_contact`: they are required, also where the site hides them. `consents` are the boxes of the setting
    CONSENT, `questions` are those of the business, and `max_guests` is how many guests are asked for.

    The declared fields are the only list of them, but for the two in which a name may be asked for (_NAME_PARTS). What
    is kept for the next form (`max_lengths`), the body of the create request (`contact`, `notes_text`) and what the
    script fills in (`data-kb-prefill`) follow from it.
    """

    name = ContactField(
        label=pgettext_lazy("label", "Name"),
        sent_as="contact.name",
        max_length=120,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "name",
                "autocapitalize": "words",
                "enterkeyhint": "next",
                "dir": "auto",
                "aria-required": "true",
            }
        ),
        error_messages={"required": _("Please enter your name.")},
    )
    email = ContactEmailField(
        label=pgettext_lazy("label", "Email (or phone)"),
        sent_as="contact.email",
        required=False,
        max_length=MAX_EMAIL,
        widget=forms.EmailInput(
            attrs={
                "autocomplete": "email",
                "inputmode": "email",
                "autocapitalize": "none",
                "enterkeyhint": "next",
                "dir": "ltr",
            }
        ),
        error_messages={"invalid": _("Please check the email address. It should look like name@example.com.")},
    )
    phone = ContactField(
        label=pgettext_lazy("label", "Phone (or email)"),
        sent_as="contact.phone",
        required=False,
        max_length=MAX_PHONE,
        widget=forms.TextInput(
            attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel", "enterkeyhint": "next", "dir": "ltr"}
        ),
        # Translators: error of the field "Phone", which is required for an appointment by phone
        error_messages={"required": _("Please enter your phone number: this appointment is by phone.")},
    )
    notes = ContactField(
        label=pgettext_lazy("label", "Notes (optional)"),
        sent_as="notes",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "dir": "auto"}),
    )

    def __init__(
        self,
        data: Mapping[str, str] | None = None,
        *args: Any,
        shown: ContactFields = ContactFields(),  # noqa: B008 (frozen)
        by_phone: bool = False,
        also: Collection[str] = (),
        consents: Iterable[Consent] = (),
        questions: Questions = (),
        max_guests: int = 0,
        **kwargs: Any,
    ) -> None:
        self._has_name_parts = shown.name == "first_last"
        super().__init__(data and self.fit_name(data), *args, **kwargs)
        self.by_phone = by_phone
        #: Digits to dial after the phone number. `contact.phone` is E.164, which has no place for them.
        self.phone_extension = ""
        #: Fields that the site hides, and that Kordless has asked for.
        self.also = tuple(name for name in ("email", "phone") if name in also and getattr(shown, name) == "hidden")
        if self._has_name_parts:
            self._split_name()
        if by_phone:
            shown = shown.for_phone_call()
        self._is_either = shown.is_either
        for name in ("email", "phone", "notes"):
            self._apply(name, "required" if name in self.also else getattr(shown, name))
        if questions or max_guests:
            self._add_question_fields(questions, max_guests)
        self._end_with_last_field()
        for name, field in self.fields.items():
            self._set_prefill(name, field)
        # Last: no page of the site's fills them in, and what stands above them is done when they are read.
        self.fields |= {consent.field: ConsentField(consent) for consent in consents}

    def _add_question_fields(self, questions: Questions, max_guests: int) -> None:
        """Add the fields of guests and questions, before the notes: these are for what nobody has asked.

        A question of the site's that has the name of the guests' field asks for them in the site's own way.
        """
        language = active_language()
        question_fields: dict[str, AnswerField] = {}
        if max_guests:
            question_fields[FIELD_PREFIX + GUESTS] = build_guests_field(language, max_guests)
        question_fields |= {FIELD_PREFIX + each.name: build_field(each, language, self.region) for each in questions}
        notes = {name: self.fields.pop(name) for name in ("notes",) if name in self.fields}
        self.fields |= {**question_fields, **notes}

    def _split_name(self) -> None:
        """Put the two parts in the place of the name, in the order of the page's language."""
        self.pair = tuple(sorted(_NAME_PARTS, reverse=_is_family_name_first(get_language())))
        parts = {name: deepcopy(_NAME_PARTS[name]) for name in self.pair}
        del self.fields["name"]
        self.fields = {**parts, **self.fields}

    def _apply(self, name: Literal["email", "phone", "notes"], need: str) -> None:
        """Show, require or remove a field. Email and phone of which one is enough stay as they are declared."""
        if need == "hidden":
            del self.fields[name]
        elif need == "required":
            self._require(name)
            if not (name == "phone" and self.by_phone):
                self.fields[name].error_messages["required"] = _REQUIRED_ERRORS[name]
        elif name in _OPTIONAL_LABELS and not self._is_either:
            self.fields[name].label = _OPTIONAL_LABELS[name]

    def _end_with_last_field(self) -> None:
        # Elsewhere Enter leads to the next field. The script would look for one.
        typed = [field.widget for field in self.fields.values() if _is_typed_into(field.widget)]
        typed[-1].attrs.pop("enterkeyhint", None)

    def _set_prefill(self, name: str, field: forms.Field) -> None:
        if _is_typed_into(field.widget):
            field.widget.attrs["data-kb-prefill"] = prefill_key(name)

    @property
    def contact_fields(self) -> Mapping[str, ContactField]:
        """The form's fields, typed as what they are."""
        # A cast: a field of another class must fail here, not be left out.
        others = (AnswerField, ConsentField)
        ours = {name: field for name, field in self.fields.items() if not isinstance(field, others)}
        return cast("Mapping[str, ContactField]", ours)

    @property
    def _question_fields(self) -> dict[str, AnswerField]:
        """Fields of the questions."""
        return {name: field for name, field in self.fields.items() if isinstance(field, AnswerField)}

    def clean_phone(self) -> str:
        text: str = self.cleaned_data["phone"]
        if not text:
            return ""
        number = parse_phone(text, self.region)
        if number is None:
            raise forms.ValidationError(
                _("Please check the phone number. If it’s from another country, start with + and the country code."),
                code="invalid",
            )
        self.phone_extension = number.extension
        return number.e164

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self._has_name_parts:
            self._clean_name_parts(cleaned)
        # An invalid email or phone counts as filled in: its own error message is enough.
        untouched = not (self.errors.get("email") or self.errors.get("phone"))
        if self._is_either and untouched and not cleaned.get("email") and not cleaned.get("phone"):
            self.add_error(
                "email",
                forms.ValidationError(_("Please enter an email address or a phone number."), code="required"),
            )
        if self._question_fields and not self.errors:
            self._check_length()
        return cleaned

    def _check_length(self) -> None:
        """Refuse what is too long for the notes, at the longest text: cutting it off would lose an answer."""
        excess = len(self.notes_text() or "") - MAX_NOTES
        typed = ["notes"] if self.cleaned_data.get("notes") else []
        typed += [name for name, field in self._question_fields.items() if field.is_typed]
        if excess > 0 and typed:
            longest = max(typed, key=lambda name: len(self.cleaned_data[name]))
            text = ngettext(
                "Your answers and notes are too long together. Please shorten this text by %(count)s character.",
                "Your answers and notes are too long together. Please shorten this text by %(count)s characters.",
                excess,
            ) % {"count": min(excess, len(self.cleaned_data[longest]))}
            self.add_error(longest, forms.ValidationError(text, code="max_length"))

    def _clean_name_parts(self, cleaned: Mapping[str, Any]) -> None:
        given = [part for part in _NAME_PARTS if cleaned.get(part)]
        if len(given) == len(_NAME_PARTS) and not self._name():
            # A hyphen in both.
            self.add_error("first_name", forms.ValidationError(_("Please enter your name."), code="required"))
        for part in self.pair:
            if given and self.has_error(part, "required") and part not in given:
                del self.errors[part]
                self.add_error(part, forms.ValidationError(_ONLY_NAME_ERRORS[part], code="required"))

    def contact(self) -> Contact:
        """Return the contact of a valid form."""
        email, phone = (self.cleaned_data.get(name) or None for name in ("email", "phone"))
        return Contact(name=self._name(), email=email, phone=phone)

    def _name(self) -> str:
        given = self.cleaned_data
        return join_name(given["first_name"], given["last_name"]) if self._has_name_parts else str(given["name"])

    def notes_text(self) -> str | None:
        """Return the notes of a valid form: the text of each field that is sent as notes, under its heading.

        The extension of the phone number is the last line. The answers to questions are a paragraph of their own behind
        it, one line each.
        """
        texts = [
            f"{field.heading}: {self.cleaned_data[name]}" if field.heading else self.cleaned_data[name]
            for name, field in self.contact_fields.items()
            if field.sent_as == "notes" and self.cleaned_data[name]
        ]
        if self.phone_extension:
            # Not translated, as the headings.
            texts.append(f"Phone extension: {self.phone_extension}")
        answers = [field.write_note(value) for field, value in self._answered()]
        return "\n\n".join("\n".join(lines) for lines in (texts, answers) if lines) or None

    def answers(self) -> tuple[Answer, ...]:
        """Return the answers of a valid form to the business's questions."""
        return tuple(field.build_answer(value) for field, value in self._answered())

    def _answered(self) -> list[tuple[AnswerField, Any]]:
        # No, zero and the like are answers, too.
        given = [(field, self.cleaned_data[name]) for name, field in self._question_fields.items()]
        return [(field, value) for field, value in given if value not in field.empty_values]

    def given_consents(self, now: datetime) -> tuple[GivenConsent, ...]:
        """Return the boxes of a valid form that were ticked."""
        return tuple(
            field.consent.give(active_language(), now)
            for name, field in self.fields.items()
            if isinstance(field, ConsentField) and self.cleaned_data[name]
        )

    def require_other_contact(self) -> None:
        """Mark the email or the phone as needed, when only the other one was given.

        For a form that Kordless has refused: it may want both, and doesn't say so in words for visitors. A field that
        the site hides is shown then, because nobody could book without it.
        """
        email, phone = self.cleaned_data.get("email"), self.cleaned_data.get("phone")
        if bool(email) != bool(phone):
            self._reveal("phone" if email else "email")
            self._require("email", "phone")
        if email and not phone:
            self.add_error("phone", _("The booking system also needs your phone number."))
        elif phone and not email:
            self.add_error("email", _("The booking system also needs your email address."))

    def _reveal(self, name: str) -> None:
        """Show a field that the site hides, in its usual place."""
        if name in self.fields:
            return
        field = deepcopy(self.base_fields[name])
        self._set_prefill(name, field)
        order = list(self.base_fields)
        after = [
            other
            for other, own in self.fields.items()
            if isinstance(own, AnswerField | ConsentField)
            or (other in order and order.index(other) > order.index(name))
        ]
        before = {other: own for other, own in self.fields.items() if other not in after}
        self.fields = {**before, name: field, **{other: self.fields[other] for other in after}}
        self._end_with_last_field()
        self.also = (*self.also, name)

    def _require(self, *names: Literal["email", "phone", "notes"]) -> None:
        for name in names:
            # The bound field has its own, once the form was validated.
            self.fields[name].label = self[name].label = _REQUIRED_LABELS[name]
            self.fields[name].required = True
            self.fields[name].widget.attrs["aria-required"] = "true"

    @classmethod
    def max_lengths(cls) -> dict[str, int]:
        """Return the most characters of each field that any form of a site may have, by name."""
        every = cast("Mapping[str, ContactField]", {**cls.base_fields, **_NAME_PARTS})
        return {name: field.max_length for name, field in every.items()}

    def fit_name(self, form_input: Mapping[str, str]) -> Mapping[str, str]:
        """Return form input with the name as this form asks for it.

        It comes in another way from the form of a service that asks otherwise, or from before the setting was changed.
        Only the visitor knows which part of a whole name is the last one.
        """
        has_parts = any(form_input.get(part) for part in _NAME_PARTS)
        changes: dict[str, str] = {}
        if self._has_name_parts and form_input.get("name") and not has_parts:
            changes["first_name"] = form_input["name"]
        elif not self._has_name_parts and has_parts and not form_input.get("name"):
            changes["name"] = " ".join(filter(None, (form_input.get(part) for part in _NAME_PARTS)))
        if not changes:
            return form_input
        # A copy of a posted form keeps all values of each name.
        fitted = form_input.copy() if isinstance(form_input, QueryDict) else dict(form_input)
        for name, text in changes.items():
            fitted[name] = text
        return fitted

    def set_prefill(self, known: Mapping[str, str], *, wrong: Collection[str]) -> None:
        """Fill in what the site knows of the visitor and this form asks for. `wrong` are fields to leave empty.

        The script knows these fields by an attribute: what the visitor has typed goes before what is filled in.
        """
        for name, text in self.fit_name(known).items():
            field = self.fields.get(name)
            if field is None or name in wrong or "data-kb-prefill" not in field.widget.attrs:
                continue
            self.initial[name] = text
            field.widget.attrs["data-kb-known"] = True


def _is_typed_into(widget: forms.Widget) -> bool:
    return isinstance(widget, forms.widgets.Input | forms.Textarea) and not isinstance(widget, forms.CheckboxInput)


def prefill_key(name: str) -> str:
    """Return the key under which a host page tells a field's text: `prefillName` for `data-prefill-name`."""
    return "prefill" + "".join(word.capitalize() for word in name.split("_"))


class FindForm(VisitorForm):
    """Form to find a booking: its confirmation number, and the email or phone that it was made with.

    `contacts` are those that the site's contact forms ask for. The other kind is looked up as well, because a booking
    may have been made elsewhere.
    """

    number = forms.CharField(
        label=pgettext_lazy("label", "Confirmation number"),
        max_length=80,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "dir": "ltr",
                "aria-required": "true",
            }
        ),
        error_messages={"required": _("Please enter the confirmation number.")},
    )
    contact = forms.CharField(
        label=_("Email or phone"),
        max_length=MAX_EMAIL,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "email",
                "autocapitalize": "none",
                "spellcheck": "false",
                "dir": "ltr",
                "aria-required": "true",
            }
        ),
        error_messages={"required": _("Please enter the email address or phone number that you booked with.")},
    )

    def __init__(self, *args: Any, contacts: tuple[str, ...] = ("email", "phone"), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: "email" or "phone" where only one of them is asked for, else "".
        self.only = contacts[0] if len(contacts) == 1 else ""
        if self.only:
            field = self.fields["contact"]
            field.label = _REQUIRED_LABELS[self.only]
            field.error_messages["required"] = (
                _("Please enter the email address that you booked with.")
                if self.only == "email"
                else _("Please enter the phone number that you booked with.")
            )
            mode = "email" if self.only == "email" else "tel"
            field.widget.attrs |= {"autocomplete": mode, "inputmode": mode}

    def clean_contact(self) -> str:
        """Return an email address in its canonical spelling, or a phone number as E.164 when it can be one."""
        text = compact_text(self.cleaned_data["contact"])
        if not text:
            raise forms.ValidationError(self.fields["contact"].error_messages["required"], code="required")
        # What is neither is sent to Kordless as it is: Kordless knows which contact the booking was made with.
        return normalize_email(text) if "@" in text else to_e164(text, self.region) or text

    def numbers_and_contact(self) -> tuple[list[str], str] | None:
        """Return what to look up, or None when no booking can have such a number.

        The number as it was typed comes first, then the form of Kordless's documentation where that is another.
        """
        text = self.cleaned_data["number"]
        number = clean_confirmation_number(text, label=str(self.fields["number"].label))
        documented = to_documented_form(number)
        if not _USUAL_NUMBER.fullmatch(number):
            # Kordless documents no format. What isn't of the usual one is looked up as it was copied: a space or a "№"
            # may be a part of it.
            number = visible_text(text).strip()
        numbers = [number]
        if _USUAL_NUMBER.fullmatch(documented) and documented != number:
            numbers.append(documented)
        return (numbers, self.cleaned_data["contact"]) if CONFIRMATION_NUMBER.fullmatch(number) else None


MAX_REASON: Final = 500
"""Characters of the reason of a change."""


class ReasonForm(VisitorForm):
    """Form for the reason why a booking is rescheduled or canceled."""

    reason = VisitorTextField(
        max_length=MAX_REASON,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "dir": "auto"}),
        # Translators: error of the field "Reason", of a customer who reschedules or cancels a booking
        error_messages={"required": _("Please say why. A few words are enough.")},
    )

    def __init__(self, *args: Any, is_required: bool, form_id: str, **kwargs: Any) -> None:
        """`form_id` is the DOM id of the form that sends the field, which stands outside of it."""
        super().__init__(*args, **kwargs)
        field = self.fields["reason"]
        field.required = is_required
        # Translators: label of the field for why a customer reschedules or cancels a booking
        field.label = pgettext_lazy("label", "Reason") if is_required else pgettext_lazy("label", "Reason (optional)")
        field.widget.attrs["form"] = form_id
        if is_required:
            field.widget.attrs["aria-required"] = "true"

    def text(self) -> str:
        """Return the reason of a valid form; "" when none was given."""
        return str(self.cleaned_data["reason"])
