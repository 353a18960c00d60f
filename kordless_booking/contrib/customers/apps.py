"""Configuration of the app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class CustomersConfig(AppConfig):
    name = "kordless_booking.contrib.customers"
    label = "kordless_customers"
    verbose_name = pgettext_lazy("model", "Kordless customers")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from kordless_booking.contrib.customers.plugin import register  # noqa: PLC0415 (once models are loaded)

        register()
