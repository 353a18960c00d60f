"""Lenient reading of JSON objects: any spelling of a name, and every type that converts safely.

Kordless spells the same field `starts_at`, `start_at` and `startsAt`. Names are therefore compared without case,
underscores and hyphens, and each accessor takes several names, the documented one first. The first name also appears
in the JSON path that operators see in errors, such as `$.slots[3].startsAt`. Values never appear there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

MISSING: Final = object()
"""Result of `LenientObject.raw` for an absent field, as opposed to None for null."""

# Python's own parsers also accept "1_000", "nan", "inf" and other scripts' digits, so ASCII is matched first.
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]"
    r"[0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})"
)
# Control characters but tab, line feed and carriage return; lone surrogates, which can't be encoded as UTF-8.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
MAX_INTEGER: Final = 10**9
"""Maximum absolute value of an integer field (minutes, seats, days)."""
_MAX_MOMENT_LENGTH: Final = 64
"""Characters: the longest time has 35. Longer text isn't worth keeping in the cache of times."""
_TRUE: Final = {"true", "yes", "1"}
_FALSE: Final = {"false", "no", "0"}


class InvalidField(Exception):
    """A required field is absent or unusable. `path` is its JSON path; the value is not kept."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


@lru_cache(maxsize=512)
def normalize_name(name: str) -> str:
    """Return the form that all spellings of a name share: `startsat` for `startsAt`, `starts_at` and `Starts-At`."""
    return name.replace("_", "").replace("-", "").lower()


def as_text(value: object, *, limit: int = 10_000) -> str | None:
    """Return trimmed text without control characters and lone surrogates, or None if nothing is left.

    Accepts integers too, because an id may turn into a number. Text is cut to `limit` characters.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**30 else None  # str() refuses more than some 4,300 digits
    if not isinstance(value, str):
        return None
    return _UNPRINTABLE.sub("", value[:limit]).strip() or None


def as_decimal(value: object) -> Decimal | None:
    """Return a finite number, also from text such as "45.00", or None. True and False are no numbers."""
    if isinstance(value, bool):  # bool is a subclass of int
        return None
    if isinstance(value, int):
        return Decimal(value) if abs(value) < 10**15 else None
    if isinstance(value, float):
        value = Decimal(repr(value))  # Decimal(0.1) would show the binary error: 0.1000000000000000055…
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = Decimal(value.strip())
    if not isinstance(value, Decimal) or not value.is_finite():
        return None
    if value == 0:
        return Decimal(0)  # a zero may have a huge exponent as well
    # "1e999999" is short, but formatting it or converting it to int takes up to a million digits.
    return value if -20 < value.adjusted() < 15 else None


def as_int(value: object) -> int | None:
    """Return an integer, also from "3" or 30.0, or None if it is no integer or its absolute value exceeds 10**9."""
    number = as_decimal(value)
    if number is None or abs(number) > MAX_INTEGER or number != number.to_integral_value():
        return None
    return int(number)


def as_bool(value: object, *, otherwise: bool) -> bool:
    """Return a bool, also from 1, 0, "true", "false", "yes" and "no". Anything else gives `otherwise`."""
    if isinstance(value, bool):
        return value
    word = (as_text(value) or "").lower()
    return word in _TRUE or (word not in _FALSE and otherwise)


def as_datetime(value: object) -> datetime | None:
    """Return a datetime in UTC from ISO 8601 text with an offset, or None.

    A time without offset gives None. A guessed zone would be wrong by hours, which is worse than a skipped slot.
    """
    return _parse_moment(value.strip()) if isinstance(value, str) and len(value) <= _MAX_MOMENT_LENGTH else None


# Many hosts have each start once per host: 40 a day for 62 days are 2,480 starts, and most ends are starts too.
@lru_cache(maxsize=4096)
def _parse_moment(text: str) -> datetime | None:
    # The pattern comes first: fromisoformat also accepts dates alone, week dates and naive times.
    if not _MOMENT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):  # February 30; year 1 with a positive offset
        return None


_MAX_PLAIN_ITEMS: Final = 50
"""Items of an object or a list that `as_plain` keeps."""
_MAX_PLAIN_TEXT: Final = 2_000
"""Characters of a text that `as_plain` keeps."""


def as_plain(value: object, *, depth: int) -> object:
    """Return a JSON value as plain Python values of at most `depth` levels, or None for what is no such value.

    Texts are cleaned as by `as_text`, and decimals become floats. Deeper levels are None.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return as_text(value, limit=_MAX_PLAIN_TEXT) or ""
    if isinstance(value, int | float | Decimal):
        number = as_decimal(value)
        return None if number is None else int(value) if isinstance(value, int) else float(number)
    if depth == 0:
        return None
    if isinstance(value, list):
        return [as_plain(item, depth=depth - 1) for item in value[:_MAX_PLAIN_ITEMS]]
    if isinstance(value, Mapping):
        named = {as_text(name, limit=100): item for name, item in value.items()}
        named.pop(None, None)
        return {name: as_plain(item, depth=depth - 1) for name, item in list(named.items())[:_MAX_PLAIN_ITEMS]}
    return None


class LenientObject:
    """One JSON object, read leniently by any spelling of its names.

    Raises InvalidField if `value` is no object. Accessors return None for absent and unusable values; those called
    `required_…` raise InvalidField instead.
    """

    def __init__(self, value: object, path: str = "$") -> None:
        if not isinstance(value, Mapping):
            raise InvalidField(path)
        self.path = path
        self._values: dict[str, object] = {}
        for name, item in value.items():
            # Of two spellings of one name the first that isn't null counts. Names are cut: they fill a bounded cache.
            if self._values.get(normalize_name(name[:64])) is None:
                self._values[normalize_name(name[:64])] = item

    def path_of(self, name: str) -> str:
        """Return the JSON path of a field."""
        return f"{self.path}.{name}"

    def raw(self, *names: str) -> object:
        """Return the first value that isn't null; None if all present ones are null; MISSING if none is present."""
        found: object = MISSING
        for name in names:
            value = self._values.get(normalize_name(name), MISSING)
            if value is not MISSING and value is not None:
                return value
            if value is None:
                found = None
        return found

    def text(self, *names: str, limit: int = 10_000) -> str | None:
        """Return the text under one of `names`, cut to `limit` characters, or None."""
        return as_text(self.raw(*names), limit=limit)

    def integer(self, *names: str, least: int = 0) -> int | None:
        """Return the integer under one of `names`, or None if it is less than `least`."""
        number = as_int(self.raw(*names))
        return None if number is None or number < least else number

    def boolean(self, *names: str, otherwise: bool) -> bool:
        """Return the bool under one of `names`, or `otherwise`."""
        return as_bool(self.raw(*names), otherwise=otherwise)

    def utc_datetime(self, *names: str) -> datetime | None:
        """Return the time under one of `names` in UTC, or None."""
        return as_datetime(self.raw(*names))

    def object(self, *names: str) -> LenientObject | None:
        """Return the nested object under one of `names`, or None if there is none."""
        value = self.raw(*names)
        return LenientObject(value, self.path_of(names[0])) if isinstance(value, Mapping) else None

    def required_datetime(self, *names: str, otherwise: datetime | None = None) -> datetime:
        """Return the time, or `otherwise` if the field is absent or null. Raises InvalidField."""
        value = self.utc_datetime(*names)
        # An unusable time is an error: the response names a time, perhaps another one than was asked for.
        if value is None and self.raw(*names) in (MISSING, None):
            value = otherwise
        if value is None:
            raise InvalidField(self.path_of(names[0]))
        return value

    def required_object(self, *names: str) -> LenientObject:
        """Return the nested object under one of `names`. Raises InvalidField."""
        value = self.object(*names)
        if value is None:
            raise InvalidField(self.path_of(names[0]))
        return value
