"""The one table: unique per account, silent, and in step with its migration."""

from hashlib import sha256
from importlib import import_module

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from kordless_booking.booking.hashes import delivery_hash
from kordless_booking.models import BookingAttempt, WebhookDelivery
from tests.support.clock import NOW

pytestmark = pytest.mark.django_db


def attempt(**changes) -> BookingAttempt:
    """A row as placing writes it."""
    fields = {
        "key": "0123456789abcdef",
        "account": "default",
        "service": "haircut",
        "body_hash": "f" * 64,
        "state": BookingAttempt.State.PLACING,
        "encrypted": "canary-encrypted",
        "claimed_until": NOW,
        "created_at": NOW,
        "changed_at": NOW,
    }
    return BookingAttempt.objects.create(**fields | changes)


def test_a_key_is_there_once_in_each_account():
    """The database itself refuses a second attempt."""
    attempt()
    attempt(account="north")
    with pytest.raises(IntegrityError), transaction.atomic():
        attempt(state=BookingAttempt.State.REJECTED)
    assert BookingAttempt.objects.count() == 2


def test_it_prints_what_and_when_but_not_who():
    """In the admin and in error reports."""
    row = attempt()
    assert str(row) == "haircut placing 2026-12-01 15:00"
    assert "canary" not in repr(row)


@pytest.mark.parametrize("state", BookingAttempt.State)
def test_every_state_fits_its_column(state):
    """All are choices, and none is cut off."""
    row = attempt(state=state)
    row.full_clean(exclude=["retry_at", "rejection"])
    row.refresh_from_db()
    assert BookingAttempt.State(row.state) is state


def test_the_longest_slug_fits():
    """Two hundred characters, as the door to Kordless allows."""
    attempt(service="s" * 200).full_clean(exclude=["retry_at", "rejection"])


def test_the_migrations_are_complete():
    """Nobody who installs it is asked to make one."""
    call_command("makemigrations", "kordless_booking", check=True, dry_run=True, verbosity=0)


def test_the_migration_keys_the_plain_hashes_of_deliveries():
    """A body that was received before is still known by its hash, which reveals nothing anymore."""
    plain = sha256(b"the body").hexdigest()
    row = WebhookDelivery.objects.create(
        account="default", delivery_id="dlv_1", body_hash=plain, kind="x", outcome="other", received_at=NOW
    )
    migration = import_module("kordless_booking.migrations.0002_keyed_delivery_hashes")
    # The editor itself: SQLite's can't be entered within a test's transaction, and nothing of the schema changes.
    migration.replace_hashes(apps, connection.schema_editor())
    row.refresh_from_db()
    assert row.body_hash == delivery_hash(plain) != plain
