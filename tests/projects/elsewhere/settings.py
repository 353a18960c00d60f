"""The plain host in German, on Nepal's clock (UTC+5:45), with its own address for the widget."""

from tests.projects.plain.settings import *  # noqa: F403 (a host project is the plain one plus what differs)

ROOT_URLCONF = "tests.projects.elsewhere.urls"
WSGI_APPLICATION = "tests.projects.elsewhere.wsgi.application"
LANGUAGE_CODE = "de"
TIME_ZONE = "Asia/Kathmandu"
