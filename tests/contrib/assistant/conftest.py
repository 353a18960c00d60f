"""The plain site with the assistant's hooks, and visitors to it."""

from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from kordless_booking import hooks
from kordless_booking.contrib.assistant import plugin
from tests.support.extension import mount_hooks
from tests.support.visitor import HTMX, Visitor


@pytest.fixture
def assistant(site: Settings) -> Iterator[Settings]:
    """The plain site with the assistant."""
    with hooks.temporary_hooks():
        plugin.register()
        mount_hooks(site)
        yield site


@pytest.fixture(params=["page", pytest.param("fragment", marks=pytest.mark.matrix)])
def any_visitor(request: pytest.FixtureRequest, client: Client, assistant: Settings) -> Visitor:
    """Return a visitor, with whole pages and with htmx fragments."""
    return Visitor(client, HTMX if request.param == "fragment" else {})
