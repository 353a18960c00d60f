"""The benchmark's site in one process, on a sandbox inside it: what is measured is the site's own work."""

from benchmarks.site.settings import *  # noqa: F403 (the same site on purpose)
from benchmarks.site.settings import KORDLESS_BOOKING as GIVEN
from benchmarks.world import BUSINESS
from kordless_booking.api.session import wsgi_transport
from kordless_booking.sandbox import Limits, Sandbox

SANDBOX = Sandbox(":memory:", businesses=(BUSINESS,), limits=Limits.off())
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
LOGGING = {"version": 1, "disable_existing_loggers": True}
KORDLESS_BOOKING = {
    **{name: value for name, value in GIVEN.items() if name != "BASE_URL"},
    "TRANSPORT": wsgi_transport(SANDBOX),
    "REQUESTS_PER_MINUTE": 1000,
    "CREATIONS_PER_MINUTE": 500,
    # The account whose mails are run sends none while the other one is measured.
    "ACCOUNTS": {"memory": {}, "redis": {"MAIL": True, "SITE_URL": "https://bench.example"}},
}
