"""Queries of the funnel's counts, by day, service and placement, for the page and the CSV file."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

from django.db.models import QuerySet, Sum

from kordless_booking import hooks
from kordless_booking.funnel.counters import OTHER_SOURCES
from kordless_booking.models import CampaignCount, FunnelCount, LostDemandCount

PERIODS: Final = (7, 30, 90)
"""Days that can be chosen."""
MAX_SERVICE_CHARACTERS: Final = 200
"""Width of the column `FunnelCount.service`."""
COLUMNS: Final = ("visits", "services_opened", "times_chosen", "forms_sent", "booked")
"""Column names in the file, in the order of `FunnelCount.Stage`. Public API: spreadsheets rely on them."""
LOST_COLUMN: Final = "no_free_times"
"""Name of the column after them: pages that said that nothing is free."""
Counts = Mapping[FunnelCount.Stage, int]


@dataclass(frozen=True)
class FunnelQuery:
    """Filters: a number of days up to `today`, and an account, service and placement; an empty text means all."""

    today: date
    days: int = 30
    account: str = ""
    service: str = ""
    placement: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str], today: date, accounts: Iterable[str]) -> FunnelQuery:
        """Parse a page's query string. Invalid values are ignored."""
        days, account, placement = query.get("days", ""), query.get("account", ""), query.get("placement", "")
        return cls(
            today,
            int(days) if days in map(str, PERIODS) else 30,
            account if account in set(accounts) else "",
            # PostgreSQL raises for NUL in a text.
            query.get("service", "").replace("\0", "")[:MAX_SERVICE_CHARACTERS],
            placement if placement in list(FunnelCount.Placement) else "",
        )

    @property
    def first(self) -> date:
        return self.today - timedelta(days=self.days - 1)


def matching_rows(query: FunnelQuery) -> QuerySet[FunnelCount]:
    """Return the rows that match."""
    return FunnelCount.objects.filter(**_conditions(query))


def matching_lost_demand(query: FunnelQuery) -> QuerySet[LostDemandCount]:
    """Return the rows of lost demand that match."""
    return LostDemandCount.objects.filter(**_conditions(query))


def _conditions(query: FunnelQuery) -> dict[str, Any]:
    names = {name: value for name in ("account", "service", "placement") if (value := getattr(query, name))}
    return {"day__gte": query.first, "day__lte": query.today, **names}


@dataclass(frozen=True)
class LostDemand:
    """Times that visitors were shown that nothing is free."""

    by_day: Mapping[date, int]
    by_service: Mapping[str, int]
    by_month: Mapping[date, int]
    """By the first day of the month in which a time was wanted, in order."""


def lost_demand(query: FunnelQuery) -> LostDemand:
    """Return the lost demand that matches."""
    rows = matching_lost_demand(query).order_by()
    by_day = dict(rows.values_list("day").annotate(number=Sum("count")))
    by_service: Counter[str] = Counter()
    by_month: Counter[date] = Counter()
    for service, month, number in rows.values_list("service", "month").annotate(number=Sum("count")):
        by_service[service] += number
        by_month[month] += number
    return LostDemand(by_day, by_service, dict(sorted(by_month.items())))


MAX_CAMPAIGNS: Final = 10
"""Campaign sources that the page lists; the rest is one row."""


def campaigns(query: FunnelQuery) -> list[tuple[str, int]]:
    """Return the campaign sources with the most bookings, and their numbers.

    The last row may be OTHER_SOURCES: what isn't counted by name, with all that isn't among the first.
    """
    rows = CampaignCount.objects.filter(**_conditions(query)).order_by()
    found = Counter(dict(rows.values_list("source").annotate(number=Sum("count"))))
    others = found.pop(OTHER_SOURCES, 0)
    ranked = sorted(found.items(), key=lambda row: (-row[1], row[0]))
    others += sum(number for _source, number in ranked[MAX_CAMPAIGNS:])
    return [*ranked[:MAX_CAMPAIGNS], *([(OTHER_SOURCES, others)] if others else [])]


def counts_by_day(query: FunnelQuery) -> dict[date, Counts]:
    """Return the counts of each day, oldest first, also of days without any."""
    found = counts_by("day", matching_rows(query))
    return {day: found.get(day, {}) for day in (query.first + timedelta(days=number) for number in range(query.days))}


def counts_by(name: str, rows: QuerySet[FunnelCount]) -> dict[Any, Counts]:
    """Return the counts for each value of one column."""
    found: dict[Any, dict[FunnelCount.Stage, int]] = defaultdict(dict)
    # `order_by()` removes the ordering, whose columns would become part of GROUP BY.
    for row in rows.order_by().values(name, "stage").annotate(number=Sum("count")):
        # Stages of another version of the app are left out.
        if row["stage"] in list(FunnelCount.Stage):
            found[row[name]][FunnelCount.Stage(row["stage"])] = row["number"]
    return dict(found)


def extension_counts(rows: QuerySet[FunnelCount]) -> list[tuple[str, int]]:
    """Return label and sum of each stage of an extension, in the order of registration."""
    if not hooks.funnel_stages:
        return []
    names = dict(hooks.funnel_stages.items())
    found = dict(rows.filter(stage__in=names).order_by().values_list("stage").annotate(number=Sum("count")))
    return [(str(label), found.get(name, 0)) for name, label in names.items()]


def counted_services(query: FunnelQuery) -> list[str]:
    """Return the slugs of services that were counted in the period, whichever service is selected now."""
    rows = matching_rows(replace(query, service="", placement="")).exclude(service="")
    return sorted(rows.order_by().values_list("service", flat=True).distinct())


def to_csv(query: FunnelQuery) -> str:
    """Format the counts as CSV: one line per day, account, service and placement with any count."""
    lines: dict[tuple[date, str, str, str], dict[str, int]] = defaultdict(dict)
    rows = matching_rows(query).order_by("day", "account", "service", "placement")
    for row in rows.values_list("day", "account", "service", "placement", "stage", "count"):
        lines[row[:4]][row[4]] = row[5]
    lost = {
        row[:4]: row[4]
        for row in matching_lost_demand(query)
        .order_by("day", "account", "service", "placement")
        .values_list("day", "account", "service", "placement")
        .annotate(number=Sum("count"))
    }
    text = io.StringIO()
    sheet = csv.writer(text)
    sheet.writerow(("day", "account", "service", "placement", *COLUMNS, LOST_COLUMN))
    for key in sorted(lines.keys() | lost.keys()):
        day, *names = key
        numbers = [lines[key].get(stage, 0) for stage in FunnelCount.Stage]
        sheet.writerow((day.isoformat(), *map(_escape_formula, names), *numbers, lost.get(key, 0)))
    return text.getvalue()


def _escape_formula(text: str) -> str:
    """Escape a text that a spreadsheet would run as a formula: an apostrophe makes it a text (CSV injection)."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "'")) else text


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


def _round_up(highest: int) -> int:
    """Return the next of 2, 4, 10, 20, 40, 100, …: even, so that the middle line has a whole number."""
    unit = 1
    while True:
        for step in (2, 4, 10):
            if highest <= step * unit:
                return step * unit
        unit *= 10
