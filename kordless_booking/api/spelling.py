"""One JSON object, read by any spelling of its names and with every safe mistake of type put right.

Kordless spells the same thing `starts_at`, `start_at` and `startsAt`. Case, underscores and hyphens don't
count here, and each reader takes the names it answers to, the documented one first. That first name also
stands in the path that an operator sees, such as `$.slots[3].startsAt`; a value never does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

__all__ = [
    "MISSING",
    "Fields",
    "Unreadable",
    "as_flag",
    "as_moment",
    "as_number",
    "as_text",
    "as_whole",
    "normal",
]

MISSING: Final = object()

_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]"
    r"[0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})"
)
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_LARGEST: Final = 10**9
_TRUE: Final = {"true", "yes", "1"}
_FALSE: Final = {"false", "no", "0"}


class Unreadable(Exception):
    """Something needed is absent or unusable. `path` says where, never what."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


@lru_cache(maxsize=512)
def normal(name: str) -> str:
    """What all spellings of a name share: `startsAt`, `starts_at` and `Starts-At` are `startsat`."""
    return name.replace("_", "").replace("-", "").lower()


def as_text(value: object, *, limit: int = 10_000) -> str | None:
    """Trimmed text without control characters and lone surrogates, also from a whole number (an id)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**30 else None
    if not isinstance(value, str):
        return None
    return _UNPRINTABLE.sub("", value[:limit]).strip() or None


def as_number(value: object) -> Decimal | None:
    """A finite number, also from text such as "45.00". True and False are no numbers."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value) if abs(value) < 10**15 else None
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = Decimal(value.strip())
    if not isinstance(value, Decimal) or not value.is_finite():
        return None
    if value == 0:
        return Decimal(0)
    # An exponent in the millions is short to write and endless to count with.
    return value if -20 < value.adjusted() < 15 else None


def as_whole(value: object) -> int | None:
    """A whole number within a thousand million, also from "3" or 30.0."""
    number = as_number(value)
    if number is None or abs(number) > _LARGEST or number != number.to_integral_value():
        return None
    return int(number)


def as_flag(value: object, *, otherwise: bool) -> bool:
    """True or False, also from 1, 0, "true" and "false"; anything else is `otherwise`."""
    if isinstance(value, bool):
        return value
    word = (as_text(value) or "").lower()
    return word in _TRUE or (word not in _FALSE and otherwise)


def as_moment(value: object) -> datetime | None:
    """An instant in UTC from ISO 8601 text with an offset. Without one it is nobody's time, hence None."""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value.strip()):
        return None
    try:
        return datetime.fromisoformat(value.strip().upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


class Fields:
    """One JSON object. Raises `Unreadable` when `value` is none, or something `needed_…` is unusable."""

    def __init__(self, value: object, path: str = "$") -> None:
        if not isinstance(value, Mapping):
            raise Unreadable(path)
        self.path = path
        self._values: dict[str, object] = {}
        for name, item in value.items():
            if self._values.get(normal(name[:64])) is None:
                self._values[normal(name[:64])] = item

    def at(self, name: str) -> str:
        return f"{self.path}.{name}"

    def raw(self, *names: str) -> object:
        """The first of `names` that is not null; None if there is only null; MISSING if there is nothing."""
        found: object = MISSING
        for name in names:
            value = self._values.get(normal(name), MISSING)
            if value is not MISSING and value is not None:
                return value
            if value is None:
                found = None
        return found

    def text(self, *names: str, limit: int = 10_000) -> str | None:
        return as_text(self.raw(*names), limit=limit)

    def whole(self, *names: str, least: int = 0) -> int | None:
        number = as_whole(self.raw(*names))
        return None if number is None or number < least else number

    def flag(self, *names: str, otherwise: bool) -> bool:
        return as_flag(self.raw(*names), otherwise=otherwise)

    def moment(self, *names: str) -> datetime | None:
        return as_moment(self.raw(*names))

    def inner(self, *names: str) -> Fields | None:
        """The object under one of `names`, or None when there is no object."""
        value = self.raw(*names)
        return Fields(value, self.at(names[0])) if isinstance(value, Mapping) else None

    def needed_moment(self, *names: str, otherwise: datetime | None = None) -> datetime:
        """`otherwise` stands in for an absent time, never for an unusable one."""
        value = self.moment(*names)
        if value is None and self.raw(*names) in (MISSING, None):
            value = otherwise
        if value is None:
            raise Unreadable(self.at(names[0]))
        return value

    def needed_inner(self, *names: str) -> Fields:
        value = self.inner(*names)
        if value is None:
            raise Unreadable(self.at(names[0]))
        return value
