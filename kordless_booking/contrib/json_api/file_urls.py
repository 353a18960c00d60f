"""Files at the mount itself, for agents that read the site."""

from __future__ import annotations

from django.urls import path

from kordless_booking.contrib.json_api import agent_pages

urlpatterns = [
    path("llms.txt", agent_pages.llms, name="api-llms"),
    path("<str:service>.md", agent_pages.service_page, name="api-service-page"),
]
