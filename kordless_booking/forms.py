"""Forms that a visitor fills in: the contact for a booking, and the search for an existing booking."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, Final, Literal, cast

import phonenumbers
from django import forms
from django.utils.translation import gettext_lazy as _

from kordless_booking.api.resources import CONFIRMATION_NUMBER, Contact

MAX_PHONE: Final = 40
"""Characters of a phone number as typed; E.164 itself has 15 digits at most."""
MAX_EMAIL: Final = 254
"""Characters of an email address: SMTP's limit for a path is 256 with its angle brackets (RFC 5321)."""


def to_e164(text: str, region: str) -> str | None:
    """Return a phone number in E.164, such as `+12125550123`, or None when it can't be one.

    `region` (ISO 3166) is where a number without a country code is from.
    """
    try:
        # Turns full-width digits and plus signs, as East Asian keyboards type them, into ASCII.
        number = phonenumbers.parse(unicodedata.normalize("NFKC", text), region)
    except phonenumbers.NumberParseException:
        return None
    # Not `is_possible_number`: it accepts numbers without their area code, which nobody abroad could call.
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class VisitorForm(forms.Form):
    """Base class of both forms. `region` (ISO 3166) is where a phone number without a country code is from."""

    # The browser's own messages would be in its language, not in the widget's. `aria-required` tells screen readers.
    use_required_attribute = False

    def __init__(self, *args: Any, region: str = "US", **kwargs: Any) -> None:
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
        # The same text whether the browser sends the form (CRLF) or htmx does (LF): it must be the same request.
        return str(super().to_python(value)).replace("\r\n", "\n")


class ContactEmailField(ContactField, forms.EmailField):
    """Email address in the contact form."""


class ContactForm(VisitorForm):
    """Form for the contact: a name, and an email address or a phone number. `cleaned_data["phone"]` is E.164.

    The declared fields are the only list of them. What is kept for the next form (`max_lengths`), the body of the
    create request (`contact`, `notes_text`) and what the script fills in (`data-kb-prefill`) follow from it.
    """

    name = ContactField(
        label=_("Name"),
        sent_as="contact.name",
        max_length=120,
        widget=forms.TextInput(
            attrs={"autocomplete": "name", "autocapitalize": "words", "dir": "auto", "aria-required": "true"}
        ),
        error_messages={"required": _("Please tell us your name.")},
    )
    email = ContactEmailField(
        label=_("Email"),
        sent_as="contact.email",
        required=False,
        max_length=MAX_EMAIL,
        widget=forms.EmailInput(
            attrs={"autocomplete": "email", "inputmode": "email", "autocapitalize": "none", "dir": "ltr"}
        ),
        error_messages={"invalid": _("Please check the email address: it should look like name@example.com.")},
    )
    phone = ContactField(
        label=_("Phone"),
        sent_as="contact.phone",
        required=False,
        max_length=MAX_PHONE,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel", "dir": "ltr"}),
    )
    notes = ContactField(
        label=_("Notes"),
        sent_as="notes",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "dir": "auto"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
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
        number = to_e164(text, self.region)
        if number is None:
            raise forms.ValidationError(
                _("Please check the phone number. Outside your country, start with + and the country code."),
                code="invalid",
            )
        return number

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        # An invalid email or phone counts as filled in: its own error message is enough.
        untouched = not (self.errors.get("email") or self.errors.get("phone"))
        if untouched and not cleaned.get("email") and not cleaned.get("phone"):
            self.add_error(
                "email",
                forms.ValidationError(_("Please give an email address or a phone number."), code="required"),
            )
        return cleaned

    def contact(self) -> Contact:
        """Return the contact of a valid form."""
        sent = {field.sent_as: self.cleaned_data[name] for name, field in self.contact_fields.items()}
        return Contact(
            name=sent["contact.name"], email=sent["contact.email"] or None, phone=sent["contact.phone"] or None
        )

    def notes_text(self) -> str | None:
        """Return the notes of a valid form: the text of each field that is sent as notes, under its heading."""
        texts = [
            f"{field.heading}: {self.cleaned_data[name]}" if field.heading else self.cleaned_data[name]
            for name, field in self.contact_fields.items()
            if field.sent_as == "notes" and self.cleaned_data[name]
        ]
        return "\n".join(texts) or None

    def max_lengths(self) -> dict[str, int]:
        """Return the most characters of each field, by name."""
        return {name: field.max_length for name, field in self.contact_fields.items()}


def prefill_key(name: str) -> str:
    """Return the key under which a host page tells a field's text: `prefillName` for `data-prefill-name`."""
    return "prefill" + "".join(word.capitalize() for word in name.split("_"))


class FindForm(VisitorForm):
    """Form to find a booking: its confirmation number, and the email or phone that it was made with."""

    number = forms.CharField(
        label=_("Confirmation number"),
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
        """Return an email address as it was typed, or a phone number as E.164 when it can be one."""
        text: str = self.cleaned_data["contact"]
        # What is neither is sent to Kordless as it is: Kordless knows which contact the booking was made with.
        return text if "@" in text else to_e164(text, self.region) or text

    def number_and_contact(self) -> tuple[str, str] | None:
        """Return what to look up, or None when no booking can have such a number."""
        # People copy numbers with spaces. Kordless ignores the case; one spelling makes one throttle key.
        number = "".join(self.cleaned_data["number"].split()).upper()
        return (number, self.cleaned_data["contact"]) if CONFIRMATION_NUMBER.fullmatch(number) else None
