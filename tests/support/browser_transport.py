"""Carries a visitor's requests by an httpx client: to a WSGI application, or over TLS."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import httpx
from django.http import HttpResponse


class BrowserTransport:
    """Requests of an httpx client, as a browser sends them from the site's own pages."""

    def __init__(self, browser: httpx.Client, origin: str) -> None:
        self.browser = browser
        self.origin = origin

    def send(self, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None) -> HttpResponse:
        """Send a GET, or with a form a POST with the site's own Origin."""
        given = {**headers, "Referer": f"{self.origin}/book/"}
        if form is None:
            answer = self.browser.get(url, headers=given)
        else:
            given |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.origin}
            answer = self.browser.post(url, content=urlencode(form, doseq=True), headers=given)
        response = HttpResponse(answer.content, status=answer.status_code)
        for name, value in answer.headers.items():
            response[name] = value
        return response
