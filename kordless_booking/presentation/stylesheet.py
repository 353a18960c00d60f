"""Builds the widget's style sheets: booking.css, the business's palette, the theme, and the site's own sheets.

They are joined into one response, so that a theme costs no request. The site's sheets come last, so their rules win.

What only later steps need, such as forms and the confirmation, is a second sheet, so that the first times come with
less. It stands in booking.css between `/* <later> */` and `/* </later> */`, each on a line of its own. What only a
widget needs that stands inside another page, or in a frame, stands between `/* <embedded> */` and `/* </embedded> */`:
a page that has its style in its head knows what it is.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import fields
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from django.conf import settings
from django.contrib.staticfiles import finders
from django.templatetags.static import static

from kordless_booking.presentation.palette import Tones, build_palette
from kordless_booking.presentation.themes import THEMES, parse_surfaces
from kordless_booking.setting_changes import on_setting_change

_OURS: Final = Path(__file__).parent.parent / "static" / "kordless_booking"
_LATER: Final = re.compile(r"^/\* <later> \*/\n(.*?)^/\* </later> \*/\n", re.DOTALL | re.MULTILINE)
_EMBEDDED: Final = re.compile(r"^/\* <embedded> \*/\n.*?^/\* </embedded> \*/\n", re.DOTALL | re.MULTILINE)
_FONT_FACE: Final = re.compile(r"@font-face\s*\{[^}]*\}", re.IGNORECASE)
_TONE: Final = re.compile(
    rf"--kb-(?:dark-)?(?:{'|'.join(field.name.replace('_', '-') for field in fields(Tones))}):[^;]+;"
)
_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_RELATIVE: Final = re.compile(r"""url\(\s*(["']?)(?![a-z]+:|[/#])([^"')\s]+)\1\s*\)""", re.IGNORECASE)

_SPACE_BEFORE_COLON: Final = re.compile(r"\s+(?=:)")

StyleKey = tuple[str, tuple[str, ...]]
"""Name of a theme, or "" for none; and the names of the static files that are the site's own sheets."""


def build_css(style_key: StyleKey, color: str, *, embedded: bool = True) -> str:
    """Return the style sheet of all pages for a color, six hexadecimal digits.

    Without `embedded` it is only good for a page of the widget's own that is in no frame.
    """
    sheets = _texts(style_key)
    first = sheets.first if embedded else sheets.alone
    return "\n".join((first, build_palette(f"#{color}", parse_surfaces(sheets.own)).css(), sheets.own, ""))


def build_later_css(style_key: StyleKey) -> str:
    """Return the style sheet of later steps, which is linked after the other one."""
    sheets = _texts(style_key)
    # The theme and the site's sheets once more: their rules win over these, too. Fonts would be loaded anew.
    return "\n".join((sheets.later, _FONT_FACE.sub("", sheets.own), ""))


def build_look_css(style_key: StyleKey, color: str, class_name: str, width: str) -> str:
    """Return the rules of one widget on a page whose style sheet has another color, or another width.

    `class_name` is the widget's own. `width` is a CSS length, or "" for that of the style sheet.
    """
    own = _texts(style_key).own
    palette = build_palette(f"#{color}", parse_surfaces(own)).css().removeprefix(".kb{").removesuffix("}").split(";")
    # What the theme or the site declares itself is the same in every color.
    tones = [tone for tone in palette if f"{tone.partition(':')[0]}:" not in _SPACE_BEFORE_COLON.sub(":", own)]
    box = [f"max-inline-size:{width}", "margin-inline:auto"] if width else []
    return f".kb.{class_name}{{{';'.join([*tones, *box])}}}\n"


def css_version(style_key: StyleKey) -> str:
    """Return a hash of both sheets without the palette: eight hexadecimal digits."""
    return _texts(style_key).version


def find_static(name: str) -> Path | None:
    """Return the path of a static file of the site, or None."""
    path = finders.find(name)
    return Path(path) if isinstance(path, str) else None


class _Sheets(NamedTuple):
    """Texts that the style sheets are joined from."""

    first: str
    """Our rules for all pages."""
    alone: str
    """The same without those for a widget inside another page or in a frame."""
    later: str
    """Our rules for later steps alone."""
    own: str
    """The theme, and the site's own sheets."""
    version: str


def _texts(style_key: StyleKey) -> _Sheets:
    """Return the texts of the style sheets. Not cached while DEBUG is on."""
    return _read.__wrapped__(style_key) if settings.DEBUG else _read(style_key)


@lru_cache(maxsize=32)
def _read(style_key: StyleKey) -> _Sheets:
    theme, names = style_key
    base = (_OURS / "booking.css").read_text(encoding="utf-8")
    later = _small("".join(_LATER.findall(base)))
    base = _LATER.sub("", base)
    # Without the tones of the default color: the palette has them all.
    first, alone = (_TONE.sub("", _small(text)) for text in (base, _EMBEDDED.sub("", base)))
    ready = [_small((_OURS / "themes" / f"{theme}.css").read_text(encoding="utf-8"))] if theme in THEMES else []
    own = "\n".join([*ready, *(_own(name) for name in names)])
    texts = first, alone, later, own
    return _Sheets(*texts, sha256("\0".join(texts).encode()).hexdigest()[:8])


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
