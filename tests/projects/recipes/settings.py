"""The plain host for the recipes, whose modules and templates are in the folder RECIPE_FOLDER."""

import os
from pathlib import Path

from tests.projects.plain.settings import *  # noqa: F403 (a host project is the plain one plus what differs)
from tests.projects.plain.settings import INSTALLED_APPS, KORDLESS_BOOKING, TEMPLATES

RECIPE_FOLDER = Path(os.environ["RECIPE_FOLDER"])
ROOT_URLCONF = os.environ.get("RECIPE_URLS", "tests.projects.plain.urls")
INSTALLED_APPS = [*INSTALLED_APPS, *os.environ.get("RECIPE_APPS", "").split()]
TEMPLATES = [{**TEMPLATES[0], "DIRS": [RECIPE_FOLDER / "templates"]}]
KORDLESS_BOOKING = {**KORDLESS_BOOKING, "MINIMUM_FILL_SECONDS": 0, "SITE_URL": "https://salon.example"}
