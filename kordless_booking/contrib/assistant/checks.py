"""System checks of the assistant's setting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured

from kordless_booking import conf, hooks
from kordless_booking.contrib.assistant.text_parser import find_parser_problem


@checks.register(checks.Tags.compatibility)
def check_text_parser(**_options: Any) -> list[CheckMessage]:
    """Report a TEXT_PARSER that can't be used, and one without a privacy policy to link to."""
    if "TEXT_PARSER" not in hooks.setting_rules:
        # In a test, where no hook is registered.
        return []
    try:
        accounts = conf.accounts()
    except ImproperlyConfigured:
        return []  # reported by the widget's own check
    return [message for account in accounts.values() for message in _check(account)]


def _check(account: conf.Account) -> Iterator[CheckMessage]:
    path = account.extension_setting("TEXT_PARSER")
    if problem := find_parser_problem(path):
        yield checks.Error(
            f"TEXT_PARSER of the account {account.name!r}: {problem}.",
            hint="Name a function of text and offer that returns a TimeQuery or None.",
            id="kordless_assistant.E001",
        )
    if path and not account.privacy_url:
        yield checks.Warning(
            f"The account {account.name!r} has a TEXT_PARSER and no PRIVACY_URL.",
            hint="Say where the words go: the field links to your privacy policy.",
            id="kordless_assistant.W001",
        )
