"""A Kordless whose answers come when the test says so."""

from __future__ import annotations

import threading

import httpx

PATIENCE = 20
"""Seconds after which an answer comes anyway, so that a test that fails ends."""


class HeldTransport(httpx.BaseTransport):
    """Holds back every answer of another transport until `may_answer` is set."""

    def __init__(self, within: httpx.BaseTransport) -> None:
        self._within = within
        self.has_arrived = threading.Event()
        self.may_answer = threading.Event()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.has_arrived.set()
        self.may_answer.wait(PATIENCE)
        return self._within.handle_request(request)
