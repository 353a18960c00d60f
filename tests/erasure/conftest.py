"""Fixtures: a site with a webhook, with data of a person."""

from tests.webhooks.conftest import hooked  # noqa: F401 (a fixture)
