"""A business's colour: never a word of it in the style sheet, always readable."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kordless_booking
from kordless_booking.presentation.palette import DARK_SURFACES, DEFAULT_COLOR, LIGHT_SURFACES, build_palette, contrast

COLORS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
EDGES = ["#000000", "#ffffff", "#14161a", "#18191d", "#767676", "#ff0000", "#00ff00", "#0000ff", "#ffff00", "#fefefe"]
SHEET = Path(kordless_booking.__file__).parent / "static" / "kordless_booking" / "booking.css"


def of_sheet(name):
    """A colour that the style sheet sets, as #rrggbb."""
    found = re.search(rf"--kb-{name}: #([0-9a-f]{{3,6}});", SHEET.read_text())
    assert found, name
    return "#" + (found[1] if len(found[1]) == 6 else "".join(digit * 2 for digit in found[1]))


def check(color):
    """Everything that must hold for a colour, in light and dark."""
    both = build_palette(color)
    assert both.light.accent == both.dark.accent == color
    for tones, surfaces in ((both.light, LIGHT_SURFACES), (both.dark, DARK_SURFACES)):
        assert tones.on_accent in ("#000000", "#ffffff")
        assert contrast(tones.on_accent, tones.accent) >= 4.5
        assert contrast(tones.on_accent, tones.accent_hover) >= 4.5
        assert tones.accent_hover != tones.accent
        for surface in surfaces:
            assert contrast(tones.accent_line, surface) >= 3
        for background in (*surfaces, tones.accent_soft):
            assert contrast(tones.accent_text, background) >= 4.5
            assert contrast(tones.ring, background) >= 3


@given(COLORS)
@settings(max_examples=400)
def test_every_colour_is_readable(color):
    """Text has 4.5 and boundaries 3, on every surface, tint and button, in light and dark."""
    check(color)


@pytest.mark.parametrize("color", EDGES)
def test_extreme_colours_are_readable(color):
    """Black, white, the surfaces themselves and pure colours hold as well."""
    check(color)


@given(COLORS)
@settings(max_examples=200)
def test_the_style_sheets_texts_are_readable_on_the_tint(color):
    """Plain and muted text keep 4.5 on the accent's tint, which chosen and hovered things have."""
    both = build_palette(color)
    for tones, prefix in ((both.light, ""), (both.dark, "dark-")):
        for text in ("text", "muted"):
            assert contrast(of_sheet(prefix + text), tones.accent_soft) >= 4.5


def test_the_surfaces_are_those_of_the_style_sheet():
    """Contrasts are computed for the surfaces that the style sheet paints."""
    assert {of_sheet("surface"), of_sheet("page")} <= set(LIGHT_SURFACES)
    assert {of_sheet("dark-surface"), of_sheet("dark-page")} <= set(DARK_SURFACES)


def test_a_readable_colour_is_left_alone():
    """A dark blue needs no help on white: text, line and ring are the brand's own."""
    light = build_palette("#1d4ed8").light
    assert light.accent_text == light.accent_line == light.ring == "#1d4ed8"


def test_a_colour_too_close_to_the_surface_gets_a_boundary():
    """A white brand's button is outlined on white, a black one's in the dark."""
    assert build_palette("#ffffff").light.accent_line != "#ffffff"
    assert build_palette("#000000").dark.accent_line != "#000000"


@pytest.mark.parametrize(("color", "same"), [("#FFF", "#ffffff"), ("#1aF", "#11aaff"), ("#6366F1", "#6366f1")])
def test_short_and_upper_case_colours_are_read(color, same):
    """#rgb is #rrggbb, in any case."""
    assert build_palette(color) == build_palette(same)


HOSTILE = ["red;background:url(//evil/?)", "#fff}body{display:none}", "expression(1)", "#12345", "#fffffff", "var(--x)"]
HOSTILE += ["", "#", "#ggg", "fff", " #fff", "#fff\n", "#fff;", "#١٢٣", "#ffff", "x" * 10_000, "#fff/**/", None]


@pytest.mark.parametrize("color", HOSTILE)
def test_what_is_no_colour_is_the_default(color):
    """Nothing but strict hexadecimal is taken, and nothing of the text gets into the rule."""
    assert build_palette(color) == build_palette(DEFAULT_COLOR)


@given(st.text(max_size=20) | COLORS)
@settings(max_examples=200)
def test_the_rule_holds_nothing_but_computed_colours(text):
    """One rule on .kb, custom properties only, each a colour of six digits; dark ones have their own names."""
    css = build_palette(text).css()
    assert re.fullmatch(r"\.kb\{(--kb-[a-z-]+:#[0-9a-f]{6};)*--kb-[a-z-]+:#[0-9a-f]{6}\}", css)
    names = re.findall(r"--kb-([a-z-]+):", css)
    light = ["accent", "on-accent", "accent-hover", "accent-line", "accent-text", "accent-soft", "ring"]
    assert sorted(names) == sorted(light + [f"dark-{name}" for name in light])


@pytest.mark.parametrize(
    ("one", "other", "ratio"), [("#ffffff", "#000000", 21), ("#777777", "#777777", 1), ("#777777", "#ffffff", 4.48)]
)
def test_contrast_is_wcags(one, other, ratio):
    """Known pairs have their known ratio, in either order."""
    assert contrast(one, other) == pytest.approx(ratio, abs=0.005)
    assert contrast(other, one) == contrast(one, other)
