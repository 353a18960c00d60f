"""A business's colour made into colours that everybody can read, in light and dark.

The colour as typed is hostile: only #rgb and #rrggbb are read, and what goes into the style sheet is computed
from the three numbers, never the text. Contrast is WCAG 2.2's: 4.5 or more for text, 3 for boundaries.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import NamedTuple

__all__ = ["DARK_SURFACES", "DEFAULT_COLOR", "LIGHT_SURFACES", "Palette", "Surfaces", "Tones", "contrast", "palette"]

DEFAULT_COLOR = "#2f5bd0"
# The style sheet's own --kb-surface and --kb-page, which every tone is computed against; the first carries tints.
LIGHT_SURFACES = ("#ffffff", "#f7f7f5")
DARK_SURFACES = ("#18191d", "#14161a", "#0f1012")
TEXT, BOUNDARY = 4.5, 3.0

_HEX = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE | re.ASCII)
_LIGHT_SOFTNESS, _DARK_SOFTNESS = 0.10, 0.13  # the accent's share in a tinted background
_HOVER, _NOTICEABLE = 0.14, 1.1


class Surfaces(NamedTuple):
    """What text stands on in light and in dark, each "#rrggbb" or "#rgb"; the first of each is the card."""

    light: tuple[str, ...] = LIGHT_SURFACES
    dark: tuple[str, ...] = DARK_SURFACES


class _Color(NamedTuple):
    red: int
    green: int
    blue: int

    @property
    def luminance(self) -> float:
        """Relative luminance, 0 for black to 1 for white (WCAG 2.2)."""
        red, green, blue = (_LINEAR[channel] for channel in self)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    @property
    def text(self) -> str:
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"


_LINEAR = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (n / 255 for n in range(256))]
_BLACK, _WHITE = _Color(0, 0, 0), _Color(255, 255, 255)


@dataclass(frozen=True, slots=True)
class Tones:
    """The accent's tones on one surface, each "#rrggbb".

    accent: the colour itself, behind a main button. on_accent: black or white, whichever reads better on
    it. accent_hover: the accent a shade lighter or darker. accent_line: a boundary that makes the
    accent's shape visible on the surface (the accent itself where it stands out). accent_soft: a tinted
    background. accent_text: links and chosen things on either. ring: the focus ring on either.
    """

    accent: str
    on_accent: str
    accent_hover: str
    accent_line: str
    accent_text: str
    accent_soft: str
    ring: str


@dataclass(frozen=True, slots=True)
class Palette:
    """All tones of one colour, on the light and on the dark surface."""

    light: Tones
    dark: Tones

    def css(self) -> str:
        """One `.kb{…}` rule: `--kb-accent`, `--kb-on-accent`, … and `--kb-dark-accent`, … for dark mode."""
        pairs = [
            (f"--kb-{prefix}{field.name.replace('_', '-')}", getattr(tones, field.name))
            for prefix, tones in (("", self.light), ("dark-", self.dark))
            for field in fields(tones)
        ]
        return ".kb{" + ";".join(f"{name}:{value}" for name, value in pairs) + "}"


@lru_cache(maxsize=256)
def palette(color: str | None, surfaces: Surfaces = Surfaces()) -> Palette:  # noqa: B008 (a tuple)
    """The palette of "#rgb" or "#rrggbb" in any case; of the default colour for anything else.

    `surfaces` are a theme's own. Contrast holds on all that are light, or all that are dark.
    """
    found = color is not None and _HEX.fullmatch(color)
    accent = _read(color if color and found else DEFAULT_COLOR)
    return Palette(
        light=_tones(accent, [_read(text) for text in surfaces.light]),
        dark=_tones(accent, [_read(text) for text in surfaces.dark]),
    )


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio of two "#rrggbb" colours, 1 to 21."""
    return _ratio(_read(one), _read(other))


def _tones(accent: _Color, surfaces: list[_Color]) -> Tones:
    # Where to go for more contrast with all of them.
    away = max(_BLACK, _WHITE, key=lambda color: min(_ratio(color, surface) for surface in surfaces))
    softness = _LIGHT_SOFTNESS if away == _BLACK else _DARK_SOFTNESS
    on_accent = max(_WHITE, _BLACK, key=lambda color: _ratio(color, accent))
    line = _until(BOUNDARY, accent, away, surfaces)
    soft = _mix(surfaces[0], line, softness)  # of the line, as a white brand tints nothing
    return Tones(
        accent=accent.text,
        on_accent=on_accent.text,
        accent_hover=_hover(accent, on_accent).text,
        accent_line=line.text,
        accent_text=_until(TEXT, accent, away, [*surfaces, soft]).text,
        accent_soft=soft.text,
        ring=_until(BOUNDARY, accent, away, [*surfaces, soft]).text,
    )


def _hover(accent: _Color, on_accent: _Color) -> _Color:
    away = _WHITE if on_accent == _BLACK else _BLACK
    # Black can't get blacker, but has so much contrast that it can give some away; red needs a bigger step.
    shades = (_mix(accent, away, _HOVER), _mix(accent, on_accent, _HOVER), _mix(accent, away, 2 * _HOVER))
    seen = (c for c in shades if _ratio(c, accent) >= _NOTICEABLE and _ratio(c, on_accent) >= TEXT)
    return next(seen, shades[0])


def _until(ratio: float, color: _Color, away: _Color, backgrounds: list[_Color]) -> _Color:
    """The nearest colour on the way to black or white that has the contrast with all backgrounds.

    Surfaces of a grey between may leave no such colour; then as far as it goes.
    """
    steps = (_mix(color, away, step / 64) for step in range(65))
    return next((c for c in steps if all(_ratio(c, background) >= ratio for background in backgrounds)), away)


def _mix(one: _Color, other: _Color, share: float) -> _Color:
    return _Color(*(round(a + (b - a) * share) for a, b in zip(one, other, strict=True)))


def _ratio(one: _Color, other: _Color) -> float:
    dark, light = sorted((one.luminance, other.luminance))
    return (light + 0.05) / (dark + 0.05)


def _read(text: str) -> _Color:
    digits = text[1:] if len(text) == 7 else "".join(digit * 2 for digit in text[1:])
    return _Color(*bytes.fromhex(digits))
