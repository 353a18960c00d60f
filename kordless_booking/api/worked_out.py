"""Shapes that msgspec knows before two threads can ask for them."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["worked_out"]


def worked_out(*shapes: Any) -> None:
    """Have msgspec work out what these types hold: call it where they are made, while one thread imports that.

    It does so at a type's first use otherwise, and when another thread uses the same type in the middle of that, the
    whole process crashes (seen with msgspec 0.22: a process that has just started and gets many visitors at once).
    """
    for shape in shapes:
        msgspec.json.Decoder(shape)
