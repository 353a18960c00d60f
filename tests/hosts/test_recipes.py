"""Recipes of docs/recipes that need packages which a site with the widget doesn't: `nox -s hosts` installs them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import django
import pytest

from tests.support.recipes import run_recipe, write_files


def need(*packages: str) -> None:
    """Skip, and say so, where a package is missing."""
    if missing := [name for name in packages if find_spec(name) is None]:
        pytest.skip(f"needs {' and '.join(missing)}: nox -s hosts installs them")


@pytest.fixture
def sentry_folder(tmp_path: Path) -> Path:
    """The folder with the page's module."""
    need("sentry_sdk")
    write_files("sentry.md", tmp_path)
    return tmp_path


def test_sentry_gets_no_personal_data_with_the_recipe(sentry_folder: Path):
    """Neither of the crash in the contact step nor of the pages of a booking; the error and its place arrive."""
    dsn = "https://key@sentry.example/1"
    found = run_recipe("sentry", sentry_folder, SENTRY_DSN=dsn, RECIPE_DEFAULTS="0")
    assert found["leaked"] == []
    assert found["status"] == 500
    assert found["errors"] == ["ValueError"]
    assert "kordless_booking.views.abuse" in found["modules"]
    assert found["transactions"] > 5
    assert "/book/confirmation/{token}/" in found["names"]


def test_sentry_gets_personal_data_with_its_defaults(sentry_folder: Path):
    """The reason for the recipe, and the proof that its test would see a leak: all that was typed is sent."""
    found = run_recipe("sentry", sentry_folder, RECIPE_DEFAULTS="1")
    assert {"Zzqx Canary", "again@secret.example", "canary in the notes"} <= {*found["leaked"]}


def run(page: str, name: str, folder: Path, *packages: str, **environment: str) -> dict[str, Any]:
    """Run the site of a recipe with its page's files."""
    need(*packages)
    write_files(page, folder)
    return run_recipe(name, folder, **environment)


def test_jinja2_renders_the_widget_and_the_next_free_times(tmp_path: Path):
    """As functions of the environment, unescaped, and a time leads to its form."""
    found = run("jinja2.md", "jinja2", tmp_path, "jinja2")
    assert found["times"] > 0
    assert found["next_free"] == 3
    assert (found["widgets"], found["escaped"], found["form"]) == (1, False, True)


def test_a_streamfield_block_shows_the_times_in_a_wagtail_page(tmp_path: Path):
    """Published by Wagtail, inside its own base template."""
    found = run("wagtail.md", "wagtail", tmp_path, "wagtail", RECIPE_HOST="wagtail_site", RECIPE_APPS="booking_block")
    assert found["times"] > 0
    assert (found["widgets"], found["form"]) == (1, True)


def test_a_plugin_shows_the_times_in_a_django_cms_page(tmp_path: Path):
    """In a placeholder of a published page."""
    found = run("django-cms.md", "django_cms", tmp_path, "cms", RECIPE_HOST="cms_site", RECIPE_APPS="booking_plugin")
    assert found["times"] > 0
    assert (found["widgets"], found["form"]) == (1, True)


def test_celery_runs_one_task_for_each_change_after_the_commit(tmp_path: Path):
    """With the number and the start, and nothing about the person."""
    (tmp_path / "settings.py").write_text("CELERY_TASK_ALWAYS_EAGER = True\n")
    found = run("celery.md", "celery", tmp_path, "celery", RECIPE_APPS="crm")
    assert [each["task"] for each in found["started"]] == ["crm.tasks.write_to_crm", "crm.tasks.remove_from_crm"]
    assert {each["args"][0] for each in found["started"]} == {found["number"]}
    assert [len(each["args"]) for each in found["started"]] == [2, 1]
    assert not any(each["in_transaction"] for each in found["started"])


def test_djangos_own_tasks_get_one_for_each_change(tmp_path: Path):
    """With the number and the start, and nothing about the person."""
    name = "django.tasks" if django.VERSION >= (6,) else "django_tasks"
    need(name)
    backend = {"default": {"BACKEND": f"{name}.backends.dummy.DummyBackend"}}
    (tmp_path / "settings.py").write_text(f"TASKS = {backend}\n")
    write_files("django-tasks.md", tmp_path)
    tasks = tmp_path / "crm" / "tasks.py"
    tasks.write_text(tasks.read_text().replace("django.tasks", name))
    found = run_recipe("django_tasks", tmp_path, RECIPE_APPS="crm")
    assert [each["task"] for each in found["started"]] == ["write_to_crm", "remove_from_crm"]
    assert {each["args"][0] for each in found["started"]} == {found["number"]}
    assert [len(each["args"]) for each in found["started"]] == [2, 1]


def test_prometheus_reads_the_counts_of_the_log(tmp_path: Path):
    """Bookings and requests to Kordless are counted; nothing personal is a label."""
    found = run("prometheus.md", "prometheus", tmp_path, "prometheus_client")
    assert found["leaked"] == []
    assert 'kordless_call_seconds_count{operation="create",status="201"} 1.0' in found["text"]
    assert 'kordless_events_total{event="kordless_call",level="INFO"}' in found["text"]
