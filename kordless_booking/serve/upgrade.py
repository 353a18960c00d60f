"""Upgrade of what is stored: tables of the database, and collected static files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from kordless_booking import __version__
from kordless_booking.serve.state import upgrade_lock

_STAMP: Final = ".collected"
_DATABASE_LOCK: Final = 7_204_719_513_048_121
"""Key of PostgreSQL's advisory lock: any number that nobody else uses in this database."""


def upgrade(folder: Path) -> None:
    """Migrate the database, and collect static files if they are another version's. Others wait meanwhile.

    Raises django.db.Error and OSError.
    """
    with upgrade_lock(folder), _database_lock():
        call_command("migrate", interactive=False, verbosity=0)
        # Rows of logins that ended; nothing else deletes them.
        call_command("clearsessions")
    with upgrade_lock(folder):
        _collect(folder)


def is_up_to_date(folder: Path) -> bool:
    """Return True where an upgrade to these packages and apps has come to its end, which is the static files."""
    stamp = folder / "static" / _STAMP
    return stamp.is_file() and stamp.read_text() == _wanted_stamp()


@contextmanager
def _database_lock() -> Iterator[None]:
    """Hold a lock in PostgreSQL as well: servers on other machines have another folder."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_DATABASE_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_DATABASE_LOCK])


def _wanted_stamp() -> str:
    # The time tells two builds of one version apart, as in a checkout.
    built = (Path(__file__).parent.parent / "static" / "kordless_booking").stat().st_mtime_ns
    return "\n".join([__version__, str(built), django.__version__, sys.version, *settings.INSTALLED_APPS])


def _collect(folder: Path) -> None:
    """Collect the static files, unless those of exactly these packages and apps are there."""
    stamp = folder / "static" / _STAMP
    if is_up_to_date(folder):
        return
    stamp.unlink(missing_ok=True)
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(_wanted_stamp())
