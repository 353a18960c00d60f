"""A site made with django CMS, under language prefixes, whose base has sekizai's blocks and the toolbar."""

from pathlib import Path

from tests.projects.optional_apps import with_optional_apps
from tests.projects.plain.settings import *  # noqa: F403
from tests.projects.plain.settings import INSTALLED_APPS, KORDLESS_BOOKING, MIDDLEWARE, TEMPLATES

HERE = Path(__file__).parent

ROOT_URLCONF = "tests.projects.cms_site.urls"
SITE_ID = 1
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "German")]
X_FRAME_OPTIONS = "SAMEORIGIN"
INSTALLED_APPS = [*with_optional_apps(INSTALLED_APPS), "django.contrib.sites", "cms", "menus", "treebeard", "sekizai"]
MIDDLEWARE = [
    "cms.middleware.utils.ApphookReloadMiddleware",
    *MIDDLEWARE[:2],
    "django.middleware.locale.LocaleMiddleware",
    *MIDDLEWARE[2:],
    "cms.middleware.user.CurrentUserMiddleware",
    "cms.middleware.page.CurrentPageMiddleware",
    "cms.middleware.toolbar.ToolbarMiddleware",
    "cms.middleware.language.LanguageCookieMiddleware",
]
STATICFILES_DIRS = [HERE / "static"]
_OPTIONS = TEMPLATES[0]["OPTIONS"]
TEMPLATES = [
    {
        **TEMPLATES[0],
        "DIRS": [HERE / "templates"],
        "OPTIONS": {
            **_OPTIONS,
            "context_processors": [
                *_OPTIONS["context_processors"],
                "django.template.context_processors.i18n",
                "django.template.context_processors.static",
                "sekizai.context_processors.sekizai",
                "cms.context_processors.cms_settings",
            ],
        },
    }
]
CMS_CONFIRM_VERSION4 = True
CMS_TEMPLATES = [("page.html", "Page")]
KORDLESS_BOOKING = {**KORDLESS_BOOKING, "BASE_TEMPLATE": "base.html"}
