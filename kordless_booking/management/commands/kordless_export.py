"""`manage.py kordless_export`: write everything that the widget has stored about a person, as JSON.

The twin of `kordless_erase`: it finds the same rows. Exit code 0 when all could be read, 1 when rows that may be the
person's could not be decrypted, 2 when nothing was written.
"""

from __future__ import annotations

import json
import logging
import sys
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from kordless_booking.erasure.run import TargetFailed, export_person
from kordless_booking.logs import log_event
from kordless_booking.management.person_arguments import add_contact_argument, describe_wrong_contact, read_person

log = logging.getLogger("kordless_booking.erasure")

NOT_DONE: Final = 2
"""Exit code."""


class Command(BaseCommand):
    help = "Writes the personal data that the booking widget stores about one person to standard output, as JSON."
    # For tests: `call_command` accepts only options that the parser knows, or that are named here.
    stealth_options = ("stdin",)

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_contact_argument(parser, "contact of the person", required=True)
        parser.add_argument("--account", metavar="NAME", help="limit to one account")

    def handle(self, *_args: Any, **options: Any) -> None:
        now, account = datetime.now(UTC), options["account"]
        try:
            person = read_person(options["contact"], options.get("stdin") or sys.stdin, account)
            stored = export_person(person, accounts=[account] if account else None)
        except ValueError as error:
            raise CommandError(f"{describe_wrong_contact(error)} Nothing was exported.", returncode=NOT_DONE) from None
        except TargetFailed as error:
            raise CommandError(f"Nothing was exported: {error}.", returncode=NOT_DONE) from None
        except (DatabaseError, ImproperlyConfigured) as error:
            message = f"Nothing was exported: {type(error).__name__}. Run manage.py kordless_doctor for details."
            raise CommandError(message, returncode=NOT_DONE) from None
        document = {"exported": now.isoformat(timespec="seconds"), "stored": stored}
        try:
            # As a whole: better no document than half of one.
            text = json.dumps(document, ensure_ascii=False, indent=2)
        except (TypeError, ValueError):
            message = "Nothing was exported: an extension has returned something that JSON can't hold."
            raise CommandError(message, returncode=NOT_DONE) from None
        self.stdout.write(text)
        counts = {name.replace(" ", "_"): len(rows) for name, rows in stored.items()}
        log_event(log, logging.INFO, "data_exported", **counts, unreadable=sum(person.unreadable.values()))
        # Not on standard output, which holds the document alone.
        for name, number in person.unreadable.items():
            self.stderr.write(
                f"{name}: {number} can't be decrypted, because they were written with a SECRET_KEY that is gone."
            )
        self.stderr.write(
            "Kordless stores bookings too, and so may your mail, logs and backups: export them from there as well."
        )
        if person.unreadable:
            sys.exit(1)
