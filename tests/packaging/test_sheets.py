"""Rules that no style sheet may contain: physical directions, and motion for visitors who prefer less of it."""

import re
from pathlib import Path

import pytest

import kordless_booking

STATIC = Path(kordless_booking.__file__).parent / "static" / "kordless_booking"
PHYSICAL = re.compile(
    r"(?<![\w-])(?:(?:margin|padding|border|scroll-margin|scroll-padding)-(?:left|right)[\w-]*|left|right)\s*:"
    r"|(?:text-align|float|clear)\s*:\s*(?:left|right)\b|border-(?:top|bottom)-(?:left|right)-radius"
)
"""Properties and values that name a physical side of the screen instead of the start or end of a line."""


@pytest.mark.parametrize("sheet", sorted(STATIC.rglob("*.css")), ids=lambda sheet: sheet.name)
def test_no_rule_means_a_side_of_the_screen(sheet: Path):
    """Everything begins and ends where the language does, so that right to left needs no second sheet."""
    assert [found[0] for found in PHYSICAL.finditer(sheet.read_text())] == []


@pytest.mark.parametrize(
    "rule", ["margin-left: 1px", "text-align: right", "{left:0}", "float:left", "border-top-left-radius: 1px"]
)
def test_a_side_of_the_screen_is_found(rule: str):
    """The look above sees what it is to see, and leaves the logical ones alone."""
    assert PHYSICAL.search(rule)
    assert not PHYSICAL.search("padding-inline-start: 1px; border-inline-end: 0; inset-block: 0; text-align: start")


def test_nothing_moves_but_for_those_who_like_it():
    """Transitions and animations are only for visitors who did not ask for less motion."""
    sheet = (STATIC / "booking.css").read_text()
    wished = re.search(r"@media \(prefers-reduced-motion: no-preference\) \{\n(?:  .*\n)*\}\n", sheet)
    assert wished
    # The clocks of a style sheet: they end what waits for a script, and move nothing on the way.
    hold = re.search(r"@media \(scripting: enabled\) \{\n(?:  .*\n)*\}\n", sheet)
    assert hold
    names = set(re.findall(r"animation: (kb-\w+) 3s; ", hold[0]))
    frames = dict(re.findall(r"@keyframes (kb-\w+) \{ from, to \{ (.*) \} \}", sheet))
    assert names <= frames.keys()
    changed = {each.partition(":")[0].strip() for name in names for each in frames[name].split(";") if each.strip()}
    assert changed == {"visibility", "background", "opacity", "pointer-events", "position"}
    # A page with its style in the head waits until it has arrived, whether or not there is a script.
    arriving = re.search(
        r"^\.kb-page > \.kb-stage:not\(:has\(~ p\)\) \{ animation: kb-hold 3s; \}\n", sheet, re.MULTILINE
    )
    assert arriving
    rest = sheet.replace(wished[0], "").replace(hold[0], "").replace(arriving[0], "")
    assert re.findall(r"(?<![\w-])(?:transition|animation|scroll-behavior)[\w-]*\s*:", wished[0])
    assert re.findall(r"(?<![\w-])(?:transition|animation|scroll-behavior)[\w-]*\s*:", rest) == []
