"""Configuration of the app: add "kordless_booking.contrib.waitlist" to INSTALLED_APPS."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class WaitlistConfig(AppConfig):
    name = "kordless_booking.contrib.waitlist"
    label = "kordless_waitlist"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = pgettext_lazy("name of an app", "Kordless waitlist")

    def ready(self) -> None:
        from kordless_booking.contrib.waitlist import checks, plugin  # noqa: F401, PLC0415 (once models are loaded)

        plugin.register()
