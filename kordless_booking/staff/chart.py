"""Where the columns of a chart stand. All text is beside it, so that it may be stretched and mirrored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["HEIGHT", "Chart", "Column", "chart"]

HEIGHT: Final = 100
STEP: Final = 10
"""Width of one day; with the gap beside its column."""
GAP: Final = 2


@dataclass(frozen=True)
class Column:
    """One day: `many` is how high the pale column is and `few` the full one before it, measured from the bottom."""

    label: str
    x: float
    many: float
    few: float

    @property
    def top_of_many(self) -> float:
        return HEIGHT - self.many

    @property
    def top_of_few(self) -> float:
        return HEIGHT - self.few


@dataclass(frozen=True)
class Chart:
    """`width` by HEIGHT without unit. `ticks` are what the lines stand for, from the top to 0."""

    width: int
    column: int
    columns: tuple[Column, ...]
    ticks: tuple[int, ...]


def chart(days: Sequence[tuple[str, int, int]]) -> Chart:
    """Columns for (label, many, few) of each day, oldest first."""
    top = _round_up(max((max(many, few) for _, many, few in days), default=0))
    columns = tuple(
        Column(label, number * STEP + GAP / 2, round(many / top * HEIGHT, 2), round(few / top * HEIGHT, 2))
        for number, (label, many, few) in enumerate(days)
    )
    return Chart(max(1, len(days)) * STEP, STEP - GAP, columns, (top, top // 2, 0))


def _round_up(most: int) -> int:
    """The next even 2, 4, 10, 20, 40, 100, …: half of it is a whole number too."""
    unit = 1
    while True:
        for step in (2, 4, 10):
            if most <= step * unit:
                return step * unit
        unit *= 10
