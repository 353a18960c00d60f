"""Writes docs/licenses.md: the licenses of what the wheel brings with it. `python -m tests.licenses`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "licenses.md"
PACKAGE: Final = "kordless-booking"
HEAD: Final = """# Licenses

kordless-booking has the MIT license, see [LICENSE](../LICENSE). It contains no code of others: htmx comes with
django-htmx. Some data are from Unicode's CLDR, whose license is beside them: words for dates in
`kordless_booking/contrib/assistant/cldr.json`, and names of cities in `kordless_booking/presentation/cities.tsv`.

`pip install kordless-booking` brings the packages of the first table, an extra those of the second, unless they are
there. `python -m tests.licenses` writes this page from the metadata of the installed packages.
"""
_CLASSIFIER: Final = re.compile(r"License :: (?:OSI Approved :: )?(.+)")
_SPDX: Final = {
    "MIT License": "MIT",
    "BSD License": "BSD",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""Identifiers for the names that classifiers have, where a package says no more."""


def license_of(found: Distribution) -> str:
    """Return what the metadata says: the license expression, or else the classifiers, or else a short license text."""
    metadata = found.metadata
    if expression := metadata.get("License-Expression"):
        return expression
    named = [match[1] for line in metadata.get_all("Classifier") or [] if (match := _CLASSIFIER.fullmatch(line))]
    text = (metadata.get("License") or "").strip()
    # A license in one line is more exact than the classifier "BSD License".
    if text and "\n" not in text and len(text) < 40:
        return _SPDX.get(text, text)
    return " OR ".join(_SPDX.get(each, each) for each in named) or "unknown"


def names_of(requirements: Iterable[str]) -> Iterator[tuple[str, Iterable[str]]]:
    """Yield the name of each requirement that applies here, and its extras."""
    for requirement in map(Requirement, requirements):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield canonicalize_name(requirement.name), requirement.extras


def requirements_of(name: str, extras: Iterable[str]) -> list[str]:
    """Return what a package requires, with these of its extras; nothing for one that isn't installed."""
    try:
        lines = distribution(name).requires or []
    except PackageNotFoundError:
        return []
    found = []
    for requirement in map(Requirement, lines):
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": each}) for each in ["", *extras]):
            requirement.marker = None
            found.append(str(requirement))
    return found


def closure(requirements: Iterable[str]) -> set[str]:
    """Return the names of these packages and of all that they require, as far as they are installed."""
    seen: set[str] = set()
    waiting = list(names_of(requirements))
    while waiting:
        name, extras = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += names_of(requirements_of(name, extras))
    return seen


def declared() -> dict[str, list[str]]:
    """Return the requirements of pyproject.toml by extra, "" for those without one.

    Not from the installed metadata, which an editable installation keeps from the day that it was made.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {"": project["dependencies"], **project.get("optional-dependencies", {})}


def packages() -> dict[str, set[str]]:
    """Return the names of all packages by extra: those that come always at "", not again with an extra."""
    always = closure(declared()[""])
    return {extra: closure(lines) - (always if extra else set()) - {PACKAGE} for extra, lines in declared().items()}


def row(name: str) -> str:
    """Return a package's row. What isn't installed has no license that could be read."""
    try:
        return f"| {name} | {license_of(distribution(name))} |"
    except PackageNotFoundError:
        return f"| {name} | not installed |"


def build_page() -> str:
    """Return the page in Markdown."""
    lines = [HEAD, "## With the package", "", "| Package | License |", "| --- | --- |"]
    found = packages()
    lines += [row(name) for name in sorted(found.pop(""))]
    lines += ["", "## With an extra", "", "| Extra | Package | License |", "| --- | --- | --- |"]
    lines += [f"| `{extra}` {row(name)}" for extra in sorted(found) for name in sorted(found[extra])]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(build_page())
