"""The doctor's report on scripts: found, collected, and of this version."""

from pathlib import Path

import pytest
from django.contrib.staticfiles.finders import get_finder
from django.contrib.staticfiles.storage import staticfiles_storage
from django.template import Context, Template
from pytest_django import Settings

from kordless_booking.doctor.static_files import HTMX_SCRIPT, OWN_SCRIPT
from tests.support.doctor import run_as_json

pytestmark = pytest.mark.django_db

MANIFEST = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"


def kept(well: Settings, backend: str) -> None:
    """Store static files in another way."""
    well.STORAGES = {**well.STORAGES, "staticfiles": {"BACKEND": backend}}


def test_collected(well: Settings):
    """As they are in the package."""
    assert run_as_json().of("static files") == {"static": "ok"}


@pytest.mark.parametrize("name", ["kordless_booking/booking.js", "django_htmx/htmx-2.min.js"])
def test_not_collected(well: Settings, name: str):
    """With the command that does it."""
    (Path(well.STATIC_ROOT) / name).unlink()
    report = run_as_json()
    assert report.fixes() == ["static_not_collected"]
    assert name in report.line("static_not_collected")
    assert "manage.py collectstatic" in report.line("static_not_collected")


def test_nowhere_to_collect_to(well: Settings):
    """STATIC_ROOT is not set."""
    well.STATIC_ROOT = None
    assert run_as_json().fixes() == ["static_not_collected"]


def test_collected_before_an_upgrade(well: Settings):
    """The new pages would load the old script."""
    (Path(well.STATIC_ROOT) / OWN_SCRIPT).write_text("// old")
    assert run_as_json().fixes() == ["static_old"]


def test_a_manifest(well: Settings):
    """Files under hashed names are found by their manifest; without one, pages would fail."""
    kept(well, MANIFEST)
    report = run_as_json()
    assert report.fixes() == ["static_not_collected"]
    assert "manifest" in report.line("static_not_collected")
    storage = staticfiles_storage
    list(storage.post_process({name: (storage, name) for name in (OWN_SCRIPT, "django_htmx/htmx-2.min.js")}))
    kept(well, MANIFEST)
    assert run_as_json().of("static files") == {"static": "ok"}


def test_while_trying_out(well: Settings):
    """With DEBUG Django has to find them."""
    well.DEBUG = True
    assert run_as_json().of("static files") == {"static": "ok"}
    well.STATICFILES_FINDERS = []
    assert run_as_json().of("static files") == {"static_not_found": "fix"}


def test_elsewhere(well: Settings):
    """A bucket is not looked into, and a site may serve them without Django's app."""
    kept(well, "django.core.files.storage.InMemoryStorage")
    assert run_as_json().of("static files") == {"static_elsewhere": "note"}
    well.INSTALLED_APPS = [name for name in well.INSTALLED_APPS if name != "django.contrib.staticfiles"]
    assert run_as_json().of("static files") == {"static_unknown": "note"}


def test_the_script_of_htmx_is_the_one_that_pages_link():
    """Its name differs between releases of django-htmx."""
    assert HTMX_SCRIPT in Template("{% load django_htmx %}{% htmx_script %}").render(Context())


def test_an_app_that_is_not_installed_has_no_script(well: Settings):
    """It says which app to add, not which finder."""
    well.DEBUG = True
    well.INSTALLED_APPS = [name for name in well.INSTALLED_APPS if name != "django_htmx"]
    get_finder.cache_clear()
    try:
        assert "INSTALLED_APPS" in run_as_json().line("static_not_found")
    finally:
        get_finder.cache_clear()
