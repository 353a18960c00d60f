"""Builds the widget's style sheet: booking.css, the business's palette, the theme, and the site's own sheets.

They are joined into one response, so that a theme costs no request. The site's sheets come last, so their rules win.
"""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from django.conf import settings
from django.contrib.staticfiles import finders
from django.templatetags.static import static

from kordless_booking.presentation.palette import build_palette
from kordless_booking.presentation.themes import THEMES, parse_surfaces
from kordless_booking.setting_changes import on_setting_change

_OURS: Final = Path(__file__).parent.parent / "static" / "kordless_booking"
_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_RELATIVE: Final = re.compile(r"""url\(\s*(["']?)(?![a-z]+:|[/#])([^"')\s]+)\1\s*\)""", re.IGNORECASE)

StyleKey = tuple[str, tuple[str, ...]]
"""Name of a theme, or "" for none; and the names of the static files that are the site's own sheets."""


def build_css(style_key: StyleKey, color: str) -> str:
    """Return the complete style sheet for a color, six hexadecimal digits."""
    base, own, _ = _texts(style_key)
    return "\n".join((base, build_palette(f"#{color}", parse_surfaces(own)).css(), own, ""))


def css_version(style_key: StyleKey) -> str:
    """Return a hash of the sheet without the palette: eight hexadecimal digits."""
    return _texts(style_key)[2]


def find_static(name: str) -> Path | None:
    """Return the path of a static file of the site, or None."""
    path = finders.find(name)
    return Path(path) if isinstance(path, str) else None


def _texts(style_key: StyleKey) -> tuple[str, str, str]:
    """Return our sheet, the theme with the site's sheets, and the version. Not cached while DEBUG is on."""
    return _read.__wrapped__(style_key) if settings.DEBUG else _read(style_key)


@lru_cache(maxsize=32)
def _read(style_key: StyleKey) -> tuple[str, str, str]:
    theme, names = style_key
    base = _small((_OURS / "booking.css").read_text(encoding="utf-8"))
    ready = [_small((_OURS / "themes" / f"{theme}.css").read_text(encoding="utf-8"))] if theme in THEMES else []
    own = "\n".join([*ready, *(_own(name) for name in names)])
    return base, own, sha256(f"{base}\0{own}".encode()).hexdigest()[:8]


def _small(css: str) -> str:
    """Minify one of our own sheets. Saves half a kilobyte for each visitor, gzipped.

    Only good for the CSS that we write: a string or a comment that looks like the other would break it.
    """
    one_line = re.sub(r"\s*\n\s*", "", _COMMENT.sub("", css))
    return re.sub(r"\s*([{};,])\s*|(:) ", lambda match: match[1] or match[2], one_line)


def _own(name: str) -> str:
    """Return a sheet of the site, with its relative URLs made absolute: it is served from another path than its own."""
    path = find_static(name)
    # Reported by the system check.
    if path is None:
        return ""

    def whole(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(name), match[2]))
        try:
            return f'url("{static(target)}")'
        except ValueError:  # ManifestStaticFilesStorage has no such file
            return match[0]

    return _RELATIVE.sub(whole, path.read_text(encoding="utf-8"))


on_setting_change({"STATICFILES_DIRS", "STATICFILES_FINDERS", "STATIC_URL", "STORAGES", "DEBUG"}, _read.cache_clear)
