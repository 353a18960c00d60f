"""Fixtures: a site with mail on, or with messages to phones, and a webhook."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tests.support.mail_settings import MAIL
from tests.support.phone_messages import TEXTING, clear_messages
from tests.support.visitor import Visitor


@pytest.fixture
def writing(site: Settings, account_settings: dict[str, Any]) -> Settings:
    """Return the settings of the plain site with mail on."""
    site.KORDLESS_BOOKING = {**account_settings, **MAIL}
    return site


@pytest.fixture
def visitor(client: Client, writing: Settings) -> Visitor:
    """Return a visitor without JavaScript."""
    return Visitor(client)


@pytest.fixture
def texting(site: Settings, account_settings: dict[str, Any]) -> Settings:
    """Return the settings of the plain site with messages to phones, and without mail."""
    clear_messages()
    site.KORDLESS_BOOKING = {**account_settings, **TEXTING}
    return site
