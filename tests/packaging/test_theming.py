"""docs/theming.md must list what an overriding site can rely on, no more and no less."""

import dataclasses
import re
from pathlib import Path

from kordless_booking.views.page import Page

ROOT = Path(__file__).resolve().parents[2]
PARTS = ROOT / "kordless_booking" / "templates" / "kordless_booking" / "parts"
THEMING = (ROOT / "docs" / "theming.md").read_text()


def first_column(heading: str) -> set[str]:
    """The code words in the first column of the table under a heading, without the table's own head."""
    section = re.split(r"^## ", THEMING, flags=re.MULTILINE)
    text = next(part for part in section if part.startswith(heading))
    rows = re.findall(r"^\| (`.*?`) \|", text, re.MULTILINE)
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row)}


def test_every_part_is_listed():
    """The table of parts has each file of the folder."""
    assert first_column("Parts") == {path.name for path in PARTS.glob("*.html")}


def test_every_field_of_a_page_is_listed():
    """The table of `kb` has each field that the views set."""
    assert first_column("Pages") == {field.name for field in dataclasses.fields(Page)}


def test_every_custom_property_is_listed():
    """The table of custom properties has each one of the style sheet that is not a dark twin."""
    css = (ROOT / "kordless_booking" / "static" / "kordless_booking" / "booking.css").read_text()
    set_there = set(re.findall(r"^\s*(--kb-(?!dark-)[a-z-]+):", css, re.MULTILINE))
    assert first_column("Custom properties") == set_there


def test_the_demos_override_replaces_a_part_that_exists():
    """What stands under the demo's templates/kordless_booking/ overrides something, and keeps up with it."""
    ours = ROOT / "kordless_booking" / "templates"
    overrides = [
        path.relative_to(ROOT / "templates") for path in (ROOT / "templates" / "kordless_booking").rglob("*.html")
    ]
    assert overrides
    assert [name for name in overrides if not (ours / name).is_file()] == []
