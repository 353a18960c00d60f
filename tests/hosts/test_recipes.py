"""Recipes of docs/recipes that need packages which a site with the widget doesn't: `nox -s hosts` installs them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.recipes import run_recipe, write_files


def need(*packages: str) -> None:
    """Skip, and say so, where a package is missing."""
    if missing := [name for name in packages if find_spec(name) is None]:
        pytest.skip(f"needs {' and '.join(missing)}: nox -s hosts installs them")


@pytest.fixture
def sentry_folder(tmp_path: Path) -> Path:
    """The folder with the page's module."""
    need("sentry_sdk")
    write_files("sentry.md", tmp_path)
    return tmp_path


def test_sentry_gets_no_personal_data_with_the_recipe(sentry_folder: Path):
    """Neither of the crash in the contact step nor of the pages of a booking; the error and its place arrive."""
    dsn = "https://key@sentry.example/1"
    found = run_recipe("sentry", sentry_folder, SENTRY_DSN=dsn, RECIPE_DEFAULTS="0")
    assert found["leaked"] == []
    assert found["status"] == 500
    assert found["errors"] == ["ValueError"]
    assert "kordless_booking.views.abuse" in found["modules"]
    assert found["transactions"] > 5
    assert "/book/confirmation/{token}/" in found["names"]


def test_sentry_gets_personal_data_with_its_defaults(sentry_folder: Path):
    """The reason for the recipe, and the proof that its test would see a leak: all that was typed is sent."""
    found = run_recipe("sentry", sentry_folder, RECIPE_DEFAULTS="1")
    assert {"Zzqx Canary", "again@secret.example", "canary in the notes"} <= {*found["leaked"]}
