"""Sphinx's settings for the documentation site: `make docs` builds it into build/docs/.

Every page is Markdown that reads well on a code host too, so links are relative paths of files and anchors of headings,
as a code host makes them. A link that leads nowhere is a warning, and each warning is an error.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT: Final = Path(__file__).resolve().parent.parent
ROOT_PAGES: Final = {
    "changelog": "CHANGELOG.md",
    "contributing": "CONTRIBUTING.md",
    "security": "SECURITY.md",
}
"""Pages of the site whose text is a file at the top of the repository, where code hosts look for it."""

sys.path.insert(0, str(ROOT))  # for autodoc where the package isn't installed

import django  # noqa: E402 (the path first)
from django.conf import settings  # noqa: E402

from kordless_booking import __version__  # noqa: E402

settings.configure(
    SECRET_KEY="documentation",  # noqa: S106 (signs nothing)
    INSTALLED_APPS=["django.contrib.contenttypes", "kordless_booking"],
    USE_TZ=True,
)
django.setup()

project = "kordless-booking"
author = "Kordless"
project_copyright = "Kordless"
version = release = __version__
language = "en"
highlight_language = "none"  # of blocks that name no language, such as drawings

extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
nitpicky = True
# Types of Django and of the standard library: their own documentation is somewhere else, and nothing here is fetched.
nitpick_ignore_regex = [("py:.*", ".*")]
# Samples leave out what isn't the point: `KORDLESS_BOOKING = {…, "MAIL": True}`. No lexer knows that.
suppress_warnings = ["misc.highlighting_failure"]

myst_heading_anchors = 3
myst_enable_extensions = ["attrs_block", "attrs_inline", "colon_fence"]
default_role = "code"  # of docstrings: `name` is a piece of code, as in Markdown
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_display_short_literal_types = True
python_maximum_signature_line_length = 70  # a longer one has a line for each argument

html_theme = "furo"
html_title = "kordless-booking"
html_static_path = ["_static"]
html_css_files = ["docs.css"]
html_js_files = [("docs.js", {"defer": "defer"})]
html_favicon = "_static/mark.svg"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"
html_theme_options = {
    "light_logo": "mark.svg",
    "dark_logo": "mark.svg",
    "navigation_with_keys": True,
    "top_of_page_buttons": [],
    # The theme writes them twice: for readers who chose dark, and for those whose system did.
    "dark_css_variables": {
        "color-brand-primary": "#e3a5cb",
        "color-brand-content": "#e3a5cb",
        "color-brand-visited": "#e3a5cb",
        "color-background-primary": "#17131a",
        "color-background-secondary": "#1e1922",
        "color-background-border": "#362e3b",
        "color-sidebar-background": "#1b161f",
        "color-sidebar-background-border": "#2c2531",
        "color-inline-code-background": "#2a2330",
        "color-docs-code": "#1e1922",
        "color-highlight-on-target": "#3a2636",
        "color-api-name": "#e3a5cb",
        "color-api-pre-name": "#e3a5cb",
    },
}


def read_root_page(app: Sphinx, docname: str, source: list[str]) -> None:
    """Give a page the text of its file at the top of the repository, and let links to such files lead there."""
    if docname in ROOT_PAGES:
        path = ROOT / ROOT_PAGES[docname]
        app.env.note_dependency(str(path))
        source[0] = path.read_text(encoding="utf-8").replace("](docs/", "](")
    for page, name in ROOT_PAGES.items():
        source[0] = re.sub(rf"\]\((?:\.\./)*{re.escape(name)}", f"](/{page}.md", source[0])
    # README.md is what a code host and the package index show; here the tutorial says how to install.
    source[0] = source[0].replace("](../README.md#install-it-in-your-site)", "](tutorial.md)")


def setup(app: Sphinx) -> None:
    """Connect what reads the files at the top of the repository."""
    app.connect("source-read", read_root_page)
