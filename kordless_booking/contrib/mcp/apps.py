"""Configuration of the app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class McpConfig(AppConfig):
    name = "kordless_booking.contrib.mcp"
    label = "kordless_mcp"
    verbose_name = pgettext_lazy("model", "Kordless booking: tools for agents")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from kordless_booking.contrib.mcp import checks, plugin  # noqa: F401, PLC0415 (once apps are ready)

        plugin.register()
