"""What a release promises to databases and to those who install it, and what its metadata says."""

from __future__ import annotations

import re
from pathlib import Path

import kordless_booking
from tests.licenses import PAGE, packages

ROOT = Path(__file__).resolve().parents[2]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
RELEASED = (Path(__file__).parent / "released_migrations.txt").read_text().split()
"""Names of all migrations that a release has had. A line that is here once stays for good."""


def test_no_released_migration_is_removed_renamed_or_replaced():
    """A database of any release finds its way: a squashed migration would need the ones that it replaces as well."""
    present = {
        path.relative_to(ROOT / "kordless_booking").with_suffix("").as_posix()
        for path in (ROOT / "kordless_booking").rglob("migrations/0*.py")
    }
    assert sorted(set(RELEASED) - present) == []


def test_every_migration_of_the_newest_release_is_listed_as_released():
    """Listed when the version is raised; between releases, new ones have a number above those of their app."""
    for path in sorted((ROOT / "kordless_booking").rglob("migrations/0*.py")):
        name = path.relative_to(ROOT / "kordless_booking").with_suffix("").as_posix()
        app = name.rpartition("/")[0]
        last = max((each for each in RELEASED if each.rpartition("/")[0] == app), default="")
        assert name in RELEASED or name > last, f"{name} is neither released nor newer than {last}"


def test_every_package_that_an_installation_brings_has_its_license_listed():
    """What pyproject.toml requires, alone and with each extra, and what that requires; no license is unknown."""
    page = PAGE.read_text()
    listed = {("", name) for name in re.findall(r"^\| ([a-z0-9-]+) \| .+ \|$", page, re.MULTILINE)}
    listed |= set(re.findall(r"^\| `([a-z]+)` \| ([a-z0-9-]+) \| .+ \|$", page, re.MULTILINE))
    brought = {(extra, name) for extra, names in packages().items() for name in names}
    assert len(brought) > 20
    assert sorted(brought - listed) == [], "python -m tests.licenses writes them"
    assert "unknown" not in page
    assert "not installed" not in page


def test_the_public_check_runs_the_same_as_ours():
    """`.ci/run`, each pair of noxfile.py and each session by its name, and asks for an interpreter of each pair."""
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    noxfile = (ROOT / "noxfile.py").read_text()
    parameters = noxfile.partition("\ndef suite(")[0].rpartition("@nox.session\n")[2]
    [ids] = re.findall(r"ids=\[(.*)\]", parameters)
    [pairs] = re.findall(r"pair: \[(.*)\]", workflow)
    assert pairs == ids
    wanted = re.findall(r"^ +(3\.\d+)$", workflow, re.MULTILINE)
    assert wanted == sorted({pair.split("-")[0] for pair in re.findall(r'"([^"]+)"', pairs)})
    [sessions] = re.findall(r"session: \[(.*)\]", workflow)
    assert set(sessions.split(", ")) <= set(re.findall(r"^def ([a-z_]+)\(session", noxfile, re.MULTILINE))
    assert "run: bash .ci/run" in workflow


def test_the_newest_section_of_the_changelog_is_the_version_of_the_package():
    """`## Unreleased` first, then the version of the package with its day, then older ones."""
    headings = re.findall(r"^## (.+)$", CHANGELOG, re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert [bool(re.fullmatch(r"\d+\.\d+\.\d+ - \d{4}-\d\d-\d\d", each)) for each in headings[1:]] == [True] * (
        len(headings) - 1
    )
    assert headings[1].split(" - ")[0] == kordless_booking.__version__


def test_every_version_of_the_changelog_has_upgrade_notes():
    """A heading of docs/upgrading.md for each, if only to say that there is nothing to do."""
    versions = re.findall(r"^## (\d+\.\d+\.\d+) - ", CHANGELOG, re.MULTILINE)
    notes = (ROOT / "docs" / "upgrading.md").read_text()
    assert versions
    assert [version for version in versions if f"\n### {version}\n" not in notes] == []
