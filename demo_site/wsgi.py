"""WSGI entry point of the demo: `gunicorn demo_site.wsgi`."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_site.settings")

application = get_wsgi_application()

# In each server process, because each has a sandbox of its own on the same file.
if url := getattr(settings, "SANDBOX_WEBHOOK", ""):
    from demo_site.sandbox_panel import deliver_webhooks

    deliver_webhooks(url)
