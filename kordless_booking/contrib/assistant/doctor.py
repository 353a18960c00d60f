"""Findings of `manage.py kordless_doctor` about the assistant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kordless_booking.contrib.assistant.grammar import is_supported
from kordless_booking.contrib.assistant.text_parser import find_parser_problem
from kordless_booking.doctor.finding import Finding, fix, note, ok
from kordless_booking.presentation.locales import supported_languages

if TYPE_CHECKING:
    from kordless_booking.conf import Account


def examine(account: Account) -> Iterator[Finding]:
    """Check in which languages the field is shown, and the site's own parser."""
    missing = sorted(language for language in supported_languages() if not is_supported(language))
    if missing:
        yield note("text_query_languages", f"No field for times in words in: {', '.join(missing)}")
    else:
        yield ok("text_query_languages", "Times in words are understood in every language of the site")
    path = account.extension_setting("TEXT_PARSER")
    if problem := find_parser_problem(path):
        yield fix("text_parser", f"TEXT_PARSER can't be used: {problem}", "correct the dotted path")
    elif path:
        yield ok("text_parser", "TEXT_PARSER can be imported; it reads what the grammar doesn't understand")
    if path and not account.privacy_url:
        yield note("text_parser_privacy", "TEXT_PARSER without PRIVACY_URL", "link to your privacy policy")
