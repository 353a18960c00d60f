"""Check of the database: an attempt must be recorded there before anything is sent to Kordless."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Final

from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseTrouble
from django.db import connections, router, transaction
from django.db.migrations.loader import MigrationLoader

from kordless_booking.doctor.finding import Findings, fix, ok
from kordless_booking.models import BookingAttempt

APP: Final = "kordless_booking"


def examine() -> Findings:
    """Check for unapplied migrations, and insert a row that is rolled back."""
    alias = router.db_for_write(BookingAttempt)
    try:
        connection = connections[alias]
        # Django connects lazily: only this finds out whether the server answers.
        connection.ensure_connection()
        missing = _missing(alias)
    except (DatabaseTrouble, ImproperlyConfigured) as error:
        advice = "look at DATABASES and whether it runs; pages are shown meanwhile, bookings are not taken"
        yield fix("database_down", f"The database {alias!r} can't be reached ({type(error).__name__})", advice)
        return
    if missing:
        names = ", ".join(missing)
        yield fix("migrations", f"{len(missing)} migrations are not applied ({names})", f"run manage.py migrate {APP}")
        # Without all columns the test row could not be written, for a reason that has been said.
        return
    yield ok("migrations", f"The database {alias!r} ({connection.vendor}) has all our tables")
    try:
        _write_and_take_back(alias)
    except DatabaseTrouble as error:
        advice = "look for a full disk, a read-only replica or missing rights"
        yield fix("database_read_only", f"The database {alias!r} takes no writes ({type(error).__name__})", advice)
    else:
        yield ok("database_writes", "An attempt can be written down")


def _missing(alias: str) -> list[str]:
    """Return the app's migrations that aren't applied to this database."""
    loader = MigrationLoader(connections[alias])
    ours = sorted(name for app, name in loader.graph.nodes if app == APP)
    return [name for name in ours if (APP, name) not in loader.applied_migrations]


def _write_and_take_back(alias: str) -> None:
    now = datetime.now(UTC)
    row = BookingAttempt(
        key=f"doctor-{secrets.token_hex(8)}",
        account="",
        service="",
        body_hash="",
        state=BookingAttempt.State.REJECTED,
        claimed_until=now,
        created_at=now,
        changed_at=now,
    )
    with transaction.atomic(using=alias):
        row.save(using=alias, force_insert=True)
        # Rolled back, so that no other process ever sees the row.
        transaction.set_rollback(True, using=alias)
