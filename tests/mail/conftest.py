"""Fixtures: a site with mail on, and a webhook."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tests.support.deliveries import NEW
from tests.support.visitor import Visitor

SITE = "https://salon.example"
MAIL: dict[str, Any] = {
    "MAIL": True,
    "MAIL_FROM": "bookings@salon.example",
    "SITE_URL": f"{SITE}/",
    "SUPPORT_EMAIL": "help@salon.example",
    "SUPPORT_PHONE": "+1 212 555 0100",
    "WEBHOOK_SECRETS": NEW,
}


@pytest.fixture
def writing(site: Settings, account_settings: dict[str, Any]) -> Settings:
    """Return the settings of the plain site with mail on."""
    site.KORDLESS_BOOKING = {**account_settings, **MAIL}
    return site


@pytest.fixture
def visitor(client: Client, writing: Settings) -> Visitor:
    """Return a visitor without JavaScript."""
    return Visitor(client)
