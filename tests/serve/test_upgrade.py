"""Upgrade of the collected static files: what an older version or a killed start left behind is not served."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from pytest_django import Settings

from kordless_booking.serve import upgrade

SHEET = "kordless_booking/booking.css"


@pytest.fixture
def collected(settings: Settings, tmp_path: Path) -> Path:
    """A state folder with the files of this version."""
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
    }
    upgrade._collect(tmp_path)
    return tmp_path


def served_sheet(folder: Path) -> Path:
    """Return the file that pages name."""
    paths = json.loads((folder / "static" / "staticfiles.json").read_text())["paths"]
    return folder / "static" / str(paths[SHEET])


def test_a_copy_that_is_younger_than_the_new_version_is_replaced(collected: Path):
    """An image that was built before the last start has older files, and an upgrade to it must bring them."""
    current = served_sheet(collected)
    text = current.read_text()
    (collected / "static" / SHEET).write_text("old{}")
    (collected / ".collected").write_text("another version")
    upgrade._collect(collected)
    assert served_sheet(collected).read_text() == text
    assert (collected / "static" / SHEET).read_text() != "old{}"


def test_the_files_of_open_pages_outlive_an_upgrade(collected: Path):
    """A page that was opened before may still load them, by the hash in their name."""
    old = collected / "static" / "kordless_booking" / "booking.0123456789ab.css"
    old.write_text("old{}")
    (collected / ".collected").write_text("another version")
    upgrade._collect(collected)
    assert old.read_text() == "old{}"


def test_a_collection_that_was_killed_is_made_again_from_nothing(collected: Path):
    """Any of its files may be torn, those with a hash in their name as well."""
    current = served_sheet(collected)
    text = current.read_text()
    (collected / ".collected").unlink()
    (collected / "static" / SHEET).write_text("")
    current.write_text("torn")
    upgrade._collect(collected)
    assert served_sheet(collected) == current
    assert current.read_text() == text


def test_the_files_that_are_served_do_not_tell_the_versions(collected: Path):
    """Who looks for a known hole would read them from the stamp of the collection."""
    assert not list((collected / "static").glob(".*"))


def test_removed_files_are_collected_again(collected: Path):
    """Whoever deletes the folder gets it back, although the stamp is of this version."""
    shutil.rmtree(collected / "static")
    upgrade._collect(collected)
    assert served_sheet(collected).is_file()
