"""Fixtures: a site with a webhook, and a receiver of its signals."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from tests.support.deliveries import NEW, OLD
from tests.support.signal_receiver import SignalRecorder, record_signals


@pytest.fixture
def hooked(site: Settings, account_settings: dict[str, Any]) -> Settings:
    """Return the settings of the plain site with a new and an old secret."""
    site.KORDLESS_BOOKING = {**account_settings, "WEBHOOK_SECRETS": [NEW, OLD]}
    return site


@pytest.fixture
def recorder() -> Iterator[SignalRecorder]:
    """Connect a receiver to every signal."""
    with record_signals() as one:
        yield one
