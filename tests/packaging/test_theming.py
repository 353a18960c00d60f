"""docs/theming.md must list what an overriding site can rely on, no more and no less."""

import re
from pathlib import Path

import pytest
from django.template.loader import get_template

from kordless_booking.presentation.themes import THEMES
from kordless_booking.views.page import Page
from tests.support.template_names import read_names

ROOT = Path(__file__).resolve().parents[2]
PARTS = ROOT / "kordless_booking" / "templates" / "kordless_booking" / "parts"
THEMING = (ROOT / "docs" / "theming.md").read_text()
SHEET = (ROOT / "kordless_booking" / "static" / "kordless_booking" / "booking.css").read_text()
DRESSED = ROOT / "tests" / "projects" / "dressed"


def first_column(heading: str) -> set[str]:
    """The code words in the first column of the table under a heading, without the table's own head."""
    section = re.split(r"^## ", THEMING, flags=re.MULTILINE)
    text = next(part for part in section if part.startswith(heading))
    rows = re.findall(r"^\| (`.*?`) \|", text, re.MULTILINE)
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row)}


def test_every_part_is_listed():
    """The table of parts has each file of the folder."""
    assert first_column("Parts") == {path.name for path in PARTS.glob("*.html")}


def test_the_values_of_each_part_are_listed():
    """What the part's own template reads, and nothing else."""
    expected = [
        f"| `{path.name}` | {', '.join(f'`{name}`' for name in names) or 'none'} |"
        for path in sorted(PARTS.glob("*.html"))
        for names in [sorted(read_names(get_template(f"kordless_booking/parts/{path.name}").template))]
    ]
    section = THEMING.partition("\n## Values of each part\n")[2].partition("\n## ")[0]
    assert [line for line in section.splitlines() if line.startswith("| `")] == expected


def test_every_field_of_a_page_is_listed():
    """The table of `kb` has each field that the views set."""
    assert first_column("Pages") == {*Page.__struct_fields__}


def test_every_custom_property_is_listed():
    """The table of custom properties has each one of the style sheet that is not a dark twin."""
    set_there = set(re.findall(r"^\s*(--kb-(?!dark-)[a-z-]+):", SHEET, re.MULTILINE))
    assert first_column("Custom properties") == set_there


def test_the_demos_override_replaces_a_part_that_exists():
    """Every template below the demo's templates/kordless_booking/ overrides a template that the package still has."""
    ours = ROOT / "kordless_booking" / "templates"
    overrides = [
        path.relative_to(ROOT / "templates") for path in (ROOT / "templates" / "kordless_booking").rglob("*.html")
    ]
    assert overrides
    assert [name for name in overrides if not (ours / name).is_file()] == []


@pytest.mark.parametrize(
    "name",
    [
        "static/dressed/properties.css",
        "static/dressed/parts.css",
        "static/dressed/pages.css",
        "parts/kordless_booking/parts/service_card.html",
        "pages/kordless_booking/steps/service.html",
    ],
)
def test_every_example_is_a_file_that_was_photographed(name: str):
    """Every code example on the page is, word for word, the file from which the screenshots were taken."""
    assert f"\n{(DRESSED / name).read_text()}```\n" in THEMING


def test_every_picture_is_there():
    """The docs show no picture that is missing, and no picture lies there that none of them shows."""
    docs = ROOT / "docs"
    shown = {
        (docs / address).resolve()
        for page in docs.glob("*.md")
        for address in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page.read_text())
    }
    readme = (ROOT / "README.md").read_text()
    shown |= {(ROOT / address).resolve() for address in re.findall(r'<img src="(docs/[^"]+)"', readme)}
    assert {path.resolve() for path in [*docs.glob("*.png"), *(docs / "screenshots").glob("*")]} == shown
    assert sum(path.stat().st_size for path in shown) < 4 * 1024 * 1024


def test_every_name_for_rules_of_ones_own_is_listed():
    """The names without kb- are those that the style sheet sets beside the properties."""
    section = THEMING.partition("In your own rules")[2].partition("## Parts")[0]
    assert set(re.findall(r"var\(--([a-z-]+)\)", section)) == set(
        re.findall(r"^  --(?!kb-)([a-z-]+):", SHEET, re.MULTILINE)
    )


def test_each_ready_made_theme_is_documented():
    """With its name and its picture."""
    assert set(re.findall(r"^\*\*`(\w+)`\*\*", THEMING, re.MULTILINE)) == set(THEMES)


def test_colors_and_shadow_have_a_dark_twin():
    """Of what the style sheet sets, just those that differ in the dark."""
    twins = set(re.findall(r"--kb-dark-([a-z-]+):", SHEET))
    colors = set(re.findall(r"--kb-(?!dark-)([a-z-]+): #", SHEET))
    assert twins == {*colors, "shadow"}


def test_every_property_does_something():
    """None is set that no rule uses, in the light or in the dark."""
    for name in re.findall(r"^\s*(--kb-[a-z-]+):", SHEET, re.MULTILINE):
        assert f"var({name})" in SHEET, name
