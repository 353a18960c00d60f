"""Check of the settings: all errors that the app's system checks find."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.core.checks import run_checks

from kordless_booking import conf
from kordless_booking.doctor.finding import Findings, fix, note, ok

_CHECKED_ELSEWHERE: Final = frozenset(
    {"kordless_booking.W001", "kordless_booking.W002", "kordless_booking.W007", "kordless_booking.W012"}
)
"""Ids of checks about mounts, caches and the sandbox. The doctor has closer checks of its own for these."""


def has_usable_accounts() -> bool:
    """Return whether the settings contain usable accounts. Unknown settings alone don't make them unusable."""
    return not any(error.kind != "unknown" for error in conf.find_errors(getattr(settings, "KORDLESS_BOOKING", None)))


def examine() -> Findings:
    """Report all errors, not only the first."""
    found = [
        message
        for message in run_checks(tags=["kordless_booking"], include_deployment_checks=True)
        if message.id not in _CHECKED_ELSEWHERE
    ]
    for message in found:
        code = (message.id or "").rpartition(".")[2]
        yield fix(code, message.msg.rstrip("."), message.hint or "see manage.py check")
    if not found:
        names = ", ".join(conf.accounts())
        yield ok("settings", f"KORDLESS_BOOKING is valid for {names}")
    if has_usable_accounts():
        for name, account in conf.accounts().items():
            if account.mail and "email" not in account.requested_contacts():
                advice = 'show "email" in CONTACT_FIELDS, or switch MAIL off'
                yield note("mail_to_nobody", f"MAIL is on for {name}, and its forms ask for no email address", advice)
