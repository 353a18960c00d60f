"""The fixtures of the test kit, as an adopter's project has them."""

from kordless_booking.testing.fixtures import (  # noqa: F401 (pytest finds them by name)
    book,
    deliver_webhook,
    inject_fault,
    kordless_now,
    kordless_sandbox,
    kordless_settings,
)
