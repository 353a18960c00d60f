"""Strict validation of request fields: the documented spelling and type, or ApiError (400).

The opposite of `api.lenient` on purpose. Whatever the client sends must be exactly as documented.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from .response import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|\+00:00)", re.ASCII)
_EMAIL = re.compile(r"[^@\s,;<>\x00-\x1f]{1,64}@[^@\s,;<>\x00-\x1f.]+(\.[^@\s,;<>\x00-\x1f.]+)+")
_PHONE = re.compile(r"\+?[0-9][0-9 ().-]*", re.ASCII)


def reject_unknown_fields(fields: Mapping[str, Any], allowed: Iterable[str], where: str = "") -> None:
    """Raise ApiError for a field that isn't documented, with a hint if only its spelling is wrong."""
    allowed = tuple(allowed)
    for name in fields:
        if name not in allowed:
            meant = next((good for good in allowed if _bare(good) == _bare(name)), None)
            hint = f"; it is spelt '{meant}' here" if meant else ""
            raise ApiError(400, f"unknown field '{where}{name[:60]}'{hint}")


def _bare(name: str) -> str:
    """Return the form that all spellings of a name share."""
    bare = name.replace("_", "").replace("-", "").lower()
    return {"startat": "startsat", "endat": "endsat"}.get(bare, bare)


def text(fields: Mapping[str, Any], name: str, *, longest: int = 200, needed: bool = True) -> str | None:
    """Return a string of at most `longest` characters. It must not be blank if `needed`; otherwise it may be absent."""
    value = fields.get(name)
    if value is None and not needed:
        return None
    if name not in fields:
        raise ApiError(400, f"'{name}' is required")
    if not isinstance(value, str):
        raise ApiError(400, f"'{name}' must be a string")
    if len(value) > longest:
        raise ApiError(400, f"'{name}' is longer than {longest} characters")
    if needed and not value.strip():
        raise ApiError(400, f"'{name}' must not be blank")
    # JSON may escape a lone surrogate ("\ud800"), which neither SQLite nor UTF-8 can store.
    if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ApiError(400, f"'{name}' contains NUL or a lone surrogate")
    return value


def required_text(fields: Mapping[str, Any], name: str, *, longest: int = 200) -> str:
    """Return a required string."""
    return str(text(fields, name, longest=longest))


def utc_moment(fields: Mapping[str, Any], name: str) -> tuple[int, int]:
    """Return an ISO 8601 time in UTC ("…Z" or "…+00:00") as (Unix seconds, microseconds)."""
    value = required_text(fields, name)
    if not _MOMENT.fullmatch(value):
        raise ApiError(400, f"'{name}' must be ISO 8601 in UTC, like 2026-12-01T14:00:00Z")
    try:
        found = datetime.fromisoformat(value)
        return int(found.replace(microsecond=0).timestamp()), found.microsecond
    except (ValueError, OverflowError) as error:
        raise ApiError(400, f"'{name}' is not a valid date or time") from error


def utc_seconds(fields: Mapping[str, Any], name: str) -> int:
    """Return an ISO 8601 time in UTC as whole Unix seconds."""
    seconds, microseconds = utc_moment(fields, name)
    if microseconds:
        raise ApiError(400, f"'{name}' must be whole seconds")
    return seconds


def zone(fields: Mapping[str, Any], name: str = "timezone", *, needed: bool = True) -> str | None:
    """Return an IANA time zone name."""
    value = text(fields, name, needed=needed)
    if value is not None and value not in _zones():
        raise ApiError(400, f"'{name}' must be an IANA time zone")
    return value


@cache  # available_timezones() walks the file system
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def positive_integer(fields: Mapping[str, Any], name: str, *, written: bool = False) -> int:
    """Return an integer from 1 to 1000, by default 1. `written` accepts digits as text, for a query parameter."""
    value = fields.get(name, 1)
    if written and isinstance(value, str) and re.fullmatch(r"[0-9]{1,4}", value, re.ASCII):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1000:
        raise ApiError(400, f"'{name}' must be a whole number from 1 to 1000")
    return value


def person(fields: Mapping[str, Any], required: Iterable[str] = ()) -> dict[str, str | None]:
    """Return the contact: a name, an email, a phone or both, and all that is `required`."""
    contact = fields.get("contact")
    if not isinstance(contact, dict):
        raise ApiError(400, "'contact' is required and must be an object")
    reject_unknown_fields(contact, ("name", "email", "phone"), "contact.")
    name = required_text(contact, "name")
    email, phone = text(contact, "email", needed=False), text(contact, "phone", needed=False)
    if email is None and phone is None:
        raise ApiError(400, "'contact' needs an 'email' or a 'phone'")
    for name_of in required:
        if not contact.get(name_of):
            raise ApiError(400, f"'contact.{name_of}' is required")
    if email is not None and not _EMAIL.fullmatch(email):
        raise ApiError(400, "'email' is not a valid email address")
    if phone is not None and not (_PHONE.fullmatch(phone) and 7 <= len(digits(phone)) <= 15):
        raise ApiError(400, "'phone' is not a valid phone number")
    return {"name": name, "email": email, "phone": phone}


def digits(phone: str) -> str:
    """Return the digits of a phone number; phones are compared by them. A "+" in a query may arrive as a space."""
    return "".join(letter for letter in phone if letter.isascii() and letter.isdigit())
