"""Visitors: with htmx, without it, and each test with both."""

import pytest
from django.test import Client
from pytest_django import Settings

from tests.support.visitor import HTMX, Visitor


@pytest.fixture(params=["page", pytest.param("fragment", marks=pytest.mark.matrix)])
def any_visitor(request: pytest.FixtureRequest, client: Client, site: Settings) -> Visitor:
    """Return a visitor to the plain site. Runs each test with whole pages and with htmx fragments."""
    return Visitor(client, HTMX if request.param == "fragment" else {})


@pytest.fixture
def visitor(client: Client, site: Settings) -> Visitor:
    """Return a visitor without JavaScript."""
    return Visitor(client)
