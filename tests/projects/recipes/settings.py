"""A host of tests/projects with a recipe in it, whose files are in the folder RECIPE_FOLDER; its `settings.py` is last.

RECIPE_HOST names the host, RECIPE_APPS the apps of the recipe.
"""

import importlib
import os
from pathlib import Path
from typing import Any

BASE_DIR = Path(os.environ["RECIPE_FOLDER"])
_host: Any = importlib.import_module(f"tests.projects.{os.environ.get('RECIPE_HOST', 'plain')}.settings")
globals().update({name: getattr(_host, name) for name in dir(_host) if name.isupper()})

ALLOWED_HOSTS = [*_host.ALLOWED_HOSTS, "salon.example"]
INSTALLED_APPS = [*os.environ.get("RECIPE_APPS", "").split(), *_host.INSTALLED_APPS]
TEMPLATES = [{**_host.TEMPLATES[0], "DIRS": [BASE_DIR / "templates", *_host.TEMPLATES[0]["DIRS"]]}]
if (_added := BASE_DIR / "settings.py").is_file():
    exec(_added.read_text(), globals())  # noqa: S102 (the page's)
KORDLESS_BOOKING: dict[str, Any] = {
    **_host.KORDLESS_BOOKING,
    **globals().get("KORDLESS_BOOKING", {}),
    "SANDBOX": str(BASE_DIR / "sandbox.sqlite3"),
    "MINIMUM_FILL_SECONDS": 0,
    # All the time that a page may be given: on a busy machine the default can pass between two threads.
    "BROWSE_SECONDS": 25,
    "BOOKING_SECONDS": 25,
    "SITE_URL": "https://salon.example",
}
if (BASE_DIR / "urls.py").is_file():
    ROOT_URLCONF = "urls"
