"""The nine middlewares of a usual site, Redis as the cache, SQLite as the database."""

import os
from typing import Any

from benchmarks.deliveries import SECRET

SECRET_KEY = "only for the benchmark: k5Qz8Wn1xR7vT3mB"  # noqa: S105 (served on this machine for a minute)
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "benchmarks.site.urls"
WSGI_APPLICATION = "benchmarks.site.wsgi.application"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "kordless_booking",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
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
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["BENCH_DATABASE"],
        "CONN_MAX_AGE": 60,
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
        },
    }
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": os.environ["BENCH_REDIS"],
    },
    # For the hand-written view alone.
    "memory": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}
STATIC_URL = "static/"
STATIC_ROOT = os.environ["BENCH_STATIC"]
KORDLESS_BOOKING: dict[str, Any] = {
    "API_KEY": "kordless-sandbox-key",
    "ORG_SLUG": "bench",
    "BASE_URL": os.environ["BENCH_KORDLESS"],
    "TRUSTED_PROXIES": 1,
    "MINIMUM_FILL_SECONDS": 0,
    "WEBHOOK_SECRETS": SECRET,
    "ACCOUNTS": {"memory": {"LOCAL_CACHE_SECONDS": 1}, "redis": {"LOCAL_CACHE_SECONDS": 0}},
}
