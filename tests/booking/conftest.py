"""Fixtures of the placement tests: client, network and sandbox."""

from collections.abc import Iterator

import pytest
import stamina

from kordless_booking.api.client import Kordless
from kordless_booking.booking.attempt import Attempt
from kordless_booking.sandbox import Sandbox
from tests.support.placement import Network, attempt_at, client_of


@pytest.fixture(autouse=True)
def _no_pause() -> Iterator[None]:
    """Let the client retry without a pause."""
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


@pytest.fixture
def network(sandbox: Sandbox) -> Network:
    """Return a transport to the sandbox that a test can cut."""
    return Network(sandbox)


@pytest.fixture
def client(network: Network) -> Kordless:
    """Return a client on that network."""
    return client_of(network)


@pytest.fixture
def attempt(client: Kordless) -> Attempt:
    """Return an attempt at a free time."""
    return attempt_at(client)
