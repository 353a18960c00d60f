"""Configuration of the Django app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class AssistantConfig(AppConfig):
    name = "kordless_booking.contrib.assistant"
    label = "kordless_assistant"
    # Translators: name of an app in the admin: it understands when somebody wants an appointment, in their own words.
    verbose_name = pgettext_lazy("model", "Times in words")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from kordless_booking.contrib.assistant import checks, plugin  # noqa: F401, PLC0415 (once apps are ready)

        plugin.register()
