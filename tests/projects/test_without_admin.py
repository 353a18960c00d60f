"""A site without admin, users, sessions and messages: the widget is all of it, and it counts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SITE = """
import sys, warnings
warnings.simplefilter("error")
import django
from django.conf import settings
settings.configure(
    SECRET_KEY="k" * 50, ALLOWED_HOSTS=["testserver"], ROOT_URLCONF=__name__, USE_TZ=True, STATIC_URL="static/",
    INSTALLED_APPS=["django_htmx", "kordless_booking"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    KORDLESS_BOOKING={"SANDBOX": ":memory:"})
django.setup()
from django.core.management import call_command
from django.test import Client
from django.urls import include, path
urlpatterns = [path("book/", include("kordless_booking.urls"))]
call_command("check")
call_command("migrate", verbosity=0)
with_a_name = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0"}
assert Client().get("/book/haircut/", headers=with_a_name).status_code == 200
from kordless_booking.funnel import counters
from kordless_booking.models import FunnelCount
assert counters.flush()
print(sorted(FunnelCount.objects.values_list("stage", "count")), "django.contrib.admin" in sys.modules)
"""


def test_it_works_without_the_admin() -> None:
    """Nothing of the operator's pages is loaded; the tables are there, and what visitors do is counted."""
    command = [sys.executable, "-c", SITE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 (ours)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[('service', 1), ('visit', 1)] False"
