"""A port of this machine that nobody else is given."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reserved_port() -> Iterator[int]:
    """Yield a loopback port where nobody listens, and keep it free for a server that the test starts.

    A socket is bound to it all the time and never listens, so connections are refused, and the system gives the port to
    nobody who asks for any, in this process or in another. A server that is told this very port still gets it when it
    binds with SO_REUSEADDR, as Redis, PostgreSQL, Memcached and Python's servers do.
    """
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", 0))
        yield int(bound.getsockname()[1])
