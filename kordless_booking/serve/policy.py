"""Content-Security-Policy and Permissions-Policy of the admin, and of the demo's pages.

The widget's views set their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'self'; img-src 'self' data: https:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
PERMISSIONS_POLICY: Final = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class PolicyMiddleware:
    """Add both headers to responses that lack them. Nothing inline is allowed, and only images from other origins."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        # A style sheet obeys the policy of its page. The widget's is part of the first load, where each byte counts.
        if response.headers.get("Content-Type", "").startswith("text/css"):
            return response
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        # Django's debug pages have inline styles. Only this machine can see them.
        if not (settings.DEBUG and response.status_code in {404, 500}):
            response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        return response
