"""The widget inside the base templates of Wagtail, django CMS, and a site with allauth and everything strict.

Each host runs in a process of its own, with its own settings, where its packages are installed: `nox -s hosts`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 240
"""Longest that a host's migrations and the journey may take on a busy machine."""
HOSTS = {"wagtail_site": ("wagtail",), "cms_site": ("cms", "sekizai"), "allauth_site": ("allauth", "csp")}
"""Packages that each host needs."""


def run_journey_process(host: str) -> dict[str, Any]:
    """Book in the host's frame; its result."""
    missing = [name for name in HOSTS[host] if find_spec(name) is None]
    if missing:
        pytest.skip(f"{host} needs {' and '.join(missing)}: nox -s hosts installs them")
    command = [sys.executable, "-m", "tests.hosts.host_journey", host]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_wagtails_base_goes_around_every_page():
    """With the user bar, the site's navigation, and one title."""
    found = run_journey_process("wagtail_site")
    assert found["number"]
    assert found["limits"][1:] == ["after 3:00 PM"]
    assert "Haircut · Acme Salon" in found["titles"]


def test_django_cms_base_keeps_its_toolbar_menus_and_sekizai_blocks():
    """What `addtoblock` collects behind the widget stands in the head, and at the end of the body."""
    found = run_journey_process("cms_site")
    assert found["number"]
    assert found["limits"][1:] == ["after 3:00 PM"]
    assert found["sekizai"] == 2
    assert found["frame_options"] == "SAMEORIGIN"


def test_a_base_of_allauth_with_everything_strict_lets_visitors_book():
    """Behind HTTPS and a login wall; each script and style sheet has the nonce of the policy, which is the site's."""
    found = run_journey_process("allauth_site")
    assert found["number"]
    assert found["limits"][1:] == ["after 3:00 PM"]
    [nonce] = set(found["nonces"])
    assert f"'nonce-{nonce}'" in found["policy"]
    assert "'strict-dynamic'" in found["policy"]
    assert found["frame_options"] == "DENY"
