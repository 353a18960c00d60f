"""System check of the waitlist: the site can write to who waits."""

from __future__ import annotations

from typing import Any

from django.core import checks
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured

from kordless_booking import conf, hooks
from kordless_booking.contrib.waitlist.entries import ENABLED


@checks.register(checks.Tags.compatibility)
def check_notifying(**_options: Any) -> list[CheckMessage]:
    """Report an account whose waitlist is on, and that sends neither mail nor messages: no visitor sees it. W001."""
    if ENABLED not in hooks.setting_rules:
        # Without its hooks the app does nothing.
        return []
    try:
        accounts = conf.accounts()
    except ImproperlyConfigured:
        return []  # reported by the widget's own check
    return [
        checks.Warning(
            f"The account {account.name!r} has a waitlist, but sends no mail or message: it is shown to nobody.",
            hint='Set "MAIL": True or a "MESSENGER", or "WAITLIST": False.',
            id="kordless_waitlist.W001",
        )
        for account in accounts.values()
        if account.extension_setting(ENABLED) and not account.notifies
    ]
