"""The business that the benchmark books with, on a sandbox in a process of its own.

`month`: "100 free slots in view" means that the month shown has exactly one hundred free slots, five on each of its
first twenty days, in every time zone (they lie around noon UTC, so no zone sees one of them in another month).
`day`: the same hundred all on one day, so that the page lists a hundred times, for whoever reads it that way.
`crowd-0` … `crowd-9`: groups, whose availability Kordless is asked for by party size: thirty keys for each.

`wide_business`: a hundred services that can be booked sixty days ahead, for crowds that want many things at once.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from kordless_booking.sandbox import SANDBOX_KEY, Sandbox
from kordless_booking.sandbox.model import Business, Calendar, Host, Service, hours
from kordless_booking.sandbox.server import SandboxServer

BENCH_ORG = "bench"
CROWDS = 10
LARGEST_PARTY = 30
DAYS_IN_VIEW = 20
_EVERY_DAY = "Mon Tue Wed Thu Fri Sat Sun"
_STREET = ("onsite", "1 Bench Street")


def month_in_view(today: date | None = None) -> date:
    """The month that is asked for: the next one, so that no slot of it is past."""
    return month_after(1, today)


def _calendar(name: str, open_hours: str) -> Calendar:
    return Calendar(name, hours(open_hours, days=_EVERY_DAY), Host(name, name.title()), occupancy_percent=0)


def _service(
    slug: str, open_hours: str, *, minutes: int, interval: int, capacity: int = 1, window_days: int = 90
) -> Service:
    return Service(
        slug,
        f"Service {slug}",
        "Bench",
        minutes,
        (_calendar(slug.replace("-", "_"), open_hours),),
        _STREET,
        description="Something to book.",
        price=Decimal("45.00"),
        currency="USD",
        interval=interval,
        capacity=capacity,
        window_days=window_days,
    )


BUSINESS = Business(
    id="org_bench",
    slug=BENCH_ORG,
    name="Bench Salon",
    key=SANDBOX_KEY,
    zone=ZoneInfo("UTC"),
    branding={"primaryColor": "#7a2e5d", "logo": None, "companyName": "Bench Salon", "favicon": None, "ogImage": None},
    services=(
        _service("month", "11:00-16:00", minutes=60, interval=60),
        _service("day", "08:00-16:20", minutes=5, interval=5),
        *(
            _service(f"crowd-{number}", "09:00-17:00", minutes=60, interval=60, capacity=LARGEST_PARTY * 2)
            for number in range(CROWDS)
        ),
    ),
    closed=lambda day: day.day > DAYS_IN_VIEW,
)


def wide_business(services: int) -> Business:
    """Return a business with so many services, `wide-0` and so on, open every day of the next sixty."""
    wide = [_service(f"wide-{n}", "09:00-17:00", minutes=60, interval=60, window_days=60) for n in range(services)]
    return replace(BUSINESS, services=tuple(wide), closed=lambda _day: False)


def month_after(months: int, today: date | None = None) -> date:
    """Return the first day of the month that begins so many months after the current one."""
    month = (today or datetime.now(UTC).date()).replace(day=1)
    for _ in range(months):
        month = (month + timedelta(days=32)).replace(day=1)
    return month


def main() -> None:
    """Serve it until killed, with Kordless's documented limits; says its address first."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--path", required=True)
    parser.add_argument("--wide", type=int, default=0, help="serve a business with so many services instead")
    given = parser.parse_args()
    business = wide_business(given.wide) if given.wide else BUSINESS
    sandbox = Sandbox(given.path, businesses=(business,))
    with SandboxServer(sandbox, "127.0.0.1", 0, quiet=True) as server:
        print(server.server_port, flush=True)
        server.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
