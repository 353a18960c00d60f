"""The demo's settings with little patience, so that the page that waits is seen soon."""

from demo_site.settings import *  # noqa: F403
from demo_site.settings import KORDLESS_BOOKING

KORDLESS_BOOKING = {**KORDLESS_BOOKING, "BOOKING_SECONDS": 1.0}
