"""The visitor's way to a time."""

import pytest
from django.test import Client
from pytest_django import Settings

pytestmark = pytest.mark.django_db


def test_services_by_category(client: Client, site: Settings) -> None:
    """The first page lists every public service under its category, with the business's own names."""
    page = client.get("/book/").content.decode()
    assert "Acme Salon" in page
    assert page.index("Hair") < page.index("Haircut") < page.index("Classes")
