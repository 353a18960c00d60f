"""The demo as a host whose own header, navigation and footer are around every page of the widget: BASE_TEMPLATE."""

from pathlib import Path

from demo_site.settings import *  # noqa: F403
from demo_site.settings import KORDLESS_BOOKING, STATICFILES_DIRS, TEMPLATES

HERE = Path(__file__).parent

STATICFILES_DIRS = [*STATICFILES_DIRS, HERE / "static"]
KORDLESS_BOOKING = {**KORDLESS_BOOKING, "BASE_TEMPLATE": "site/base.html"}
TEMPLATES = [{**TEMPLATES[0], "DIRS": [HERE / "templates", *TEMPLATES[0]["DIRS"]]}]
