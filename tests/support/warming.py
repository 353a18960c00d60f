"""Warming, seen from Kordless: page views of people, and the calls that nobody waits for."""

from __future__ import annotations

import httpx
from django.test import Client

from kordless_booking.api.session import wsgi_transport
from kordless_booking.sandbox import Sandbox
from kordless_booking.upstream.registry import background_worker
from kordless_booking.upstream.warming_limiter import is_warming
from tests.support.site_cache import finish_fetches

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"}


class WarmingRecorder(httpx.BaseTransport):
    """Way to a sandbox that records the calls of warming."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._within = wsgi_transport(sandbox)
        self._calls: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if is_warming.get():
            what = request.url.path.rsplit("/", 1)[-1]
            self._calls.append(f"{what} {request.url.params.get('service_slug', '')}".strip())
        return self._within.handle_request(request)

    def take(self) -> list[str]:
        """Return the calls so far, and forget them: "availability haircut", or the last part of the path."""
        calls, self._calls = self._calls, []
        return calls


def view_page(path: str, *, address: str = "127.0.0.1", **headers: str) -> int:
    """Open a page as a person does, let all background work end, and return the status."""
    status: int = Client(REMOTE_ADDR=address).get(path, headers={**BROWSER, **headers}).status_code
    finish_fetches()
    # A job of the background may have queued another one.
    background_worker.join()
    return status
