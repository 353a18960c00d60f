"""The demo's own settings, for a crowd that lives on one machine.

Behind a proxy that says who each visitor is, so that the throttles see a crowd and not one busy person; with patience
for a machine that does all of this at once; and with static files that need no collecting.
"""

import os

from demo_site.settings import *  # noqa: F403 (the demo is what is tested)
from demo_site.settings import KORDLESS_BOOKING, STORAGES
from tests.support.deliveries import NEW

KORDLESS_BOOKING = {
    **KORDLESS_BOOKING,
    "TRUSTED_PROXIES": 1,
    "BROWSE_SECONDS": 9,
    "WEBHOOK_SECRETS": NEW,
    # A guest fills in the form in no time.
    "MINIMUM_FILL_SECONDS": 0,
    "BOOKINGS_PER_CONTACT": 0,
    "BOOKINGS_PER_CONTACT_DAILY": 0,
}
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}

if os.environ.get("MAIL_FOLDER"):
    KORDLESS_BOOKING |= {"MAIL": True, "MAIL_FROM": "desk@salon.example", "SITE_URL": "https://salon.example"}
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = os.environ["MAIL_FOLDER"]
