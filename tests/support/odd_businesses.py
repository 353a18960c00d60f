"""A site of one of the sandbox's odd businesses, see `kordless_booking.sandbox.odd_seeds`."""

from __future__ import annotations

from pytest_django import Settings

from kordless_booking.sandbox import SEEDS, Sandbox, find_key


def use_odd_business(settings: Settings, sandbox: Sandbox, org_slug: str) -> None:
    """Let the site of the fixture `site` book at this business, and give the sandbox all of them."""
    sandbox.businesses = SEEDS["odd"]
    settings.KORDLESS_BOOKING = {**settings.KORDLESS_BOOKING, "API_KEY": find_key(org_slug), "ORG_SLUG": org_slug}
