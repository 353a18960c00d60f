"""Settings that stay behind when their optional app is removed."""

from importlib import import_module

import pytest

from kordless_booking import hooks
from kordless_booking.conf import OPTIONAL_APP_OF_KEY, find_errors

APPS = ("assistant", "customers", "json_api", "waitlist")


@pytest.mark.parametrize("app", APPS)
def test_every_key_of_an_optional_app_names_it_when_the_app_is_missing(app: str):
    """A similar name of the widget's own would lead astray."""
    with hooks.temporary_hooks():
        before = dict(hooks.setting_rules.items())
        import_module(f"kordless_booking.contrib.{app}.plugin").register()
        keys = dict(hooks.setting_rules.items()).keys() - before
    assert keys == {key for key, owner in OPTIONAL_APP_OF_KEY.items() if owner == app}
    for key in keys:
        (mistake,) = find_errors({"API_KEY": "key", "ORG_SLUG": "salon", key: 1})
        assert (mistake.kind, f'"kordless_booking.contrib.{app}"' in mistake.hint) == ("unknown", True)
