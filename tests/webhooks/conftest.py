"""A site that has a webhook, and something that listens to it."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from tests.webhooks.deliveries import NEW, OLD
from tests.webhooks.listening import Listener, listening


@pytest.fixture
def hooked(site: Settings, account_settings: dict[str, Any]) -> Settings:
    """The plain site with a new and an old secret."""
    site.KORDLESS_BOOKING = {**account_settings, "WEBHOOK_SECRETS": [NEW, OLD]}
    return site


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Something of the site's that hears every signal."""
    with listening() as one:
        yield one
