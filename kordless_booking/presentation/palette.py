"""Accessible colors computed from the business's one color, for light and dark surfaces.

The color as typed is hostile: only #rgb and #rrggbb are parsed, and what goes into the style sheet is computed from the
three numbers, never copied from the text. Contrast is that of WCAG 2.2: 4.5 or more for text, 3 for boundaries.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import NamedTuple

DEFAULT_COLOR = "#2f5bd0"
# --kb-surface and --kb-page of our style sheet, against which every tone is computed; tints are mixed into the first.
LIGHT_SURFACES = ("#ffffff", "#f7f7f5")
DARK_SURFACES = ("#18191d", "#14161a", "#0f1012")
TEXT, BOUNDARY = 4.5, 3.0
"""Minimum contrast ratios of WCAG 2.2: 1.4.3 for text, 1.4.11 for boundaries and focus rings."""

_HEX = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE | re.ASCII)
# Share of the accent in a tinted background, 0 to 1.
_LIGHT_SOFTNESS, _DARK_SOFTNESS = 0.10, 0.13
# Share of black or white that is mixed in on hover, 0 to 1, and the contrast ratio from which the change is noticeable.
_HOVER, _NOTICEABLE = 0.14, 1.1


class Surfaces(NamedTuple):
    """Background colors behind text, each "#rrggbb" or "#rgb"; the first of each mode is the card."""

    light: tuple[str, ...] = LIGHT_SURFACES
    dark: tuple[str, ...] = DARK_SURFACES


class _Color(NamedTuple):
    red: int
    green: int
    blue: int

    @property
    def luminance(self) -> float:
        """Return the relative luminance, 0 for black to 1 for white (WCAG 2.2)."""
        red, green, blue = (_LINEAR[channel] for channel in self)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    @property
    def text(self) -> str:
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"


# sRGB channel values (0 to 255) to linear light, by WCAG 2.2's definition of relative luminance.
_LINEAR = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (n / 255 for n in range(256))]
_BLACK, _WHITE = _Color(0, 0, 0), _Color(255, 255, 255)


@dataclass(frozen=True, slots=True)
class Tones:
    """Tones of the accent color on one set of surfaces, each "#rrggbb"."""

    accent: str
    """The color itself, behind a main button."""
    on_accent: str
    """Black or white, whichever has more contrast with the accent."""
    accent_hover: str
    """The accent a shade lighter or darker."""
    accent_line: str
    """Boundary that makes the accent's shape visible on the surface: the accent itself where that has enough
    contrast.
    """
    accent_text: str
    """Links and chosen things, on the surface or on `accent_soft`."""
    accent_soft: str
    """Tinted background."""
    ring: str
    """Focus ring, on the surface or on `accent_soft`."""


@dataclass(frozen=True, slots=True)
class Palette:
    """All tones of one color, on the light and on the dark surfaces."""

    light: Tones
    dark: Tones

    def css(self) -> str:
        """Return one `.kb{…}` rule: `--kb-accent`, `--kb-on-accent`, … and `--kb-dark-accent`, … for dark mode."""
        pairs = [
            (f"--kb-{prefix}{field.name.replace('_', '-')}", getattr(tones, field.name))
            for prefix, tones in (("", self.light), ("dark-", self.dark))
            for field in fields(tones)
        ]
        return ".kb{" + ";".join(f"{name}:{value}" for name, value in pairs) + "}"


@lru_cache(maxsize=256)
def build_palette(color: str | None, surfaces: Surfaces = Surfaces()) -> Palette:  # noqa: B008 (a tuple)
    """Return the palette of "#rgb" or "#rrggbb" in any case; of the default color for anything else.

    `surfaces` are those of a theme. The contrast holds on all of its light ones, and on all of its dark ones.
    """
    found = color is not None and _HEX.fullmatch(color)
    accent = _parse(color if color and found else DEFAULT_COLOR)
    return Palette(
        light=_tones(accent, [_parse(text) for text in surfaces.light]),
        dark=_tones(accent, [_parse(text) for text in surfaces.dark]),
    )


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two "#rrggbb" colors by WCAG 2.2, 1 to 21."""
    return _ratio(_parse(one), _parse(other))


def _tones(accent: _Color, surfaces: list[_Color]) -> Tones:
    # Black or white: the direction in which contrast grows on all of the surfaces.
    away = max(_BLACK, _WHITE, key=lambda color: min(_ratio(color, surface) for surface in surfaces))
    softness = _LIGHT_SOFTNESS if away == _BLACK else _DARK_SOFTNESS
    on_accent = max(_WHITE, _BLACK, key=lambda color: _ratio(color, accent))
    line = _with_contrast(BOUNDARY, accent, away, surfaces)
    soft = _mix(surfaces[0], line, softness)  # of the line: a white accent would give no tint on white
    return Tones(
        accent=accent.text,
        on_accent=on_accent.text,
        accent_hover=_hover(accent, on_accent).text,
        accent_line=line.text,
        accent_text=_with_contrast(TEXT, accent, away, [*surfaces, soft]).text,
        accent_soft=soft.text,
        ring=_with_contrast(BOUNDARY, accent, away, [*surfaces, soft]).text,
    )


def _hover(accent: _Color, on_accent: _Color) -> _Color:
    away = _WHITE if on_accent == _BLACK else _BLACK
    # In order: away from the text, which black can't do; toward the text, if enough contrast is left; and a bigger
    # step, which red needs.
    shades = (_mix(accent, away, _HOVER), _mix(accent, on_accent, _HOVER), _mix(accent, away, 2 * _HOVER))
    readable = (c for c in shades if _ratio(c, accent) >= _NOTICEABLE and _ratio(c, on_accent) >= TEXT)
    return next(readable, shades[0])


def _with_contrast(ratio: float, color: _Color, away: _Color, backgrounds: list[_Color]) -> _Color:
    """Return the nearest color on the way to `away` (black or white) that has the contrast with all backgrounds.

    Medium gray surfaces may leave no such color; then `away` itself.
    """

    steps = (_mix(color, away, step / 64) for step in range(65))
    return next((c for c in steps if all(_ratio(c, background) >= ratio for background in backgrounds)), away)


def _mix(one: _Color, other: _Color, share: float) -> _Color:
    return _Color(*(round(a + (b - a) * share) for a, b in zip(one, other, strict=True)))


def _ratio(one: _Color, other: _Color) -> float:
    dark, light = sorted((one.luminance, other.luminance))
    return (light + 0.05) / (dark + 0.05)


def _parse(text: str) -> _Color:
    """Parse "#rgb" or "#rrggbb"."""
    digits = text[1:] if len(text) == 7 else "".join(digit * 2 for digit in text[1:])
    return _Color(*bytes.fromhex(digits))
