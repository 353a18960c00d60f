"""Numbers of the Booking API: its documented limits, and the deadlines that go with them. Imports no HTTP client."""

from __future__ import annotations

from typing import Final

BROWSE_SECONDS: Final = 4.0
"""Default deadline of a read in seconds, retry included."""
BOOKING_SECONDS: Final = 12.0
"""Default deadline of create, cancel and reschedule in seconds, retry included."""
QUOTA_SECONDS: Final = 60
"""Length of the window that Kordless counts requests in."""
REQUESTS_PER_MINUTE: Final = 60
"""Documented limit of an API key, for all operations that it authenticates."""
CREATIONS_PER_MINUTE: Final = 10
"""Documented limit of an API key for create. Creations count as requests too."""
