"""The demo's login for its staff: there on the sandbox of this machine alone, and nowhere else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

ROOT = Path(__file__).resolve().parents[2]
MODEL, SALON = "django.contrib.auth.backends.ModelBackend", "demo_site.staff.SalonBackend"
SANDBOX = {"KORDLESS_SANDBOX": "1"}
REAL = {"KORDLESS_API_KEY": "a-key", "KORDLESS_ORG_SLUG": "salon"}


@pytest.mark.long
@pytest.mark.parametrize(
    ("environment", "there"),
    [
        ({}, True),
        ({**SANDBOX, "SECRET_KEY": "s" * 50}, False),
        ({**SANDBOX, "SECRET_KEY": "s" * 50, "DEBUG": "1"}, True),
        ({**SANDBOX, "SECRET_KEY": "s" * 50, "ALLOWED_HOSTS": "book.example"}, False),
        (REAL, False),
        ({**REAL, "SECRET_KEY": "s" * 50, "DEBUG": "1"}, False),
    ],
)
def test_where_it_is(environment: dict[str, str], there: bool) -> None:
    """Neither with a real account nor with DEBUG off."""
    code = "from demo_site import settings; print(settings.AUTHENTICATION_BACKENDS, settings.STAFF_LOGIN)"
    done = subprocess.run(  # noqa: S603 (ours)
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"{[MODEL, SALON] if there else [MODEL]} {there}"


@pytest.mark.django_db
def test_the_salon_comes_in_and_keeps_no_password(client: Client, site: Settings) -> None:
    """Without the backend nobody is let in with it, and who was in is out."""
    site.AUTHENTICATION_BACKENDS = [MODEL, SALON]
    site.LOCAL_ONLY = True
    for wrong in (
        {"username": "salon", "password": "x"},
        {"username": "salon"},
        {"username": "other", "password": "salon"},
    ):
        assert authenticate(None, **wrong) is None
    assert client.login(username="salon", password="salon")
    assert client.get("/admin/").status_code == 200
    user = User.objects.get()
    assert user.is_superuser
    assert not user.has_usable_password()
    site.AUTHENTICATION_BACKENDS = [MODEL]
    assert authenticate(None, username="salon", password="salon") is None
    assert client.get("/admin/").status_code == 302
