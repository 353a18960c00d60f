"""The plain host with two accounts, north and south; what stands beside ACCOUNTS is shared by both."""

from typing import Any

from tests.projects.plain.settings import *  # noqa: F403 (a host project is the plain one plus what differs)

ROOT_URLCONF = "tests.projects.several.urls"
KORDLESS_BOOKING: dict[str, Any] = {
    "PHONE_REGION": "GB",
    "ACCOUNTS": {"north": {"SANDBOX": ":memory:"}, "south": {"SANDBOX": ":memory:", "PHONE_REGION": "DE"}},
}
