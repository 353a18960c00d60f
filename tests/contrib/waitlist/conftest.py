"""Fixtures: the plain site with the waitlist, whose salon has no free time today."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from kordless_booking import hooks
from kordless_booking.contrib.waitlist.plugin import register
from kordless_booking.sandbox import Sandbox
from tests.support.extension import mount_hooks
from tests.support.phone_messages import clear_messages
from tests.support.visitor import Visitor
from tests.support.waitlist import WAITLIST_SETTINGS, book_up


@pytest.fixture
def waiting(site: Settings, account_settings: dict[str, Any]) -> Iterator[Settings]:
    """The plain site with the waitlist, mail and messages to phones."""
    clear_messages()
    with hooks.temporary_hooks():
        register()
        site.KORDLESS_BOOKING = {**account_settings, **WAITLIST_SETTINGS}
        mount_hooks(site)
        yield site


@pytest.fixture
def booked(waiting: Settings, sandbox: Sandbox) -> dict[datetime, list[str]]:
    """The numbers of today's bookings, which leave no time free, by start."""
    return book_up(sandbox)


@pytest.fixture
def visitor(client: Client, waiting: Settings) -> Visitor:
    """A visitor without JavaScript."""
    return Visitor(client)
