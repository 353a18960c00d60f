"""The benchmark site's own settings with django-appointment in the widget's place."""

from benchmarks.site.settings import *  # noqa: F403 (the same site on purpose)
from benchmarks.site.settings import INSTALLED_APPS as SITE_APPS

INSTALLED_APPS = [*SITE_APPS[:-2], "django_htmx", "appointment"]
ROOT_URLCONF = "benchmarks.peer.urls"
WSGI_APPLICATION = "benchmarks.peer.wsgi.application"
LOGGING = {"version": 1, "disable_existing_loggers": True, "loggers": {"appointment": {"level": "ERROR"}}}
