"""WSGI entry point, for a server of your own: `gunicorn kordless_booking.serve.wsgi --limit-request-line 8190`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kordless_booking.serve.settings")

application = get_wsgi_application()
