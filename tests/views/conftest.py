"""Visitors: with htmx, without it, and both in turn."""

import pytest
from django.test import Client
from pytest_django import Settings

from tests.views.walking import HTMX, Walk


@pytest.fixture(params=["page", "fragment"])
def walk(request: pytest.FixtureRequest, client: Client, site: Settings) -> Walk:
    """A visitor to the plain site; each test once by whole pages and once by htmx fragments."""
    return Walk(client, HTMX if request.param == "fragment" else {})


@pytest.fixture
def visitor(client: Client, site: Settings) -> Walk:
    """A visitor without JavaScript."""
    return Walk(client)
