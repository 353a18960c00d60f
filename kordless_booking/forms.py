"""Forms that a visitor fills in: the contact for a booking, and the search for an existing booking."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, cast

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kordless_booking.api.resources import CONFIRMATION_NUMBER, Contact
from kordless_booking.normalization import (
    compact_text,
    has_visible_text,
    normalize_email,
    parse_phone,
    to_e164,
    validate_deliverable_email,
    visible_text,
)

MAX_PHONE: Final = 40
"""Characters of a phone number as typed; E.164 itself has 15 digits at most."""
MAX_EMAIL: Final = 254
"""Characters of an email address: SMTP's limit for a path is 256 with its angle brackets (RFC 5321)."""


_REQUIRED_LABELS: Final = {"email": pgettext_lazy("label", "Email"), "phone": pgettext_lazy("label", "Phone")}
"""Labels of these two fields where both are needed, or one can't stand in for the other."""

# A label in front of a pasted number: words without a digit, then a colon. Without a space on either side of the colon
# it may be a part of the number.
_LABEL: Final = re.compile(r"[^\d:_]*(?:[^\d:_\x21-\x7e][^\d:_]*:|:(?=\s))")
_USUAL_NUMBER: Final = re.compile(r"[A-Z0-9_-]{4,64}")
"""Number such as the "BOOK_AB12" of Kordless's documentation."""
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

    def __init__(self, *args: Any, region: str | None = None, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        # The widget may be in a page that has an element with the id `id_name`.
        kwargs.setdefault("auto_id", "kb-%s")
        super().__init__(*args, **kwargs)
        self.region = region


class ContactField(forms.CharField):
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

    def to_python(self, value: Any) -> str:
        text = str(super().to_python(value))
        # The validators refuse both, and the second one without reading it all.
        if "\0" in text or len(text) > 4 * self.max_length:
            return text
        return self.normalize(text)

    def normalize(self, text: str) -> str:
        """Return the text as it is validated and sent; "" when nothing of it shows."""
        # Line breaks are the same whether the browser sends the form (CRLF) or htmx does (LF): it must be the same
        # request.
        shown = visible_text(text, multiline=isinstance(self.widget, forms.Textarea)).strip()
        return shown if has_visible_text(shown) else ""


class ContactEmailField(ContactField, forms.EmailField):
    """Email address in the contact form."""

    default_validators = [validate_deliverable_email]  # noqa: RUF012 (as Django declares it)

    def normalize(self, text: str) -> str:
        return normalize_email(text)


class ContactForm(VisitorForm):
    """Form for the contact: a name, and an email address or a phone number. `cleaned_data["phone"]` is E.164.

    With `by_phone` the appointment takes place by phone, and the phone number is required.

    The declared fields are the only list of them. What is kept for the next form (`max_lengths`), the body of the
    create request (`contact`, `notes_text`) and what the script fills in (`data-kb-prefill`) follow from it.
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

    def __init__(self, *args: Any, by_phone: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by_phone = by_phone
        #: Digits to dial after the phone number. `contact.phone` is E.164, which has no place for them.
        self.phone_extension = ""
        if by_phone:
            self._require("phone")
            self.fields["email"].label = pgettext_lazy("label", "Email (optional)")
        for name, field in self.fields.items():
            field.widget.attrs["data-kb-prefill"] = prefill_key(name)

    @property
    def contact_fields(self) -> Mapping[str, ContactField]:
        """The form's fields, typed as what they are."""
        # A cast and no filter: a field of another class must fail here, not be left out.
        return cast("Mapping[str, ContactField]", self.fields)

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
        # An invalid email or phone counts as filled in: its own error message is enough.
        untouched = not (self.errors.get("email") or self.errors.get("phone"))
        if untouched and not cleaned.get("email") and not cleaned.get("phone"):
            self.add_error(
                "email",
                forms.ValidationError(_("Please enter an email address or a phone number."), code="required"),
            )
        return cleaned

    def contact(self) -> Contact:
        """Return the contact of a valid form."""
        sent = {field.sent_as: self.cleaned_data[name] for name, field in self.contact_fields.items()}
        return Contact(
            name=sent["contact.name"], email=sent["contact.email"] or None, phone=sent["contact.phone"] or None
        )

    def notes_text(self) -> str | None:
        """Return the notes of a valid form: the text of each field that is sent as notes, under its heading.

        The extension of the phone number is the last line.
        """
        texts = [
            f"{field.heading}: {self.cleaned_data[name]}" if field.heading else self.cleaned_data[name]
            for name, field in self.contact_fields.items()
            if field.sent_as == "notes" and self.cleaned_data[name]
        ]
        if self.phone_extension:
            # Not translated, as the headings.
            texts.append(f"Phone extension: {self.phone_extension}")
        return "\n".join(texts) or None

    def require_other_contact(self) -> None:
        """Mark the email or the phone as needed, when only the other one was given.

        For a form that Kordless has refused: it may want both, and doesn't say so in words for visitors.
        """
        email, phone = self.cleaned_data["email"], self.cleaned_data["phone"]
        if bool(email) != bool(phone):
            self._require("email", "phone")
        if email and not phone:
            self.add_error("phone", _("The booking system also needs your phone number."))
        elif phone and not email:
            self.add_error("email", _("The booking system also needs your email address."))

    def _require(self, *names: Literal["email", "phone"]) -> None:
        for name in names:
            # The bound field has its own, once the form was validated.
            self.fields[name].label = self[name].label = _REQUIRED_LABELS[name]
            self.fields[name].required = True
            self.fields[name].widget.attrs["aria-required"] = "true"

    def max_lengths(self) -> dict[str, int]:
        """Return the most characters of each field, by name."""
        return {name: field.max_length for name, field in self.contact_fields.items()}


def prefill_key(name: str) -> str:
    """Return the key under which a host page tells a field's text: `prefillName` for `data-prefill-name`."""
    return "prefill" + "".join(word.capitalize() for word in name.split("_"))


class FindForm(VisitorForm):
    """Form to find a booking: its confirmation number, and the email or phone that it was made with."""

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

    def clean_contact(self) -> str:
        """Return an email address in its canonical spelling, or a phone number as E.164 when it can be one."""
        text = compact_text(self.cleaned_data["contact"])
        if not text:
            raise forms.ValidationError(self.fields["contact"].error_messages["required"], code="required")
        # What is neither is sent to Kordless as it is: Kordless knows which contact the booking was made with.
        return normalize_email(text) if "@" in text else to_e164(text, self.region) or text

    def number_and_contact(self) -> tuple[str, str] | None:
        """Return what to look up, or None when no booking can have such a number."""
        text = self.cleaned_data["number"]
        number = clean_confirmation_number(text, label=str(self.fields["number"].label))
        if not _USUAL_NUMBER.fullmatch(number):
            # Kordless documents no format. What isn't of the usual one is looked up as it was copied: a space or a "№"
            # may be a part of it.
            number = visible_text(text).strip()
        return (number, self.cleaned_data["contact"]) if CONFIRMATION_NUMBER.fullmatch(number) else None


MAX_REASON: Final = 500
"""Characters of the reason of a change."""


class ReasonField(forms.CharField):
    """Field for a text of several lines, normalized as those of the contact form are."""

    def to_python(self, value: Any) -> str:
        text = str(super().to_python(value))
        # The validators refuse both, and the second one without reading it all.
        if "\0" in text or len(text) > 4 * MAX_REASON:
            return text
        shown = visible_text(text, multiline=True).strip()
        return shown if has_visible_text(shown) else ""


class ReasonForm(VisitorForm):
    """Form for the reason why a booking is rescheduled or canceled."""

    reason = ReasonField(
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
