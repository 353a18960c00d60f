"""A host of the tests' own on another site: strict pages with one or two widgets, and a tracker that shows what cookies
of third parties come to in a browser.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

LISTEN = """window.receivedEvents = []; window.refused = [];
for (const name of ["ready", "step", "booked", "resize", "closed"])
  addEventListener("kordless:" + name, ({ type, detail, target }) =>
    receivedEvents.push({ name: type.slice(9), link: target.textContent, ...detail }));
addEventListener("kordless:booked", () => {
  document.documentElement.dataset.booked = receivedEvents.filter(({ name }) => name === "booked").length;
});
addEventListener("securitypolicyviolation", (event) => refused.push(event.violatedDirective));
"""
NONCE = "'nonce-2hQ8'"
DIALOGS = """new Promise((done) => {
  const links = document.querySelectorAll("a[data-kordless-booking]").length;
  const look = () =>
    document.querySelectorAll("dialog").length === links ? done() : setTimeout(look, 20);
  look();
})"""
"""Comes true when each link of the page opens its dialog: a click before that follows the link."""
SERVICES = {"Haircut": "haircut/", "Advice": "color-consultation/"}
"""The words of the links, and where they lead: two services that need not the same person."""


def host(book: str) -> WSGIApplication:
    """The site as a WSGI application; `book` is where the widget is, such as http://127.0.0.1:8000/book/.

    /?mode=popup&link=Haircut&link=Advice has these links, with isolated=1 on an isolated page; anything else in its
    query becomes a data attribute, but for trust=nonce and trust=strict-dynamic, which change by what the page's policy
    trusts scripts. /bare/ has nothing. /third/ frames /party/ under this machine's number, where it
    is another site.
    """
    salon = "{0.scheme}://{0.netloc}".format(urlsplit(book))

    def links(query: dict[str, list[str]]) -> str:
        more = "".join(
            f' data-{name}="{escape(text[0])}"'
            for name, text in query.items()
            if name not in {"mode", "link", "isolated", "trust"}
        )
        return "".join(
            f'<p><a href="{book}{SERVICES[words]}" data-kordless-booking="{query["mode"][0]}"{more}>{words}</a></p>'
            for words in query["link"]
        )

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        headers = [("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store")]
        path, third = environ["PATH_INFO"], f"http://127.0.0.1:{environ['SERVER_PORT']}"
        if path == "/listen.js":
            headers[0] = ("Content-Type", "text/javascript; charset=utf-8")
            body = LISTEN
        elif path == "/party/":
            headers.append(("Set-Cookie", "third=party; Secure; SameSite=None; Path=/"))
            # Another id after the click: whoever waits for it doesn't read what the first page says.
            which = "got" if environ.get("QUERY_STRING") else "first"
            body = f"<p id={which}>{escape(environ.get('HTTP_COOKIE', 'nothing'))}</p><a href=?again>Again</a>"
        elif path == "/bare/":
            body = "<!doctype html><title>A host</title><h1>Nothing</h1>"
        elif path == "/third/":
            body = f'<!doctype html><title>A host</title><iframe title="Party" src="{third}/party/"></iframe>'
        elif path == "/":
            query = parse_qs(environ.get("QUERY_STRING", ""))
            trust = {"nonce": NONCE, "strict-dynamic": f"{NONCE} 'strict-dynamic'"}
            sources = trust.get(query.get("trust", [""])[0], f"'self' {salon}")
            policy = f"default-src 'none'; script-src {sources}; frame-src {salon}; img-src data:"
            headers.append(("Content-Security-Policy", policy))
            if "isolated" in query:
                headers.append(("Cross-Origin-Opener-Policy", "same-origin"))
                headers.append(("Cross-Origin-Embedder-Policy", "require-corp"))
            listen = f'<script nonce="{NONCE[7:-1]}" src="/listen.js"></script>'
            scripts = f'{listen}<script nonce="{NONCE[7:-1]}" async src="{book}embed.js"></script>'
            head = f'<title>A host</title><link rel="icon" href="data:,">{scripts}'
            body = f'<!doctype html><html lang="en">{head}<h1>A host</h1>{links(query)}</html>'
        else:
            start_response("404 Not Found", headers[:1])
            return [b""]
        start_response("200 OK", headers)
        return [body.encode()]

    return answer
