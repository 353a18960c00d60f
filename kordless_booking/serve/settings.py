"""Django settings of `kordless-booking serve`, from the environment and the file that KORDLESS_CONFIG names.

Raises ImproperlyConfigured with everything that is wrong. docs/serve.md lists the options.
"""

from __future__ import annotations

import os
from typing import Any

import django
from django.core.exceptions import ImproperlyConfigured

from kordless_booking.serve.configuration import read_configuration
from kordless_booking.serve.state import keep_secret_key

_configuration = read_configuration(os.environ)
if _configuration.problems:
    raise ImproperlyConfigured("\n".join(_configuration.problems))

STATE_FOLDER = _configuration.state_folder
DEBUG = False
SECRET_KEY = _configuration["SECRET_KEY"] or keep_secret_key(STATE_FOLDER)
SECRET_KEY_FALLBACKS = list(_configuration["SECRET_KEY_FALLBACKS"])
ALLOWED_HOSTS = _configuration.allowed_hosts

KORDLESS_BOOKING: dict[str, Any] = _configuration.kordless_booking()
KORDLESS_SETTING_WORDING = "kordless_booking.serve.wording.OptionWording"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.sitemaps",
    "django.contrib.staticfiles",
    "django_htmx",
    "kordless_booking",
    *(f"kordless_booking.contrib.{name}" for name in _configuration["APPS"]),
    "kordless_booking.serve",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "kordless_booking.serve.policy.PolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "kordless_booking.serve.urls"
WSGI_APPLICATION = "kordless_booking.serve.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
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

_database: dict[str, Any] = _configuration["DATABASE_URL"] or {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": STATE_FOLDER / "booking.sqlite3",
}
if _database["ENGINE"].endswith("sqlite3"):
    # For several writing threads and processes. IMMEDIATE takes the write lock when a transaction starts, so they wait
    # for their turn (up to 20 seconds) instead of failing in the middle. WAL lets others read meanwhile.
    _database["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
    }
else:
    _database |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES: dict[str, dict[str, Any]] = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
if _configuration["REDIS_URL"]:
    CACHES["default"] = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": _configuration["REDIS_URL"],
        # Seconds. By default, every visitor would wait five seconds for a Redis that hangs.
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }

if (_server := _configuration.mail_server) is not None:
    # Django 6.1 replaces EMAIL_BACKEND and its companions by MAILERS.
    if django.VERSION >= (6, 1):
        MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": _server}}
    else:
        EMAIL_HOST, EMAIL_PORT = _server["host"], _server["port"]
        EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _server["username"], _server["password"]
        EMAIL_USE_TLS, EMAIL_USE_SSL, EMAIL_TIMEOUT = _server["use_tls"], _server["use_ssl"], _server["timeout"]
    DEFAULT_FROM_EMAIL = _configuration["MAIL_FROM"]

# Nothing of the widget has a password. These are for the accounts of the admin.
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

LANGUAGE_CODE = _configuration["LANGUAGE_CODE"] or "en-us"
if _configuration["LANGUAGES"]:
    from django.conf.global_settings import LANGUAGES as _ALL

    _codes = {
        *_configuration["LANGUAGES"],
        *([_configuration["LANGUAGE_CODE"]] if _configuration["LANGUAGE_CODE"] else []),
    }
    LANGUAGES = [pair for pair in _ALL if pair[0] in _codes]
    LANGUAGE_CODE = _configuration["LANGUAGE_CODE"] or _configuration["LANGUAGES"][0]
TIME_ZONE = _configuration["TIME_ZONE"]
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = STATE_FOLDER / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = _configuration.is_https
# Load balancers and containers ask over http, from within.
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SECURE_PROXY_SSL_HEADER = _configuration["SECURE_PROXY_SSL_HEADER"]
SECURE_HSTS_SECONDS = _configuration["HSTS_SECONDS"] if _configuration.is_https else 0
CSRF_TRUSTED_ORIGINS = [_configuration.site_url]

SILENCED_SYSTEM_CHECKS = [
    # HSTS for subdomains, and the browsers' own list: whoever owns the domain decides that.
    "security.W005",
    "security.W021",
    # Nobody can take the sandbox for the real thing: all of its pages say that nothing is real.
    "kordless_booking.W007",
]
if not SECURE_HSTS_SECONDS:
    SILENCED_SYSTEM_CHECKS.append("security.W004")
if not _configuration.is_https:
    # On this machine alone, http is all that there is.
    SILENCED_SYSTEM_CHECKS += ["security.W008", "security.W012", "security.W016"]

_FORMATTERS = {
    "json": {"()": "kordless_booking.logs.JsonFormatter"},
    "text": {"format": "{asctime} {levelname} {name} {message}", "style": "{"},
}
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"console": _FORMATTERS[_configuration["LOG_FORMAT"]]},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "console"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "kordless_booking": {"level": "INFO"},
        "gunicorn.error": {"level": "INFO", "handlers": ["console"], "propagate": False},
        # Django would only repeat what bots ask for.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}
