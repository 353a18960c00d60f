"""An API key that can be sent, and nothing else: not printed, not pickled, not logged."""

from __future__ import annotations

import re
from typing import NoReturn

__all__ = ["Key"]

_SENDABLE = re.compile(r"[\x21-\x7e]{1,512}")


class Key:
    """Holds the API key. `reveal()` is for the one line that puts it into a header.

    A key that can't stand in a header is refused with a ValueError that does not repeat it.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if not isinstance(value, str) or not _SENDABLE.fullmatch(value):
            raise ValueError("The API key must be 1 to 512 printable ASCII characters without spaces.")
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Key(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("An API key is never pickled or copied.")
