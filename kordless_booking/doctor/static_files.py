"""Check of the scripts: they can be served, and belong to this version."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import django_htmx
from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.files.storage import FileSystemStorage
from django.templatetags.static import static

from kordless_booking.doctor.finding import Findings, fix, note, ok

OWN_SCRIPT: Final = "kordless_booking/booking.js"
_HTMX_FOLDER: Final = Path(django_htmx.__file__).parent / "static"
# Before 1.28, django-htmx had only htmx 2, without the number.
HTMX_SCRIPT: Final = next(
    (name for name in ("django_htmx/htmx-2.min.js", "django_htmx/htmx.min.js") if (_HTMX_FOLDER / name).is_file()),
    "django_htmx/htmx-2.min.js",
)
"""The script that `{% htmx_script %}` links."""
SCRIPTS: Final = (OWN_SCRIPT, HTMX_SCRIPT)
"""Without them the widget works as it does without JavaScript. Views serve the style sheets and the scripts for other
sites."""
_SOURCE: Final = Path(__file__).parent.parent / "static"
"""The app's own static files, to compare with the collected ones."""


def examine() -> Findings:
    """Check that Django finds the scripts (with DEBUG), or that they were collected under the names in the pages."""
    if not apps.is_installed("django.contrib.staticfiles"):
        advice = "add django.contrib.staticfiles to INSTALLED_APPS, or serve the scripts at STATIC_URL in another way"
        yield note("static_unknown", "django.contrib.staticfiles is not installed", advice)
        return
    if settings.DEBUG:
        missing = [name for name in SCRIPTS if finders.find(name) is None]
        if missing:
            advice = "add AppDirectoriesFinder to STATICFILES_FINDERS"
            if HTMX_SCRIPT in missing and not apps.is_installed("django_htmx"):
                advice = 'add "django_htmx" to INSTALLED_APPS'
            yield fix("static_not_found", f"Django does not find {', '.join(missing)}", advice)
        else:
            yield ok("static", "Scripts are found; without DEBUG they have to be collected")
        return
    yield from _collected()


def _collected() -> Findings:
    try:
        addresses = [static(name) for name in SCRIPTS]
    # ManifestStaticFilesStorage raises for a file that isn't in its manifest.
    except ValueError:
        advice = "run manage.py collectstatic; until then pages with the widget fail"
        yield fix("static_not_collected", "The manifest of static files does not list the widget's scripts", advice)
        return
    storage = staticfiles_storage
    # On S3, for example. Only local files are checked.
    if not isinstance(storage, FileSystemStorage):
        yield note("static_elsewhere", f"Scripts are at {addresses[0]}, which was not checked")
        return
    # Only manifest storages have `stored_name`; elsewhere files keep their names.
    stored_name = getattr(storage, "stored_name", str)
    where = {name: Path(storage.path(stored_name(name))) for name in SCRIPTS} if storage.location else {}
    missing = [name for name in SCRIPTS if name not in where or not where[name].is_file()]
    if missing:
        advice = "run manage.py collectstatic; until then the widget works as without JavaScript"
        yield fix("static_not_collected", f"Not collected: {', '.join(missing)}", advice)
    # Only our own script: htmx has its version from another package.
    elif where[OWN_SCRIPT].read_bytes() != (_SOURCE / OWN_SCRIPT).read_bytes():
        advice = "run manage.py collectstatic, and restart the site"
        yield fix("static_old", f"The collected {OWN_SCRIPT} is from another version", advice)
    else:
        yield ok("static", "Scripts are collected, and from this version")
