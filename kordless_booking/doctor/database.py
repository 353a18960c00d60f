"""Check of the database: an attempt must be recorded there before anything is sent to Kordless."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Final

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseTrouble
from django.db import connections, router, transaction
from django.db.migrations.loader import MigrationLoader

from kordless_booking.doctor.finding import Findings, fix, ok
from kordless_booking.models import BookingAttempt
from kordless_booking.retention import OVERDUE_AFTER, RULES, expired_rows

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
        advice = "check DATABASES and whether the server runs; until then bookings are refused"
        yield fix("database_down", f"The database {alias!r} can't be reached ({type(error).__name__})", advice)
        return
    if missing:
        names = ", ".join(name if app == APP else f"{app}.{name}" for app, name in missing)
        labels = dict.fromkeys(app for app, _ in missing)
        advice = "run " + " and ".join(f"manage.py migrate {label}" for label in labels)
        yield fix("migrations", f"{len(missing)} migrations are not applied ({names})", advice)
    else:
        yield ok("migrations", f"All migrations are applied to the database {alias!r} ({connection.vendor})")
    if any(app == APP for app, _ in missing):
        # Without all columns the test row could not be written, for a reason that is reported already.
        return
    try:
        _write_and_roll_back(alias)
    except DatabaseTrouble as error:
        advice = "check for a full disk, a read-only replica or missing privileges"
        yield fix("database_read_only", f"The database {alias!r} rejects writes ({type(error).__name__})", advice)
    else:
        yield ok("database_writes", "A booking attempt can be stored")
        yield from _retention()


def _retention() -> Findings:
    """Report rows that should have been deleted: nothing that deletes them runs on this site."""
    now = datetime.now(UTC)
    try:
        overdue = [
            rule.name for rule in RULES if any(rows.exists() for rows in expired_rows(rule, now, overdue=OVERDUE_AFTER))
        ]
    except ImproperlyConfigured:
        return  # the check of the settings reports this
    if overdue:
        advice = "run manage.py kordless_mail by cron every few minutes: it deletes old rows in small batches"
        yield fix("retention_overdue", f"Old rows are not deleted ({', '.join(overdue)})", advice)
    else:
        yield ok("retention", "No rows are older than the settings say")


def _missing(alias: str) -> list[tuple[str, str]]:
    """Return the migrations of the widget and its optional apps that aren't applied, as app labels and names."""
    loader = MigrationLoader(connections[alias])
    labels = {app.label for app in apps.get_app_configs() if app.module and _is_ours(app.module.__name__)}
    ours = sorted(key for key in loader.graph.nodes if key[0] in labels)
    return [key for key in ours if key not in loader.applied_migrations]


def _is_ours(module: str) -> bool:
    return module == APP or module.startswith(f"{APP}.")


def _write_and_roll_back(alias: str) -> None:
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
