"""Registration of the app's hooks: the setting with the tokens, which the JSON API has as well."""

from __future__ import annotations

from kordless_booking import hooks
from kordless_booking.views.program_bookings import TOKENS_RULE, TOKENS_SETTING


def register() -> None:
    """Register all hooks."""
    hooks.setting_rules.register(TOKENS_SETTING, TOKENS_RULE)
