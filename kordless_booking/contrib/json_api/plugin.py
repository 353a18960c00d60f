"""Registration of the app's hooks, its settings among them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from kordless_booking import hooks
from kordless_booking.conf import integer_between
from kordless_booking.doctor import finding
from kordless_booking.views.program_bookings import TOKENS_RULE, TOKENS_SETTING

if TYPE_CHECKING:
    from kordless_booking.conf import Account

READS_SETTING: Final = "API_READS_PER_ADDRESS"
BOOKINGS_SETTING: Final = "API_BOOKINGS_PER_TOKEN"
_COUNT_HINT: Final = "A whole number from 0 to 1000; 0 for no limit."
READS_RULE: Final = hooks.ExtensionSetting(is_valid=integer_between(0, 1000), hint=_COUNT_HINT, default=60)
"""Documents that one client address may read in a minute."""
BOOKINGS_RULE: Final = hooks.ExtensionSetting(is_valid=integer_between(0, 1000), hint=_COUNT_HINT, default=60)
"""Bookings that programs may send with one token in ten minutes."""


def register() -> None:
    """Register all hooks."""
    hooks.setting_rules.register(TOKENS_SETTING, TOKENS_RULE)
    hooks.setting_rules.register(READS_SETTING, READS_RULE)
    hooks.setting_rules.register(BOOKINGS_SETTING, BOOKINGS_RULE)
    hooks.url_patterns.register("api", "kordless_booking.contrib.json_api.urls")
    hooks.url_patterns.register("", "kordless_booking.contrib.json_api.file_urls")
    hooks.doctor_checks.register("programs", examine)


def examine(account: Account) -> Iterator[finding.Finding]:
    """Yield what an operator should know of the API."""
    tokens = account.extension_setting(TOKENS_SETTING)
    if tokens:
        yield finding.ok("api_tokens", f"Programs may book, with the tokens of API_TOKENS (there are {len(tokens)})")
    else:
        yield finding.ok("api_tokens", "Programs may read services and times; without API_TOKENS none may book")
    if not account.site_url:
        yield finding.note(
            "api_site_url",
            "Links for programs begin with the host of each request",
            "set SITE_URL, so that they always begin with your site's own",
        )
