"""Website of somebody else that embeds the widget: a guest house with the salon's booking widget on its pages.

It is a plain WSGI application without Django, on another origin. Of the salon it has only the script and links. Its
Content-Security-Policy is as strict as possible: scripts and frames from the salon's origin only, nothing inline.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable
from html import escape
from pathlib import Path
from socketserver import ThreadingMixIn
from threading import Thread
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

ROOT: Final = Path(__file__).resolve().parent.parent
PAGES: Final = ROOT / "templates" / "someone_elses"
FILES: Final = ROOT / "static" / "someone_elses"
# Path to the template in PAGES.
ADDRESSES: Final = {"/": "home", "/two/": "two", "/isolated/": "home", "/preview/": "preview"}
# Options of the snippet that the query may set.
SNIPPET: Final = ("lang", "scheme", "accent", "theme", "width", "close_label", "open_label")


def website(book: str) -> WSGIApplication:
    """Return the site as a WSGI application. `book`: URL of the salon's widget, such as http://127.0.0.1:8000/book/."""
    salon = "{0.scheme}://{0.netloc}".format(urlsplit(book))
    policy = (
        f"default-src 'none'; script-src 'self' {salon}; frame-src {salon}; style-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'"
    )

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO") or "/"
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
        if path in ADDRESSES:
            # Only the salon's snippet builder may frame a page of this site.
            ancestors = salon if path == "/preview/" else "'none'"
            headers["Content-Security-Policy"] = f"{policy}; frame-ancestors {ancestors}"
            # Cross-origin isolation: the frame must work where the page requires an opt-in from everything it embeds.
            if path == "/isolated/":
                headers["Cross-Origin-Opener-Policy"] = "same-origin"
                headers["Cross-Origin-Embedder-Policy"] = "require-corp"
            headers["Content-Type"] = "text/html; charset=utf-8"
            text = (PAGES / f"{ADDRESSES[path]}.html").read_text(encoding="utf-8")
            body = (
                text.replace("{book}", book).replace("{salon}", salon).replace("{link}", _link(book, environ)).encode()
            )
        # Exactly inside FILES, so "../" leads nowhere.
        elif (file := FILES / path.lstrip("/")).parent == FILES and file.is_file():
            headers["Content-Type"] = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            body = file.read_bytes()
        else:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"There is nothing here.\n"]
        start_response("200 OK", [*headers.items(), ("Content-Length", str(len(body)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    return answer


def serve(book: str, host: str, port: int) -> WSGIServer:
    """Serve the site in a daemon thread until `shutdown()`. Raises OSError if the port is taken."""
    server = make_server(host, port, website(book), server_class=_Server, handler_class=_Quiet)
    Thread(target=server.serve_forever, name="someone else's website", daemon=True).start()
    return server


def _link(book: str, environ: WSGIEnvironment) -> str:
    """Return the HTML of the snippet's link with the options from the query, for the salon's snippet builder."""
    given = dict(parse_qsl(environ.get("QUERY_STRING", "")))
    attributes = {"href": f"{book}{given.get('service', '')}", "data-kordless-booking": given.get("mode", "inline")}
    attributes |= {f"data-{name.replace('_', '-')}": given[name] for name in SNIPPET if given.get(name)}
    written = " ".join(f'{name}="{escape(text)}"' for name, text in attributes.items())
    return f"<a {written}>{escape(given.get('text', 'Book now'))}</a>"


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_args: object) -> None:
        """Log nothing: both sites share a terminal, and the salon's log is the one to read."""
