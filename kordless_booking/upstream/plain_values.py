"""Serializers for the site's cache that never unpickle.

Django's Redis and Memcached backends pickle values, so whoever can write to the server could run code in every process
that reads from it. We store only integers, strings and bytes, in this format::

    7          b"7"         digits, as Django does
    "text"     b"stext"     UTF-8 after an "s"
    b"{...}"   b"b{...}"    unchanged after a "b"

Any other value under one of our keys is read as UNREADABLE, and counts as absent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .memory_cache import Storable

UNREADABLE: Final = object()
"""Stands for a value that we did not write. Not an exception: one planted value must not make `get_many` fail."""

_WHOLE_NUMBER: Final = re.compile(rb"-?[0-9]{1,19}")
"""Format of an integer. Our largest is Unix milliseconds, 13 digits. `int` alone would accept spaces, underscores and
megabytes of digits.
"""


class PlainSerializer:
    """Serializer for Django's RedisCache (`serializer`), django-redis and django-valkey (`SERIALIZER`)."""

    def __init__(self, **_options: Any) -> None:
        """Accept and ignore the options that the backends pass to their serializers."""

    def dumps(self, value: Storable) -> bytes:
        """Return the bytes to store. Raises TypeError for anything but an integer, a string or bytes."""
        if isinstance(value, bytes):
            return b"b" + value
        if isinstance(value, str):
            return b"s" + value.encode()
        if isinstance(value, int):
            return b"%d" % value
        raise TypeError(f"The cache stores integers, strings and bytes, not {type(value).__name__}.")

    def loads(self, data: Any) -> Storable | object:
        """Return the value, or UNREADABLE for anything that `dumps` did not write."""
        if not isinstance(data, bytes):  # a client that decodes by itself
            return UNREADABLE
        kind = data[:1]
        if kind == b"b":
            return data[1:]
        if kind == b"s":
            try:
                return data[1:].decode()
            except UnicodeDecodeError:
                return UNREADABLE
        return int(data) if _WHOLE_NUMBER.fullmatch(data) else UNREADABLE


class PlainSerde:
    """Serializer for pymemcache's clients (`serde`).

    Ignores a value's flags: one of them says "pickle", and whoever writes the value sets them.
    """

    _plain = PlainSerializer()

    def serialize(self, _key: object, value: Storable) -> tuple[bytes, int]:
        """Return the bytes to store, and no flags."""
        return self._plain.dumps(value), 0

    def deserialize(self, _key: object, value: Any, _flags: int) -> Storable | object:
        """Return the value, or UNREADABLE for anything that `serialize` did not write."""
        return self._plain.loads(value)
