"""The demo's own settings, with all the time that a page may be given: on a busy machine everything takes its time,
and a journey must not meet a limit that it isn't about. One that is about slowness says how slow.
"""

import os

from demo_site.settings import *  # noqa: F403 (the demo is what is tested)
from demo_site.settings import KORDLESS_BOOKING
from kordless_booking import prefetch

# Past its `Final`, and at once: a browser may need longer between pointing and pressing than people do.
vars(prefetch)["PREFETCH_SECONDS"] = int(os.environ.get("JOURNEY_PREFETCH_SECONDS", prefetch.PREFETCH_SECONDS))

KORDLESS_BOOKING = {
    **KORDLESS_BOOKING,
    # Some journeys count what a page itself costs Kordless.
    "WARMING": False,
    "BROWSE_SECONDS": 25,
    "BOOKING_SECONDS": 25,
    "MINIMUM_FILL_SECONDS": 0,
    # All browsers have one address, and open the pages of many bookings.
    "MANAGE_VIEWS_PER_ADDRESS": 0,
    "BOOKINGS_PER_ADDRESS": 0,
    "BOOKINGS_PER_CONTACT": 0,
    "BOOKINGS_PER_CONTACT_DAILY": 0,
    "FETCHES_PER_ADDRESS": 0,
    # Journeys share a demo: none may meet times that an earlier one left old, which the page would say.
    "SLOTS_STALE_SECONDS": 60,
    "REQUESTS_PER_MINUTE": int(os.environ.get("JOURNEY_REQUESTS_PER_MINUTE", "60")),
    # Empty is absent.
    "ASK_REASON": os.environ.get("JOURNEY_ASK_REASON", ""),
}
