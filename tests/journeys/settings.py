"""The demo's own settings, with all the time that a page may be given: on a busy machine everything takes its time,
and a journey must not meet a limit that it isn't about. One that is about slowness says how slow.
"""

from demo_site.settings import *  # noqa: F403 (the demo is what is tested)
from demo_site.settings import KORDLESS_BOOKING

# All browsers have one address, and open the pages of many bookings.
KORDLESS_BOOKING = {**KORDLESS_BOOKING, "BROWSE_SECONDS": 25, "BOOKING_SECONDS": 25, "MANAGE_VIEWS_PER_ADDRESS": 0}
