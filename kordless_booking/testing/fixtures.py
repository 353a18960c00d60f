"""Fixtures for pytest with pytest-django. A conftest.py names them:

pytest_plugins = ["kordless_booking.testing.fixtures"]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from .kit import NOW, Booked, KordlessTestKit

if TYPE_CHECKING:
    from django.http import HttpResponse


@pytest.fixture
def kordless_now() -> datetime | None:
    """When the test begins. Override it with another time, or with None for the real time, which runs on."""
    return NOW


@pytest.fixture
def kordless_settings() -> Mapping[str, Any]:
    """Keys of KORDLESS_BOOKING that differ in tests. Override it."""
    return {}


@pytest.fixture
def kordless_sandbox(
    db: None,
    kordless_now: datetime | None,
    kordless_settings: Mapping[str, Any],
) -> Iterator[KordlessTestKit]:
    """A Kordless of the test's own, in memory."""
    with KordlessTestKit(now=kordless_now, settings=kordless_settings) as kit:
        yield kit


@pytest.fixture
def book(kordless_sandbox: KordlessTestKit) -> Callable[..., Booked]:
    """Return `KordlessTestKit.book`."""
    return kordless_sandbox.book


@pytest.fixture
def deliver_webhook(kordless_sandbox: KordlessTestKit) -> Callable[..., HttpResponse]:
    """Return `KordlessTestKit.deliver_webhook`."""
    return kordless_sandbox.deliver_webhook


@pytest.fixture
def inject_fault(kordless_sandbox: KordlessTestKit) -> Callable[..., None]:
    """Return `KordlessTestKit.inject_fault`."""
    return kordless_sandbox.inject_fault
