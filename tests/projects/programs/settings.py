"""Settings of the plain host project with the JSON API, the MCP server and the words that it understands.

KORDLESS_TEST_TOKENS has the hashes of tokens, one space between them.
"""

import os

from tests.projects.plain.settings import *  # noqa: F403
from tests.projects.plain.settings import INSTALLED_APPS as PLAIN_APPS
from tests.projects.plain.settings import KORDLESS_BOOKING as PLAIN

INSTALLED_APPS = [
    *(name for name in PLAIN_APPS if name != "tests.projects.plain.apps.AssistantTables"),
    "kordless_booking.contrib.assistant",
    "kordless_booking.contrib.json_api",
    "kordless_booking.contrib.mcp",
]
KORDLESS_BOOKING = {
    **PLAIN,
    "SITE_URL": "https://salon.example",
    "API_TOKENS": os.environ.get("KORDLESS_TEST_TOKENS", "").split(),
}
