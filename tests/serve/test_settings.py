"""Django settings of `kordless-booking serve`, as they follow from the environment."""

from __future__ import annotations

import logging.config
import runpy
from pathlib import Path
from typing import Any

import django
import pytest
from django.core.exceptions import ImproperlyConfigured

from kordless_booking.serve.configuration import CONFIG
from kordless_booking.serve.options import CONTRIB_APPS, OPTIONS
from tests.support.serve import ACCOUNT, MAIL, POSTGRES, PUBLIC, SECRET


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the developer's own environment is an option, and the state folder is the test's."""
    for name in (*OPTIONS, CONFIG, "STATE_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STATE_FOLDER", str(tmp_path))


def settings_of(monkeypatch: pytest.MonkeyPatch, **environment: str) -> dict[str, Any]:
    """Return the settings that these variables make."""
    for name, text in environment.items():
        monkeypatch.setenv(name, text)
    return runpy.run_module("kordless_booking.serve.settings")


def test_settings_raise_with_everything_that_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Another server than ours says the same, and nothing is left in the folder."""
    with pytest.raises(ImproperlyConfigured, match=r"KORDLESS_API_KEY is missing(.|\n)*SITE_URL is missing"):
        settings_of(monkeypatch)
    assert list(tmp_path.iterdir()) == []


def test_a_public_site_is_on_https_alone(monkeypatch: pytest.MonkeyPatch):
    """Cookies of staff, redirects and HSTS; a health check over http is answered."""
    found = settings_of(monkeypatch, **PUBLIC)
    assert found["SECURE_SSL_REDIRECT"]
    assert found["SESSION_COOKIE_SECURE"]
    assert found["CSRF_COOKIE_SECURE"]
    assert found["SECURE_HSTS_SECONDS"] == 2_592_000
    assert found["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")
    assert found["SECURE_REDIRECT_EXEMPT"] == ["^health/"]
    assert found["CSRF_TRUSTED_ORIGINS"] == ["https://book.salon.example"]
    assert found["KORDLESS_BOOKING"]["TRUSTED_PROXIES"] == 1
    assert found["KORDLESS_BOOKING"]["SITE_URL"] == "https://book.salon.example"
    assert found["DEBUG"] is False


def test_without_a_server_the_database_is_sqlite_that_writers_wait_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """In the state folder, with WAL and a busy timeout; the secret key is kept beside it."""
    found = settings_of(monkeypatch, **PUBLIC)
    database = found["DATABASES"]["default"]
    assert database["NAME"] == tmp_path / "booking.sqlite3"
    assert database["OPTIONS"]["timeout"] == 20
    assert "journal_mode=WAL" in database["OPTIONS"]["init_command"]
    assert found["SECRET_KEY"] == (tmp_path / "secret_key").read_text()


def test_database_and_redis_are_those_of_their_urls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """The given secret key is used, and none is kept."""
    found = settings_of(monkeypatch, **PUBLIC, **SECRET, **POSTGRES, REDIS_URL="redis://cache.example/1")
    assert found["DATABASES"]["default"]["HOST"] == "db.example"
    assert found["CACHES"]["default"]["LOCATION"] == "redis://cache.example/1"
    assert found["SECRET_KEY"] == SECRET["SECRET_KEY"]
    assert not (tmp_path / "secret_key").exists()


def test_optional_apps_are_installed_by_their_names(monkeypatch: pytest.MonkeyPatch):
    """APPS has their short names."""
    installed = settings_of(monkeypatch, **PUBLIC, APPS=",".join(CONTRIB_APPS))["INSTALLED_APPS"]
    assert {f"kordless_booking.contrib.{name}" for name in CONTRIB_APPS} <= set(installed)
    assert "kordless_booking.contrib.waitlist" not in settings_of(monkeypatch, **PUBLIC, APPS="")["INSTALLED_APPS"]


def test_the_mail_server_is_djangos(monkeypatch: pytest.MonkeyPatch):
    """By MAILERS where Django has them, by EMAIL_HOST and its companions before."""
    found = settings_of(monkeypatch, **PUBLIC, **MAIL)
    if django.VERSION >= (6, 1):
        assert found["MAILERS"]["default"]["OPTIONS"]["host"] == "mail.example"
    else:
        assert (found["EMAIL_HOST"], found["EMAIL_PORT"], found["EMAIL_USE_TLS"]) == ("mail.example", 587, True)
    assert found["KORDLESS_BOOKING"]["MAIL"] is True
    assert found["KORDLESS_BOOKING"]["MAIL_FROM"] == MAIL["MAIL_FROM"]


@pytest.mark.parametrize(
    ("environment", "codes", "default"),
    [
        ({}, None, "en-us"),
        ({"LANGUAGES": "fr,de"}, {"de", "fr"}, "fr"),
        ({"LANGUAGES": "fr", "LANGUAGE_CODE": "de"}, {"de", "fr"}, "de"),
        ({"LANGUAGE_CODE": "de"}, None, "de"),
    ],
)
def test_languages_are_those_that_are_listed(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], codes: set[str] | None, default: str
):
    """Without a list, the widget decides as on any site."""
    found = settings_of(monkeypatch, **PUBLIC, **environment)
    assert found["LANGUAGE_CODE"] == default
    assert codes is None if "LANGUAGES" not in found else {code for code, _name in found["LANGUAGES"]} == codes


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_log_is_text_or_json(monkeypatch: pytest.MonkeyPatch, form: str):
    """Both are valid for Python's logging, and JSON is the package's own formatter."""
    found = settings_of(monkeypatch, **PUBLIC, LOG_FORMAT=form)["LOGGING"]
    assert ("()" in found["formatters"]["console"]) is (form == "json")
    configurator = logging.config.DictConfigurator(found)  # type: ignore[arg-type]
    assert configurator.configure_formatter(dict(found["formatters"]["console"]))


def test_the_sandbox_is_in_the_state_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A first look needs no account, and its bookings survive a restart."""
    found = settings_of(monkeypatch, KORDLESS_SANDBOX="1", PORT="8123")
    assert found["KORDLESS_BOOKING"]["SANDBOX"] == tmp_path / "sandbox.sqlite3"
    assert found["KORDLESS_BOOKING"]["SITE_URL"] == "http://127.0.0.1:8123"
    assert found["SECURE_SSL_REDIRECT"] is False


def test_a_host_of_the_old_kind_makes_the_address(monkeypatch: pytest.MonkeyPatch):
    """ALLOWED_HOSTS alone, as the demo takes it, is https and needs the proxy's settings."""
    environment = {**ACCOUNT, "ALLOWED_HOSTS": "book.salon.example", "TRUSTED_PROXIES": "1"}
    with pytest.raises(ImproperlyConfigured, match="SECURE_PROXY_SSL_HEADER is missing"):
        settings_of(monkeypatch, **environment)
    found = settings_of(monkeypatch, **environment, SECURE_PROXY_SSL_HEADER="HTTP_X_FORWARDED_PROTO,https")
    assert found["KORDLESS_BOOKING"]["SITE_URL"] == "https://book.salon.example"
