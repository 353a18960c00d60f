"""The doctor's report on the database."""

from contextlib import AbstractContextManager

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from pytest_django import Settings

from kordless_booking.models import BookingAttempt
from tests.support.doctor import run_as_json
from tests.support.failing_database import refused_writes

pytestmark = pytest.mark.django_db


def test_all_is_well(well: Settings):
    """The row that was written is gone."""
    assert run_as_json().of("database") == {"migrations": "ok", "database_writes": "ok", "retention": "ok"}
    assert BookingAttempt.objects.count() == 0


def test_a_migration_that_is_not_applied(well: Settings):
    """It is named, with the command that applies it."""
    MigrationRecorder(connection).record_unapplied("kordless_booking", "0001_initial")
    report = run_as_json()
    assert report.fixes() == ["migrations"]
    assert "0001_initial" in report.line("migrations")
    assert "manage.py migrate kordless_booking" in report.line("migrations")


def test_a_migration_of_an_optional_app_that_is_not_applied(well: Settings):
    """It is named with its app, and bookings are checked nevertheless: they need none of its tables."""
    MigrationRecorder(connection).record_unapplied("kordless_customers", "0001_initial")
    report = run_as_json()
    assert report.fixes() == ["migrations"]
    assert "kordless_customers.0001_initial" in report.line("migrations")
    assert "manage.py migrate kordless_customers" in report.line("migrations")
    assert report.of("database")["database_writes"] == "ok"


def test_a_database_that_takes_no_writes(well: Settings):
    """Full, or a replica."""
    with refused_writes("INSERT"):
        report = run_as_json()
    assert report.fixes() == ["database_read_only"]


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError])
def test_a_database_that_is_down(well: Settings, kind: type[Exception]):
    """Everything else is still looked at."""

    def gone(*_args: object) -> None:
        raise kind("no route to canary.internal")

    down: AbstractContextManager[None] = connection.execute_wrapper(gone)
    with down:
        report = run_as_json()
    assert report.fixes() == ["database_down"]
    assert report.of("kordless")["key"] == "ok"
    assert report.of("webhook")["signature_scheme"] == "ok"
