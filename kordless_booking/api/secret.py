"""Secret wrapper for the API key, so that it can't be printed, pickled, copied or logged by accident."""

from __future__ import annotations

import re
from typing import NoReturn

_SENDABLE = re.compile(r"[\x21-\x7e]{1,512}")


class Secret:
    """API key that only `reveal()` gives out.

    Raises ValueError, without repeating the key, if it can't be an HTTP header value.
    """

    # No __dict__: vars() and error reports that list attributes find nothing to print.
    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if not isinstance(value, str) or not _SENDABLE.fullmatch(value):
            raise ValueError("The API key must be 1 to 512 printable ASCII characters without spaces.")
        self._value = value

    def reveal(self) -> str:
        """Return the key. Call it only where the header is set, and keep no reference."""
        return self._value

    def __repr__(self) -> str:
        return "Key(…)"

    # Also called by copy.copy and copy.deepcopy.
    def __reduce__(self) -> NoReturn:
        raise TypeError("An API key is never pickled or copied.")
