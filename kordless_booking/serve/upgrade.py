"""Upgrade of what is stored: tables of the database, and collected static files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
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
    # The stamp is beside the files and not among them, which are served: it has the exact versions of everything.
    stamp = folder / _STAMP
    return stamp.is_file() and (folder / "static").is_dir() and stamp.read_text() == _wanted_stamp()


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
    # Without a stamp, a collection was killed in the middle, and any file may be torn.
    is_whole = (folder / _STAMP).is_file() and (folder / "static").is_dir()
    if is_up_to_date(folder):
        return
    (folder / _STAMP).unlink(missing_ok=True)
    if is_whole:
        _remove_copies(folder / "static")
    call_command("collectstatic", interactive=False, verbosity=0, clear=not is_whole)
    (folder / _STAMP).write_text(_wanted_stamp())


def _remove_copies(collected: Path) -> None:
    """Remove the copies without a hash in their name, so that all are made again.

    `collectstatic` would keep those that are younger than their source, as after the upgrade of an image that was
    built before the last start. The hashed ones stay for pages that are open in a browser.
    """
    for finder in get_finders():
        for path, _storage in finder.list([]):
            (collected / path).unlink(missing_ok=True)
