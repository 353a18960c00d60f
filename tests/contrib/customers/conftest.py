"""Fixtures: a site with a webhook and with the app's hooks, and staff."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from kordless_booking import hooks
from kordless_booking.contrib.customers.plugin import register
from tests.staff.conftest import hire, owner, shop  # noqa: F401 (fixtures)


@pytest.fixture
def customers(shop: Settings) -> Iterator[Settings]:  # noqa: F811 (the fixture)
    """Register the app's hooks, and no others."""
    with hooks.temporary_hooks():
        register()
        yield shop
