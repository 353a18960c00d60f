"""Configuration of the app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class JsonApiConfig(AppConfig):
    name = "kordless_booking.contrib.json_api"
    label = "kordless_json_api"
    verbose_name = pgettext_lazy("model", "Kordless booking: JSON for programs")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from kordless_booking.contrib.json_api.plugin import register  # noqa: PLC0415 (once apps are ready)

        register()
