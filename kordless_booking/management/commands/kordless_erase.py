"""`manage.py kordless_erase`: erase a person's data, or what the widget has stored for too long.

Exit code 0 when nothing personal is left, 1 when something had to stay (the output says why), 2 when nothing was done.
"""

from __future__ import annotations

import logging
import re
import sys
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from kordless_booking import conf
from kordless_booking.erasure.run import ErasureResults, TargetFailed, erase_old, erase_person
from kordless_booking.logs import log_event
from kordless_booking.management.person_arguments import add_contact_argument, describe_wrong_contact, read_person

log = logging.getLogger("kordless_booking.erasure")

NOT_DONE: Final = 2
"""Exit code."""


class Command(BaseCommand):
    help = "Erases the personal data that the booking widget stores: of one person, or older than a number of days."
    # For tests: `call_command` accepts only options that the parser knows, or that are named here.
    stealth_options = ("stdin",)

    def add_arguments(self, parser: ArgumentParser) -> None:
        selection = parser.add_mutually_exclusive_group(required=True)
        add_contact_argument(selection, "contact of the person to erase")
        selection.add_argument(
            "--older-than", type=_days, metavar="DAYS", help="erase what is older, such as 90 or 90d"
        )
        parser.add_argument("--account", metavar="NAME", help="limit to one account")
        parser.add_argument("--dry-run", action="store_true", help="count, and erase nothing")
        parser.add_argument(
            "--including-open",
            action="store_true",
            help="with --contact: also erase attempts whose outcome is open; it can't be determined afterwards",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        now, dry, account = datetime.now(UTC), options["dry_run"], options["account"]
        accounts = [account] if account else None
        try:
            if options["contact"]:
                person = read_person(options["contact"], options.get("stdin") or sys.stdin, account)
                results = erase_person(
                    person, now, accounts=accounts, including_open=options["including_open"], dry=dry
                )
            else:
                moment = now - timedelta(days=options["older_than"])
                results = erase_old(moment, now, accounts=accounts, dry=dry)
        except ValueError as error:
            raise CommandError(f"{describe_wrong_contact(error)} Nothing was erased.", returncode=NOT_DONE) from None
        except TargetFailed as error:
            raise CommandError(f"Nothing was erased: {error}.", returncode=NOT_DONE) from None
        except (DatabaseError, ImproperlyConfigured) as error:
            message = f"Nothing was erased: {type(error).__name__}. Run manage.py kordless_doctor for details."
            raise CommandError(message, returncode=NOT_DONE) from None
        self._report(results, dry=dry)
        if options["contact"] and any(each.asks_for_answers for each in conf.accounts().values()):
            self.stdout.write(
                "A guest is found by the email address that was typed for them. One with a name alone, and what stands "
                "in the notes of bookings in Kordless, can't be found here: look for them there."
            )
        if any(result.kept_personal for result in results.values()):
            sys.exit(1)

    def _report(self, results: ErasureResults, *, dry: bool) -> None:
        self.stdout.write("Would be erased:" if dry else "Erased:")
        for name, result in results.items():
            self.stdout.write(f"  {name}: {result.deleted} deleted, {result.emptied} emptied")
            for reason, count in result.kept.items():
                self.stdout.write(f"    {count} kept: {reason}")
        if not dry:
            counts = {name.replace(" ", "_"): result.deleted + result.emptied for name, result in results.items()}
            kept = sum(result.kept_personal for result in results.values())
            log_event(log, logging.INFO, "data_erased", **counts, kept=kept)
        self.stdout.write(
            "Kordless stores bookings too, and so may your mail, logs and backups: erase them there as well."
        )


def _days(text: str) -> int:
    found = re.fullmatch(r"([0-9]{1,5})d?", text.strip(), re.ASCII)
    if not found or int(found[1]) < 1:
        raise ArgumentTypeError("a number of days, 1 or more, such as 90 or 90d")
    return int(found[1])
