"""The demo's neighbor: a site that is nobody's but its own, served beside the demo and gone with it."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo_site.embedding_site import serve, website
from tests.support.reserved_port import reserved_port

ROOT = Path(__file__).resolve().parents[2]
BOOK = "http://127.0.0.1:8000/book/"


@pytest.fixture
def get() -> Callable[..., httpx.Response]:
    """Ask the site for a path."""
    browser = httpx.Client(transport=httpx.WSGITransport(website(BOOK)), base_url="http://localhost:8001")
    return browser.get


@pytest.mark.parametrize("path", ["/", "/two/", "/isolated/", "/preview/"])
def test_its_pages_are_strict_and_lead_to_the_salon(get: Callable[..., httpx.Response], path: str):
    """One origin for scripts and frames, nothing inline, and links that book without any script."""
    page = get(path)
    assert f'src="{BOOK}embed.js"' in page.text
    assert f'href="{BOOK}' in page.text
    assert "{book}" not in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "frame-src http://127.0.0.1:8000;" in policy
    assert "unsafe" not in policy
    assert ("Cross-Origin-Embedder-Policy" in page.headers) is (path == "/isolated/")
    assert policy.endswith("frame-ancestors http://127.0.0.1:8000" if path == "/preview/" else "frame-ancestors 'none'")


def test_its_files_are_its_own(get: Callable[..., httpx.Response]):
    """The style, the script and the picture are served, and nothing beside them."""
    for name, kind in (("site.css", "text/css"), ("log.js", "text/javascript"), ("house.svg", "image/svg+xml")):
        assert get(f"/{name}").headers["Content-Type"].startswith(kind)
    for path in ("/../demo_site/site.css", "/%2e%2e/demo_site/site.css", "//etc/passwd", "/nothing", "/two"):
        assert get(path).status_code == 404, path


def test_a_preview_escapes_what_it_is_given(get: Callable[..., httpx.Response]):
    """The builder's choices stand in the link, whatever they are."""
    evil = '"><script>alert(1)</script>'
    page = get("/preview/", params={"text": evil, "accent": evil, "service": evil, "mode": evil, "close_label": "Zu"})
    assert "<script>alert" not in page.text
    assert 'data-close-label="Zu"' in page.text


def test_a_taken_port_is_reported():
    """Nobody is served by chance on somebody else's port."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        serve(BOOK, "127.0.0.1", taken.getsockname()[1])


@pytest.fixture
def ports() -> Iterator[tuple[int, int]]:
    """Two that are still nobody's when the demo has started, and when it has ended."""
    with reserved_port() as one, reserved_port() as other:
        yield one, other


@pytest.mark.long
def test_the_demo_serves_both_and_leaves_nothing_running(tmp_path: Path, ports: tuple[int, int]):
    """`manage.py demo` answers on two origins; the neighbor may embed; Ctrl-C ends both."""
    port, beside = ports
    environment: dict[str, Any] = {
        name: value for name, value in os.environ.items() if not name.startswith(("KORDLESS_", "DJANGO_"))
    } | {
        "DJANGO_SETTINGS_MODULE": "demo_site.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'demo.sqlite3'}",
        "KORDLESS_SANDBOX_FILE": str(tmp_path / "sandbox.sqlite3"),
        "NEIGHBOR_ORIGIN": f"http://localhost:{beside}",
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "manage.py", "demo", f"127.0.0.1:{port}"]
    with subprocess.Popen(  # noqa: S603 (ours)
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as running:
        try:
            assert running.stdout
            for line in running.stdout:
                if b"Quit the server" in line:
                    break
            book = f"http://127.0.0.1:{port}/book/"
            assert f'src="{book}embed.js"' in _read(f"http://localhost:{beside}/")[0]
            policy = _read(book)[1]["Content-Security-Policy"]
            assert f"http://localhost:{beside}" in policy
            assert f"http://localhost:{beside}/" in _read(f"http://127.0.0.1:{port}/")[0]
        finally:
            os.killpg(running.pid, signal.SIGINT)
            running.wait(20)
    for address in (f"http://127.0.0.1:{port}/", f"http://localhost:{beside}/"):
        with pytest.raises(urllib.error.URLError):
            _read(address)


def _read(url: str) -> tuple[str, Any]:
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 (http on this machine)
        return answer.read().decode(), answer.headers
