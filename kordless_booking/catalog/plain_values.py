"""Serializers for the site's cache that never unpickle.

Django's Redis and Memcached backends pickle what they keep, so whoever can write to the server could run code in every
process that reads it. We keep numbers, texts and bytes only, and write them so::

    7          b"7"         digits, as Django does
    "mark"     b"smark"     UTF-8
    b"{...}"   b"b{...}"    as they are

Anything else that lies under a key of ours is read as UNREADABLE, and counts as absent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .memory import Storable

__all__ = ["UNREADABLE", "PlainSerde", "PlainSerializer"]

UNREADABLE: Final = object()
"""What a value reads as that we did not write. A planted value must not make a reading of many fail."""

_WHOLE_NUMBER: Final = re.compile(rb"-?[0-9]{1,19}")
"""Milliseconds of Unix time have 13 digits; `int` would also take spaces, underscores and megabytes."""


class PlainSerializer:
    """The `serializer` of Django's RedisCache, and the SERIALIZER of django-redis and django-valkey."""

    def __init__(self, **_options: Any) -> None:
        """Take and ignore what the backends give their serializers."""

    def dumps(self, value: Storable) -> bytes:
        """Return the bytes to keep. Raises TypeError for anything but a number, a text or bytes."""
        if isinstance(value, bytes):
            return b"b" + value
        if isinstance(value, str):
            return b"s" + value.encode()
        if isinstance(value, int):
            return b"%d" % value
        raise TypeError(f"A cache keeps no {type(value).__name__} of ours.")

    def loads(self, data: Any) -> Storable | object:
        """Return the value, or UNREADABLE for what `dumps` did not write."""
        if not isinstance(data, bytes):
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
    """The `serde` of pymemcache's clients. A value's flags are not believed: one of them says "pickle"."""

    _plain = PlainSerializer()

    def serialize(self, _key: object, value: Storable) -> tuple[bytes, int]:
        """Return the bytes to keep, and no flags."""
        return self._plain.dumps(value), 0

    def deserialize(self, _key: object, value: Any, _flags: int) -> Storable | object:
        """Return the value, or UNREADABLE for what `serialize` did not write."""
        return self._plain.loads(value)
