"""What all tests of the door share."""

from collections.abc import Iterator

import pytest
import stamina


@pytest.fixture(autouse=True)
def _no_pause() -> Iterator[None]:
    """Second tries follow at once."""
    with stamina.set_testing(True, attempts=2, cap=True):
        yield
