"""The way from an attempt to the sandbox, for the tests of placing."""

from collections.abc import Iterator

import pytest
import stamina

from kordless_booking.api.client import Kordless
from kordless_booking.booking.attempt import Attempt
from kordless_booking.sandbox import Sandbox
from tests.booking.placing_parts import Network, attempt_at, client_of


@pytest.fixture(autouse=True)
def _no_pause() -> Iterator[None]:
    """The client's own second try follows at once."""
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


@pytest.fixture
def network(sandbox: Sandbox) -> Network:
    """The way to the sandbox, to be cut."""
    return Network(sandbox)


@pytest.fixture
def client(network: Network) -> Kordless:
    """A client on that network."""
    return client_of(network)


@pytest.fixture
def attempt(client: Kordless) -> Attempt:
    """An attempt at a free time."""
    return attempt_at(client)
