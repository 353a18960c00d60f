"""Real Memcached for tests, on a free loopback port."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

MEMCACHED = shutil.which("memcached")
WHY_NO_MEMCACHED = "no memcached on this machine: install Debian's memcached package to run this test"


@contextmanager
def running_memcached() -> Iterator[str]:
    """Run a Memcached for the duration of the context. Yields its host and port as Django's LOCATION."""
    assert MEMCACHED is not None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
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
        yield f"127.0.0.1:{port}"
        server.terminate()
        drain.join()
    finally:
        server.kill()
        server.wait(10)
        server.stderr.close()
