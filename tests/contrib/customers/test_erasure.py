"""Erasure, export and retention of customers: nothing of a person is left, not even a hash."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from kordless_booking import conf
from kordless_booking.booking.hashes import contact_hashes, number_hashes
from kordless_booking.changes import BookingChange
from kordless_booking.contrib.customers.doctor import examine
from kordless_booking.contrib.customers.models import Customer, CustomerBooking
from kordless_booking.contrib.customers.retention import RULE, SETTING, delete_expired
from kordless_booking.doctor.finding import Level
from kordless_booking.erasure.base import Person
from kordless_booking.erasure.run import erase_old, erase_person, export_person
from kordless_booking.retention import BATCH_ROWS
from tests.support.clock import NOW
from tests.support.customers import FAR, deliver, only_customer, report
from tests.support.doctor import run_as_json
from tests.support.visitor import Visitor

pytestmark = [pytest.mark.django_db, pytest.mark.long]

PHONE = "+12125550147"
JANE = Person.from_texts(["jane@example.com"], frozenset())


def everything() -> str:
    """Return all that the app has stored."""
    return str([*Customer.objects.values(), *CustomerBooking.objects.values()])


def test_erasing_a_person_leaves_no_row_and_no_hash(customers: Settings, client: Client):
    """By the command that erases everything else, which names the target. Others stay."""
    number = Visitor(client).book(phone=PHONE).number
    report("BOOK_OTHER", "john@example.com")
    out = io.StringIO()
    call_command("kordless_erase", "--contact", "jane@example.com", stdout=out)
    assert "customers: 1 deleted" in out.getvalue()
    hashes = contact_hashes(["jane@example.com", PHONE]) | number_hashes([number])
    assert not [each for each in hashes if each in everything()]
    assert only_customer().bookings.count() == 1


def test_erasing_finds_a_customer_by_a_number_in_any_spelling(customers: Settings):
    """Also where Kordless wrote it without a country code, and nothing said which country it is from."""
    deliver(contact={"name": "Jane", "email": "", "phone": "(212) 555-0147"})
    assert only_customer()
    erase_person(Person.from_texts([PHONE], frozenset({"US"})), NOW)
    assert everything() == "[]"


def test_erasing_takes_a_booking_from_another_customer_and_counts_anew(customers: Settings):
    """Two people who use one address: only the bookings of the one who asked go, where they can be told apart."""
    report("BOOK_1", "family@example.com", PHONE)
    report("BOOK_2", "family@example.com", "+12125550199")
    person = Person.from_texts([PHONE], frozenset())
    person.numbers.add("BOOK_1")
    results = erase_person(person, NOW)
    assert (results["customers"].deleted, results["customers"].emptied) == (0, 1)
    assert (only_customer().booked, only_customer().bookings.count()) == (1, 1)
    person.numbers.add("BOOK_2")
    assert erase_person(person, NOW)["customers"].deleted == 1
    assert everything() == "[]"


def test_who_was_erased_does_not_come_back_when_kordless_deletes_the_booking(customers: Settings):
    """Its report is the last of a booking, past or ahead. A customer who is known by another one is told of it."""
    deliver(confirmation_number="BOOK_1")
    erase_person(Person.from_texts(["canary@example.com"], frozenset()), NOW)
    deliver("booking.cancelled", confirmation_number="BOOK_1", status="canceled")
    deliver("booking.cancelled", confirmation_number="BOOK_OLD", status="canceled", start="2026-11-01T15:00:00Z")
    assert everything() == "[]"
    deliver(confirmation_number="BOOK_2")
    deliver("booking.cancelled", confirmation_number="BOOK_3", status="canceled")
    assert (only_customer().booked, only_customer().canceled) == (2, 1)


def test_a_dry_run_erases_no_customer(customers: Settings):
    """It counts, and rolls back."""
    report("BOOK_1")
    assert erase_person(JANE, NOW, dry=True)["customers"].deleted == 1
    assert only_customer()


def test_the_export_has_all_that_is_stored_about_a_customer(customers: Settings):
    """In the clear, with the bookings, and without hashes. Whoever shares only a phone number isn't shown."""
    report("BOOK_1", attribution={"utm_source": "newsletter"})
    report("BOOK_1", change=BookingChange.CANCELLED)
    report("BOOK_OTHER", "john@example.com")
    out = io.StringIO()
    call_command("kordless_export", "--contact", "jane@example.com", stdout=out)
    assert "john" not in out.getvalue()
    [row] = json.loads(out.getvalue())["stored"]["customers"]
    assert row == {
        "account": "default",
        "name": "Jane Doe",
        "email": "jane@example.com",
        "phone": "",
        "language": "",
        "known_since": "2026-12-01T15:00:00+00:00",
        "last_change": "2026-12-01T15:00:00+00:00",
        "last_visit": None,
        "booked": 1,
        "rescheduled": 0,
        "canceled": 1,
        "canceled_late": 0,
        "kordless_id": None,
        "bookings": [
            {
                "service": "haircut",
                "start": FAR.isoformat(),
                "status": "canceled",
                "source": "widget",
                "campaign": "newsletter",
                "rescheduled": 0,
                "canceled_late": False,
                "first_report": "2026-12-01T15:00:00+00:00",
            }
        ],
    }


def test_the_export_counts_a_customer_who_can_not_be_read(customers: Settings):
    """Whose hash is under a former key that still finds, and whose contents are broken."""
    report("BOOK_1")
    Customer.objects.update(encrypted="broken")
    person = Person.from_texts(["jane@example.com"], frozenset())
    [row] = export_person(person)["customers"]
    assert "name" not in row
    assert person.unreadable == {"customers": 1}
    assert erase_person(JANE, NOW)["customers"].deleted == 1


def test_only_the_wanted_account_is_erased(customers: Settings, two_accounts: Settings):
    """As with all other targets."""
    report("BOOK_1", account="north")
    report("BOOK_1", account="south")
    erase_person(JANE, NOW, accounts=["north"])
    assert only_customer().account == "south"
    erase_old(FAR + timedelta(days=1), FAR + timedelta(days=9), accounts=["north"])
    assert only_customer()
    erase_old(FAR + timedelta(days=1), FAR + timedelta(days=9))
    assert everything() == "[]"


@pytest.mark.parametrize("days", [None, 30])
def test_a_customer_is_deleted_customer_days_after_the_last_visit(customers: Settings, days: int | None):
    """And not before: an appointment that is ahead keeps a customer, and so does a change."""
    if days:
        customers.KORDLESS_BOOKING = {**customers.KORDLESS_BOOKING, SETTING: days}
    report("BOOK_1", start=FAR)
    report("BOOK_2", "john@example.com", start=FAR)
    report("BOOK_2", "john@example.com", start=FAR, change=BookingChange.CANCELLED)
    kept = timedelta(days=days or RULE.default)
    delete_expired(NOW + kept)
    assert Customer.objects.count() == 2
    delete_expired(NOW + kept + timedelta(seconds=1))
    assert only_customer().last_visit_at == FAR
    delete_expired(FAR + kept)
    assert only_customer()
    delete_expired(FAR + kept + timedelta(seconds=1))
    assert everything() == "[]"


def test_retention_deletes_in_batches(customers: Settings):
    """More than one, and those of an account that is no longer in the settings."""
    Customer.objects.bulk_create(
        Customer(
            account="default" if number % 2 else "gone",
            identity_hash=str(number),
            encrypted="x",
            first_seen_at=NOW,
            last_seen_at=NOW,
        )
        for number in range(2 * BATCH_ROWS + 2)
    )
    delete_expired(NOW + timedelta(days=RULE.default, seconds=1))
    assert not Customer.objects.exists()


def test_retention_runs_with_kordless_mail(customers: Settings):
    """Which cron runs on each site that has mail, waiting lists or customers."""
    report("BOOK_1", start=NOW - timedelta(days=1000), now=NOW - timedelta(days=1000))
    call_command("kordless_mail", verbosity=0)
    assert not Customer.objects.exists()


@pytest.mark.parametrize("value", [29, 3651, 0, "many", True, 30.5])
def test_a_wrong_number_of_days_is_an_error_with_a_hint(customers: Settings, value: Any):
    """Of the system check, as with the widget's own settings."""
    [error] = conf.find_errors({"SANDBOX": True, SETTING: value})
    assert (error.kind, error.hint) == ("wrong", "A whole number of days from 30 to 3650.")


def test_the_doctor_says_what_is_missing_for_customers(customers: Settings):
    """Nothing while all is well; else the webhook, the key, or the command that deletes."""

    def found() -> list[tuple[str, str]]:
        return [(str(each.level), each.code) for each in examine(conf.get_account(None))]

    report("BOOK_1")
    assert found() == [("ok", "customers")]
    customers.KORDLESS_BOOKING = {**customers.KORDLESS_BOOKING, "WEBHOOK_SECRETS": []}
    assert found() == [("note", "customers_webhook")]
    customers.SECRET_KEY = "another key, for this test"
    Customer.objects.update(last_seen_at=NOW - timedelta(days=500), last_visit_at=None)
    assert found() == [("fix", "customers_overdue"), ("fix", "customers_unreadable")]
    for each in examine(conf.get_account(None)):
        assert each.level is Level.FIX
        assert each.advice


def test_the_doctors_report_has_a_part_for_customers(customers: Settings):
    """For each account."""
    assert run_as_json().of("customers") == {"customers": "ok"}


@pytest.mark.usefixtures("shop")
def test_a_site_without_the_app_stores_no_customer(client: Client):
    """Its tables are there in the tests, but no hook is registered."""
    assert Visitor(client).book().number
    assert everything() == "[]"
