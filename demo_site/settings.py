"""The demo's settings, all from the environment. With nothing set it runs on this machine, on the sandbox.

KORDLESS_API_KEY, KORDLESS_ORG_SLUG   your Kordless account
KORDLESS_SANDBOX                      1 for the embedded sandbox instead, whose bookings reach nobody; without a
                                      SECRET_KEY it need not be asked for
KORDLESS_BASE_URL                     another address of the Booking API
KORDLESS_SANDBOX_FILE                 where the sandbox keeps its bookings; in this folder by default
KORDLESS_SANDBOX_WEBHOOK              where the embedded sandbox delivers its webhooks: this site's own address of them
KORDLESS_WEBHOOK_SECRET               comma-separated secrets of the webhook that Kordless sends to /book/webhook/
KORDLESS_EMBED_ORIGINS                comma-separated origins that may frame the widget
SITE_URL                              where this site is, for the links in mails: the sandbox's stay here, at /mail/
NEIGHBOUR_ORIGIN                      where `manage.py demo` serves someone else's website; it may frame the widget
SECRET_KEY                            needed for anything but trying out: without it only this machine is answered
DEBUG                                 1 or 0; 1 without a SECRET_KEY, otherwise 0. With 1 only this machine is answered
ALLOWED_HOSTS                         comma-separated; with DEBUG this machine's names need not be listed
DATABASE_URL                          SQLite in this folder by default
STATIC_ROOT                           where collectstatic puts the static files; staticfiles/ in this folder by default
REDIS_URL                             a cache inside the process by default
WEB_CONCURRENCY                       gunicorn's own: how many processes share the key while there is no Redis

What is set half, or would show strangers what is for this machine, is refused: see `demo_site.exposure`.
"""

import hmac
import os
from pathlib import Path
from typing import Any

import dj_database_url
import django
from django.core.exceptions import ImproperlyConfigured

from demo_site.exposure import is_loopback_name, refusal, switched_on

BASE_DIR = Path(__file__).resolve().parent.parent


def _listed(name: str) -> list[str]:
    return [entry.strip() for entry in os.environ.get(name, "").split(",") if entry.strip()]


ALLOWED_HOSTS = _listed("ALLOWED_HOSTS")
if _why_not := refusal(os.environ, ALLOWED_HOSTS):
    raise ImproperlyConfigured(_why_not)
PUBLIC_HOSTS = [host for host in ALLOWED_HOSTS if not is_loopback_name(host)]
DEBUG = switched_on(os.environ, "DEBUG", otherwise=not os.environ.get("SECRET_KEY"))
LOCAL_ONLY = DEBUG
"""Whether nobody but this machine is answered: always so while the secret key is the one below."""
# The known key is only ever used with DEBUG on, `refusal` has made sure.
SECRET_KEY = os.environ.get("SECRET_KEY") or "django-insecure-the-demo-is-for-this-machine-only"

_NAMED = [host for host in PUBLIC_HOSTS if not host.startswith(("*", "."))]
# A proxy in front ends TLS, so Django can't tell by itself that a form on https:// is its own.
CSRF_TRUSTED_ORIGINS = [
    f"https://{f'*{host}' if host.startswith('.') else host}" for host in PUBLIC_HOSTS if host != "*"
]

NEIGHBOUR_ORIGIN = os.environ.get("NEIGHBOUR_ORIGIN", "")
KORDLESS_BOOKING: dict[str, Any] = {
    "EMBED_ORIGINS": ["'self'", *_listed("KORDLESS_EMBED_ORIGINS"), *filter(None, [NEIGHBOUR_ORIGIN])],
    "PROCESSES": int(os.environ.get("WEB_CONCURRENCY", "1")),
    "WEBHOOK_SECRETS": _listed("KORDLESS_WEBHOOK_SECRET"),
}
if os.environ.get("KORDLESS_API_KEY"):
    KORDLESS_BOOKING |= {
        "API_KEY": os.environ["KORDLESS_API_KEY"],
        "ORG_SLUG": os.environ.get("KORDLESS_ORG_SLUG", ""),
        "BASE_URL": os.environ.get("KORDLESS_BASE_URL", ""),
    }
else:
    KORDLESS_BOOKING["SANDBOX"] = Path(os.environ.get("KORDLESS_SANDBOX_FILE", BASE_DIR / "sandbox.sqlite3"))
    # Both ends of the webhook are here, so they agree on a secret that nobody has to think of.
    KORDLESS_BOOKING["WEBHOOK_SECRETS"] = KORDLESS_BOOKING["WEBHOOK_SECRETS"] or [
        f"whsec_{hmac.digest(SECRET_KEY.encode(), b'demo_site.webhook', 'sha256').hex()}"
    ]
    # Nobody real gets mail from a sandbox: what it writes is put into a folder, which /mail/ shows.
    SANDBOX_MAIL = KORDLESS_BOOKING["SANDBOX"].parent / "sandbox-mail"
    KORDLESS_BOOKING |= {
        "MAIL": True,
        "MAIL_FROM": "bookings@acme-salon.example",
        "SITE_URL": os.environ.get("SITE_URL") or (f"https://{_NAMED[0]}" if _NAMED else "http://127.0.0.1:8000"),
    }
    if django.VERSION >= (6, 1):
        MAILERS = {"default": {"BACKEND": "demo_site.postbox.Folder"}}
    else:
        EMAIL_BACKEND = "demo_site.postbox.Folder"
SANDBOX_WEBHOOK = os.environ.get("KORDLESS_SANDBOX_WEBHOOK", "") if "SANDBOX" in KORDLESS_BOOKING else ""

INSTALLED_APPS = [
    "demo_site",  # before all others that bring a runserver
    "whitenoise.runserver_nostatic",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "kordless_booking",
]
MIDDLEWARE = [
    "demo_site.local.LocalMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "demo_site.policy.PolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "demo_site.urls"
WSGI_APPLICATION = "demo_site.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
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

_DATABASE: dict[str, Any] = {**dj_database_url.config(default=f"sqlite:///{BASE_DIR / 'demo.sqlite3'}")}
if _DATABASE["ENGINE"] == "django.db.backends.sqlite3":
    # Several workers write: let them queue from the start of a transaction on, and readers read meanwhile.
    _DATABASE["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
    }
else:
    _DATABASE |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
DATABASES = {"default": _DATABASE}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES: dict[str, dict[str, Any]] = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
if os.environ.get("REDIS_URL"):
    CACHES["default"] = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": os.environ["REDIS_URL"],
        # A Redis that hangs is given up after a second; by default every visitor would wait for five.
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }

# Nothing is real on the sandbox, so its staff need no secret at this machine; anywhere else there is no such login.
STAFF_LOGIN = LOCAL_ONLY and "SANDBOX" in KORDLESS_BOOKING
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    *(["demo_site.staff.SalonBackend"] if STAFF_LOGIN else []),
]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = Path(os.environ.get("STATIC_ROOT", BASE_DIR / "staticfiles"))
STATICFILES_DIRS = [BASE_DIR / "static"]
_STATIC_STORAGE = (
    "django.contrib.staticfiles.storage.StaticFilesStorage"
    if DEBUG
    else "whitenoise.storage.CompressedManifestStaticFilesStorage"
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _STATIC_STORAGE},
}

X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"kordless_booking": {"level": "INFO"}},
}
