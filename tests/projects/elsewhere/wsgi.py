"""The host under a server that gives Django only what is under /laden/: the rest is not its to answer."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.core.wsgi import get_wsgi_application

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PREFIX = "/laden"
site = get_wsgi_application()


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Move PREFIX from the path to SCRIPT_NAME, as a mounting server does; answer 404 outside of it."""
    path = environ.get("PATH_INFO", "")
    if not path.startswith(f"{PREFIX}/"):
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"nothing here"]
    return site({**environ, "SCRIPT_NAME": PREFIX, "PATH_INFO": path[len(PREFIX) :]}, start_response)
