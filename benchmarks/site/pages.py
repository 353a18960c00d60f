"""The benchmark's site in one process, on a sandbox inside it, with Redis: for the CPU time of single pages."""

from dataclasses import replace

from benchmarks.site.settings import *  # noqa: F403 (the same site on purpose)
from benchmarks.site.settings import KORDLESS_BOOKING as GIVEN
from benchmarks.world import BUSINESS, wide_business
from kordless_booking.api.session import wsgi_transport
from kordless_booking.sandbox import Limits, Sandbox

WIDE_SERVICES = 1000
"""Services of the account `wide`: a list so long that what each of them costs is most of the page."""
_WIDE_KEY = "kordless-sandbox-key-of-wide"
_WIDE = replace(wide_business(WIDE_SERVICES), id="org_wide", slug="wide", key=_WIDE_KEY)

ROOT_URLCONF = "benchmarks.site.page_urls"
SANDBOX = Sandbox(":memory:", businesses=(BUSINESS, _WIDE), limits=Limits.off())
LOGGING = {"version": 1, "disable_existing_loggers": True}
KORDLESS_BOOKING = {
    **{name: value for name, value in GIVEN.items() if name != "BASE_URL"},
    "TRANSPORT": wsgi_transport(SANDBOX),
    "REQUESTS_PER_MINUTE": 1000,
    "CREATIONS_PER_MINUTE": 500,
    "ACCOUNTS": {**GIVEN["ACCOUNTS"], "wide": {"ORG_SLUG": "wide", "API_KEY": _WIDE_KEY}},
}
