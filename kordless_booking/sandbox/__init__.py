"""Fake Kordless Booking API with fault injection: plain WSGI and SQLite, standard library only.

It implements the documented contract strictly, and imports nothing of the rest of the package, so that it can't
repeat the client's misunderstandings. It runs in-process behind any WSGI transport, or as a server of its own:
`python -m kordless_booking.sandbox`.
"""

from .app import SEEDS, Sandbox, find_key
from .limits import Limits
from .seeds import LAKESIDE_KEY, LAKESIDE_ORG, NORTH_KEY, NORTH_ORG, SANDBOX_KEY, SANDBOX_ORG

__all__ = [
    "LAKESIDE_KEY",
    "LAKESIDE_ORG",
    "NORTH_KEY",
    "NORTH_ORG",
    "SANDBOX_KEY",
    "SANDBOX_ORG",
    "SEEDS",
    "Limits",
    "Sandbox",
    "find_key",
]
