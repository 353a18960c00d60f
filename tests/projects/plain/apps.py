"""Configurations of the optional apps: their tables, templates and static files, without their hooks.

So that all other tests see the plain widget. The tests of an app register its hooks in a fixture.
"""

from __future__ import annotations

from kordless_booking.contrib.assistant.apps import AssistantConfig


class AssistantTables(AssistantConfig):
    """The assistant's templates."""

    def ready(self) -> None:
        """Register nothing."""
