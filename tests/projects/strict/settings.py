"""The plain host behind LoginRequiredMiddleware, a strict CSP and ATOMIC_REQUESTS."""

from tests.projects.plain.settings import *  # noqa: F403 (a host project is the plain one plus what differs)
from tests.projects.plain.settings import DATABASES, MIDDLEWARE

ROOT_URLCONF = "tests.projects.strict.urls"
MIDDLEWARE = [
    "tests.projects.strict.csp.StrictPolicyMiddleware",
    *MIDDLEWARE,
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
]
DATABASES = {"default": {**DATABASES["default"], "ATOMIC_REQUESTS": True}}
LOGIN_URL = "/admin/login/"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "no-referrer"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
