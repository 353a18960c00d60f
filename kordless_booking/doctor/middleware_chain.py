"""A made-up request through the site's middleware, to a view that isn't one of its URLconf."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from wsgiref.util import setup_testing_defaults

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string


def call_through(names: Sequence[str], view: Callable[[HttpRequest], HttpResponse], path: str = "/") -> HttpResponse:
    """Return the response of a view behind these middlewares, the outermost first, to nobody's request for a path.

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
    # HTTPS, since SecurityMiddleware may redirect plain HTTP.
    # From this machine and as a browser asks, since a middleware may reject others, or HTTP/1.0.
    environ = {
        "wsgi.url_scheme": "https",
        "HTTP_HOST": _host(),
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "PATH_INFO": path,
    }
    setup_testing_defaults(environ)
    return view(WSGIRequest(environ))


def _host() -> str:
    """Return a host name that ALLOWED_HOSTS accepts."""
    names = [name.removeprefix(".") for name in settings.ALLOWED_HOSTS if name != "*"]
    return names[0] if names else "localhost"
