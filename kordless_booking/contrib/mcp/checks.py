"""System checks of the tools for agents: `kordless_mcp` can be started."""

from __future__ import annotations

from typing import Any

from django.core import checks
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured

from kordless_booking import conf, hooks
from kordless_booking.contrib.mcp import plugin


@checks.register(checks.Tags.compatibility)
def check_start(**_options: Any) -> list[CheckMessage]:
    """Report a missing SDK (W001), and that no account has SITE_URL, with which the links for people begin (W002)."""
    if plugin.AREA not in hooks.doctor_checks:
        # Without its hooks the app does nothing.
        return []
    found: list[CheckMessage] = []
    if not plugin.has_sdk():
        found.append(
            checks.Warning(
                "The MCP SDK is not installed, so kordless_mcp can't start.",
                hint=f"Install it: {plugin.INSTALL}",
                id="kordless_mcp.W001",
            )
        )
    try:
        accounts = conf.accounts()
    except ImproperlyConfigured:
        return found  # reported by the widget's own check
    # Which account is for agents is said when the command starts.
    if not any(account.site_url for account in accounts.values()):
        found.append(
            checks.Warning(
                "No account has a SITE_URL, so kordless_mcp can't start.",
                hint='Set "SITE_URL" to the URL of your site: the links for people begin with it.',
                id="kordless_mcp.W002",
            )
        )
    return found
