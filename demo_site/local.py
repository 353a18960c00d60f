"""What only somebody at this machine, or staff, may see of the demo."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeAlias

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from demo_site.exposure import comes_from_this_machine

__all__ = ["LocalMiddleware", "demo_tool", "may_use_tools"]

View: TypeAlias = Callable[..., HttpResponse]

REFUSED: Final = (
    "This demo answers its own machine only: it has no SECRET_KEY, or DEBUG is on. "
    "demo_site/settings.py says what to set to serve it to others.\n"
)


class LocalMiddleware:
    """Refuse everybody elsewhere while LOCAL_ONLY is set: the secret key is known, or debug pages are on.

    ALLOWED_HOSTS doesn't do it, since a client writes any Host header. The first middleware of all.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if getattr(settings, "LOCAL_ONLY", True) and not comes_from_this_machine(request):
            return HttpResponse(REFUSED, status=403, content_type="text/plain; charset=utf-8")
        return self.get_response(request)


def may_use_tools(request: HttpRequest) -> bool:
    """Say whether the demo's tools are for whoever asks: somebody at this machine, or staff.

    Where the site has a public name there is a proxy in front, which may look like somebody at this machine.
    """
    if not getattr(settings, "PUBLIC_HOSTS", ["*"]) and comes_from_this_machine(request):
        return True
    return request.user.is_active and request.user.is_staff


def demo_tool(view: View) -> View:
    """Send whoever may not use a view of the demo to the admin's login."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may_use_tools(request):
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        response = view(request, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return guarded
