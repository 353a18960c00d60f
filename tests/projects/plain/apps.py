"""Configurations of the optional apps: their tables, templates and static files, without their hooks.

So that all other tests see the plain widget. The tests of an app register its hooks in a fixture.
"""

from __future__ import annotations

from kordless_booking.contrib.customers.apps import CustomersConfig


class CustomersTables(CustomersConfig):
    def ready(self) -> None:
        """Register nothing."""
