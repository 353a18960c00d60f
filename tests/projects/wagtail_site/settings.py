"""A site made with Wagtail, whose pages catch all addresses, with Wagtail's own base template around the widget."""

from pathlib import Path

from tests.projects.optional_apps import with_optional_apps
from tests.projects.plain.settings import *  # noqa: F403
from tests.projects.plain.settings import INSTALLED_APPS, KORDLESS_BOOKING, MIDDLEWARE, TEMPLATES

HERE = Path(__file__).parent

ROOT_URLCONF = "tests.projects.wagtail_site.urls"
INSTALLED_APPS = [
    "wagtail.contrib.redirects",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    *with_optional_apps(INSTALLED_APPS),
]
MIDDLEWARE = [*MIDDLEWARE, "wagtail.contrib.redirects.middleware.RedirectMiddleware"]
STATICFILES_DIRS = [HERE / "static"]
TEMPLATES = [{**TEMPLATES[0], "DIRS": [HERE / "templates"]}]
WAGTAIL_SITE_NAME = "Acme Salon"
WAGTAILADMIN_BASE_URL = "http://testserver"
KORDLESS_BOOKING = {**KORDLESS_BOOKING, "BASE_TEMPLATE": "base.html"}
