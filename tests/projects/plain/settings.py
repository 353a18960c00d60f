"""Settings of the plain host project, which the quick suite runs under; the other hosts start from these.

DATABASE_URL names another database than SQLite: `make test-postgres` does.
"""

import os
from pathlib import Path
from typing import Any

import dj_database_url
import django

SECRET_KEY = "a key for tests only, never for a site: q3v8Tn2xL0bY5sWk7dRz"
DEBUG = False
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1", "[::1]"]
ROOT_URLCONF = "tests.projects.plain.urls"
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en-us"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "kordless_booking",
    "tests.projects.plain.apps.CustomersTables",
    "tests.projects.plain.apps.WaitlistTables",
    "tests.projects.plain.apps.AssistantTables",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
_DATABASE: dict[str, Any] = {**dj_database_url.parse(os.environ.get("DATABASE_URL", "sqlite://:memory:"))}
if _DATABASE["ENGINE"] == "django.db.backends.sqlite3":
    # As in the demo, but for what a power failure may lose. tests/conftest.py puts the tests' database into a file: in
    # memory, threads share one cache, where a read and a write at the same time fail at once, whatever the timeout.
    _DATABASE["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF",
    }
DATABASES: dict[str, dict[str, Any]] = {"default": _DATABASE}
CACHES: dict[str, dict[str, Any]] = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
if django.VERSION >= (6, 1):  # where EMAIL_BACKEND is on its way out, and not saying how to send is warned of
    MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
STATIC_URL = "static/"
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
KORDLESS_BOOKING: dict[str, Any] = {"SANDBOX": ":memory:"}
SILENCED_SYSTEM_CHECKS = ["kordless_booking.W007"]  # on the sandbox without DEBUG
