"""Real Redis for tests, on a free loopback port, without persistence."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.reserved_port import reserved_port

REDIS = shutil.which("redis-server")
WHY_NOT = "no redis-server on this machine: install Debian's redis-server package to run this test"


@contextmanager
def running_redis(folder: Path, *options: str) -> Iterator[str]:
    """Run a Redis for the duration of the context. Yields its URL. `options`: more command line options."""
    assert REDIS is not None
    with reserved_port() as port:
        command = [REDIS, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
        command += ["--save", "", "--appendonly", "no", "--daemonize", "no", "--logfile", "", *options]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - arguments of our own
        try:
            assert server.stdout is not None
            for line in server.stdout:
                if "Ready to accept connections" in line:
                    break
            else:
                raise RuntimeError("Redis did not start")
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()
            server.wait(10)
            if server.stdout is not None:
                server.stdout.close()
