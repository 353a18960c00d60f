"""The extension of tests/projects/extended/, plugged into the site of one test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.urls import include, path
from pytest_django import Settings

from kordless_booking import hooks
from kordless_booking.urls import app_name, build_urlpatterns
from tests.projects.extended.callback import plugin
from tests.projects.plain.urls import urlpatterns as plain_urlpatterns

TEMPLATES = Path(plugin.__file__).parent / "templates"


@contextmanager
def plugged_in(site: Settings) -> Iterator[plugin.Memory]:
    """Register the extension's hooks, and mount its pages; at the end no hook is left. Yield what it remembers."""
    with hooks.temporary_hooks():
        plugin.memory.__init__()
        plugin.register()
        mount_hooks(site)
        yield plugin.memory


def mount_hooks(site: Settings) -> None:
    """Mount the widget with the URL patterns that are registered now, and find the extension's templates."""
    _book, *others = plain_urlpatterns
    site.ROOT_URLCONF = (path("book/", include((build_urlpatterns(), app_name))), *others)
    site.TEMPLATES = [{**site.TEMPLATES[0], "DIRS": [*site.TEMPLATES[0]["DIRS"], TEMPLATES]}]
