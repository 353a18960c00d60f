"""Geometry of a column chart. All text is outside of the SVG, so that it can be stretched and mirrored (RTL)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["HEIGHT", "Chart", "Column", "build_chart"]

HEIGHT: Final = 100
"""Height of the SVG's view box, in whose units all lengths here are."""
STEP: Final = 10
"""Width of one day: its column and the gap beside it."""
GAP: Final = 2
"""Width of the gap between two columns."""


@dataclass(frozen=True)
class Column:
    """One day: a pale column with a full, smaller one before it."""

    label: str
    x: float
    many: float
    """Height of the pale column."""
    few: float
    """Height of the full column."""

    @property
    def top_of_many(self) -> float:
        # SVG counts from the top, the heights from the bottom.
        return HEIGHT - self.many

    @property
    def top_of_few(self) -> float:
        return HEIGHT - self.few


@dataclass(frozen=True)
class Chart:
    """Chart of `width` by HEIGHT."""

    width: int
    column: int
    """Width of each column."""
    columns: tuple[Column, ...]
    ticks: tuple[int, ...]
    """Numbers at the horizontal lines, from the top to 0."""


def build_chart(days: Sequence[tuple[str, int, int]]) -> Chart:
    """Lay out a column for each day's (label, many, few), oldest first."""
    # At least 2, so the heights below are never divided by 0.
    top = _round_up(max((max(many, few) for _, many, few in days), default=0))
    columns = tuple(
        Column(label, number * STEP + GAP / 2, round(many / top * HEIGHT, 2), round(few / top * HEIGHT, 2))
        for number, (label, many, few) in enumerate(days)
    )
    # At least one day wide: an SVG with a view box of width 0 isn't drawn.
    return Chart(max(1, len(days)) * STEP, STEP - GAP, columns, (top, top // 2, 0))


def _round_up(most: int) -> int:
    """Return the next of 2, 4, 10, 20, 40, 100, …: even, so that the middle line has a whole number."""
    unit = 1
    while True:
        for step in (2, 4, 10):
            if most <= step * unit:
                return step * unit
        unit *= 10
