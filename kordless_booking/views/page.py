"""What every template is given as `kb`: the frame around a step."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Business", "Crumb", "Page"]


@dataclass(frozen=True)
class Business:
    """The business as its visitors know it. `logo` is a safe https URL or None; `initial` stands in for it."""

    name: str
    tagline: str
    logo: str | None
    initial: str


@dataclass(frozen=True)
class Crumb:
    """One step in the progress line; `state` is done, current or todo."""

    label: str
    state: str
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Page:
    """See docs/theming.md for the same list in prose: it is what an overriding template can rely on."""

    layout: str
    stage_id: str
    inline: bool
    push: bool
    lang: str
    dir: str
    title: str
    heading: str
    subheading: str
    business: Business | None
    style_url: str
    home_url: str
    manage_url: str
    sandbox: bool
    scheme: str = ""
    autozone: bool = False
    self_url: str = ""
    framed: bool = False
    parents: str = ""
    bare: bool = False
    host_htmx: bool = False
    progress: list[Crumb] = field(default_factory=list)
    refresh: int | None = None
