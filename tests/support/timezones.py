"""Every zone of the installed database, and a database in which one zone has other rules."""

from __future__ import annotations

import struct
from pathlib import Path
from zoneinfo import available_timezones

from kordless_booking.presentation.timezones import canonical_timezone

EVERY_NAME = sorted(name for name in available_timezones() if canonical_timezone(name))
"""Includes old names and those that are no place: "Asia/Calcutta", "Etc/GMT+12"."""
EVERY_ZONE = sorted({canonical_timezone(name) or "" for name in EVERY_NAME})


def write_zone(folder: Path, name: str, rule: str, seconds: int) -> None:
    """Write a compiled zone file (RFC 9636) with one permanent rule.

    The rule is in POSIX form ("<+03>-3"), `seconds` east of Greenwich.
    """
    abbreviation = b"XXX\0"
    block = struct.pack(">4sc15x6l", b"TZif", b"2", 0, 0, 0, 0, 1, len(abbreviation))
    block += struct.pack(">lbB", seconds, 0, 0) + abbreviation
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(block + block + b"\n" + rule.encode() + b"\n")
