"""Environments of `kordless-booking serve`, and the command in a process of its own."""

from __future__ import annotations

import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.reserved_port import reserved_port
from tests.support.visitor import HttpTransport, Visitor
from tests.support.wait_until import wait_until

ACCOUNT = {"KORDLESS_API_KEY": "kb-canary-key", "KORDLESS_ORG_SLUG": "salon"}
LOCAL = {**ACCOUNT, "SITE_URL": "http://127.0.0.1:8000"}
PROXY = {"TRUSTED_PROXIES": "1", "SECURE_PROXY_SSL_HEADER": "HTTP_X_FORWARDED_PROTO,https"}
PUBLIC = {**ACCOUNT, **PROXY, "SITE_URL": "https://book.salon.example"}
SECRET = {"SECRET_KEY": "canary-q3v8Tn2xL0bY5sWk7dRz9mHc4pJ"}
POSTGRES = {"DATABASE_URL": "postgres://salon:canary@db.example/salon"}
MAIL = {"EMAIL_URL": "smtp+tls://salon:canary@mail.example", "MAIL_FROM": "Salon <bookings@salon.example>"}


@contextmanager
def served(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """Run `kordless-booking serve` in a folder while the context lasts. Yields the address, without a slash at its end.

    Its tables and files are made before. It ends by SIGTERM, and without an error. Its output is in `server.log`.
    """
    made = subprocess.run([*command, "upgrade"], cwd=folder, env=dict(environment), capture_output=True, check=False)  # noqa: S603 (ours)
    assert made.returncode == 0, made.stdout + made.stderr
    with reserved_port() as port, (folder / "server.log").open("w") as log:
        url = f"http://127.0.0.1:{port}"
        with subprocess.Popen(  # noqa: S603 (ours)
            [*command, "serve", "--port", str(port)],
            cwd=folder,
            env={**environment, "SITE_URL": url},
            stdout=log,
            stderr=subprocess.STDOUT,
        ) as server:
            try:
                wait_until(lambda: server.poll() is not None or _is_healthy(url))
                assert server.poll() is None, (folder / "server.log").read_text()
                yield url
            finally:
                server.terminate()
        assert server.returncode == 0, (folder / "server.log").read_text()


def _is_healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health/booking/", timeout=20) as answer:  # noqa: S310 (this machine)
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def book_at(site: str) -> tuple[str, Visitor]:
    """Book at a served site from its front page on, over HTTP. Return the confirmation number, and the visitor."""
    visitor = Visitor(HttpTransport(site), base="/")
    visitor.open("/")
    visitor.follow("Haircut")
    visitor.book_late()
    # A form that comes back within a second is held for the rest of it, and its page asks again.
    wait_until(lambda: not (visitor.page.refresh and visitor.reload().refresh))
    return visitor.page.number, visitor


def clean_environment(**more: str) -> Mapping[str, str]:
    """Return what a shell has, without options of the developer's own."""
    kept = ("PATH", "HOME", "LANG", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "TMPDIR")
    return {**{name: os.environ[name] for name in kept if name in os.environ}, **more}
