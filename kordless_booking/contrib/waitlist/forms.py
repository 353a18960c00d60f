"""Form of an entry: where to write, the latest date, the part of the day, and with whom."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy

from kordless_booking.booking.choices import Choices
from kordless_booking.contrib.waitlist.matching import PARTS
from kordless_booking.form_fields import VisitorTextField, active_language
from kordless_booking.forms import MAX_EMAIL, VisitorForm
from kordless_booking.mail.appointment_data import usable_email
from kordless_booking.mail.channels import usable_phone
from kordless_booking.normalization import compact_text, parse_phone
from kordless_booking.presentation import formatting
from kordless_booking.presentation.search import fold_digits
from kordless_booking.views.slot_page import part_label

_DATE: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")


class WaitlistForm(VisitorForm):
    """Form of an entry.

    `channels` are the contacts that can be written to: "email", "phone" or both. `first` and `last` bound the date.
    `providers` are value and name of anyone and of each host and team; without a choice there is no such field.
    """

    contact = VisitorTextField(
        max_length=MAX_EMAIL,
        widget=forms.TextInput(
            attrs={"autocapitalize": "none", "spellcheck": "false", "dir": "ltr", "aria-required": "true"}
        ),
    )
    until = VisitorTextField(
        # Translators: label of a date field, on the form of a waitlist: no later time is wanted
        label=pgettext_lazy("label", "Latest date"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "aria-required": "true"}),
    )
    part = forms.CharField(label=pgettext_lazy("label", "Time of day"), required=False, widget=forms.RadioSelect)
    provider = forms.CharField(
        label=pgettext_lazy("before a person's name", "With"),
        required=False,
        widget=forms.Select,
    )

    def __init__(
        self,
        *args: Any,
        channels: tuple[str, ...],
        first: date,
        last: date,
        providers: Sequence[tuple[str, str]] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._channels, self._first, self._last = channels, first, last
        self._set_contact()
        until = self.fields["until"].widget
        # Browsers have a calendar for it, and send it in ISO 8601; without one, it is typed like that.
        until.input_type = "date"
        until.attrs |= {"min": first.isoformat(), "max": last.isoformat()}
        # A date has no such attribute in HTML; what is typed is bounded by `clean_until`.
        until.attrs.pop("maxlength", None)
        self.fields["until"].error_messages["required"] = self._wrong_date()
        # Translators: choice of the time of day
        parts = [("", pgettext("part of day", "Any time")), *((part.value, part_label(part)) for part in PARTS)]
        self.fields["part"].widget.choices = parts
        if providers:
            self.fields["provider"].widget.choices = list(providers)
        else:
            del self.fields["provider"]

    def _set_contact(self) -> None:
        field = self.fields["contact"]
        match self._channels:
            case ("email",):
                field.label, missing, mode = pgettext("label", "Email"), _("Please enter your email address."), "email"
            case ("phone",):
                field.label, missing, mode = pgettext("label", "Phone"), _("Please enter your phone number."), "tel"
            case _:
                field.label, mode = _("Email or phone"), "email"
                missing = _("Please enter an email address or a phone number.")
        field.error_messages["required"] = missing
        field.widget.attrs["autocomplete"] = mode
        if len(self._channels) == 1:
            field.widget.attrs["inputmode"] = mode

    def clean_contact(self) -> str:
        """Return an email address in its canonical spelling, or a cell phone's number as E.164."""
        text = compact_text(self.cleaned_data["contact"])
        if self._channels == ("email",) or ("email" in self._channels and "@" in text):
            if email := usable_email(text):
                return email
            raise forms.ValidationError(_("Please check the email address."), code="invalid")
        if len(self._channels) > 1 and not any(letter.isdigit() for letter in text):
            raise forms.ValidationError(self.fields["contact"].error_messages["required"], code="invalid")
        number = parse_phone(text, self.region) if "phone" in self._channels and "@" not in text else None
        if number is None:
            raise forms.ValidationError(
                _("Please check the phone number. If it’s from another country, start with + and the country code."),
                code="invalid",
            )
        if not usable_phone(number.e164, self.region or ""):
            raise forms.ValidationError(
                _("We can’t send messages to this number. Please enter the number of a cell phone."), code="invalid"
            )
        return number.e164

    def clean_until(self) -> date:
        """Return the latest date."""
        found = _DATE.fullmatch(fold_digits(compact_text(self.cleaned_data["until"])))
        try:
            until = date(*map(int, found.groups())) if found else None
        except ValueError:
            until = None
        if until is None or not self._first <= until <= self._last:
            raise forms.ValidationError(self._wrong_date(), code="invalid")
        return until

    def _wrong_date(self) -> str:
        language = active_language()
        return str(_("Please enter a date from %(first)s to %(last)s.")) % {
            "first": formatting.full_date(self._first, language),
            "last": formatting.full_date(self._last, language),
        }

    def clean_part(self) -> str:
        """Return a part of the day; "" for any, and for whatever else was sent."""
        part = self.cleaned_data["part"]
        return part if part in PARTS else ""

    def chosen_provider(self) -> Choices:
        """Return the host or team of a valid form, as the choices of a link have them."""
        return Choices.from_query({"with": self.cleaned_data.get("provider", "")}, ())
