"""A made-up request through the site's middleware, to a view that isn't one of its URLconf."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from wsgiref.util import setup_testing_defaults

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import MiddlewareNotUsed
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch
from django.utils import translation
from django.utils.module_loading import import_string

View = Callable[[HttpRequest], HttpResponse]


def call_through(names: Sequence[str], view: View) -> HttpResponse:
    """Return the response of a view behind these middlewares, the outermost first, to nobody's request.

    Raises what they raise.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the site logged their warnings when it started
        # As Django builds its chain: the innermost is made first.
        for name in reversed(names):
            try:
                view = import_string(name)(view)
            except MiddlewareNotUsed:
                continue
    return view(_build_request("/", ""))


def call_in_place(view: View, path: str, host: str) -> None:
    """Call a view in the place of the one at a path of the site's, with nobody's request.

    All of the site's middleware takes part, and errors become responses, as in any request. Without `host` the request
    is for a name that ALLOWED_HOSTS accepts.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as above
        handler = _Handler(view)
    # Middleware may activate another language.
    with translation.override(translation.get_language()):
        handler.get_response(_build_request(path, host))


class _Handler(BaseHandler):
    """Django's own handler, which leads each request to one view."""

    def __init__(self, view: View) -> None:
        self._view = login_not_required(view)
        self.load_middleware()

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        super().resolve_request(request)  # a template may ask where it was led to
        return ResolverMatch(self._view, (), {})


def _build_request(path: str, host: str) -> WSGIRequest:
    # HTTPS, since SecurityMiddleware may redirect plain HTTP.
    # From this machine and as a browser asks, since a middleware may reject others, or HTTP/1.0.
    environ = {
        "wsgi.url_scheme": "https",
        "HTTP_HOST": host or _host(),
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "PATH_INFO": path,
    }
    setup_testing_defaults(environ)
    return WSGIRequest(environ)


def _host() -> str:
    """Return a host name that ALLOWED_HOSTS accepts."""
    names = [name.removeprefix(".") for name in settings.ALLOWED_HOSTS if name != "*"]
    return names[0] if names else "localhost"
