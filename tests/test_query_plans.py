"""Cost of the queries on tables that have grown: none reads a whole table, and staff don't wait for a list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from pytest_django import Settings

from kordless_booking import retention
from kordless_booking.booking.consent_proofs import record_proofs
from kordless_booking.conf import get_account
from kordless_booking.consent import GivenConsent
from kordless_booking.doctor import database, webhook
from kordless_booking.models import BookingAttempt, OutgoingMail
from kordless_booking.staff.attempts import find_attempts
from kordless_booking.staff.consent import find_proofs
from kordless_booking.staff.funnel import PERIODS, FunnelQuery, lost_demand
from kordless_booking.staff.overview import account_state
from tests.support.clock import NOW
from tests.support.deliveries import delivery, event_body
from tests.support.filled_tables import GROWING, fill_tables
from tests.support.mail_settings import MAIL
from tests.support.phone_messages import PHONE, TEXTING, clear_messages, received
from tests.support.query_plans import find_costly_pages, planned_queries
from tests.support.visitor import Visitor

pytestmark = pytest.mark.django_db

FEW, MANY = 2_000, 100_000
"""Rows of each table: enough for a plan, and as many as a busy site has."""
MAX_STEPS = 100_000
"""Steps of SQLite's machine for one query. A scan of 100,000 rows takes at least three for each."""


@pytest.fixture
def grown(site: Settings, account_settings: dict[str, Any], db: None) -> Callable[[int], Settings]:
    """Return a function that fills the tables of the plain site, which has mail and a webhook."""

    def fill(rows: int) -> Settings:
        site.KORDLESS_BOOKING = {**account_settings, **MAIL}
        fill_tables(rows)
        assert all(model._default_manager.count() == rows for model in GROWING)
        if connection.vendor == "postgresql" and rows < MANY:
            with connection.cursor() as cursor:
                # It would read the whole of a small table, whatever indexes there are.
                cursor.execute("SET LOCAL enable_seqscan = off")
        return site

    return fill


def visit(site: Settings) -> None:
    """Book, look the booking up, and wait in the queue of creations."""
    visitor = Visitor(Client())
    booked = visitor.book()
    assert booked.number
    manage = booked.link("Change or cancel")
    visitor.open("/book/health/booking/")
    visitor.open(manage)
    visitor.open("/book/manage/")
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "CREATIONS_PER_MINUTE": 1, "REQUESTS_PER_MINUTE": 60}
    pages = [Visitor(Client()).book(time=place, email=f"jane{place}@example.com") for place in (1, 2, 3)]
    assert any(page.refresh for page in pages), "nobody has to wait"
    for page in pages:
        visitor.open(page.url)


def deliver(_site: Settings) -> None:
    """Report a booking that is made elsewhere, moved and canceled; each delivery twice, and once under another id."""
    client = Client()
    for number, event in enumerate(("booking.created", "booking.updated", "booking.cancelled")):
        day = f"2026-12-0{number + 2}"
        body = event_body(event, startsAt=f"{day}T15:00:00Z", endsAt=f"{day}T16:00:00Z")
        for delivery_id in (f"one-{number}", f"one-{number}", f"other-{number}"):
            assert delivery(body, delivery_id=delivery_id).post(client).status_code == 200


def run_mail(_site: Settings) -> None:
    """Send reminders and what is due, and look for what was left behind."""
    call_command("kordless_mail", verbosity=0)


def text(site: Settings) -> None:
    """Book by phone, have messages sent, and open the link in one, and another that is wrong."""
    clear_messages()
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, **TEXTING, "MAIL": True}
    visitor = Visitor(Client())
    assert visitor.book("haircut", "?day=2026-12-09", email="", phone=PHONE).number
    call_command("kordless_mail", verbosity=0)
    [message] = received()
    assert visitor.open(message.link).number
    assert visitor.open(f"{message.link[:-16]}0000000000000000").status == 404


def delete_old_rows(_site: Settings) -> None:
    """Delete a year's rows, then look for others when none is left."""
    assert retention.delete_expired(NOW, batches=1) > 0
    retention.delete_expired(NOW, batches=1000)
    assert retention.delete_expired(NOW) == 0
    retention.delete_expired(NOW + timedelta(days=1))


def run_doctor(_site: Settings) -> None:
    """Examine database and webhook, as a monitor does every few minutes."""
    assert {"retention", "retention_overdue"} & {finding.code for finding in database.examine()}
    assert "last_delivery" in [finding.code for finding in webhook.examine(get_account(None))]


# The doctor comes first: it needs old rows to find.
SCENARIOS = (run_doctor, text, visit, deliver, delete_old_rows, run_mail)


def check_plans(scenario: Callable[[Settings], None], site: Settings) -> None:
    """Run a scenario, and assert that none of its queries reads a whole table."""
    with planned_queries() as plans:
        scenario(site)
    assert plans.queries
    assert not plans.scanning, "\n\n".join(map(str, plans.scanning))
    assert not plans.costing(MAX_STEPS), "\n\n".join(map(str, plans.costing(MAX_STEPS)))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_query_reads_a_whole_table(grown: Callable[[int], Settings], scenario: Callable[[Settings], None]):
    """Of a visit, a delivery, a mail run, retention and the doctor, by the plan that the database has for it."""
    check_plans(scenario, grown(FEW))


@pytest.mark.long
def test_no_query_reads_a_whole_table_of_a_hundred_thousand_rows(grown: Callable[[int], Settings]):
    """The same where the database has statistics of large tables, and SQLite's work is counted."""
    site = grown(MANY)
    for scenario in SCENARIOS:
        check_plans(scenario, site)


def test_plans_tell_a_query_that_reads_a_whole_table(grown: Callable[[int], Settings]):
    """By a column without an index, by the account alone, and in an order that no index has."""
    grown(FEW)
    scanning = [
        BookingAttempt.objects.filter(changed_at__lt=NOW),
        BookingAttempt.objects.filter(account="default", claimed_until__lt=NOW),
        BookingAttempt.objects.filter(account="default").order_by("changed_at")[:5],
        OutgoingMail.objects.filter(changed_at__lt=NOW),
    ]
    with planned_queries() as plans:
        for rows in scanning:
            list(rows.values_list("pk", flat=True))
    assert len(plans.scanning) == len(scanning)
    with planned_queries() as plans:
        list(BookingAttempt.objects.order_by("-created_at")[:5])
        list(BookingAttempt.objects.filter(account="default", state="placed", created_at__gt=NOW))
    assert not plans.scanning, str(plans.scanning[0])


ADMIN_PAGES = (
    "overview/",
    "funnelcount/",
    "funnelcount/?days=90",
    "funnelcount/csv/?days=90",
    "webhookdelivery/",
    "webhookdelivery/?kind=booking.created",
    "webhookdelivery/?outcome__exact=processed",
    "webhookdelivery/?o=3.-1",
    "webhookdelivery/?p=3",
    "bookingattempt/",
    "bookingattempt/?state__exact=waiting",
    "bookingattempt/?rejection=",
    "bookingattempt/?o=3.-1",
    "outgoingmail/",
    "outgoingmail/?state__exact=sent",
    "outgoingmail/?state__exact=failed",
    "outgoingmail/?kind__exact=confirmed",
    "outgoingmail/?p=3",
    "consentproof/",
    "consentproof/?name=rules",
)


@pytest.mark.long
def test_staff_do_not_wait_for_a_list_of_years(grown: Callable[[int], Settings]):
    """No page of the admin is more work for the database than a reader waits for."""
    grown(MANY)
    client = Client()
    client.force_login(User.objects.create_superuser("owner"))
    assert find_costly_pages(client, [f"/admin/kordless_booking/{page}" for page in ADMIN_PAGES]) == {}


def find_attempts_of_a_person(_site: Settings) -> None:
    """Search attempts by number and by contact, as staff do."""
    for wanted in ("BOOK_AB12CD34", "jane@example.com", "+1 212 555 0123"):
        assert find_attempts(wanted) == []


def find_proofs_of_a_person(_site: Settings) -> None:
    """Search proofs of consent by number and by contact, as staff do, and record one, as a booking does."""
    for wanted in ("BOOK_AB12CD34", "jane@example.com", "+1 212 555 0123"):
        assert find_proofs(wanted) == []
    given = GivenConsent(name="rules", version="1", text="Rules", language="en", given_at=int(NOW.timestamp()))
    for _again in range(2):
        record_proofs("default", "BOOK_NEW1", "haircut", None, (given,))
    assert len(find_proofs("BOOK_NEW1")) == 1


def read_lost_demand(_site: Settings) -> None:
    """Read the lost demand of a week and of the longest period, as overview and funnel do."""
    account_state(get_account(None), NOW, NOW.date())
    for days in PERIODS:
        lost_demand(FunnelQuery(NOW.date(), days=days))


@pytest.mark.parametrize("scenario", [find_attempts_of_a_person, find_proofs_of_a_person, read_lost_demand])
def test_no_query_of_a_page_of_staff_reads_a_whole_table(
    grown: Callable[[int], Settings], scenario: Callable[[Settings], None]
):
    """Neither the search for a person nor what the overview counts."""
    check_plans(scenario, grown(FEW))
