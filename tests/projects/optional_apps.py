"""The package's optional apps, for hosts that have them all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

OPTIONAL_APPS: Final = tuple(
    f"kordless_booking.contrib.{name}" for name in ("waitlist", "assistant", "customers", "json_api", "mcp")
)
_TABLES: Final = "tests.projects.plain.apps."


def with_optional_apps(installed: Iterable[str]) -> list[str]:
    """Return the apps of a host, with the optional ones in the place of their tables alone."""
    return [*(name for name in installed if not name.startswith(_TABLES)), *OPTIONAL_APPS]
