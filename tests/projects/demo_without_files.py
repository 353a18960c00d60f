"""The demo's own settings without files: no database on disk, no static files that must be collected."""

from demo_site.settings import *  # noqa: F403 (the demo is what is tested)
from demo_site.settings import KORDLESS_BOOKING, STORAGES

DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
KORDLESS_BOOKING = {**KORDLESS_BOOKING, "SANDBOX": ":memory:", "FUNNEL": False}
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
