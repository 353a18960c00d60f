"""Configuration of the Django app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class KordlessBookingConfig(AppConfig):
    name = "kordless_booking"
    verbose_name = pgettext_lazy("model", "Kordless booking")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from kordless_booking import checks  # noqa: F401, PLC0415 (registers the checks once apps are ready)
