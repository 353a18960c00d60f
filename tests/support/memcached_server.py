"""Real Memcached for tests, on a free loopback port."""

from __future__ import annotations

import getpass
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from tests.support.reserved_port import reserved_port

MEMCACHED = shutil.which("memcached")
WHY_NO_MEMCACHED = "no memcached on this machine: install Debian's memcached package to run this test"


@contextmanager
def running_memcached() -> Iterator[str]:
    """Run a Memcached for the duration of the context. Yields its host and port as Django's LOCATION."""
    assert MEMCACHED is not None
    with reserved_port() as port, _serving_at(port):
        yield f"127.0.0.1:{port}"


@contextmanager
def _serving_at(port: int) -> Iterator[None]:
    """Run it at this port."""
    assert MEMCACHED is not None
    # -vv logs when it listens, and as root it doesn't start without -u. Without the threads that sort values by use,
    # all values are in the one list that `stats cachedump` reads.
    command = [MEMCACHED, "-l", "127.0.0.1", "-p", str(port), "-u", getpass.getuser(), "-vv"]
    command += ["-o", "no_lru_maintainer,no_lru_crawler"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)  # noqa: S603 - arguments of our own
    assert server.stderr is not None
    try:
        for line in server.stderr:
            if "listening" in line:
                break
        else:
            raise RuntimeError("Memcached did not start")
        # It goes on logging, and would block once the pipe is full.
        drain = Thread(target=server.stderr.read)
        drain.start()
        yield
        server.terminate()
        drain.join()
    finally:
        server.kill()
        server.wait(10)
        server.stderr.close()
