"""URLs below `api/`. The order matters: a service may have any slug, also that of a document."""

from __future__ import annotations

from typing import Final

from django.urls import path, re_path

from kordless_booking.contrib.json_api import views
from kordless_booking.contrib.json_api.attempts import attempt, attempts

RESERVED: Final = frozenset({"services", "openapi", "attempts", "service"})
"""Slugs of services that have their documents under `service/` alone."""

urlpatterns = [
    path("openapi.json", views.openapi, name="api-openapi"),
    path("services.json", views.services, name="api-services"),
    path("attempts.json", attempts, name="api-attempts"),
    path("attempts/<str:token>.json", attempt, name="api-attempt"),
    path("service/<str:service>/times.json", views.times, name="api-times-named"),
    path("service/<str:service>.json", views.service, name="api-service-named"),
    path("<str:service>/times.json", views.times, name="api-times"),
    path("<str:service>.json", views.service, name="api-service"),
    # Else the widget's page for unknown addresses would answer, in HTML.
    re_path(r"^(?P<rest>(?s:.*))\Z", views.nowhere, name="api-nowhere"),
]


def name_for(name: str, slug: str) -> str:
    """Return the URL name of a service's document."""
    return f"{name}-named" if slug in RESERVED else name
