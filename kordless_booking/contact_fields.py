"""Which fields the contact form has, and which of them are required: the value of the setting CONTACT_FIELDS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

NEEDS: Final = ("required", "optional", "hidden")
"""Values for the email address, the phone number and the notes."""
NAME_STYLES: Final = ("full", "first_last")
"""Values for the name: one field, or two whose texts are sent as one name."""


@dataclass(frozen=True, kw_only=True)
class ContactFields:
    """Fields of one contact form. Each is one of NEEDS, but for the name, which is one of NAME_STYLES.

    The defaults are those of the setting: an email address or a phone number, and notes for who has something to say.
    """

    email: str = "optional"
    phone: str = "optional"
    notes: str = "optional"
    name: str = "full"

    @classmethod
    def from_setting(cls, value: Mapping[str, str]) -> ContactFields:
        """Build it from a valid value of the setting.

        Kordless needs an email address or a phone number, so where one of them is hidden, the other is required.
        """
        fields = cls(**value)
        if fields.email == "hidden":
            return replace(fields, phone="required")
        return replace(fields, email="required") if fields.phone == "hidden" else fields

    def for_phone_call(self) -> ContactFields:
        """Return the fields for an appointment that takes place by phone: a number to call is always asked for."""
        return replace(self, phone="required")

    @property
    def is_either(self) -> bool:
        """True where an email address or a phone number is needed, and the visitor chooses which."""
        return self.email == self.phone == "optional"

    @property
    def contacts(self) -> tuple[str, ...]:
        """Names of the shown ones of the two fields by which a booking can be looked up later."""
        return tuple(name for name in ("email", "phone") if getattr(self, name) != "hidden")


FIELD_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "email": NEEDS,
    "phone": NEEDS,
    "notes": NEEDS,
    "name": NAME_STYLES,
}
"""Keys of the setting, with the values of each."""


def find_wrong_field(value: object) -> str:
    """Return a description of the first mistake in a value of the setting, which it repeats; "" when there is none."""
    if not isinstance(value, Mapping):
        return f"{_shown(value)} is not a dictionary."
    for name, need in value.items():
        if not isinstance(name, str) or name not in FIELD_CHOICES:
            return f"{_shown(name)} is not a field: use {_listed(tuple(FIELD_CHOICES))}."
        # A tuple compares by equality, so a list as a value is no TypeError.
        if need not in FIELD_CHOICES[name]:
            return f'"{name}" is {_shown(need)}: use {_listed(FIELD_CHOICES[name])}.'
    return ""


def hides_both_contacts(value: Mapping[str, Any]) -> bool:
    """Return True for a value of the setting with which nobody could be reached, and Kordless takes no booking."""
    return value.get("email") == value.get("phone") == "hidden"


def _shown(value: object) -> str:
    # Cut: a whole dictionary of settings may stand here by mistake.
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _listed(words: tuple[str, ...]) -> str:
    *most, last = (f'"{word}"' for word in words)
    return f"{', '.join(most)} or {last}"
