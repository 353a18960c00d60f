"""Starts Redis, the sandbox and the sites, and says what they use."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.environment import ROOT

SERVERS = {
    "gunicorn": ("-m", "gunicorn", "{app}", "--bind", "127.0.0.1:{port}", "--workers", "{workers}"),
    "gunicorn threads": (
        *("-m", "gunicorn", "{app}", "--bind", "127.0.0.1:{port}", "--workers", "{workers}"),
        *("--threads", "32", "--backlog", "4096"),
    ),
    "gunicorn 8 threads": (
        *("-m", "gunicorn", "{app}", "--bind", "127.0.0.1:{port}", "--workers", "{workers}"),
        *("--threads", "8", "--backlog", "4096"),
    ),
    "gunicorn 128 threads": (
        *("-m", "gunicorn", "{app}", "--bind", "127.0.0.1:{port}", "--workers", "{workers}"),
        *("--threads", "128", "--backlog", "4096"),
    ),
    "granian": (
        *("-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", "{port}"),
        *("--workers", "{workers}", "--log-level", "error", "{app}"),
    ),
    "granian threads": (
        *("-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", "{port}"),
        *("--workers", "{workers}", "--blocking-threads", "32", "--log-level", "error", "{app}"),
    ),
    "uvicorn": (
        *("-m", "uvicorn", "{app}", "--host", "127.0.0.1", "--port", "{port}", "--workers", "{workers}"),
        *("--lifespan", "off", "--no-proxy-headers", "--no-access-log", "--log-level", "error"),
    ),
}
NGINX = """
daemon off;
{user}
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    default_type text/html;
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    scgi_temp_path {folder}/nginx-scgi;
    {upstream}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{ {location} }}
    }}
}}
"""
"""Each request has a connection of its own where nginx serves files, as under gunicorn's synchronous workers."""


@dataclass(frozen=True)
class Site:
    """A running site: its address, and the processes that answer."""

    url: str
    workers: tuple[int, ...]

    def cpu_seconds(self) -> float:
        """Processor time that the workers have used so far."""
        ticks = 0
        for worker in self.workers:
            fields = Path(f"/proc/{worker}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float:
        """Return the memory of the largest worker, in megabytes."""
        sizes = [int(Path(f"/proc/{worker}/statm").read_text(encoding="ascii").split()[1]) for worker in self.workers]
        return max(sizes) * os.sysconf("SC_PAGE_SIZE") / 1e6


@dataclass(frozen=True)
class Kordless:
    """The sandbox in its process, with Kordless's documented limits."""

    url: str

    @property
    def api(self) -> str:
        """Return the URL of the API, for the settings of a site."""
        return f"{self.url}/api/calendar/v1/public"

    def ask(self, what: str, method: str = "GET", **said: Any) -> dict[str, Any]:
        """One exchange with its steering."""
        body = json.dumps(said).encode() if method == "POST" else None
        request = urllib.request.Request(f"{self.url}/_sandbox/{what}", data=body, method=method)  # noqa: S310 (ours)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 (ours)
            found: dict[str, Any] = json.loads(answer.read())
            return found

    def requests(self) -> list[dict[str, Any]]:
        """Return the requests it has received since it was last told to forget them."""
        found: list[dict[str, Any]] = self.ask("requests")["requests"]
        return found


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """A Redis that keeps nothing on disk; its URL."""
    port = _free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "", "--appendonly", "no"]
    with _running(["redis-server", *options], {}, folder / "redis.log"):
        _wait_for(port)
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def kordless(folder: Path, *, wide: int = 0) -> Iterator[Kordless]:
    """A fresh sandbox with the benchmark's business, or with one that has so many services."""
    command = [sys.executable, "-m", "benchmarks.world", "--path", str(folder / "kordless.sqlite3")]
    command += ["--wide", str(wide)] if wide else []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:  # noqa: S603 (ours)
        try:
            assert running.stdout is not None  # noqa: S101 (for the type checker)
            yield Kordless(f"http://127.0.0.1:{int(running.stdout.readline())}")
        finally:
            running.terminate()


@contextmanager
def site(
    app: str, server: str, environment: dict[str, str], folder: Path, workers: int = 2, root: Path = ROOT
) -> Iterator[Site]:
    """A WSGI application of a checkout under a server."""
    port = _free_port()
    given = {"app": app, "port": str(port), "workers": str(workers)}
    command = [sys.executable, *(part.format(**given) for part in SERVERS[server])]
    with _running(command, environment, folder / f"{app.partition(':')[0]}.log", root) as master:
        _wait_for(port)
        time.sleep(1)
        yield Site(f"http://127.0.0.1:{port}", tuple(_children(master)))


@contextmanager
def nginx(folder: Path, *, root: Path | None = None, behind: Site | None = None) -> Iterator[Site]:
    """Serve the files of a folder, or be the proxy in front of a site, as docs/recipes/web-servers.md has it."""
    port, upstream = _free_port(), ""
    location = f"root {root}; keepalive_timeout 0;"
    if behind is not None:
        upstream = f"upstream site {{ server {behind.url.removeprefix('http://')}; keepalive 16; }}"
        location = (
            'proxy_pass http://site; proxy_http_version 1.1; proxy_set_header Connection "";'
            "proxy_set_header Host 127.0.0.1; proxy_set_header X-Forwarded-For $http_x_forwarded_for;"
        )
    # nginx's workers would run as nobody, who may not read a temporary folder of root's.
    user = "user root;" if os.geteuid() == 0 else ""
    configuration = folder / "nginx.conf"
    configuration.write_text(
        NGINX.format(folder=folder, port=port, upstream=upstream, location=location, user=user), encoding="utf-8"
    )
    command = ["nginx", "-p", str(folder), "-c", str(configuration), "-e", str(folder / "nginx-error.log")]
    with _running(command, {}, folder / "nginx.log") as master:
        _wait_for(port)
        yield Site(f"http://127.0.0.1:{port}", tuple(_children(master)))


@contextmanager
def _running(command: list[str], environment: dict[str, str], log: Path, root: Path = ROOT) -> Iterator[int]:
    with ExitStack() as stack:
        said = stack.enter_context(log.open("ab"))
        running = subprocess.Popen(  # noqa: S603 (ours)
            command, cwd=root, env={**os.environ, **environment}, stdout=said, stderr=said
        )
        try:
            yield running.pid
        finally:
            running.send_signal(signal.SIGTERM)
            try:
                running.wait(10)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


def _children(master: int) -> list[int]:
    found = Path(f"/proc/{master}/task/{master}/children").read_text(encoding="ascii").split()
    return [int(each) for each in found]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("a server did not start; its log says why")
