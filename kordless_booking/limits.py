"""Limits that several layers keep. Each stands here once; what only one module needs stands in that module."""

from __future__ import annotations

from typing import Final

__all__ = ["MAX_MANAGE_LINK_DAYS", "MAX_PARTY_SIZE", "MAX_WINDOW_DAYS"]

MAX_PARTY_SIZE: Final = 50
"""People. Each size is a cache item of its own, so a visitor must not be able to ask for any number."""
MAX_WINDOW_DAYS: Final = 366
"""Days ahead that can be booked, whatever Kordless says: each month is a request of its own."""
MAX_MANAGE_LINK_DAYS: Final = 3650
"""Days that a manage link can be set to work. Older links are not even decrypted."""
