"""Those who only look take nothing from those who book."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from tests.processes.crowd import Guest, all_at_once, counted
from tests.processes.gunicorn_site import Served

SERVICES = ("haircut", "full-color", "beard-trim", "bridal-styling", "styling-class", "color-consultation", "head-spa")
READS = {"organization", "service", "availability"}


@pytest.mark.matrix
def test_however_many_look_around_booking_and_managing_go_through_at_once(four: Served) -> None:
    """Months and party sizes together cost about two requests a service; the reserve stays for what matters."""
    guest, this = Guest(four.url), datetime.now(UTC).replace(day=1)
    months = [f"{month:%Y-%m}" for month in (this, this + timedelta(days=31))]
    action, fields = guest.fill_in(guest.times("haircut")[0])
    wanted = [
        f"/book/{service}/?month={month}&party={party}"
        for service, month, party in product(SERVICES, months, range(1, 7))
    ]
    pages = all_at_once(lambda number: Guest(four.url).open(wanted[number]), len(wanted))
    assert {page.status for page in pages} <= {200, 503}

    booked = guest.open(action, fields)
    assert booked.number
    found = guest.send(guest.open("/book/manage/"), "Find booking", number=booked.number, contact=fields["email"])
    assert booked.number in found.html
    assert booked.seconds + found.seconds < 5

    requests = four.kordless.requests()
    request_counts = counted([request["operation"] for request in requests])
    assert request_counts["create"] == 1
    assert request_counts["lookup"] >= 1
    # The list, and for each service its details, its near days and, in the first days of a month, the next month.
    assert sum(request_counts.get(operation, 0) for operation in READS) <= 1 + 3 * len(SERVICES) <= 45
    assert counted([request["status"] for request in requests]).keys() <= {200, 201}
