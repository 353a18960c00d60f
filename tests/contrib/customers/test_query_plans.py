"""Cost of the app's queries on tables that have grown, as tests/test_query_plans.py measures the package's own."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from pytest_django import Settings

from kordless_booking.changes import BookingChange
from kordless_booking.conf import get_account
from kordless_booking.contrib.customers.admin import find_customers
from kordless_booking.contrib.customers.doctor import examine
from kordless_booking.contrib.customers.models import Customer, CustomerBooking
from kordless_booking.contrib.customers.retention import delete_expired
from tests.support.clock import NOW
from tests.support.customers import FAR, report
from tests.support.filled_tables import analyze_tables, fill_customers
from tests.support.query_plans import find_costly_pages, planned_queries

pytestmark = pytest.mark.django_db

FEW, MANY = 2_000, 100_000
MAX_STEPS = 100_000
"""Steps of SQLite's machine for one query, as for the package's own."""
PAGES = ("", "?visits=returning", "?visits=new&late=some", "?latest=absent", "?p=3")


def grow(rows: int) -> None:
    """Fill both tables. Of a small one PostgreSQL would read the whole, whatever indexes there are."""
    fill_customers(rows)
    assert Customer.objects.count() == CustomerBooking.objects.count() == rows
    if connection.vendor == "postgresql":
        analyze_tables(Customer, CustomerBooking)
        if rows < MANY:
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL enable_seqscan = off")


def use_all() -> None:
    """Record bookings of known and unknown customers, search, ask the doctor, and delete what is old."""
    for number, (email, phone) in enumerate((("jane@example.com", "+12125550147"), (None, "+12125550147"))):
        report(f"BOOK_{number}", email, phone)
        report(f"BOOK_{number}", email, phone, change=BookingChange.RESCHEDULED, start=FAR + timedelta(days=1))
    for wanted in ("BOOK_1", "jane@example.com", "+1 212 555 0147"):
        assert len(find_customers(wanted)) == 1
    assert list(examine(get_account(None)))
    delete_expired(NOW)
    delete_expired(NOW + timedelta(days=100))


@pytest.mark.parametrize("rows", [FEW, pytest.param(MANY, marks=pytest.mark.long)])
def test_no_query_about_customers_reads_a_whole_table(customers: Settings, rows: int):
    """By the plan that the database has for it, and by the steps that it takes."""
    grow(rows)
    with planned_queries() as plans:
        use_all()
    own = [query for query in plans.queries if "kordless_customers_" in query.sql]
    assert own
    assert not [query for query in own if query.scans], "\n\n".join(map(str, own))
    assert not [query for query in own if query.steps > MAX_STEPS]


@pytest.mark.long
def test_staff_do_not_wait_for_a_list_of_many_customers(customers: Settings):
    """No page of the list is more work for the database than a reader waits for, whatever is filtered."""
    grow(MANY)
    client = Client()
    client.force_login(User.objects.create_superuser("owner"))
    assert find_costly_pages(client, [f"/admin/kordless_customers/customer/{page}" for page in PAGES]) == {}
