"""Fixtures: a site that sends mail, and its visitor."""

from tests.mail.conftest import (
    visitor,  # noqa: F401 (a fixture)
    writing,  # noqa: F401 (a fixture)
)
