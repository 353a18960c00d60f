"""A crowd that a test lets pass through the site in virtual time, in one thread: who has to wait asks again later."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field

import time_machine

from tests.support.scarce_site import visitor_from
from tests.support.visitor import Visitor


@dataclass(eq=False)
class Waiting:
    """One visitor of the crowd, who reloads the busy page as a browser without JavaScript does."""

    url: str
    visitor: Visitor
    arrives: float
    """Seconds after the beginning."""
    served_after: float | None = None
    """Seconds from the arrival to the page; None while there is none."""
    announced: list[int] = field(default_factory=list)
    """The seconds that each busy page named."""


def arrive(urls: Iterable[str], *, within: float) -> list[Waiting]:
    """Let a visitor from an address of its own come for each URL, evenly within so many seconds."""
    listed = list(urls)
    return [
        Waiting(url, visitor_from(f"10.{number // 250}.{number % 250}.7"), within * number / len(listed))
        for number, url in enumerate(listed)
    ]


def let_pass(crowd: list[Waiting], clock: time_machine.Traveller, *, seconds: float) -> None:
    """Serve the crowd in the order of time, until all have their page or so many seconds have passed."""
    now = 0.0
    events = [(waiting.arrives, number) for number, waiting in enumerate(crowd)]
    heapq.heapify(events)
    while events and events[0][0] <= seconds:
        at, number = heapq.heappop(events)
        clock.shift(at - now)
        now, waiting = at, crowd[number]
        page = waiting.visitor.once(waiting.url)
        if page.status == 503:
            refresh = page.refresh
            assert refresh is not None, page.text
            waiting.announced.append(refresh)
            heapq.heappush(events, (now + refresh, number))
        else:
            assert page.status == 200, page.text
            waiting.served_after = now - waiting.arrives
