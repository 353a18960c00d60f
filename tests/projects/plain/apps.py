"""Optional apps of the package as far as their tables, templates and static files go: no hook is registered here.

So every test sees the plain widget, and those of an app register its hooks by themselves.
"""

from kordless_booking.contrib.assistant.apps import AssistantConfig
from kordless_booking.contrib.customers.apps import CustomersConfig
from kordless_booking.contrib.waitlist.apps import WaitlistConfig


class AssistantTables(AssistantConfig):
    """The assistant's templates."""

    def ready(self) -> None:
        """Register nothing."""


class CustomersTables(CustomersConfig):
    """The tables of customers."""

    def ready(self) -> None:
        """Register nothing."""


class WaitlistTables(WaitlistConfig):
    """The waitlist's tables."""

    def ready(self) -> None:
        """Register nothing."""
