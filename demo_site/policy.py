"""The demo's own Content-Security-Policy and Permissions-Policy; the widget's views bring theirs."""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

CONTENT: Final = (
    "default-src 'self'; img-src 'self' data: https:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
PERMISSIONS: Final = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class PolicyMiddleware:
    """Add both headers to answers that lack them: nothing inline, nothing from elsewhere but pictures.

    A style sheet is no document and obeys the page's policy; the widget's comes with the first free times, where each
    byte counts.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.headers.get("Content-Type", "").startswith("text/css"):
            return response
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        # Django's debug pages carry their styles inside; they are for the person at this machine only.
        if not (settings.DEBUG and response.status_code in {404, 500}):
            response.headers.setdefault("Content-Security-Policy", CONTENT)
        return response
