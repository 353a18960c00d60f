"""The text of the widget's style sheet: booking.css, the business's palette, the theme, and the site's own sheets.

All in one answer, so that a theme costs no request. What the site wrote comes last, and so has the last word.
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
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.templatetags.static import static

from kordless_booking.booking.palette import palette
from kordless_booking.booking.themes import READY_MADE, surfaces_in

__all__ = ["Dress", "found", "sheet", "version"]

_OURS: Final = Path(__file__).parent.parent / "static" / "kordless_booking"
_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_RELATIVE: Final = re.compile(r"""url\(\s*(["']?)(?![a-z]+:|[/#])([^"')\s]+)\1\s*\)""", re.IGNORECASE)

Dress = tuple[str, tuple[str, ...]]
"""A theme, or "" for none; and the site's own sheets, by the names of their static files."""


def sheet(dress: Dress, colour: str) -> str:
    """The whole sheet in the colour, six hexadecimal digits."""
    base, own, _ = _texts(dress)
    return "\n".join((base, palette(f"#{colour}", surfaces_in(own)).css(), own, ""))


def version(dress: Dress) -> str:
    """Another word for every other sheet."""
    return _texts(dress)[2]


def found(name: str) -> Path | None:
    """Where a static file of the site lies."""
    path = finders.find(name)
    return Path(path) if isinstance(path, str) else None


def _texts(dress: Dress) -> tuple[str, str, str]:
    """(our own sheet, the theme and the site's, the version); read anew each time while the site is worked on."""
    return _read.__wrapped__(dress) if settings.DEBUG else _read(dress)


@lru_cache(maxsize=32)
def _read(dress: Dress) -> tuple[str, str, str]:
    theme, names = dress
    base = _small((_OURS / "booking.css").read_text(encoding="utf-8"))
    ready = [_small((_OURS / "themes" / f"{theme}.css").read_text(encoding="utf-8"))] if theme in READY_MADE else []
    own = "\n".join([*ready, *(_own(name) for name in names)])
    return base, own, sha256(f"{base}\0{own}".encode()).hexdigest()[:8]


def _small(css: str) -> str:
    """Our own sheets without comments and most blanks: half a kilobyte less for every visitor, packed."""
    one_line = re.sub(r"\s*\n\s*", "", _COMMENT.sub("", css))
    return re.sub(r"\s*([{};,])\s*|(:) ", lambda match: match[1] or match[2], one_line)


def _own(name: str) -> str:
    """A sheet of the site's, its relative addresses made whole. One that is missing is the system check's to tell."""
    path = found(name)
    if path is None:
        return ""

    def whole(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(name), match[2]))
        try:
            return f'url("{static(target)}")'
        except ValueError:  # no such file among those that were collected
            return match[0]

    return _RELATIVE.sub(whole, path.read_text(encoding="utf-8"))


@receiver(setting_changed)
def _forget(*, setting: str, **_kwargs: object) -> None:
    if setting in {"STATICFILES_DIRS", "STATICFILES_FINDERS", "STATIC_URL", "STORAGES", "DEBUG"}:
        _read.cache_clear()
