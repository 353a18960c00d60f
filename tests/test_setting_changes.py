"""The registry of caches that are cleared when a setting changes."""

import pytest

from kordless_booking import setting_changes
from kordless_booking.setting_changes import on_setting_change


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo what a test registers."""
    monkeypatch.setattr(setting_changes, "_clearers", [])


def test_a_cache_is_cleared_when_one_of_its_settings_changes(settings):
    """Once when the setting is overridden; a setting that it doesn't depend on leaves it alone."""
    cleared = []
    on_setting_change({"STATIC_URL", "STORAGES"}, lambda: cleared.append("some"))
    settings.PHONE_BOOK = "x"
    assert cleared == []
    settings.STATIC_URL = "/elsewhere/"
    assert cleared == ["some"]


def test_a_cache_without_names_is_cleared_by_any_setting(settings):
    """None means that everything may matter."""
    cleared = []
    on_setting_change(None, lambda: cleared.append("any"))
    settings.PHONE_BOOK = "x"
    assert cleared == ["any"]
