"""The ready-made themes: whatever the business's colour, everything on them can be read."""

import re
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kordless_booking
from kordless_booking.presentation.palette import DARK_SURFACES, LIGHT_SURFACES, Surfaces, build_palette, contrast
from kordless_booking.presentation.themes import THEMES, parse_surfaces

STATIC = Path(kordless_booking.__file__).parent / "static" / "kordless_booking"
OWN = (STATIC / "booking.css").read_text()
SHEETS = {"plain": OWN, **{name: (STATIC / "themes" / f"{name}.css").read_text() for name in THEMES}}
COLORS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def tokens(theme: str) -> dict[str, str]:
    """The colours that hold under a theme, by their names without --kb-; what it doesn't set is the widget's own."""
    found = re.findall(r"--kb-([a-z-]+):\s*(#[0-9a-f]{3,6});", OWN + SHEETS[theme])
    return {name: text if len(text) == 7 else "#" + "".join(digit * 2 for digit in text[1:]) for name, text in found}


def test_each_theme_is_a_file():
    """The names that a setting and an address may use are those of the files."""
    assert {path.stem for path in (STATIC / "themes").glob("*.css")} == set(THEMES)


@pytest.mark.parametrize(("theme", "prefix"), [*product(SHEETS, ["", "dark-"])])
def test_texts_are_readable_on_every_surface(theme: str, prefix: str):
    """Text has 4.5 on card and page, news 4.5 on its own ground and the card, borders of fields 3."""
    color = tokens(theme)
    for surface in ("surface", "page"):
        for text in ("text", "muted"):
            assert contrast(color[prefix + text], color[prefix + surface]) >= 4.5, (text, surface)
        assert contrast(color[f"{prefix}edge"], color[prefix + surface]) >= 3, surface
    for tone in ("good", "bad"):
        for ground in (f"{tone}-soft", "surface", "page"):
            assert contrast(color[prefix + tone], color[prefix + ground]) >= 4.5, (tone, ground)


@pytest.mark.parametrize("theme", SHEETS)
@given(COLORS)
@settings(max_examples=150)
def test_any_colour_is_readable_in_any_theme(theme: str, color: str):
    """Text on the accent, under a pointer too; links, lines and the focus ring on card, page and tint."""
    both, own = build_palette(color, parse_surfaces(SHEETS[theme])), tokens(theme)
    for tones, prefix in ((both.light, ""), (both.dark, "dark-")):
        assert contrast(tones.on_accent, tones.accent) >= 4.5
        assert contrast(tones.on_accent, tones.accent_hover) >= 4.5
        for ground in (own[f"{prefix}surface"], own[f"{prefix}page"], tones.accent_soft):
            assert contrast(tones.accent_text, ground) >= 4.5
            assert contrast(tones.ring, ground) >= 3
        for ground in (own[f"{prefix}surface"], own[f"{prefix}page"]):
            assert contrast(tones.accent_line, ground) >= 3
        for text in ("text", "muted"):
            assert contrast(own[prefix + text], tones.accent_soft) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_themes_use_what_every_visitor_has(theme: str):
    """No font, picture or sheet is loaded, and only the widget's own elements are dressed."""
    css = re.sub(r"/\*.*?\*/", "", SHEETS[theme], flags=re.DOTALL)
    assert "url(" not in css
    assert "@" not in css
    assert css.count("{") == css.count("}")
    selectors = [one.strip() for one in re.findall(r"(?:^|\})\s*([^{}]+)\{", css)]
    assert selectors
    assert [one for one in selectors if not one.startswith(".kb")] == []


@pytest.mark.parametrize("theme", THEMES)
def test_themes_look_truly_different(theme: str):
    """Each has a typeface, corners, density, size of times and shadow of its own, not only colours."""
    shapes = ["font", "radius", "density", "shadow", "width"]
    of = {name: dict(re.findall(r"--kb-([a-z-]+): ([^;]+);", css)) for name, css in SHEETS.items()}
    for other in set(SHEETS) - {theme}:
        assert [shape for shape in shapes if of[theme][shape] == of[other][shape]] == []


@pytest.mark.parametrize(
    ("css", "light", "dark"),
    [
        ("", LIGHT_SURFACES, DARK_SURFACES),
        (".kb{--kb-surface:#FFE;--kb-page: #fed }", ("#ffe", "#fed"), DARK_SURFACES),
        (".kb { --kb-surface: #eee; --kb-surface: #ddd; }", ("#ddd", LIGHT_SURFACES[-1]), DARK_SURFACES),
        (".kb { --kb-dark-page: #010203; }", LIGHT_SURFACES, (DARK_SURFACES[0], "#010203")),
        ("/* --kb-surface: #000; */ .kb { --kb-page: red; --kb-surface: var(--x); }", LIGHT_SURFACES, DARK_SURFACES),
        (".kb { --kb-surfaces: #000; --my-kb-surface: #00; --kb-surface: #00; }", LIGHT_SURFACES, DARK_SURFACES),
    ],
)
def test_a_sheet_says_what_text_will_stand_on(css: str, light: tuple[str, ...], dark: tuple[str, ...]):
    """The last colour of each name counts; what is no plain colour does not."""
    assert parse_surfaces(css) == Surfaces(light, dark)


@given(COLORS, st.tuples(COLORS, COLORS), st.tuples(COLORS, COLORS))
@settings(max_examples=150)
def test_absurd_surfaces_never_fail(color: str, light: tuple[str, str], dark: tuple[str, str]):
    """Surfaces on which nothing can be read well still have a palette, and text on the accent still holds."""
    both = build_palette(color, Surfaces(light, dark))
    assert contrast(both.light.on_accent, both.light.accent) >= 4.5
    assert re.fullmatch(r"\.kb\{(--kb-[a-z-]+:#[0-9a-f]{6};)*--kb-[a-z-]+:#[0-9a-f]{6}\}", both.css())
