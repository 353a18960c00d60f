"""Django settings of the demo, all from the environment. With nothing set it runs on this machine, on the sandbox.

KORDLESS_API_KEY, KORDLESS_ORG_SLUG   your Kordless account
KORDLESS_SANDBOX                      1 for the embedded sandbox instead, whose bookings reach nobody; the default
                                      without an account and a SECRET_KEY
KORDLESS_BASE_URL                     URL of the Booking API, if it isn't the default one
KORDLESS_SANDBOX_FILE                 file for the sandbox's bookings; in this folder by default
KORDLESS_SANDBOX_ORG                  slug of another of the sandbox's businesses, such as odd-times
KORDLESS_SANDBOX_WEBHOOK              URL that the embedded sandbox delivers its webhooks to: this site's own endpoint
KORDLESS_WEBHOOK_SECRET               comma-separated secrets of the webhook that Kordless sends to /book/webhook/
KORDLESS_EMBED_ORIGINS                comma-separated origins that may frame the widget
SITE_URL                              URL of this site for links that leave it; the sandbox's mails are shown at /mail/
NEIGHBOR_ORIGIN                      where `manage.py demo` serves someone else's website; it may frame the widget
SECRET_KEY                            required to serve others: without it only this machine is served
DEBUG                                 1 or 0; 1 without a SECRET_KEY, otherwise 0. With 1 only this machine is served
ALLOWED_HOSTS                         comma-separated; with DEBUG this machine's names need not be listed
DATABASE_URL                          SQLite in this folder by default
STATIC_ROOT                           where collectstatic puts the static files; staticfiles/ in this folder by default
REDIS_URL                             the cache; by default each process has its own
WEB_CONCURRENCY                       gunicorn's own: number of processes that share the key while there is no Redis
TRUSTED_PROXIES                       number of proxies in front that append to X-Forwarded-For; 0 by default
SECURE_PROXY_SSL_HEADER               header and value by which the proxy says that it was reached over https, as in
                                      HTTP_X_FORWARDED_PROTO,https; only where the proxy always sets or removes it

Settings that are incomplete, or would expose the demo's tools to the public, are rejected: see `demo_site.exposure`.
"""

import hmac
import os
from pathlib import Path
from typing import Any

import dj_database_url
import django
from django.core.exceptions import ImproperlyConfigured

from demo_site import consent_texts
from demo_site.exposure import env_flag, find_misconfiguration, is_loopback_name
from kordless_booking.sandbox import LAKESIDE_KEY, LAKESIDE_ORG, find_key

BASE_DIR = Path(__file__).resolve().parent.parent


def _listed(name: str) -> list[str]:
    return [entry.strip() for entry in os.environ.get(name, "").split(",") if entry.strip()]


def _webhook_secret(name: str) -> str:
    """Return a secret for the sandbox's webhooks. Both ends are this site, so it can be derived from SECRET_KEY."""
    return f"whsec_{hmac.digest(SECRET_KEY.encode(), name.encode(), 'sha256').hex()}"


ALLOWED_HOSTS = _listed("ALLOWED_HOSTS")
if _why_not := find_misconfiguration(os.environ, ALLOWED_HOSTS):
    raise ImproperlyConfigured(_why_not)
PUBLIC_HOSTS = [host for host in ALLOWED_HOSTS if not is_loopback_name(host)]
DEBUG = env_flag(os.environ, "DEBUG", otherwise=not os.environ.get("SECRET_KEY"))
LOCAL_ONLY = DEBUG
"""True to serve this machine only. Always so with the public secret key below."""
# The public key is only used with DEBUG on: `refusal` rejects it otherwise.
SECRET_KEY = os.environ.get("SECRET_KEY") or "django-insecure-the-demo-is-for-this-machine-only"

_NAMED = [host for host in PUBLIC_HOSTS if not host.startswith(("*", "."))]
# A proxy terminates TLS, so Django can't tell by itself that a form on https:// is its own.
CSRF_TRUSTED_ORIGINS = [
    f"https://{f'*{host}' if host.startswith('.') else host}" for host in PUBLIC_HOSTS if host != "*"
]

_SITE_URL = os.environ.get("SITE_URL") or (f"https://{_NAMED[0]}" if _NAMED else "http://127.0.0.1:8000")

NEIGHBOR_ORIGIN = os.environ.get("NEIGHBOR_ORIGIN", "")
KORDLESS_BOOKING: dict[str, Any] = {
    "EMBED_ORIGINS": ["'self'", *_listed("KORDLESS_EMBED_ORIGINS"), *filter(None, [NEIGHBOR_ORIGIN])],
    "PROCESSES": int(os.environ.get("WEB_CONCURRENCY", "1")),
    "TRUSTED_PROXIES": int(os.environ.get("TRUSTED_PROXIES") or "0"),
    "WEBHOOK_SECRETS": _listed("KORDLESS_WEBHOOK_SECRET"),
}
if os.environ.get("KORDLESS_API_KEY"):
    KORDLESS_BOOKING |= {
        "API_KEY": os.environ["KORDLESS_API_KEY"],
        "ORG_SLUG": os.environ.get("KORDLESS_ORG_SLUG", ""),
        "BASE_URL": os.environ.get("KORDLESS_BASE_URL", ""),
    }
else:
    SILENCED_SYSTEM_CHECKS = ["kordless_booking.W007"]  # its pages say that bookings reach nobody
    KORDLESS_BOOKING["SANDBOX"] = Path(os.environ.get("KORDLESS_SANDBOX_FILE", BASE_DIR / "sandbox.sqlite3"))
    if _org := os.environ.get("KORDLESS_SANDBOX_ORG", ""):
        try:
            KORDLESS_BOOKING |= {"API_KEY": find_key(_org), "ORG_SLUG": _org}
        except ValueError as _error:
            raise ImproperlyConfigured(f"KORDLESS_SANDBOX_ORG: {_error}.") from None
    KORDLESS_BOOKING["WEBHOOK_SECRETS"] = KORDLESS_BOOKING["WEBHOOK_SECRETS"] or [_webhook_secret("demo_site.webhook")]
    # The sandbox's customers aren't real. Mails to them go into a folder, which /mail/ shows.
    SANDBOX_MAIL = KORDLESS_BOOKING["SANDBOX"].parent / "sandbox-mail"
    KORDLESS_BOOKING |= {
        "MAIL": True,
        "MAIL_FROM": "bookings@acme-salon.example",
        # Customers without an email address get a text message, which /mail/ shows too.
        "MESSENGER": "demo_site.mail_viewer.send_message",
        "SITE_URL": _SITE_URL,
    }
    # Django 6.1 replaces EMAIL_BACKEND by MAILERS.
    if django.VERSION >= (6, 1):
        MAILERS = {"default": {"BACKEND": "demo_site.mail_viewer.Folder"}}
    else:
        EMAIL_BACKEND = "demo_site.mail_viewer.Folder"
EVERYTHING: dict[str, Any] = {
    # Only {service} is the widget's.
    "DONE_URL": _SITE_URL.rstrip("/") + "/thanks/?service={service}",
    "API_KEY": LAKESIDE_KEY,
    "ORG_SLUG": LAKESIDE_ORG,
    "WEBHOOK_SECRETS": [_webhook_secret("demo_site.webhook.everything")],
    "MAIL_FROM": "bookings@lakeside-studio.example",
    "STAFF_EMAIL": "desk@lakeside-studio.example",
    "CONTACT_FIELDS": {"email": "required", "name": "first_last"},
    "NEXT_FREE": True,
    "BOOK_AGAIN_WEEKS": 4,
    "GUESTS": "party",
    "PRIVACY_URL": "/privacy/",
    "TERMS_URL": "/terms/",
    "CONSENT": [
        {"name": "rules", "label": consent_texts.RULES, "required": True, "version": "2026-01"},
        {"name": "newsletter", "label": consent_texts.NEWS, "marketing": True, "version": "2026-01"},
    ],
    "SERVICES": {
        "posture-call": {"GUESTS": 2},
        "home-visit": {"CONTACT_FIELDS": {"phone": "required", "notes": "required"}},
        "open-class": {"CONTACT_FIELDS": {"phone": "hidden", "notes": "hidden"}},
    },
    "SUPPORT_PHONE": "+44 20 7946 0123",
    "QUESTIONS": {
        "massage": [
            {
                "name": "pressure",
                "label": {
                    "en": "How firm should it be?",
                    "de": "Wie fest soll es sein?",
                    "ar": "ما قوة الضغط المفضلة؟",
                },
                "title": {"en": "Pressure", "de": "Druck", "ar": "قوة الضغط"},
                "kind": "choice",
                "choices": [
                    ["light", {"en": "Light", "de": "Leicht", "ar": "خفيف"}],
                    ["medium", {"en": "Medium", "de": "Mittel", "ar": "متوسط"}],
                    ["firm", {"en": "Firm", "de": "Fest", "ar": "قوي"}],
                ],
                "required": True,
            },
            {
                "name": "areas",
                "label": {"en": "Where does it hurt?", "de": "Wo tut es weh?", "ar": "أين تشعر بالألم؟"},
                "title": {"en": "Sore areas", "de": "Schmerzende Stellen", "ar": "مواضع الألم"},
                "kind": "choices",
                "choices": [
                    ["neck", {"en": "Neck", "de": "Nacken", "ar": "الرقبة"}],
                    ["shoulders", {"en": "Shoulders", "de": "Schultern", "ar": "الكتفان"}],
                    ["back", {"en": "Back", "de": "Rücken", "ar": "الظهر"}],
                    ["legs", {"en": "Legs", "de": "Beine", "ar": "الساقان"}],
                ],
            },
            {
                "name": "allergies",
                "label": {"en": "Any allergies?", "de": "Haben Sie Allergien?", "ar": "هل لديك حساسية؟"},
                "title": {"en": "Allergies", "de": "Allergien", "ar": "الحساسية"},
                "help": {
                    "en": "Oils may contain nuts.",
                    "de": "Öle können Nüsse enthalten.",
                    "ar": "قد تحتوي الزيوت على مكسرات.",
                },
                "kind": "text",
            },
            {
                "name": "first_visit",
                "label": {
                    "en": "Is this your first visit?",
                    "de": "Sind Sie zum ersten Mal hier?",
                    "ar": "هل هذه زيارتك الأولى؟",
                },
                "title": {"en": "First visit", "de": "Erster Besuch", "ar": "الزيارة الأولى"},
                "kind": "yes_no",
            },
        ],
        "posture-call": [
            {
                "name": "work",
                "label": "Where do you sit?",
                "title": "Seat",
                "kind": "choice",
                "choices": ["At a desk", "At a till", "In a car", "In a truck", "At a piano", "On the floor"],
                "required": True,
            },
            {"name": "hours", "label": "Hours a day", "kind": "number", "min": 0, "max": 24, "decimals": 1},
            {"name": "since", "label": "Since when does it hurt?", "title": "Since", "kind": "date"},
            {"name": "story", "label": "What have you tried?", "title": "Tried", "kind": "long_text"},
        ],
    },
    "ASK_REASON": "optional",
    "ENFORCE_NOTICE": True,
    # On this machine, where no search engine comes: elsewhere nobody may find a sandbox.
    "INDEX": DEBUG,
}
"""Settings of the second business, at /book-all/: what is optional is switched on. It is there on the sandbox, beside
the salon, whose settings are those above.
"""
if "SANDBOX" in KORDLESS_BOOKING and "ORG_SLUG" not in KORDLESS_BOOKING:
    # The salon's name is the default namespace of the widget's URLs.
    KORDLESS_BOOKING["ACCOUNTS"] = {"kordless_booking": {}, "everything": EVERYTHING}
SANDBOX_WEBHOOK = os.environ.get("KORDLESS_SANDBOX_WEBHOOK", "") if "SANDBOX" in KORDLESS_BOOKING else ""

INSTALLED_APPS = [
    "demo_site",  # before the other apps with a `runserver` command: the first one wins
    "whitenoise.runserver_nostatic",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.sitemaps",
    "django.contrib.staticfiles",
    "django_htmx",
    "kordless_booking",
    "kordless_booking.contrib.customers",
    "kordless_booking.contrib.waitlist",
    "kordless_booking.contrib.json_api",
    "kordless_booking.contrib.mcp",
    "kordless_booking.contrib.assistant",
]
MIDDLEWARE = [
    "demo_site.local.LocalMiddleware",
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
    # For several writing workers. IMMEDIATE takes the write lock when a transaction starts, so they wait for their turn
    # (up to 20 seconds) instead of failing in the middle. WAL lets others read meanwhile.
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
        # Seconds. By default, every visitor would wait five seconds for a Redis that hangs.
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }

# The sandbox holds nothing real, so on this machine its staff login is public. Elsewhere it doesn't exist.
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

SECURE_PROXY_SSL_HEADER = tuple(_listed("SECURE_PROXY_SSL_HEADER")) or None
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
