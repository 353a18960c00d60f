"""`manage.py kordless_doctor`: check everything that the widget needs, and report how to fix what is wrong.

Exit code 0 when there is nothing to fix, 1 when something must be fixed, 2 when the command could not finish.
docs/operating.md documents the shape of `--json`, which is public API.

With `--contract` it compares the Booking API with what this package assumes about it instead: see docs/contract.md.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import sys
import threading
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import django
from django.core.management.base import BaseCommand, CommandError

from kordless_booking import __version__, conf
from kordless_booking.doctor.contract.booking import TestContact
from kordless_booking.doctor.contract.delivery import MAX_FILE_BYTES, DeliveryUnreadable, SavedDelivery
from kordless_booking.doctor.contract.facts import Findings as ContractFindings
from kordless_booking.doctor.contract.facts import Verdict
from kordless_booking.doctor.contract.prober import PACE_SECONDS, Prober
from kordless_booking.doctor.contract.reading import RESERVED_EMAIL
from kordless_booking.doctor.contract.run import ContractRun
from kordless_booking.doctor.finding import Level, fix
from kordless_booking.doctor.run import DoctorRun, LocatedFinding
from kordless_booking.doctor.settings_read import has_usable_accounts
from kordless_booking.logs import request_id

SECONDS: Final = 40
"""Default of `--seconds`."""
NOT_FINISHED: Final = 2
"""Exit code."""
TEST_NAME: Final = "Contract check"
TEST_PHONE: Final = "+12125550143"
"""Number that is reserved for fiction (555-0100 to 555-0199)."""
_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")


class Command(BaseCommand):
    help = "Checks everything that the booking widget needs. Each line is ok, a note, or something to fix."
    # Django runs no command while a system check fails; here a failing check is one finding among others.
    requires_system_checks: list[str] = []  # noqa: RUF012 (Django's own way to write it)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", default="", metavar="NAME", help="check one account only")
        parser.add_argument("--json", action="store_true", help="print one JSON object, for monitors")
        parser.add_argument(
            "--site", default="", metavar="ORIGIN", help="check the running site too: https://your.site"
        )
        contract = parser.add_argument_group("comparison with the contract")
        contract.add_argument("--contract", action="store_true", help="compare the API with what is assumed about it")
        contract.add_argument("--book", action="store_true", help="book once and cancel, too; asks before it does")
        contract.add_argument("--yes", action="store_true", help="book without asking")
        contract.add_argument("--service", default="", metavar="SLUG", help="the service to compare, and to book")
        contract.add_argument("--name", default=TEST_NAME, help="name of the test booking (default: %(default)s)")
        contract.add_argument("--email", default="", help="its email address")
        contract.add_argument(
            "--phone",
            default="",
            help=f"its phone number; without both they are {RESERVED_EMAIL} and {TEST_PHONE}, which reach nobody",
        )
        contract.add_argument("--delivery", default="", metavar="FILE", help="a saved webhook delivery")
        contract.add_argument(
            "--pace", type=float, default=PACE_SECONDS, help="seconds between two requests (default: %(default)s)"
        )
        parser.add_argument(
            "--seconds", type=float, default=SECONDS, help="stop after so many seconds (default: %(default)s)"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        account, site = options["account"], options["site"].rstrip("/")
        if account and has_usable_accounts() and account not in conf.accounts():
            names = ", ".join(conf.accounts())
            raise CommandError(f"Unknown account {account}. Known accounts: {names}.", returncode=NOT_FINISHED)
        if site and not _ORIGIN.fullmatch(site):
            raise CommandError("--site must be a scheme and a host, such as https://your.site", returncode=NOT_FINISHED)
        if options["contract"]:
            self._compare(**options)
            return
        if options["book"] or options["delivery"]:
            raise CommandError("--book and --delivery need --contract", returncode=NOT_FINISHED)
        report = _Report(self, DoctorRun(account, site), as_json=options["json"], seconds=options["seconds"])
        # A timer thread, because what hangs may not be interruptible: DNS, a database driver.
        watch = threading.Timer(options["seconds"], report.give_up)
        watch.daemon = True
        watch.start()
        # Sent to Kordless as X-Request-ID, and logged, so that this run's requests can be told from visitors'.
        token = request_id.set(f"doctor-{secrets.token_hex(4)}")
        try:
            report.run()
        finally:
            request_id.reset(token)
            watch.cancel()
        if report.level is Level.FIX:
            sys.exit(1)

    def _compare(self, **options: Any) -> None:
        """Compare the API with the contract. Exit code 1 if something is refuted, 2 if the run ended early."""
        account = _one_account(options["account"])
        saved = _read_delivery(options["delivery"]) if options["delivery"] else None
        contact = None
        if options["book"]:
            if not options["service"]:
                raise CommandError("--book needs --service, the slug of a service", returncode=NOT_FINISHED)
            given = options["email"] or options["phone"]
            email, phone = (options["email"], options["phone"]) if given else (RESERVED_EMAIL, TEST_PHONE)
            contact = TestContact(options["name"], email, phone)
            if not options["yes"]:
                self._confirm(options["service"], contact)
        findings = ContractFindings()
        prober = Prober(account, findings, pace=max(0.0, options["pace"]))
        run = ContractRun(account, prober, findings)
        warnings: list[str] = []

        def warn(text: str) -> None:
            warnings.append(text)
            self.stderr.write(text)

        if prober.pace and options["verbosity"]:
            # A report of half a minute's work comes at its end, and silence would look like a hang.
            text = f"About {24 if contact else 16} requests to Kordless, {prober.pace:g} seconds apart."
            self.stderr.write(text, style_func=str)
        token = request_id.set(f"doctor-{secrets.token_hex(4)}")
        try:
            with _interrupted_by_signals():
                run.run(service_slug=options["service"], contact=contact, saved=saved, warn=warn)
        finally:
            request_id.reset(token)
        self.stdout.write(json.dumps(run.document(), indent=2) if options["json"] else "\n".join(run.lines()))
        if run.stopped or warnings:
            sys.exit(NOT_FINISHED)
        if run.count(Verdict.REFUTED):
            sys.exit(1)

    def _confirm(self, service: str, contact: TestContact) -> None:
        """Ask on standard error: standard output is the report. Raises CommandError unless the answer is yes."""
        question = (
            f"This books the last free time of {service} in your Kordless account, as {contact.name} "
            f"({' and '.join(contact.addresses)}), and cancels it at once. Kordless may notify your staff and this "
            "contact of both, and send webhooks.\nBook and cancel? Type yes: "
        )
        self.stderr.write(question, style_func=str, ending="")
        self.stderr.flush()
        if sys.stdin.readline().strip().lower() != "yes":
            raise CommandError("Nothing was booked. --yes books without asking.", returncode=NOT_FINISHED)


@contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP interrupt like Ctrl+C, so that a test booking is canceled, or named, before the end."""
    # Elsewhere Python installs no handler, and Windows has no SIGHUP.
    is_main = threading.current_thread() is threading.main_thread()
    names = [name for name in ("SIGTERM", "SIGHUP") if is_main and hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), signal.default_int_handler) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _one_account(name: str) -> conf.Account:
    """Return the account to compare. Raises CommandError for unusable settings, and where one has to be chosen."""
    if not has_usable_accounts():
        raise CommandError("The settings have errors: run manage.py check.", returncode=NOT_FINISHED)
    accounts = conf.accounts()
    if not name and len(accounts) > 1:
        names = ", ".join(accounts)
        raise CommandError(f"--contract compares one account: choose it by --account. {names}", returncode=NOT_FINISHED)
    return accounts[name or next(iter(accounts))]


def _read_delivery(path: str) -> SavedDelivery:
    """Read a saved delivery. Raises CommandError."""
    try:
        with Path(path).open("rb") as file:
            return SavedDelivery.parse(file.read(MAX_FILE_BYTES + 1))
    except OSError as error:
        raise CommandError(f"--delivery can't be read: {error.strerror}", returncode=NOT_FINISHED) from None
    except DeliveryUnreadable as error:
        raise CommandError(f"--delivery is no saved delivery: {error}", returncode=NOT_FINISHED) from None


class _Report:
    """Report of a run: prints findings as they come, or all of them as JSON at the end."""

    def __init__(self, command: Command, run: DoctorRun, *, as_json: bool, seconds: float) -> None:
        self._command = command
        self._run = run
        self._as_json = as_json
        self._seconds = seconds
        self._began = time.monotonic()
        self._findings: list[LocatedFinding] = []
        self._heading = ""
        #: Findings come from the main thread, the timeout from the timer's.
        self._lock = threading.Lock()

    @property
    def level(self) -> Level:
        """The worst level so far."""
        levels = {located.finding.level for located in self._findings}
        return next(level for level in (Level.FIX, Level.NOTE, Level.OK) if level in levels or level is Level.OK)

    def run(self) -> None:
        if not self._as_json:
            python = ".".join(map(str, sys.version_info[:3]))
            self._write(f"kordless_booking {__version__}, Django {django.__version__}, Python {python}")
        for located in self._run.run():
            with self._lock:
                self._add(located)
        with self._lock:
            self._finish()

    def give_up(self) -> None:
        """Report the timeout and end the process, whatever it hangs in."""
        with self._lock:
            advice = "find out what hangs there"
            text = f"Not finished within {self._seconds:g} s, while checking {self._run.current_check}"
            self._add(LocatedFinding("doctor", "", fix("not_finished", text, advice)))
            self._finish()
            self._command.stdout.flush()
            # `sys.exit` would only end the timer's thread, and exit handlers might hang as well.
            os._exit(NOT_FINISHED)

    def _add(self, located: LocatedFinding) -> None:
        self._findings.append(located)
        if self._as_json:
            return
        heading = f"{located.area} ({located.account})" if located.account else located.area
        if heading != self._heading:
            self._heading = heading
            self._write(f"\n{heading}")
        styles = {Level.OK: self._command.style.SUCCESS, Level.FIX: self._command.style.ERROR}
        # Only the level at the beginning is colored.
        text = str(located.finding)
        style_level = styles.get(located.finding.level, str)
        self._write(f"  {style_level(text[:4])}{text[4:]}")

    def _finish(self) -> None:
        count = {level: sum(located.finding.level is level for located in self._findings) for level in Level}
        if self._as_json:
            self._write(json.dumps(self._document(), indent=2))
            return
        requests = self._run.requests
        summary = f"{count[Level.FIX]} to fix" if count[Level.FIX] else "Nothing to fix"
        self._write(f"\n{summary}. {count[Level.OK]} ok, {count[Level.NOTE]} notes, {requests} requests to Kordless.")

    def _document(self) -> dict[str, Any]:
        return {
            "version": 1,
            "status": "fix" if self.level is Level.FIX else "ok",
            "package": __version__,
            "seconds": round(time.monotonic() - self._began, 3),
            "requests": self._run.requests,
            "findings": [
                {
                    "area": located.area,
                    "account": located.account or None,
                    "level": located.finding.level.value,
                    "code": located.finding.code,
                    "text": located.finding.text,
                    "advice": located.finding.advice or None,
                }
                for located in self._findings
            ],
        }

    def _write(self, line: str) -> None:
        self._command.stdout.write(line)
