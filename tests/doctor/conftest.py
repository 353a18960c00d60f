"""Fixtures: a site without any fault, for each test to break."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from pytest_django import Settings

from kordless_booking.api.session import wsgi_transport
from kordless_booking.conf import accounts
from kordless_booking.sandbox import SANDBOX_KEY, SANDBOX_ORG, Limits, Sandbox
from kordless_booking.upstream.registry import services_for
from tests.support.deliveries import NEW, OLD
from tests.support.sandbox_over_http import far_kordless
from tests.support.site_cache import empty_cache, use_wall_clock_cache

STATIC = "django.contrib.staticfiles.storage.StaticFilesStorage"


@pytest.fixture
def well(settings: Settings, account_settings: dict[str, Any], tmp_path: Path) -> Iterator[Settings]:
    """Set up everything that the doctor checks: secrets, origins, a shared cache, collected scripts."""
    for name in ("kordless_booking/booking.js", "django_htmx/htmx-2.min.js"):
        kept, found = tmp_path / "static" / name, finders.find(name)
        assert isinstance(found, str)
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(Path(found).read_bytes())
    settings.STATIC_ROOT = str(tmp_path / "static")
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": STATIC}}
    use_wall_clock_cache(settings)
    settings.KORDLESS_BOOKING = {
        **account_settings,
        "WEBHOOK_SECRETS": [NEW, OLD],
        "EMBED_ORIGINS": ["https://shop.example"],
        "REQUESTS_PER_MINUTE": 60,
        "CREATIONS_PER_MINUTE": 10,
    }
    yield settings
    empty_cache()


@pytest.fixture
def far(well: Settings) -> Iterator[Sandbox]:
    """Run Kordless behind a real socket, on a clock that runs from NOW, with the usual timeout of pages."""
    with far_kordless() as (sandbox, base, _clock):
        well.KORDLESS_BOOKING = {
            "API_KEY": SANDBOX_KEY,
            "ORG_SLUG": SANDBOX_ORG,
            "BASE_URL": base,
        }
        yield sandbox
        for account in accounts().values():
            services_for(account).client.close()


@pytest.fixture
def limited(well: Settings, sandbox: Sandbox) -> Sandbox:
    """Apply the documented limits, which the sandbox reports in its headers."""
    sandbox.limits = Limits()
    well.KORDLESS_BOOKING = {**well.KORDLESS_BOOKING, "TRANSPORT": wsgi_transport(sandbox)}
    return sandbox
