"""Someone else's pages with the widget on them: the demo's guest house, and any page that a test writes itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import BrowserContext, Frame, FrameLocator, Page, Route, expect

from demo_site.embedding_site import serve, website
from tests.journeys.demo import Demo, served

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

SHOP = "https://www.shop.example"
"""May embed, by a pattern; its pages are the tests' own."""
STRANGER = "https://stranger.example"
"""May not."""


@dataclass
class Elsewhere:
    """The demo, and the guest house on another origin that embeds it."""

    demo: Demo
    url: str
    pages: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)

    @property
    def book(self) -> str:
        return f"{self.demo.url}/book/"

    def policy(self) -> str:
        """As strict as a host may be: nothing inline, scripts and frames from one other origin."""
        return f"default-src 'none'; script-src 'self' {self.demo.url}; frame-src {self.demo.url}; style-src 'self'"

    def write(
        self,
        context: BrowserContext,
        body: str,
        *,
        origin: str = SHOP,
        nonce: str = "",
        script: str = "",
        **headers: str,
    ) -> str:
        """Write a page of another site's and return its address.

        `nonce` is the script's, for the page's policy; `script` replaces the whole element of the loader; `headers` are
        written with underscores.
        """
        attributes = f' nonce="{nonce}"' if nonce else ""
        script = script or f'<script async{attributes} src="{self.book}embed.js"></script>'
        html = f'<!doctype html><html lang="en"><title>A host</title>{script}<body>{body}</body></html>'
        named = {name.replace("_", "-"): text for name, text in headers.items()}

        def answer(route: Route) -> None:
            route.fulfill(body=html, headers={"Content-Type": "text/html; charset=utf-8", **named})

        context.route(f"{origin}/**", answer)
        return f"{origin}/page"

    def link(self, mode: str = "inline", service: str = "haircut/", **more: str) -> str:
        """The snippet's link; `more` are data attributes, written with underscores."""
        extra = "".join(f' data-{name.replace("_", "-")}="{text}"' for name, text in more.items())
        return f'<a href="{self.book}{service}" data-kordless-booking="{mode}"{extra}>Book {service}</a>'


@contextmanager
def opened(folder: Path, site: Callable[[str], WSGIApplication] = website) -> Iterator[Elsewhere]:
    """Both sites, on two ports and under two names of this machine; `site` makes the other one for a booking page."""
    house = serve("http://127.0.0.1/", "127.0.0.1", 0)
    origin = f"http://localhost:{house.server_port}"
    try:
        with served(folder, KORDLESS_EMBED_ORIGINS="https://*.shop.example", NEIGHBOR_ORIGIN=origin) as demo:
            house.set_app(site(f"{demo.url}/book/"))
            yield Elsewhere(demo, origin)
    finally:
        house.shutdown()
        house.server_close()


def listen(page: Page) -> None:
    """Record the widget's messages and the violations of the page's policy; call it before the page is opened."""
    page.add_init_script(
        """window.receivedEvents = []; window.refused = [];
        for (const name of ["ready", "step", "booked", "rescheduled", "cancelled", "resize", "closed"])
          document.addEventListener("kordless:" + name, ({ type, detail, target }) =>
            receivedEvents.push({ name: type.slice(9), link: target.textContent, ...detail }));
        document.addEventListener("securitypolicyviolation", (event) => refused.push(event.violatedDirective));"""
    )


def received_events(page: Page, *names: str) -> list[dict[str, object]]:
    """Return the events of these names that the widget has sent to the page so far."""
    found: list[dict[str, object]] = page.evaluate("receivedEvents")
    return [one for one in found if one["name"] in names]


def has_dialog(page: Page) -> None:
    """Wait until the page's only popup or button link opens its dialog: a click before that follows the link."""
    expect(page.locator("dialog")).to_be_attached()


def framed(page: Page, title: str = "Book haircut/") -> FrameLocator:
    """The inside of the frame that stands for the link with these words."""
    return page.locator(f'iframe[title="{title}"]').content_frame


def inner_frame(page: Page, elsewhere: Elsewhere) -> Frame:
    """Return the first frame that shows a page of the widget, to evaluate expressions in it."""
    return next(each for each in page.frames if each.url.startswith(elsewhere.book))
