"""Stages from the first page view to a booking, and where the widget is placed."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Source", "Stage"]


class Stage(StrEnum):
    """Stage that a visitor has reached. docs/funnel-and-admin.md defines exactly what each stage counts."""

    VISIT = "visit"
    SERVICE = "service"
    SLOT = "slot"
    CONTACT = "contact"
    BOOKED = "booked"


class Source(StrEnum):
    """Placement of the widget in which a visitor saw it."""

    PAGE = "page"
    """On a page of its own."""
    INLINE = "inline"
    """Inside a page of the site, by `{% booking_widget %}`."""
    EMBED = "embed"
    """In a frame on another site."""
