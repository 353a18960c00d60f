"""A site with allauth, a login wall, HTTPS alone, and a policy of nonces with strict-dynamic: everything strict."""

from pathlib import Path

from csp.constants import NONCE, NONE, SELF, STRICT_DYNAMIC

from tests.projects.optional_apps import with_optional_apps
from tests.projects.plain.settings import *  # noqa: F403
from tests.projects.plain.settings import INSTALLED_APPS, KORDLESS_BOOKING, MIDDLEWARE, TEMPLATES

HERE = Path(__file__).parent

ROOT_URLCONF = "tests.projects.allauth_site.urls"
SITE_ID = 1
INSTALLED_APPS = [*with_optional_apps(INSTALLED_APPS), "django.contrib.sites", "allauth", "allauth.account", "csp"]
MIDDLEWARE = [
    *MIDDLEWARE,
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "csp.middleware.CSPMiddleware",
]
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
STATICFILES_DIRS = [HERE / "static"]
TEMPLATES = [{**TEMPLATES[0], "DIRS": [HERE / "templates"]}]
LOGIN_URL = "account_login"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [NONCE, STRICT_DYNAMIC],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", "https:"],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
SECURE_SSL_REDIRECT = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 3600
SECURE_REFERRER_POLICY = "no-referrer"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Strict"
CSRF_USE_SESSIONS = True
X_FRAME_OPTIONS = "DENY"
KORDLESS_BOOKING = {**KORDLESS_BOOKING, "BASE_TEMPLATE": "widget_base.html"}
