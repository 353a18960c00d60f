"""The way from a first look to a booking, and where the widget stands while it is gone."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Source", "Stage"]


class Stage(StrEnum):
    """How far somebody came. docs/funnel-and-admin.md says exactly what each of them counts."""

    VISIT = "visit"
    SERVICE = "service"
    SLOT = "slot"
    CONTACT = "contact"
    BOOKED = "booked"


class Source(StrEnum):
    """Where the widget was seen: on a PAGE of its own, INLINE in a page of the site, or EMBEDded in another site."""

    PAGE = "page"
    INLINE = "inline"
    EMBED = "embed"
