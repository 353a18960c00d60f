"""A small, strict, honest Kordless: plain WSGI on the standard library, imports nothing of ours.

Runs inside a process (any WSGI transport), under the tests, and as `python -m kordless_booking.sandbox`.
"""

from .app import Sandbox
from .limits import Limits
from .seeds import NORTH_KEY, NORTH_ORG, SANDBOX_KEY, SANDBOX_ORG

__all__ = ["NORTH_KEY", "NORTH_ORG", "SANDBOX_KEY", "SANDBOX_ORG", "Limits", "Sandbox"]
