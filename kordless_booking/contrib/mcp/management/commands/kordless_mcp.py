"""`manage.py kordless_mcp`: serve the tools for agents over stdin and stdout."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from kordless_booking import conf
from kordless_booking.contrib.mcp.plugin import INSTALL
from kordless_booking.contrib.mcp.tool_handlers import ToolHandlers
from kordless_booking.setting_names import name_settings
from kordless_booking.views.program_bookings import is_known_token

TOKEN_VARIABLE: Final = "KORDLESS_MCP_TOKEN"  # noqa: S105 (a name)


class Command(BaseCommand):
    help = (
        "Serves MCP over stdin and stdout, for an agent that starts it: services, free times, and the pages on which "
        f"people book. With a token of API_TOKENS in {TOKEN_VARIABLE} the agent may book, too."
    )
    # Their report would stand in the middle of the protocol.
    requires_system_checks: list[str] = []  # noqa: RUF012 (as Django declares it)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", help="name of the account, where there are several")

    def handle(self, *_args: Any, **options: Any) -> None:
        account = _find_account(options["account"])
        token = os.environ.get(TOKEN_VARIABLE, "")
        missing = []
        build_server = _import_server()
        if build_server is None:
            missing.append(f"This needs the MCP SDK: {INSTALL}")
        if not account.site_url:
            missing.append(name_settings('Set "SITE_URL" in KORDLESS_BOOKING: the links for people begin with it.'))
        if token and not is_known_token(account, token):
            missing.append(f"The token in {TOKEN_VARIABLE} is none of API_TOKENS. Unset it, or mend it.")
        if missing or build_server is None:
            raise CommandError("\n".join(missing))
        # The SDK keeps standard output to itself, and leads whatever else is printed to standard error.
        build_server(ToolHandlers(account), may_book=bool(token)).run("stdio")


def _import_server() -> Callable[..., Any] | None:
    """Return the function that builds the server; None where the SDK, or what it needs, isn't installed."""
    try:
        from kordless_booking.contrib.mcp.server import build_server  # noqa: PLC0415 (an extra)
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in {"mcp", "mcp_types", "pydantic"}:
            raise
        return None
    return build_server


def _find_account(name: str | None) -> conf.Account:
    """Return the account with this name, or the only one there is. Raises CommandError."""
    try:
        known = conf.accounts()
    except ImproperlyConfigured as error:
        raise CommandError(str(error)) from None
    if name is None and len(known) == 1:
        return next(iter(known.values()))
    if name is None or name not in known:
        raise CommandError(f"Say which account with --account: {', '.join(sorted(known))}.")
    return known[name]
