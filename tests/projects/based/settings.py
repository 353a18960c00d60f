"""The demo as a host whose own header, navigation and footer are around every page of the widget: BASE_TEMPLATE."""

from pathlib import Path

from tests.journeys.settings import *  # noqa: F403 (the demo, with all the time that a page may be given)
from tests.journeys.settings import KORDLESS_BOOKING, MIDDLEWARE, TEMPLATES  # type: ignore[attr-defined]

KORDLESS_BOOKING = {**KORDLESS_BOOKING, "BASE_TEMPLATE": "site/base.html"}
TEMPLATES = [{**TEMPLATES[0], "DIRS": [Path(__file__).parent / "templates", *TEMPLATES[0]["DIRS"]]}]
# The demo's policy allows no style element, and this host has one.
MIDDLEWARE = [name for name in MIDDLEWARE if not name.endswith("PolicyMiddleware")]
