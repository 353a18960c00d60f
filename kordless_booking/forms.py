"""The two forms that a visitor fills in: who the booking is for, and which booking to find."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

import phonenumbers
from django import forms
from django.utils.translation import gettext_lazy as _

from kordless_booking.api.resources import Contact

__all__ = ["ContactForm", "FindForm"]

NUMBER: Final = re.compile(r"[A-Za-z0-9_-]{4,64}")
MAX_NAME: Final = 120
MAX_NOTES: Final = 1000


def e164(text: str, region: str) -> str | None:
    """A phone number as Kordless wants it, `+12125550123`; None when it can't be one. `region` is ISO 3166."""
    try:
        number = phonenumbers.parse(unicodedata.normalize("NFKC", text), region)
    except phonenumbers.NumberParseException:
        return None
    # "Possible" includes numbers without their area code, which nobody abroad could call.
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class VisitorForm(forms.Form):
    """What both have in common; `region` (ISO 3166) is where a phone number without a country code is from."""

    use_required_attribute = False

    def __init__(self, *args: Any, region: str = "US", **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        kwargs.setdefault("auto_id", "kb-%s")
        super().__init__(*args, **kwargs)
        self.region = region


class ContactForm(VisitorForm):
    """Name, and an e-mail or a phone, at least one of the two. `cleaned_data["phone"]` is E.164."""

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
        max_length=254,
        widget=forms.EmailInput(
            attrs={"autocomplete": "email", "inputmode": "email", "autocapitalize": "none", "dir": "ltr"}
        ),
        error_messages={"invalid": _("Please check the email address: it should look like name@example.com.")},
    )
    phone = forms.CharField(
        label=_("Phone"),
        required=False,
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
        untouched = not (self.errors.get("email") or self.errors.get("phone"))
        if untouched and not cleaned.get("email") and not cleaned.get("phone"):
            self.add_error(
                "email",
                forms.ValidationError(_("Please give an email address or a phone number."), code="required"),
            )
        return cleaned

    def contact(self) -> Contact:
        """Who the valid form is about."""
        cleaned = self.cleaned_data
        return Contact(name=cleaned["name"], email=cleaned["email"] or None, phone=cleaned["phone"] or None)


class FindForm(VisitorForm):
    """A confirmation number in any case, and the e-mail or phone that the booking was made with."""

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
        """An e-mail as it was typed, or a phone as E.164 when it can be one."""
        given: str = self.cleaned_data["contact"]
        return given if "@" in given else e164(given, self.region) or given

    def number_and_contact(self) -> tuple[str, str] | None:
        """What to look up, or None when no booking can have such a number."""
        number = "".join(self.cleaned_data["number"].split()).upper()
        return (number, self.cleaned_data["contact"]) if NUMBER.fullmatch(number) else None
