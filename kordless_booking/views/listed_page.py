"""Pages of times that are made without the service's own settings, while permits are short.

Of the two calls that the page of a cold service costs, the one for its settings can be left out: the list of services
has name, price and length, and the slots have the time zone. Such a page doesn't know whether the customer comes to a
venue, so its times are by the visitor's clock where those of a complete page may be by the venue's. The next visitor
gets the complete page as soon as the settings are cached. A page that is open already keeps what it showed, or its
times would move under the visitor's eyes: the version that it sends back (KB-Seen) says that it was made in this way.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from kordless_booking.exceptions import TooMany
from kordless_booking.funnel.page_views import SEEN_HEADER
from kordless_booking.views.slot_reading import find_listed_service, is_service_skipped

if TYPE_CHECKING:
    from django.http import HttpRequest

    from kordless_booking.api.resources import ServiceDetail
    from kordless_booking.views.request import WidgetRequest

VERSION_PREFIX: Final = "listed-"
"""Beginning of the version of a page that was made without the service's settings."""
_COMPLETE_VERSION: Final = re.compile(r"[0-9a-f]{16}")
"""Version of a page that was made with them."""


def read_shown_service(visit: WidgetRequest, slug: str) -> tuple[ServiceDetail, bool]:
    """Return the service that the page shows, and True where its settings are left out. Raises KordlessError."""
    keeps_listed = shows_listed(visit.request)
    if keeps_listed or is_service_skipped(visit, slug):
        missing = visit.catalog.missing_service(slug)
        listed = find_listed_service(visit, slug)
        if listed is not None:
            # An open page is answered in its own way also once the settings are cached.
            if missing is not None and not keeps_listed:
                visit.access.reads.record_missing(missing)
            return listed, True
    try:
        return visit.bookable_service(slug), False
    except TooMany:
        # The last permits went to others meanwhile. A page is made of what is cached.
        missing, listed = visit.catalog.missing_service(slug), find_listed_service(visit, slug)
        if missing is None or listed is None:
            raise
        visit.access.reads.record_missing(missing)
        return listed, True


def shows_listed(request: HttpRequest) -> bool:
    """Return True if the request comes from an open page that was made without the service's settings."""
    shown_version: str = request.META.get(SEEN_HEADER, "")
    return shown_version.startswith(VERSION_PREFIX)


def would_lose_settings(shown_version: str, version: str) -> bool:
    """Return True if an open page (`shown_version`) was made with the settings, and the new one without."""
    return version.startswith(VERSION_PREFIX) and _COMPLETE_VERSION.fullmatch(shown_version) is not None
