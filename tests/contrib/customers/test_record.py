"""Customers as bookings make them known: who is the same person, and what is counted."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connections
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks, Settings

from kordless_booking import hooks
from kordless_booking.booking.attribution import OTHER_SOURCES
from kordless_booking.booking.hashes import contact_hash, number_hash
from kordless_booking.changes import BookingChange
from kordless_booking.contrib.customers.details import CustomerDetails
from kordless_booking.contrib.customers.models import Customer, CustomerBooking
from kordless_booking.contrib.customers.plugin import register
from kordless_booking.contrib.customers.record import record_change
from kordless_booking.funnel import counters
from kordless_booking.models import BookingProjection, FunnelCount
from tests.support.clock import NOW
from tests.support.customers import FAR, NEAR, deliver, only_customer, report
from tests.support.signal_receiver import record_signals
from tests.support.visitor import Visitor

pytestmark = pytest.mark.django_db

JANE, JOHN, PHONE = "jane@example.com", "john@example.com", "+12125550147"
CREATED, MOVED, CANCELED = BookingChange.CREATED, BookingChange.RESCHEDULED, BookingChange.CANCELLED


def counts(customer: Customer) -> tuple[int, int, int, int]:
    """Booked, rescheduled, canceled, canceled late."""
    return customer.booked, customer.rescheduled, customer.canceled, customer.canceled_late


def test_a_booking_on_the_pages_makes_its_customer_known(customers: Settings, client: Client):
    """With what they typed, encrypted, and the language in which they booked; nothing stands there in the clear."""
    number = Visitor(client).book(email="Jane@Example.com", phone="(212) 555-0147").number
    customer = only_customer()
    assert counts(customer) == (1, 0, 0, 0)
    assert CustomerDetails.from_row(customer) == CustomerDetails(
        name="Jane Doe", email="Jane@example.com", phone=PHONE, language="en"
    )
    row = str(Customer.objects.values().get()).casefold()
    assert not [text for text in ("jane", "5550147", number.casefold()) if text in row]
    booking = customer.bookings.get()
    assert (booking.service, booking.status, booking.source) == ("haircut", "confirmed", "widget")
    assert customer.last_visit_at == booking.start
    assert repr(CustomerDetails.from_row(customer)) == "CustomerDetails(…)"


def test_what_was_booked_by_phone_comes_with_the_webhook(customers: Settings):
    """And is the same person's as what they booked on the pages before."""
    report("BOOK_1", JANE)
    deliver(confirmation_number="BOOK_2", contact={"name": "Jane", "email": "JANE@example.com", "phone": ""})
    assert counts(only_customer()) == (2, 0, 0, 0)
    assert {row.source for row in CustomerBooking.objects.all()} == {"widget", "webhook"}


def test_a_change_is_counted_once_whoever_reports_it(customers: Settings, client: Client):
    """By the page, by the webhook, and by the webhook once more under another id."""
    number = Visitor(client).book().number
    start = only_customer().bookings.get().start
    times = {"startsAt": start.isoformat(), "endsAt": (start + timedelta(hours=1)).isoformat()}
    for _again in range(2):
        deliver(confirmation_number=number, **times)
        deliver("booking.updated", confirmation_number=number, **times)
    assert counts(only_customer()) == (1, 0, 0, 0)
    for _again in range(2):
        deliver("booking.cancelled", confirmation_number=number, status="canceled", **times)
    assert counts(only_customer()) == (1, 0, 1, 0)
    assert only_customer().last_visit_at is None


def test_moves_are_counted_and_a_change_of_an_unknown_booking_is_its_first(customers: Settings):
    """Reported before its creation, a move tells that there is a booking, and the creation adds where it was made."""
    report("BOOK_1", change=MOVED, start=FAR)
    assert counts(only_customer()) == (1, 0, 0, 0)
    assert only_customer().bookings.get().source == ""
    report("BOOK_1", start=FAR - timedelta(days=1), attribution={"utm_source": "Newsletter"})
    booking = only_customer().bookings.get()
    assert (booking.start, booking.source, booking.campaign) == (FAR, "widget", "newsletter")
    report("BOOK_1", change=MOVED, start=FAR + timedelta(days=1), now=NOW + timedelta(minutes=1))
    report("BOOK_1", change=MOVED, start=FAR + timedelta(days=2), now=NOW + timedelta(minutes=2))
    assert counts(only_customer()) == (1, 2, 0, 0)
    report("BOOK_2", change=CANCELED)
    assert counts(only_customer()) == (2, 2, 1, 0)


def test_a_cancellation_is_late_only_by_the_customers_own_hand(customers: Settings, client: Client):
    """Within the notice period, on this site. Kordless doesn't say whether customer or business canceled elsewhere."""
    client.get("/book/haircut/")
    for number, start in (("BOOK_1", FAR), ("BOOK_2", NEAR), ("BOOK_3", NEAR)):
        report(number, start=start)
    report("BOOK_1", change=CANCELED, start=FAR)
    assert only_customer().canceled_late == 0
    report("BOOK_2", change=CANCELED, start=NEAR)
    assert only_customer().canceled_late == 1
    deliver("booking.cancelled", confirmation_number="BOOK_3", status="canceled", startsAt=NEAR.isoformat())
    assert counts(only_customer()) == (3, 0, 3, 1)


def test_a_cancellation_is_not_late_where_the_notice_is_not_known(customers: Settings):
    """While no service is cached. Nothing is asked of Kordless in the transaction of a change."""
    report("BOOK_1", start=NEAR)
    report("BOOK_1", change=CANCELED, start=NEAR)
    assert counts(only_customer()) == (1, 0, 1, 0)


@pytest.mark.parametrize(
    ("bookings", "persons"),
    [
        pytest.param([(JANE, None), (JANE, PHONE)], [{1, 2}], id="one address"),
        pytest.param([(JANE, PHONE), (JANE, "+12125550199")], [{1, 2}], id="one address, two phones"),
        pytest.param([(None, PHONE), (None, PHONE)], [{1, 2}], id="one phone"),
        pytest.param([(None, PHONE), (JANE, PHONE)], [{1, 2}], id="the address comes later"),
        pytest.param([(JANE, PHONE), (None, PHONE)], [{1, 2}], id="the phone alone comes later"),
        pytest.param([(None, PHONE), (JANE, PHONE), (JANE, None)], [{1, 2, 3}], id="known by both"),
        pytest.param([(JANE, PHONE), (JOHN, PHONE)], [{1}, {2}], id="one phone, two addresses"),
        pytest.param([(JANE, PHONE), (JOHN, PHONE), (None, PHONE)], [{1}, {2}, {3}], id="nobody knows whose"),
        pytest.param(
            [(JANE, PHONE), (JOHN, PHONE), (None, PHONE), (None, PHONE)], [{1}, {2}, {3, 4}], id="whose it was before"
        ),
        pytest.param(
            [(JANE, PHONE), (JOHN, PHONE), (None, PHONE), ("joan@example.com", PHONE)],
            [{1}, {2}, {3}, {4}],
            id="a shared phone proves nothing",
        ),
        pytest.param([(JANE, None), (JOHN, None)], [{1}, {2}], id="two addresses"),
        pytest.param([(None, None)], [], id="nobody"),
    ],
)
def test_customers_are_the_same_by_address_or_by_a_phone_that_is_one_persons(
    customers: Settings, bookings: list[tuple[str | None, str | None]], persons: list[set[int]]
):
    """By the table in `record.py`; two persons are never merged."""
    for number, (email, phone) in enumerate(bookings, start=1):
        report(f"BOOK_{number}", email, phone)
    known = {number_hash(f"BOOK_{number}"): number for number in range(1, len(bookings) + 1)}
    found = [
        {known[row.number_hash] for row in customer.bookings.all()} for customer in Customer.objects.order_by("pk")
    ]
    assert found == persons


@pytest.mark.long
class EveryOrder(TestCase):
    """Any bookings in any order."""

    @given(
        st.lists(
            st.tuples(
                st.sampled_from([None, JANE, JOHN, "JANE@EXAMPLE.COM "]),
                st.sampled_from([None, PHONE, "+1 (212) 555-0147", "+12125550199"]),
                st.sampled_from([CREATED, MOVED, CANCELED]),
                st.integers(1, 4),
            ),
            max_size=12,
        )
    )
    def test_no_two_addresses_are_ever_one_customer(
        self, reports: list[tuple[str | None, str | None, BookingChange, int]]
    ) -> None:
        """Each address has one customer, each booking one, and the counts are those of the bookings."""
        with hooks.temporary_hooks(), pytest.MonkeyPatch.context() as patch:
            patch.setattr("kordless_booking.changes.cached_service", lambda *_: None)
            register()
            Customer.objects.all().delete()
            BookingProjection.objects.all().delete()
            for step, (email, phone, change, number) in enumerate(reports):
                at = NOW + timedelta(minutes=step)
                report(f"BOOK_{number}", email, phone, change=change, start=FAR + timedelta(hours=step), now=at)
        addresses = [CustomerDetails.from_row(row).email.casefold() for row in Customer.objects.all()]
        assert len([each for each in addresses if each]) == len({each for each in addresses if each})
        for customer in Customer.objects.all():
            rows = list(customer.bookings.all())
            canceled = [row for row in rows if row.status == "canceled"]
            assert (customer.booked, customer.canceled) == (len(rows), len(canceled))
            assert customer.booked > 0
            assert customer.visits == len(rows) - len(canceled)
            details = CustomerDetails.from_row(customer)
            assert customer.identity_hash == contact_hash(details.email or details.phone)
            assert customer.phone_hash == contact_hash(details.phone)


@pytest.mark.parametrize("key", ["identity_hash", "phone_hash"])
def test_a_customer_is_found_again_after_the_key_was_rotated(customers: Settings, key: str):
    """By the hashes under the former key, which then become those under the new one, so that it can be dropped."""
    contact = (JANE, None) if key == "identity_hash" else (None, PHONE)
    report("BOOK_1", *contact)
    before = getattr(only_customer(), key)
    old = customers.SECRET_KEY
    customers.SECRET_KEY, customers.SECRET_KEY_FALLBACKS = "another key, for this test", [old]
    report("BOOK_2", *contact)
    report("BOOK_1", *contact, change=MOVED, start=FAR + timedelta(days=1), now=NOW + timedelta(minutes=1))
    assert counts(only_customer()) == (2, 1, 0, 0)
    assert getattr(only_customer(), key) != before
    customers.SECRET_KEY_FALLBACKS = []
    report("BOOK_3", *contact)
    assert counts(only_customer()) == (3, 1, 0, 0)
    assert CustomerDetails.from_row(only_customer()).name == "Jane Doe"


def test_a_customer_whose_key_is_gone_is_another_one_and_nothing_fails(customers: Settings):
    """What is encrypted under it can't be read anymore, and its hashes find nobody."""
    report("BOOK_1", JANE)
    customers.SECRET_KEY = "another key, for this test"
    report("BOOK_2", JANE)
    assert [counts(row) for row in Customer.objects.all()] == [(1, 0, 0, 0)] * 2


def test_two_accounts_have_customers_of_their_own(customers: Settings, two_accounts: Settings):
    """The same person at two businesses is a customer of each."""
    report("BOOK_1", account="north")
    report("BOOK_1", account="south")
    assert sorted(Customer.objects.values_list("account", "booked")) == [("north", 1), ("south", 1)]


def test_signals_say_how_many_visits_a_customer_has(customers: Settings):
    """This booking included, without those that were canceled; None where the person isn't known."""
    with record_signals() as recorder:
        report("BOOK_1")
        report("BOOK_2")
        report("BOOK_1", change=CANCELED)
        report("BOOK_3", None, None)
    assert [each["customer_visits"] for each in recorder.arguments] == [1, 2, 1, None]


@pytest.mark.parametrize("counted", [True, False])
def test_the_funnel_counts_new_and_returning_customers_by_day(
    customers: Settings, counted: bool, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
):
    """Only what was committed, and nothing where FUNNEL is off."""
    customers.KORDLESS_BOOKING = {**customers.KORDLESS_BOOKING, "FUNNEL": counted}
    with django_capture_on_commit_callbacks(execute=True):
        for number in ("BOOK_1", "BOOK_2", "BOOK_3"):
            report(number)
        report("BOOK_4", JOHN)
        report("BOOK_1", change=CANCELED)
    assert counters.flush()
    found = FunnelCount.objects.filter(stage__in=["first_time", "returning"]).order_by("stage")
    assert list(found.values_list("stage", "service", "count")) == (
        [("first_time", "haircut", 2), ("returning", "haircut", 2)] if counted else []
    )


def test_a_campaign_is_kept_without_what_may_be_somebodys_id(customers: Settings):
    """As the campaign counts do."""
    report("BOOK_1", attribution={"utm_source": "jane@example.com"})
    assert only_customer().bookings.get().campaign == OTHER_SOURCES


def test_a_booking_costs_few_queries(customers: Settings, django_assert_max_num_queries: DjangoAssertNumQueries):
    """Beside those that record the change: savepoints, two reads, two writes of the customer, one of the booking."""
    with django_assert_max_num_queries(20):
        report("BOOK_1")


def test_a_failure_undoes_the_customer_and_the_booking_stands(customers: Settings, monkeypatch: pytest.MonkeyPatch):
    """Nothing of a customer is stored by halves."""

    def fail(*_arguments: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr("kordless_booking.contrib.customers.record.refresh_counts", fail)
    report("BOOK_1")
    assert not Customer.objects.exists()
    assert not CustomerBooking.objects.exists()
    assert BookingProjection.objects.count() == 1


def test_an_old_report_of_a_canceled_booking_does_not_revive_it(customers: Settings):
    """Nothing follows a cancellation, whether or not the customer is known by another booking."""
    report("BOOK_0")
    report("BOOK_1", change=CANCELED, now=NOW + timedelta(minutes=1))
    report("BOOK_1")
    assert counts(only_customer()) == (2, 0, 1, 0)
    report("BOOK_9", "john@example.com", change=CANCELED, now=NOW + timedelta(minutes=1))
    report("BOOK_9", "john@example.com")
    assert counts(only_customer()) == (2, 0, 1, 0)


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("contact", [(JANE, PHONE), (None, PHONE)], ids=["address", "phone"])
def test_bookings_of_one_new_customer_at_once_make_one_customer(
    customers: Settings, contact: tuple[str | None, str | None]
):
    """The unique constraint decides, and who comes second finds the first one's row."""
    barrier = threading.Barrier(6)
    failures: list[str] = []

    def book(number: int) -> None:
        barrier.wait()
        try:
            report(f"BOOK_{number}", *contact)
        except Exception as error:  # noqa: BLE001 (shown by the assertion)
            failures.append(repr(error))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=book, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert counts(only_customer()) == (6, 0, 0, 0)


def test_the_handler_is_registered_under_one_name(customers: Settings):
    """So that a second registration changes nothing, and no change is counted twice."""
    register()
    assert dict(hooks.change_handlers.items()) == {"customers": record_change}


def test_the_app_adds_nothing_to_the_pages_of_visitors(customers: Settings):
    """No block, no script and no address, so no page has another byte."""
    for registry in (hooks.template_slots, hooks.scripts, hooks.url_patterns):
        assert not registry
