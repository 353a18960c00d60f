"""Fixtures of all tests of the API client."""

from collections.abc import Iterator

import pytest
import stamina


@pytest.fixture(autouse=True)
def _no_pause() -> Iterator[None]:
    """Make retries follow without backoff."""
    with stamina.set_testing(True, attempts=2, cap=True):
        yield
