"""Packages that take long to import, and that most processes never need: `manage.py migrate`, for example.

phonenumbers, Babel and icalendar each take a tenth of a second and several megabytes. A module that uses one writes::

    if TYPE_CHECKING:
        import phonenumbers
    else:
        phonenumbers = LazyModule("phonenumbers")
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

PACKAGES: Final = (
    "babel.dates",
    "babel.numbers",
    "cryptography.fernet",
    "httpcore",
    "httpx",
    "icalendar",
    "phonenumbers",
    "stamina",
)
"""What the pages and mails of a serving process need sooner or later."""


def preload() -> None:
    """Import all of these now, so that no visitor waits for them. For a server's own process, before it forks."""
    for name in PACKAGES:
        import_module(name)


class LazyModule:
    """Stand-in for a module, which is imported when the first of its attributes is read."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        # Python calls this for an attribute that isn't stored here yet. The import itself has a lock for threads.
        found = getattr(import_module(self._name), attribute)
        setattr(self, attribute, found)
        return found
