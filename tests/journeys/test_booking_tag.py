"""Widgets inside a page of the site: beside an htmx of the page's own, several of them, and one that loads on sight."""

from pathlib import Path

import pytest
from django_htmx import __file__ as django_htmx
from playwright.sync_api import Browser, Page, Request, Route, expect

from tests.journeys import booking_steps
from tests.journeys.demo import Demo
from tests.support.matrix import thinned

VENDORED = Path(django_htmx).parent / "static" / "django_htmx"
VERSIONS = {
    "4": VENDORED / "htmx-4.min.js",
    "1.9": Path(__file__).parent / "host_scripts" / "htmx-1.9.12.min.js",
    "2": VENDORED / "htmx-2.min.js",
}
SCRIPT = "/host-htmx.js"
HOSTS = """<button hx-post="/host/" hx-target="#host-said" hx-swap="innerHTML">The host's</button>
<div hx-get="/host/" hx-trigger="load" hx-target="this">Not loaded</div><p id="host-said">Nothing</p>"""
PLACES = {
    "in the head": ("</head>", f'<script src="{SCRIPT}"></script>'),
    "at the end": ("</body>", f'<script src="{SCRIPT}" defer></script>'),
}


def serve_host(page: Page, demo: Demo, version: str, place: str) -> list[str]:
    """Have the demo's page bring an htmx of its own, with elements of its own; return what is asked for, as it is."""
    asked: list[str] = []
    before, script = PLACES[place]

    def with_host(route: Route) -> None:
        response = route.fetch()
        html = response.text().replace("</h1>", f"</h1>{HOSTS}", 1)
        assert HOSTS in html
        route.fulfill(response=response, body=html.replace(before, f"{script}{before}", 1))

    def note(request: Request) -> None:
        path = request.url.removeprefix(demo.url).partition("?")[0]
        if "kb-ahead" not in request.headers and "kb-taken" not in request.headers:
            asked.append(f"{request.method} {path}")

    javascript = "text/javascript"
    page.route(f"{demo.url}/", with_host)
    page.route(f"{demo.url}{SCRIPT}", lambda route: route.fulfill(path=VERSIONS[version], content_type=javascript))
    page.route(f"{demo.url}/host/", lambda route: route.fulfill(body=f"Answered a {route.request.method}"))
    page.on("request", note)
    return asked


@pytest.mark.parametrize("place", thinned({place: place for place in PLACES}))
@pytest.mark.parametrize("version", thinned({version: version for version in VERSIONS}))
def test_no_htmx_acts_on_the_elements_of_the_other(page: Page, demo: Demo, version: str, place: str):
    """The host's elements work with its own htmx, once for each click; so do the widget's, up to one booking."""
    asked = serve_host(page, demo, version, place)
    page.goto(f"{demo.url}/")
    expect(page.get_by_text("Answered a GET")).to_be_visible()
    expect(page.locator(".kb.kb-js")).to_be_visible()  # the widget's script has started
    page.get_by_role("button", name="The host's").click()
    expect(page.locator("#host-said")).to_have_text("Answered a POST")
    booking_steps.to_times(page, "Haircut")
    # As a host does after it has changed its page.
    page.evaluate("htmx.process(document.body)")
    booking_steps.to_contact(page)
    booking_steps.book(page)
    assert page.evaluate("htmx.version").startswith(version)
    assert booking_steps.address(page) == f"{demo.url}/"
    posted = [each for each in asked if each.startswith("POST")]
    assert posted == ["POST /host/", "POST /book/haircut/contact/"]
    assert asked.count("GET /host/") == 1
    assert asked.count("GET /book/haircut/") == 1
    assert asked.count(f"GET {SCRIPT}") == 1


def test_several_widgets_act_in_their_own_places_and_one_loads_on_sight(browser: Browser, page: Page, demo: Demo):
    """On a phone: the second keeps its color and takes no step in the first; without scripts the third is a link."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{demo.url}/several/")
    first, second, third = (page.locator(f"#kb-inline-{name}") for name in ("widget", "widget-2", "widget-3"))
    expect(second.locator("[data-kb-step=service]")).to_be_visible()
    expect(page.locator(".kb.kb-js")).to_have_count(3)
    colors = [
        stage.evaluate("(stage) => getComputedStyle(stage).getPropertyValue('--kb-accent')")
        for stage in (first, second)
    ]
    assert colors[0] != colors[1]
    second.locator(".kb-service a").first.click()
    expect(second.locator("[data-kb-step=slot]")).to_be_visible()
    expect(first.locator("[data-kb-step=slot] .kb-title")).to_have_text("Haircut")
    third.scroll_into_view_if_needed()
    expect(third.locator("[data-kb-step=slot] .kb-title")).to_have_text("Full color")
    assert booking_steps.address(page) == f"{demo.url}/several/"
    with browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844}) as context:
        plain = context.new_page()
        plain.goto(f"{demo.url}/several/")
        plain.locator("#kb-inline-widget-3").get_by_role("link", name="Book now").click()
        booking_steps.at(plain, "slot")
        expect(plain.locator(".kb-title")).to_have_text("Full color")
