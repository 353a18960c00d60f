"""Context that every template gets as `kb`: the frame around a step."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from kordless_booking.api.resources import Booking


@dataclass(frozen=True)
class Business:
    """The business as its visitors know it."""

    name: str
    tagline: str
    logo: str | None
    """A safe https URL, or None; then `initial` is shown instead."""
    initial: str


@dataclass(frozen=True)
class ProgressStep:
    """One step in the progress line."""

    label: str
    state: str
    """ "done", "current" or "todo"."""
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Page:
    """Values that every template can rely on, also one that overrides ours.

    docs/theming.md has the same list in prose.
    """

    layout: str
    """Name of the template to extend."""
    stage_id: str
    """DOM id of the element that a step is swapped into."""
    inline: bool
    """Inside a page of the host's, without a frame."""
    push: bool
    """The browser's URL changes with the step."""
    lang: str
    dir: str
    """ "ltr" or "rtl"."""
    title: str
    heading: str
    """Element of the main heading: h1 on a page of ours, h2 inside a host's."""
    subheading: str
    business: Business | None
    """None when Kordless could not be asked."""
    style_url: str
    home_url: str
    manage_url: str
    sandbox: bool
    """The account uses the sandbox: no booking is real."""
    scheme: str = ""
    """ "light" or "dark" when the snippet asked for one."""
    autozone: bool = False
    """The visitor's time zone is not known yet, and the script may report it."""
    self_url: str = ""
    framed: bool = False
    """In a frame on another page."""
    embed_origin_pattern: str = ""
    """Regular expression of the origins that may frame the page. The script needs it to send events to them."""
    skip_assets: bool = False
    """Leave out style sheet and scripts: another widget on the page has loaded them."""
    progress: list[ProgressStep] = field(default_factory=list)
    refresh: int | None = None
    """Seconds after which a page without JavaScript reloads, or None."""


def embed_event(
    name: Literal["booked", "rescheduled", "cancelled"], booking: Booking, service: str | None = None
) -> dict[str, str]:
    """Return the data that parts/event.html puts on the card: slug of the service, start in UTC, status.

    Nothing personal, because the host page gets it. See docs/embed.md.
    """
    return {
        "name": name,
        "service": service or booking.service_slug or "",
        "start": booking.start.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "status": booking.status,
    }
