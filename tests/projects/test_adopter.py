"""An adopter's tests, written with the test kit as docs/testing.md has them, in a project without our tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = re.findall(r"```python\n(# (\S+)\n.*?)```", (ROOT / "docs" / "testing.md").read_text(), re.DOTALL)
SITE = """
import os
SECRET_KEY = "k" * 50
LANGUAGE_CODE = "en"
ROOT_URLCONF = "site_urls"
USE_TZ = True
STATIC_URL = "static/"
SECURE_SSL_REDIRECT = True
INSTALLED_APPS = ["django.contrib.staticfiles", "django_htmx", "kordless_booking"]
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.locale.LocaleMiddleware"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "site.sqlite3"}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://192.0.2.1:6379"}}
KORDLESS_BOOKING = {
    "API_KEY": "a-live-key", "ORG_SLUG": "my-salon", "WEBHOOK_SECRETS": "live" * 8, "PROCESSES": 4,
    "MESSENGER": "site_urls.send", "SITE_URL": "https://salon.example",
}
"""
URLS = """
from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path
urlpatterns = i18n_patterns(path("rendez-vous/", include("kordless_booking.urls")))
def send(to, text, kind, booking):
    raise AssertionError("a test sent a message to a phone")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The folder of a site with a live account, a cache in another machine and a redirect to HTTPS; no test of ours."""
    (tmp_path / "site_settings.py").write_text(SITE)
    (tmp_path / "site_urls.py").write_text(URLS)
    for text, name in SAMPLES:
        (tmp_path / name).write_text(text)
    return tmp_path


def run(project: Path, *arguments: str) -> str:
    """Run Python in the project; return both streams, and fail with them when it fails."""
    done = subprocess.run(  # noqa: S603 (ours)
        [sys.executable, "-W", "error", *arguments],
        cwd=project,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "site_settings", "PYTHONPATH": str(ROOT)},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_page_has_a_project_for_each_way_to_test() -> None:
    """Its samples are files; an adopter's first test takes ten lines."""
    assert [name for _, name in SAMPLES] == ["conftest.py", "test_booking.py", "tests.py"]
    [booking] = [text for text, name in SAMPLES if name == "test_booking.py"]
    assert len([line for line in booking.partition("def test_")[2].splitlines() if line]) <= 10


def test_an_adopter_tests_a_booking_with_pytest(project: Path) -> None:
    """With the fixtures, and nothing else of the kit's in the project."""
    output = run(
        project, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:xdist",
        "--disable-socket", "test_booking.py",
    )  # fmt: skip
    assert "1 passed" in output


def test_an_adopter_tests_a_booking_with_unittest(project: Path) -> None:
    """With the mixin, by Django's own runner; the page of a taken time is the sample's."""
    assert "Ran 1 test" in run(project, "-m", "django", "test", "--noinput")


def test_the_mixin_needs_no_pytest(project: Path) -> None:
    """Nor does the import of the kit load it, and the package never imports the kit."""
    program = (
        "import sys, django; django.setup(); import kordless_booking.urls, kordless_booking.doctor\n"
        "assert not [name for name in sys.modules if name.startswith('kordless_booking.testing')]\n"
        "import kordless_booking.testing\n"
        "assert not {'pytest', '_pytest', 'time_machine'} & set(sys.modules)\n"
    )
    run(project, "-c", program)
