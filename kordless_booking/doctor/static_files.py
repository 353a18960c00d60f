"""Whether the widget's scripts can be served, and are those of this version."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.files.storage import FileSystemStorage
from django.templatetags.static import static

from kordless_booking.doctor.finding import Findings, fix, note, ok

__all__ = ["examine"]

OURS: Final = "kordless_booking/booking.js"
SCRIPTS: Final = (OURS, "django_htmx/htmx-2.min.js")
"""Without them the widget works as it does without JavaScript. Its styles and embed.js are no static files."""
_SOURCE: Final = Path(__file__).parent.parent / "static"


def examine() -> Findings:
    """With DEBUG, whether Django finds them; else whether they were collected, under the names that pages say."""
    if not apps.is_installed("django.contrib.staticfiles"):
        advice = "add django.contrib.staticfiles to INSTALLED_APPS, or serve them at STATIC_URL some other way"
        yield note("static_unknown", "django.contrib.staticfiles is not installed", advice)
        return
    if settings.DEBUG:
        lost = [name for name in SCRIPTS if finders.find(name) is None]
        if lost:
            advice = "look at STATICFILES_FINDERS: it needs AppDirectoriesFinder"
            yield fix("static_not_found", f"Django does not find {', '.join(lost)}", advice)
        else:
            yield ok("static", "Scripts are found; without DEBUG they have to be collected")
        return
    yield from _collected()


def _collected() -> Findings:
    try:
        addresses = [static(name) for name in SCRIPTS]
    except ValueError:
        advice = "run manage.py collectstatic; until then pages with the widget fail"
        yield fix("static_not_collected", "The manifest of static files does not name our scripts", advice)
        return
    storage = staticfiles_storage
    if not isinstance(storage, FileSystemStorage):
        yield note("static_elsewhere", f"Scripts are at {addresses[0]}, where they were not looked for")
        return
    stored_name = getattr(storage, "stored_name", str)
    where = {name: Path(storage.path(stored_name(name))) for name in SCRIPTS} if storage.location else {}
    lost = [name for name in SCRIPTS if name not in where or not where[name].is_file()]
    if lost:
        advice = "run manage.py collectstatic; until then the widget works as without JavaScript"
        yield fix("static_not_collected", f"Not collected: {', '.join(lost)}", advice)
    elif where[OURS].read_bytes() != (_SOURCE / OURS).read_bytes():
        advice = "run manage.py collectstatic, and restart the site"
        yield fix("static_old", f"The collected {OURS} is of another version", advice)
    else:
        yield ok("static", "Scripts are collected, and of this version")
