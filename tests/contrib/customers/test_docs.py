"""docs/customers.md is true: its recipes work, and its tables are those of the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.dispatch import Signal
from pytest_django import Settings

from kordless_booking.changes import BookingChange
from kordless_booking.contrib.customers.models import Customer, CustomerBooking
from kordless_booking.contrib.customers.retention import RULE, SETTING
from kordless_booking.signals import booking_created
from tests.support.customers import only_customer, report

pytestmark = pytest.mark.django_db

PAGE = (Path(__file__).parents[3] / "docs" / "customers.md").read_text()
BLOCKS = re.findall(r"```python\n(.+?)```", PAGE, re.DOTALL)


def run(marker: str, **names: Any) -> dict[str, Any]:
    """Run the one recipe that contains a text, and return its names."""
    [block] = [each for each in BLOCKS if marker in each]
    exec(block, names)  # noqa: S102 (ours)
    return names


def test_the_recipes_say_who_comes_again_and_from_where(customers: Settings):
    """The share of returning customers, and the campaign of their first booking."""
    report("BOOK_1", attribution={"utm_source": "newsletter"})
    report("BOOK_2", attribution={"utm_source": "google"})
    report("BOOK_3", "john@example.com")
    report("BOOK_4", "joan@example.com")
    report("BOOK_4", "joan@example.com", change=BookingChange.CANCELLED)
    assert run("share = ")["share"] == 0.5
    assert list(run("campaigns = ")["campaigns"]) == [("newsletter", 1)]


def test_the_recipe_for_a_sync_sends_what_is_due_once(customers: Settings):
    """And again after the next change, with the id that it got."""
    sent: list[tuple[str | None, str, int]] = []

    def send(remote_id: str | None, details: Any, visits: int) -> str:
        sent.append((remote_id, details.email, visits))
        return "cus_1"

    sync = run("def sync")["sync"]
    report("BOOK_1")
    sync(send)
    sync(send)
    assert sent == [(None, "jane@example.com", 1)]
    Customer.objects.update(synced_at=only_customer().first_seen_at.replace(hour=1))
    report("BOOK_2")
    sync(send)
    assert sent[1:] == [("cus_1", "jane@example.com", 2)]


def test_the_receiver_in_the_docs_hears_of_the_tenth_visit(customers: Settings):
    """By the argument that the app adds to the signal."""
    greeted: list[str] = []
    names = run("def greet", send_flowers=greeted.append)
    assert isinstance(booking_created, Signal)
    try:
        for number in range(11):
            report(f"BOOK_{number}")
    finally:
        booking_created.disconnect(names["greet"])
    assert greeted == ["Jane Doe"]


def test_the_tables_of_the_page_are_those_of_the_code():
    """Setting, default, accepted values, models and the doctor's codes."""
    assert f"| `{SETTING}` | `{RULE.default}` | {RULE.hint} |" in PAGE
    models = {model.__name__ for model in (Customer, CustomerBooking)}
    assert set(re.findall(r"^\| `([A-Z][A-Za-z]+)` \|", PAGE, re.MULTILINE)) == models
    code = (Path(__file__).parents[3] / "kordless_booking/contrib/customers/doctor.py").read_text()
    codes = set(re.findall(r'"(customers[a-z_]*)",', code))
    assert set(re.findall(r"^\| `(customers[a-z_]*)` \|", PAGE, re.MULTILINE)) == codes
