"""Fixtures: staff with every permission, with some, and with none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import Settings

from kordless_booking.funnel import counters
from tests.support.deliveries import NEW, OLD
from tests.support.signal_receiver import SignalRecorder, record_signals
from tests.support.staff import Hire


@pytest.fixture
def shop(site: Settings, account_settings: dict[str, Any]) -> Iterator[Settings]:
    """Set up the plain site with a webhook, and with empty counters."""
    site.KORDLESS_BOOKING = {**account_settings, "WEBHOOK_SECRETS": [NEW, OLD]}
    counters.drain()
    yield site
    counters.drain()


@pytest.fixture
def hire(shop: Settings, db: None) -> Hire:
    """Return a function that logs in a member of staff with the given permissions of the app."""

    def hired(*permissions: str) -> Client:
        user = User.objects.create_user(f"staff-{User.objects.count()}", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        assert user.user_permissions.count() == len(permissions)
        client = Client()
        client.force_login(user)
        return client

    return hired


@pytest.fixture
def owner(shop: Settings, db: None) -> Client:
    """Return the client of a superuser."""
    client = Client()
    client.force_login(User.objects.create_superuser("owner"))
    return client


@pytest.fixture
def recorder() -> Iterator[SignalRecorder]:
    """Connect a receiver to every signal."""
    with record_signals() as one:
        yield one
