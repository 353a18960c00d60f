"""The ready-made themes, and what a style sheet says of the surfaces that text will stand on."""

from __future__ import annotations

import re
from typing import Final

from kordless_booking.booking.palette import Surfaces

__all__ = ["PLAIN", "READY_MADE", "surfaces_in"]

READY_MADE: Final = ("clinic", "salon", "studio")
"""Each is a file of this name in static/kordless_booking/themes/."""
PLAIN: Final = "plain"
"""The widget's own look, where a theme could be chosen."""

_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_SURFACE: Final = re.compile(
    r"--kb-(dark-)?(surface|page)\s*:\s*(#(?:[0-9a-f]{3}|[0-9a-f]{6}))\s*[;}]", re.IGNORECASE | re.ASCII
)


def surfaces_in(css: str) -> Surfaces:
    """The `--kb-surface`, `--kb-page` and their dark twins that a sheet sets, as far as they are #rgb or #rrggbb.

    The last of each counts; where there is none, the widget's own.
    """
    said = {f"{dark}{name}": color.lower() for dark, name, color in _SURFACE.findall(_COMMENT.sub("", css))}
    own = Surfaces()
    if {"surface", "page"} & said.keys():
        own = own._replace(light=(said.get("surface", own.light[0]), said.get("page", own.light[-1])))
    if {"dark-surface", "dark-page"} & said.keys():
        own = own._replace(dark=(said.get("dark-surface", own.dark[0]), said.get("dark-page", own.dark[-1])))
    return own
