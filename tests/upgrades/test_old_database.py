"""A database from before 0.1.0, made by the code of that day: the release migrates it, and reads all that is in it.

`before_0_1_0.sql` has the tables as the first migration made them, filled by two bookings, two deliveries (one of them
forged) and their mails, of which two were never sent. `before_0_1_0_sandbox.sql` has the bookings as Kordless knows
them, and `before_0_1_0.json` the links that the customers have. Its secret key is that of the plain host project.
"""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import include, path
from pytest_django import DjangoDbBlocker, Settings

from kordless_booking.funnel import counters
from kordless_booking.mail import outbox
from kordless_booking.models import Appointment, BookingAttempt, BookingProjection, OutgoingMail, WebhookDelivery
from kordless_booking.sandbox import NORTH_KEY, NORTH_ORG, Sandbox
from tests.support.deliveries import delivery, event_body
from tests.support.mail_reader import sent
from tests.support.mail_settings import MAIL, SITE
from tests.support.visitor import Page, Visitor

HERE = Path(__file__).parent
LINKS: dict[str, str] = json.loads((HERE / "before_0_1_0.json").read_text())
ROWS = {Appointment: 3, BookingAttempt: 2, BookingProjection: 3, OutgoingMail: 3, WebhookDelivery: 1}
ADMIN = "/admin/kordless_booking"


@contextmanager
def other_database(path: Path) -> Iterator[None]:
    """Have Django use another SQLite file as its database."""
    usual = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = str(path)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual


@pytest.fixture(scope="module")
def migrated(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The old database, migrated."""
    file = tmp_path_factory.mktemp("old") / "old.sqlite3"
    made = sqlite3.connect(file)
    made.executescript((HERE / "before_0_1_0.sql").read_text())
    made.close()
    with django_db_blocker.unblock(), other_database(file):
        call_command("migrate", verbosity=0)
    return file


@pytest.fixture
def old_database(
    migrated: Path,
    transactional_db: None,
    tmp_path: Path,
    site: Settings,
    account_settings: dict[str, Any],
    sandbox: Sandbox,
) -> Iterator[Settings]:
    """A site that has mail and a webhook, upgraded from before 0.1.0, on a copy of its own database."""
    site.KORDLESS_BOOKING = {**account_settings, **MAIL}
    with sandbox.store.write() as stored:
        for statement in (HERE / "before_0_1_0_sandbox.sql").read_text().splitlines():
            stored.execute(statement)
    with other_database(Path(shutil.copy(migrated, tmp_path))):
        yield site
        outbox._background.join()
        counters.drain()


def test_every_row_of_an_old_database_is_there_after_the_upgrade(old_database: Settings):
    """As many as before, in tables that are those of the models."""
    assert {model: model.objects.count() for model in ROWS} == ROWS
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_old_links_of_customers_still_work_after_the_upgrade(old_database: Settings, client: Client):
    """The link in a mail leads to the booking, and cancels it, once, with a mail in the customer's language."""
    visitor = Visitor(client)
    page = visitor.open(LINKS["manage"])
    assert (page.status, LINKS["number"] in page.text) == (200, True)
    done = visitor.send(visitor.send(page, "Cancel booking"), "Cancel booking")
    assert done.heading == "Booking canceled"
    outbox._background.join()
    [letter] = [each for each in sent() if each.message["To"] == "jane@example.com"]
    assert letter.subject.endswith(": canceled")


def test_an_old_confirmation_is_shown_after_the_upgrade(old_database: Settings, client: Client):
    """From its own link, with the number and the time."""
    page = Visitor(client).open(LINKS["confirmation"])
    assert (page.status, page.heading, page.number) == (200, "You’re booked", LINKS["number"])
    assert "Wednesday, December 9, 2026" in page.text


def test_old_links_work_after_the_site_gets_a_second_business(
    old_database: Settings, account_settings: dict[str, Any], client: Client
):
    """Where the first one is called `default`, as an account without a name is."""
    shared = {"TRANSPORT": account_settings.pop("TRANSPORT"), **MAIL}
    second = {"API_KEY": NORTH_KEY, "ORG_SLUG": NORTH_ORG}
    old_database.KORDLESS_BOOKING = {**shared, "ACCOUNTS": {"default": account_settings, "north": second}}
    old_database.ROOT_URLCONF = (
        path("book/", include("kordless_booking.urls", namespace="default")),
        path("north/", include("kordless_booking.urls", namespace="north")),
    )
    assert LINKS["number"] in Visitor(client).open(LINKS["manage"]).text
    call_command("kordless_mail", stdout=io.StringIO())
    assert {letter.message["To"] for letter in sent()} == {"ruth@example.com", "canary@example.com"}


def test_old_mails_that_were_queued_are_sent_after_the_upgrade(old_database: Settings):
    """Once each, and none of those that were sent before."""
    call_command("kordless_mail", stdout=io.StringIO())
    assert {letter.message["To"] for letter in sent()} == {"ruth@example.com", "canary@example.com"}
    call_command("kordless_mail", stdout=io.StringIO())
    assert len(sent()) == 2
    assert all(f"{SITE}/book/manage/" in letter.text for letter in sent())


def test_a_delivery_that_was_received_before_the_upgrade_counts_once(old_database: Settings, client: Client):
    """Sent again, it adds nothing; a new one about the same booking finds what is known of it."""
    assert delivery(event_body(), delivery_id="dlv_1").post(client).status_code == 200
    assert WebhookDelivery.objects.count() == 1
    canceled = event_body("booking.cancelled", at="2026-12-01T15:00:00Z", status="cancelled")
    assert delivery(canceled, delivery_id="dlv_after").post(client).status_code == 200
    assert (BookingProjection.objects.count(), BookingProjection.objects.filter(canceled=True).count()) == (3, 1)


def test_staff_read_old_rows_after_the_upgrade(old_database: Settings, client: Client):
    """The lists of the admin, each row of them, the overview and the funnel."""
    client.force_login(User.objects.create_superuser("owner"))
    for name, model in (
        ("bookingattempt", BookingAttempt),
        ("webhookdelivery", WebhookDelivery),
        ("outgoingmail", OutgoingMail),
    ):
        addresses = [f"{ADMIN}/{name}/", *(f"{ADMIN}/{name}/{row.pk}/change/" for row in model.objects.all())]
        assert [client.get(address).status_code for address in addresses] == [200] * len(addresses)
    assert client.get(f"{ADMIN}/overview/").status_code == 200
    funnel = Page("", client.get(f"{ADMIN}/funnelcount/"))
    assert (funnel.status, "haircut" in funnel.text.casefold()) == (200, True)


def test_old_data_of_a_person_is_exported_and_erased_after_the_upgrade(old_database: Settings):
    """By email address, whatever key their hashes were made with."""
    exported = io.StringIO()
    call_command("kordless_export", "--contact", "jane@example.com", stdout=exported, stderr=io.StringIO())
    assert {LINKS["number"], "Jane Doe"} <= set(_texts(json.loads(exported.getvalue())))
    call_command("kordless_erase", "--contact", "jane@example.com", stdout=io.StringIO())
    exported = io.StringIO()
    call_command("kordless_export", "--contact", "jane@example.com", stdout=exported, stderr=io.StringIO())
    assert LINKS["number"] not in set(_texts(json.loads(exported.getvalue())))


def _texts(document: Any) -> Iterator[str]:
    """All texts of a JSON document."""
    if isinstance(document, str):
        yield document
    for each in document.values() if isinstance(document, dict) else document if isinstance(document, list) else ():
        yield from _texts(each)
