"""Limits that several layers enforce, each defined once. A limit that one module needs is defined in that module."""

from __future__ import annotations

from typing import Final

MAX_PARTY_SIZE: Final = 50
"""People in a booking. A page lists each size to choose from, and has a URL for each."""
MAX_ID: Final = 200
"""Characters of the id of a host or team: two of them have to fit into the tokens of URLs."""
MAX_WINDOW_DAYS: Final = 366
"""Days ahead that can be booked, even if Kordless allows more: each month beyond the near days costs a request."""
MAX_MANAGE_LINK_DAYS: Final = 3650
"""Maximum of the setting MANAGE_LINK_DAYS. Older links are rejected without being decrypted."""
MAX_GUESTS: Final = 20
"""Guests that one form can ask for: more lines than these are filled in by nobody, and fit into no notes."""
