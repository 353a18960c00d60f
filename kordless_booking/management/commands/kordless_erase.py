"""`manage.py kordless_erase`: erase a person's data, or what the widget has stored for too long.

Exit code 0 when nothing personal is left, 1 when something had to stay (the output says why), 2 when nothing was done.
"""

from __future__ import annotations

import logging
import re
import sys
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TextIO

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from kordless_booking import conf
from kordless_booking.erasure.base import Person
from kordless_booking.erasure.run import ErasureResults, erase_old, erase_person
from kordless_booking.logs import log_event

log = logging.getLogger("kordless_booking.erasure")

NOT_DONE: Final = 2
"""Exit code."""


class Command(BaseCommand):
    help = "Forgets what the booking widget keeps of a person, or what is old."
    # For tests: `call_command` accepts only options that the parser knows, or that are named here.
    stealth_options = ("stdin",)

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument(
            "--contact",
            action="append",
            metavar="EMAIL-OR-PHONE",
            help="whom to forget; more than once for more, and - to read them from standard input, a line each",
        )
        what.add_argument("--older-than", type=_days, metavar="DAYS", help="forget what is older, such as 90 or 90d")
        parser.add_argument("--account", metavar="NAME", help="of one account only")
        parser.add_argument("--dry-run", action="store_true", help="only count")
        parser.add_argument(
            "--including-open",
            action="store_true",
            help="with --contact: also attempts whose outcome nobody knows yet, which then nobody ever will",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        now, dry, account = datetime.now(UTC), options["dry_run"], options["account"]
        accounts = [account] if account else None
        try:
            if options["contact"]:
                person = Person.from_texts(_contacts(options["contact"], options.get("stdin") or sys.stdin), _regions())
                tallies = erase_person(
                    person, now, accounts=accounts, including_open=options["including_open"], dry=dry
                )
            else:
                moment = now - timedelta(days=options["older_than"])
                tallies = erase_old(moment, now, accounts=accounts, dry=dry)
        except ValueError:
            # The text isn't repeated: a command's output may be stored by whoever runs it.
            message = "One of them is neither an e-mail address nor a phone number. Nothing was done."
            raise CommandError(message, returncode=NOT_DONE) from None
        except (DatabaseError, ImproperlyConfigured) as error:
            message = f"Nothing was done: {type(error).__name__}. manage.py kordless_doctor says more."
            raise CommandError(message, returncode=NOT_DONE) from None
        self._report(tallies, dry=dry)
        if any(tally.personal_left for tally in tallies.values()):
            sys.exit(1)

    def _report(self, tallies: ErasureResults, *, dry: bool) -> None:
        self.stdout.write("This would be forgotten:" if dry else "Forgotten:")
        for name, tally in tallies.items():
            self.stdout.write(f"  {name}: {tally.deleted} deleted, {tally.emptied} emptied")
            for why, count in tally.kept.items():
                self.stdout.write(f"    {count} kept, {why}")
        if not dry:
            said = {name.replace(" ", "_"): tally.deleted + tally.emptied for name, tally in tallies.items()}
            kept = sum(tally.personal_left for tally in tallies.values())
            log_event(log, logging.INFO, "data_erased", **said, kept=kept)
        self.stdout.write("Kordless keeps bookings itself, and so may your mail, logs and backups: look there too.")


def _contacts(given: list[str], typed: TextIO) -> list[str]:
    """Return the contacts as given, with the lines of standard input in place of a dash."""
    found = [text for text in given if text != "-"]
    if "-" in given:
        found += [line.strip() for line in typed if line.strip()]
    if not found:
        raise ValueError("nobody is named")
    return found


def _regions() -> frozenset[str]:
    return frozenset(account.phone_region for account in conf.accounts().values())


def _days(text: str) -> int:
    found = re.fullmatch(r"([0-9]{1,5})d?", text.strip(), re.ASCII)
    if not found or int(found[1]) < 1:
        raise ArgumentTypeError("a number of days, 1 or more, such as 90 or 90d")
    return int(found[1])
