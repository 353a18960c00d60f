"""Test kit for sites with the widget: a fake Kordless in memory, bookings through the pages, webhooks, faults.

Only tests import it. With unittest, `KordlessTestMixin` goes in front of Django's TestCase; with pytest, a conftest.py
names the plugin: `pytest_plugins = ["kordless_booking.testing.fixtures"]`. docs/testing.md describes both.
"""

from .kit import NOW, Booked, KordlessTestKit, NotBooked
from .mixin import KordlessTestMixin

__all__ = ["NOW", "Booked", "KordlessTestKit", "KordlessTestMixin", "NotBooked"]
