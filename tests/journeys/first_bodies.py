"""What a browser has loaded to show the first times."""

from playwright.sync_api import Frame, Page

FIRST_BYTES = 16 * 1024
"""Budget of the first times: the page, with its style sheet in it, and the script."""
FIRST_RESPONSES = 2


def check_first_bodies(page: Page | Frame) -> None:
    """Fail unless the first times came with few bytes in few responses, packed as they come.

    htmx is no part of them, but is there already where the machine was too busy to measure before that.
    """
    bodies: dict[str, int] = page.evaluate(
        """Object.fromEntries(["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind))
          .filter(({ name }) => !name.startsWith("data:") && !name.includes("/htmx"))
          .map(({ name, transferSize, encodedBodySize }) => [name, transferSize && encodedBodySize]))"""
    )
    assert all(bodies.values()), "one of them came from the browser's cache"
    assert len(bodies) <= FIRST_RESPONSES, bodies
    assert sum(bodies.values()) <= FIRST_BYTES, bodies
