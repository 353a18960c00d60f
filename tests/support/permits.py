"""Permits of an API key that are used up, as many requests in the last minute leave them."""

from __future__ import annotations

from contextlib import suppress

from kordless_booking.conf import get_account
from kordless_booking.exceptions import TooMany
from kordless_booking.upstream.registry import services_for


def use_browse_permits(leave: int) -> None:
    """Send requests of the default account until `leave` permits for pages are free. Nothing of it is cached.

    With 0, until none is granted at all.
    """
    services = services_for(get_account("kordless_booking"))
    with suppress(TooMany):
        while leave == 0 or services.gate.browse_permits().free > leave:
            services.client.organization()
