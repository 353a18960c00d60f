"""The scripts that are served are those that the sources in frontend/ give. None of these tests needs Node."""

import re

import pytest

from frontend.bundles import BUILT, BUNDLES, SOURCES, describe, recorded

PARTS = sorted(SOURCES.rglob("*.js"))


def test_the_built_scripts_are_current():
    """Sources, options and built files have the digests of the last build: run `make scripts` after any change."""
    assert recorded() == describe()


def test_no_script_is_served_that_is_not_built():
    """Each script in the package has its source in frontend/."""
    assert {path.name for path in BUILT.rglob("*.js")} == set(BUNDLES)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.relative_to(SOURCES).as_posix())
def test_every_source_says_what_it_is_for(part):
    """It begins with a comment, as every Python module begins with a docstring."""
    assert re.match(r"// \S", part.read_text())


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.relative_to(SOURCES).as_posix())
def test_no_source_is_left_out_of_a_script(part):
    """A module that nobody imports would be read, changed and tested in vain."""
    name = part.relative_to(SOURCES).as_posix()
    imported = {found for path in PARTS for found in re.findall(r'from "\.{1,2}/([\w./-]+)"', path.read_text())}
    assert name in {bundle.source for bundle in BUNDLES.values()} or part.name in imported


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.relative_to(SOURCES).as_posix())
def test_no_style_text_holds_a_value_of_the_page(part):
    """A value such as `data-width` is set as one property: within a text it could restyle the host's page."""
    styles = re.findall(r"cssText = `([^`]*)`|addStyles\(`([^`]*)`\)", part.read_text())
    values = {value for pair in styles for value in re.findall(r"\$\{(.*?)\}", "".join(pair))}
    # One of two words of our own.
    assert values <= {"side"}
