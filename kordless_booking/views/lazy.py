"""First view of a widget that loads on sight: a link to it, made without waiting for Kordless."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from django.urls import NoReverseMatch
from django.utils.translation import pgettext

from kordless_booking.views.page import build_page
from kordless_booking.views.rendering import PageRenderer

if TYPE_CHECKING:
    from kordless_booking.views.rendering import PageResponse
    from kordless_booking.views.request import WidgetRequest


def lazy_page(visit: WidgetRequest, service: str) -> PageResponse:
    """Return a link to the list of services, or to the times of a service. The script follows it on sight.

    `visit` must read cached data alone.
    """
    url = visit.links.services_url
    # The site's template may name a service that no URL can have.
    with suppress(NoReverseMatch):
        url = visit.links.service_url("slots", service, visit.choices) if service else url
    page = build_page(
        visit,
        pgettext("heading", "Book online"),
        name="services",
        address=url,
        # What is asked for on sight is asked for in the visitor's own zone at once.
        self_url=url,
        autozone=visit.choices.timezone is None,
    )
    return PageRenderer(visit, page).render_cached("kordless_booking/steps/lazy.html", {"url": url})
