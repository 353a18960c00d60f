"""Access control of the demo: a middleware that admits only this machine, and a guard for the demo's tools."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeAlias

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from demo_site.exposure import is_local_request

View: TypeAlias = Callable[..., HttpResponse]

REFUSED: Final = (
    "This demo answers its own machine only: it has no SECRET_KEY, or DEBUG is on. "
    "demo_site/settings.py says what to set to serve it to others.\n"
)


class LocalMiddleware:
    """Reject requests from other machines while LOCAL_ONLY is set: the secret key is public, or DEBUG is on.

    ALLOWED_HOSTS isn't enough, because a client can write any Host header. Must be the first middleware.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Absent settings count as the strict ones, here and below.
        if getattr(settings, "LOCAL_ONLY", True) and not is_local_request(request):
            return HttpResponse(REFUSED, status=403, content_type="text/plain; charset=utf-8")
        return self.get_response(request)


def may_use_tools(request: HttpRequest) -> bool:
    """Return True if the request may use the demo's tools: it comes from this machine, or from a staff account.

    With a public name, only staff may: requests through a proxy on this machine could look local.
    """
    if not getattr(settings, "PUBLIC_HOSTS", ["*"]) and is_local_request(request):
        return True
    return request.user.is_active and request.user.is_staff


def demo_tool(view: View) -> View:
    """Decorate a view so that requests that may not use it are redirected to the admin's login."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may_use_tools(request):
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        response = view(request, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return guarded
