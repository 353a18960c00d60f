"""Settings of a site that sends mail and receives webhooks."""

from typing import Any

from tests.support.deliveries import NEW

SITE = "https://salon.example"
MAIL: dict[str, Any] = {
    "MAIL": True,
    "MAIL_FROM": "bookings@salon.example",
    "SITE_URL": f"{SITE}/",
    "SUPPORT_EMAIL": "help@salon.example",
    "SUPPORT_PHONE": "+1 212 555 0100",
    "WEBHOOK_SECRETS": NEW,
}
