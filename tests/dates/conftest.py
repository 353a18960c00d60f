"""Tests that must pass on any date: they run at $KORDLESS_TEST_NOW; `make test-dates` runs them on special days."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tests.support.visitor import Visitor

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder depends on dates."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.dates)


@pytest.fixture
def visitor(client: Client, site: Settings, account_settings: dict[str, Any]) -> Visitor:
    """A visitor without JavaScript, on a site that writes to its customers."""
    site.KORDLESS_BOOKING = {
        **account_settings,
        "MAIL": True,
        "MAIL_FROM": "bookings@salon.example",
        "SITE_URL": "https://salon.example/",
    }
    return Visitor(client)
