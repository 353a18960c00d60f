"""People who work there: one who may do everything, one who may only look, and one without any permission."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import Settings

from kordless_booking.counts import counters
from tests.webhooks.deliveries import NEW, OLD
from tests.webhooks.listening import Listener, listening

Hire = Callable[..., Client]


@pytest.fixture
def shop(site: Settings, account_settings: dict[str, Any]) -> Iterator[Settings]:
    """The plain site with a webhook, and nothing counted yet."""
    site.KORDLESS_BOOKING = {**account_settings, "WEBHOOK_SECRETS": [NEW, OLD]}
    counters.visitors.take()
    counters.refusals.take()
    yield site
    counters.visitors.take()
    counters.refusals.take()


@pytest.fixture
def hire(shop: Settings, db: None) -> Hire:
    """Somebody of the staff with these permissions of ours, logged in."""

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
    """Who may do everything."""
    client = Client()
    client.force_login(User.objects.create_superuser("owner"))
    return client


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Something of the site's that hears every signal."""
    with listening() as one:
        yield one
