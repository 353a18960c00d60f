"""How many came how far, by day, service and source, as the funnel's page and its file say it."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

from django.db.models import QuerySet, Sum

from kordless_booking.counts.stages import Source, Stage
from kordless_booking.models import FunnelCount

__all__ = ["PERIODS", "Counts", "Wish", "by", "by_day", "rows_of", "services_in", "written"]

PERIODS: Final = (7, 30, 90)
LONGEST_SERVICE: Final = 200
COLUMNS: Final = ("visits", "services_opened", "times_chosen", "forms_sent", "booked")
Counts = Mapping[Stage, int]


@dataclass(frozen=True)
class Wish:
    """What is to be seen: so many days up to `today`, and what of it; an empty text is all."""

    today: date
    days: int = 30
    account: str = ""
    service: str = ""
    source: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str], today: date, accounts: Iterable[str]) -> Wish:
        """From a page's query. What makes no sense is left out quietly."""
        days, account, source = query.get("days", ""), query.get("account", ""), query.get("source", "")
        return cls(
            today,
            int(days) if days in map(str, PERIODS) else 30,
            account if account in set(accounts) else "",
            query.get("service", "").replace("\0", "")[:LONGEST_SERVICE],
            source if source in list(Source) else "",
        )

    @property
    def first(self) -> date:
        return self.today - timedelta(days=self.days - 1)


def rows_of(wish: Wish) -> QuerySet[FunnelCount]:
    """The rows that are wished for."""
    names = {name: said for name in ("account", "service", "source") if (said := getattr(wish, name))}
    return FunnelCount.objects.filter(day__gte=wish.first, day__lte=wish.today, **names)


def by_day(wish: Wish) -> dict[date, Counts]:
    """The counts of each day, oldest first, also of days without any."""
    found = by("day", rows_of(wish))
    return {day: found.get(day, {}) for day in (wish.first + timedelta(days=number) for number in range(wish.days))}


def by(name: str, rows: QuerySet[FunnelCount]) -> dict[Any, Counts]:
    """The counts for each value of one column."""
    found: dict[Any, dict[Stage, int]] = defaultdict(dict)
    for row in rows.order_by().values(name, "stage").annotate(number=Sum("count")):
        if row["stage"] in list(Stage):
            found[row[name]][Stage(row["stage"])] = row["number"]
    return dict(found)


def services_in(wish: Wish) -> list[str]:
    """The services that anybody came for in the period."""
    rows = rows_of(replace(wish, service="", source="")).exclude(service="")
    return sorted(rows.order_by().values_list("service", flat=True).distinct())


def written(wish: Wish) -> str:
    """The counts as CSV: one line for each day, account, service and source that anything was counted for."""
    lines: dict[tuple[date, str, str, str], dict[str, int]] = defaultdict(dict)
    rows = rows_of(wish).order_by("day", "account", "service", "source")
    for row in rows.values_list("day", "account", "service", "source", "stage", "count"):
        lines[row[:4]][row[4]] = row[5]
    text = io.StringIO()
    sheet = csv.writer(text)
    sheet.writerow(("day", "account", "service", "source", *COLUMNS))
    for (day, *names), counts in lines.items():
        sheet.writerow((day.isoformat(), *map(_harmless, names), *(counts.get(stage, 0) for stage in Stage)))
    return text.getvalue()


def _harmless(text: str) -> str:
    """A spreadsheet takes a cell that begins like a formula for one; an apostrophe before it makes it a text."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "'")) else text
