"""The themes that ship with the widget, and the background colors that a theme's style sheet sets."""

from __future__ import annotations

import re
from typing import Final

from kordless_booking.presentation.palette import Surfaces

THEMES: Final = ("clinic", "salon", "studio")
"""Each is a file of this name in static/kordless_booking/themes/."""
PLAIN: Final = "plain"
"""Name of the widget's own look where a theme can be chosen."""

_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_SURFACE: Final = re.compile(
    r"--kb-(dark-)?(surface|page)\s*:\s*(#(?:[0-9a-f]{3}|[0-9a-f]{6}))\s*[;}]", re.IGNORECASE | re.ASCII
)


def parse_surfaces(css: str) -> Surfaces:
    """Parse the `--kb-surface` and `--kb-page` of a style sheet, and their `--kb-dark-…` counterparts.

    Only #rgb and #rrggbb are understood. The last declaration of each counts; without one, the widget's own color.
    """
    # A sheet's comments may show examples, which are not declarations.
    declared = {f"{dark}{name}": color.lower() for dark, name, color in _SURFACE.findall(_COMMENT.sub("", css))}
    own = Surfaces()
    if {"surface", "page"} & declared.keys():
        own = own._replace(light=(declared.get("surface", own.light[0]), declared.get("page", own.light[-1])))
    if {"dark-surface", "dark-page"} & declared.keys():
        own = own._replace(dark=(declared.get("dark-surface", own.dark[0]), declared.get("dark-page", own.dark[-1])))
    return own
