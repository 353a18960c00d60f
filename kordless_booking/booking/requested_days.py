"""Days that a link asks for, as a newsletter or another page names them: "this weekend", "next week, not on Monday".

The first of them is the chosen `day`. Time of day, host and party are choices, which each link on the page repeats; the
date range isn't one, because choosing another day in the calendar ends it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple

from kordless_booking.booking.choices import parse_day

if TYPE_CHECKING:
    from kordless_booking.booking.choices import Choices

REQUESTED_DAYS_NAMES: Final = frozenset({"asked", "until", "not"})
"""Names in the query that `RequestedDays.from_query` reads."""
_WEEKDAYS: Final = re.compile(r"[1-7]{1,7}")


class DateRange(NamedTuple):
    """Dates in which a time is wanted."""

    first: date
    last: date
    excluded_weekdays: frozenset[int]
    """0 is Monday."""

    def contains(self, day: date) -> bool:
        return self.first <= day <= self.last and day.weekday() not in self.excluded_weekdays


@dataclass(frozen=True)
class RequestedDays:
    """Days that a link asks for besides the choices. The page shows it, each part with a link that removes it.

    Choosing a day in the calendar ends the days that are wanted. The weekdays that are not stay until they are removed.
    """

    until: date | None = None
    """Last day; None where there is none, or no day at all."""
    excluded_weekdays: frozenset[int] = frozenset()
    """0 is Monday."""

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> RequestedDays | None:
        """Parse `until` (a date), `not` (ISO weekdays such as "67") and `asked` (1). None without any of them."""
        # Most pages have none. By name: a page that is shared may look at no name that isn't in its key.
        if not any(name in query for name in REQUESTED_DAYS_NAMES):
            return None
        until, excluded = parse_day(query.get("until", "")), query.get("not", "")
        weekdays = frozenset(int(digit) - 1 for digit in excluded) if _WEEKDAYS.fullmatch(excluded) else frozenset()
        if until is None and not weekdays and query.get("asked") != "1":
            return None
        return cls(until, weekdays)

    def query_items(self) -> list[tuple[str, str]]:
        """Return names and values from which the same can be read."""
        weekdays = "".join(str(day + 1) for day in sorted(self.excluded_weekdays))
        found = [("until", self.until.isoformat() if self.until else ""), ("not", weekdays)]
        return [(name, value) for name, value in found if value] or [("asked", "1")]

    def date_range(self, choices: Choices, today: date, last: date) -> DateRange | None:
        """Return the dates from today to the `last` that can be booked; None where all of them fit, or none is left.

        Of a page that the visitor has turned to (`month`), no date range is known.
        """
        if choices.month or not (self.until or self.excluded_weekdays):
            return None
        date_range = DateRange(max(choices.day or today, today), min(self.until or last, last), self.excluded_weekdays)
        return date_range if date_range.first <= date_range.last else None
