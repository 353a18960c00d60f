"""Registration of the app's hooks: the setting with the tokens, which the JSON API shares, and a doctor's check."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from kordless_booking import hooks
from kordless_booking.doctor import finding
from kordless_booking.views.program_bookings import TOKENS_RULE, TOKENS_SETTING

if TYPE_CHECKING:
    from kordless_booking.conf import Account

AREA: Final = "agents"
"""Name of the doctor's check."""
INSTALL: Final = 'pip install "kordless-booking[mcp]"'


def register() -> None:
    """Register all hooks."""
    hooks.setting_rules.register(TOKENS_SETTING, TOKENS_RULE)
    hooks.doctor_checks.register(AREA, examine)


def has_sdk() -> bool:
    """Return True where the MCP SDK is installed."""
    return find_spec("mcp") is not None


def examine(account: Account) -> Iterator[finding.Finding]:
    """Yield whether `kordless_mcp` can serve the account, or all that is missing."""
    is_installed = has_sdk()
    if not is_installed:
        yield finding.fix("mcp_sdk_missing", "The MCP SDK is not installed", INSTALL)
    if not account.site_url:
        yield finding.fix("mcp_site_url", "Agents get no links to your site", "set SITE_URL")
    if is_installed and account.site_url:
        yield finding.ok("mcp_ready", "Agents can start kordless_mcp")
