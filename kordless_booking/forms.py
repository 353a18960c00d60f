"""Forms that a visitor fills in: the contact for a booking, and the search for an existing booking."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

import phonenumbers
from django import forms
from django.utils.translation import gettext_lazy as _

from kordless_booking.api.resources import Contact

__all__ = ["ContactForm", "FindForm"]

# Wider than `BOOK_AB12`, the documented form of a confirmation number: what others look like is unknown.
NUMBER: Final = re.compile(r"[A-Za-z0-9_-]{4,64}")
MAX_NAME: Final = 120
"""Characters."""
MAX_NOTES: Final = 1000
"""Characters."""


def e164(text: str, region: str) -> str | None:
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


class ContactForm(VisitorForm):
    """Form for the contact: a name, and an email address or a phone number. `cleaned_data["phone"]` is E.164."""

    name = forms.CharField(
        label=_("Name"),
        max_length=MAX_NAME,
        widget=forms.TextInput(
            attrs={"autocomplete": "name", "autocapitalize": "words", "dir": "auto", "aria-required": "true"}
        ),
        error_messages={"required": _("Please tell us your name.")},
    )
    email = forms.EmailField(
        label=_("Email"),
        required=False,
        # Characters, the longest address that SMTP can carry.
        max_length=254,
        widget=forms.EmailInput(
            attrs={"autocomplete": "email", "inputmode": "email", "autocapitalize": "none", "dir": "ltr"}
        ),
        error_messages={"invalid": _("Please check the email address: it should look like name@example.com.")},
    )
    phone = forms.CharField(
        label=_("Phone"),
        required=False,
        # Characters, as typed; E.164 itself has 15 digits at most.
        max_length=40,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel", "dir": "ltr"}),
    )
    notes = forms.CharField(
        label=_("Notes"),
        required=False,
        max_length=MAX_NOTES,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "dir": "auto"}),
    )

    def clean_phone(self) -> str:
        given: str = self.cleaned_data["phone"]
        if not given:
            return ""
        number = e164(given, self.region)
        if number is None:
            raise forms.ValidationError(
                _("Please check the phone number. Outside your country, start with + and the country code."),
                code="invalid",
            )
        return number

    def clean_notes(self) -> str:
        """The same text whether the browser sends the form (CRLF) or htmx does (LF): it must be the same request."""
        given: str = self.cleaned_data["notes"]
        return given.replace("\r\n", "\n")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        # A field with an error counts as filled in: its own message is enough.
        untouched = not (self.errors.get("email") or self.errors.get("phone"))
        if untouched and not cleaned.get("email") and not cleaned.get("phone"):
            self.add_error(
                "email",
                forms.ValidationError(_("Please give an email address or a phone number."), code="required"),
            )
        return cleaned

    def contact(self) -> Contact:
        """Return the contact of a valid form."""
        cleaned = self.cleaned_data
        return Contact(name=cleaned["name"], email=cleaned["email"] or None, phone=cleaned["phone"] or None)


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
        max_length=254,
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
        given: str = self.cleaned_data["contact"]
        # What is neither is sent to Kordless as it is: Kordless knows which contact the booking was made with.
        return given if "@" in given else e164(given, self.region) or given

    def number_and_contact(self) -> tuple[str, str] | None:
        """Return what to look up, or None when no booking can have such a number."""
        # People copy numbers with spaces. Kordless ignores the case; one spelling makes one throttle key.
        number = "".join(self.cleaned_data["number"].split()).upper()
        return (number, self.cleaned_data["contact"]) if NUMBER.fullmatch(number) else None
