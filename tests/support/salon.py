"""Acme Salon with as many services as a test needs, and with texts of any length."""

from __future__ import annotations

from dataclasses import replace

from pytest_django import Settings

from kordless_booking.api.session import wsgi_transport
from kordless_booking.sandbox import Limits, Sandbox
from kordless_booking.sandbox.seeds import ACME
from tests.support.clock import NOW
from tests.support.site_cache import empty_cache


def open_salon(site: Settings, count: int = 9, **changes: object) -> Sandbox:
    """Let Acme Salon have `count` services, all like its haircut but for their names and these changes."""
    haircut = next(service for service in ACME.services if service.slug == "haircut")
    others = [
        replace(haircut, slug=f"treat-{n}", name=f"Tréatment {n}", category=f"Room {n % 5}", **changes)
        for n in range(count - 1)
    ]
    acme = replace(ACME, services=(replace(haircut, **changes), *others))
    sandbox = Sandbox(":memory:", now=NOW, limits=Limits.off(), businesses=(acme,))
    # What earlier pages have cached, or are about to, is of the salon that was there before.
    empty_cache()
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "TRANSPORT": wsgi_transport(sandbox)}
    return sandbox
