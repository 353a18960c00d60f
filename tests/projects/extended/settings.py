"""Settings of a host with an extension: the plain host, and the app `callback`, which plugs into every hook."""

from tests.projects.plain.settings import *  # noqa: F403 (a host project is the plain one plus what differs)
from tests.projects.plain.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.projects.extended.callback"]
