"""An htmx of the host's own, with elements of its own, on a page that has a widget."""

from pathlib import Path

from django_htmx import __file__ as django_htmx
from playwright.sync_api import Page, Request, Route

from tests.journeys.demo import Demo

VENDORED = Path(django_htmx).parent / "static" / "django_htmx"
VERSIONS = {
    "4": VENDORED / "htmx-4.min.js",
    "1.9": Path(__file__).parent / "host_scripts" / "htmx-1.9.12.min.js",
    "2": VENDORED / "htmx-2.min.js",
}
SCRIPT = "/host-htmx.js"
HOSTS = """<button hx-post="/host/" hx-target="#host-answer" hx-swap="innerHTML">The host's</button>
<div hx-get="/host/" hx-trigger="load" hx-target="this">Not loaded</div><p id="host-answer">Nothing</p>"""
PLACES = {
    "in the head": ("</head>", f'<script src="{SCRIPT}"></script>'),
    "at the end": ("</body>", f'<script src="{SCRIPT}" defer></script>'),
}


def serve_host(page: Page, demo: Demo, version: str, place: str, path: str, after: str) -> list[str]:
    """Have the demo's page at `path` bring an htmx of its own, and elements of its own behind the tag `after`.

    Return what is asked for, as it is.
    """
    requests: list[str] = []
    before, script = PLACES[place]

    def with_host(route: Route) -> None:
        response = route.fetch()
        html = response.text().replace(after, f"{after}{HOSTS}", 1)
        assert HOSTS in html
        route.fulfill(response=response, body=html.replace(before, f"{script}{before}", 1))

    def note(request: Request) -> None:
        path = request.url.removeprefix(demo.url).partition("?")[0]
        if "kb-ahead" not in request.headers and "kb-taken" not in request.headers:
            requests.append(f"{request.method} {path}")

    javascript = "text/javascript"
    page.route(f"{demo.url}{path}", with_host)
    page.route(f"{demo.url}{SCRIPT}", lambda route: route.fulfill(path=VERSIONS[version], content_type=javascript))
    page.route(f"{demo.url}/host/", lambda route: route.fulfill(body=f"Answered a {route.request.method}"))
    page.on("request", note)
    return requests
