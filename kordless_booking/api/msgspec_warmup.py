"""Warm-up of msgspec types at import time, because their lazy analysis is not thread-safe."""

from __future__ import annotations

from typing import Any

import msgspec


def warm_up(*shapes: Any) -> None:
    """Make msgspec analyze these types now. Call it at the end of the module that defines them.

    msgspec otherwise analyzes a type at its first use. If a second thread uses the type meanwhile, the process crashes
    with a segmentation fault: seen with msgspec 0.22 in about one of ten processes that got many visitors right after
    their start. An import runs in one thread only, under the import lock.
    """
    for shape in shapes:
        msgspec.json.Decoder(shape)  # discarded: msgspec keeps the analysis on the struct classes
