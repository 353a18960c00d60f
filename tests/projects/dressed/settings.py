"""A host that restyles the widget, as deep as DRESSED says: by properties, by parts or by pages.

docs/theming.md shows these very files, each with a picture of what they do.
"""

import os
from pathlib import Path

from demo_site.settings import *  # noqa: F403
from demo_site.settings import KORDLESS_BOOKING, STATICFILES_DIRS, TEMPLATES

HERE = Path(__file__).parent
DEPTH = os.environ.get("DRESSED", "properties")

STATICFILES_DIRS = [*STATICFILES_DIRS, HERE / "static"]
KORDLESS_BOOKING = {**KORDLESS_BOOKING, "STYLE_SHEETS": [f"dressed/{DEPTH}.css"]}
TEMPLATES = [{**TEMPLATES[0], "DIRS": [HERE / DEPTH]}]
