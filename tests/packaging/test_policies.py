"""docs/support.md, SECURITY.md and the table of docs/accessibility.md say what is so."""

import re
import tomllib
from pathlib import Path

import pytest
from django.urls import URLPattern

from kordless_booking.urls import urlpatterns

ROOT = Path(__file__).resolve().parents[2]
SUPPORT = (ROOT / "docs" / "support.md").read_text()
ACCESSIBILITY = (ROOT / "docs" / "accessibility.md").read_text()
CRITERIA = {
    "1.1": "1", "1.2": "12345", "1.3": "12345", "1.4": ["1", "2", "3", "4", "5", "10", "11", "12", "13"],
    "2.1": "124", "2.2": "12", "2.3": "1", "2.4": ["1", "2", "3", "4", "5", "6", "7", "11"], "2.5": "123478",
    "3.1": "12", "3.2": "12346", "3.3": "123478", "4.1": "23",
}  # fmt: skip
"""Success criteria of levels A and AA by guideline. Source: W3C, WCAG 2.2; 4.1.1 is obsolete there."""


def criteria() -> list[list[str]]:
    """Return the rows of the table of criteria: numbers and names, what is done, what shows it."""
    section = ACCESSIBILITY.partition("## What is held of WCAG")[2].partition("\n## ")[0]
    return [row.strip("| ").split(" | ") for row in re.findall(r"^\| [1-4]\..*$", section, re.MULTILINE)]


def test_the_versions_are_those_of_the_classifiers():
    """Python and Django, as pyproject.toml declares them."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    for name, heading in (("Python", "Programming Language :: Python"), ("Django", "Framework :: Django")):
        [row] = re.findall(rf"^\| {name} \| (.*) \|$", SUPPORT, re.MULTILINE)
        versions = [each.removeprefix(f"{heading} :: ") for each in declared if re.match(rf"{heading} :: \d+\.", each)]
        assert row.split(", ") == versions


def test_nox_runs_every_supported_version():
    """The pairs of noxfile.py are those that docs/support.md names, and have each version of the classifiers."""
    parameters = (ROOT / "noxfile.py").read_text().partition("\ndef suite(")[0].rpartition("@nox.session\n")[2]
    pairs = re.findall(r'\("(3\.\d+)", "(\d\.\d)"\)', parameters)
    for name, tested in zip(("Python", "Django"), zip(*pairs, strict=True), strict=True):
        [row] = re.findall(rf"^\| {name} \| (.*) \|$", SUPPORT, re.MULTILINE)
        assert row.split(", ") == sorted(set(tested))
    together = SUPPORT.partition("\nTogether: ")[2].partition(". ")[0]
    named = [
        (python, django)
        for part in together.split(", ")
        for python, versions in [part.removeprefix("Python ").split(" with ")]
        for django in versions.removeprefix("Django ").split(" and ")
    ]
    assert named == pairs


def test_every_module_with_public_names_is_listed():
    """Those with `__all__`, and no other."""
    public = {
        path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
        for path in (ROOT / "kordless_booking").rglob("*.py")
        if re.search(r"^__all__ = ", path.read_text(), re.MULTILINE)
    }
    assert set(re.findall(r"`(kordless_booking\.[a-z_.]+)`", SUPPORT)) - {"kordless_booking.urls"} == public


def test_the_public_pages_are_there():
    """Each name is one of the URLconf's."""
    [row] = re.findall(r"^\| `kordless_booking\.urls`, and these names of its pages: (.*?) \|", SUPPORT, re.MULTILINE)
    assert len(named := re.findall(r"`([a-z-]+)`", row)) >= 8
    assert set(named) <= {pattern.name for pattern in urlpatterns if isinstance(pattern, URLPattern)}


def test_every_criterion_of_wcag_has_its_place():
    """All 55 of levels A and AA, each once."""
    numbers = [number for row in criteria() for number in re.findall(r"\d\.\d\.\d+", row[0])]
    assert sorted(numbers) == sorted(f"{guide}.{last}" for guide, each in CRITERIA.items() for last in each)
    assert len(numbers) == 55


@pytest.mark.parametrize("row", criteria(), ids=lambda row: row[0].split()[0].strip(","))
def test_every_criterion_says_what_shows_it(row: list[str]):
    """A file of tests that exists, or in plain words that there is none."""
    _, _, shown = row
    named = re.findall(r"`(tests/[a-z_/]+\.py)`", shown)
    assert [name for name in named if not (ROOT / name).is_file()] == []
    assert named or shown in {"no test", "does not apply", "not held for these texts"}


def test_the_readme_leads_to_the_policies():
    """Who looks for support, security or accessibility finds it there."""
    readme = (ROOT / "README.md").read_text()
    assert all(f"]({name})" in readme for name in ("SECURITY.md", "docs/support.md", "docs/accessibility.md"))
