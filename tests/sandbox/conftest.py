"""Fixtures: a sandbox whose clock is frozen on a Sunday in November, and an HTTP client of it."""

from __future__ import annotations

import pytest

from kordless_booking.sandbox import Limits, Sandbox
from tests.support.sandbox_api import NOW, Api


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(now=NOW, limits=Limits.off())


@pytest.fixture
def api(sandbox: Sandbox) -> Api:
    return Api(sandbox)
