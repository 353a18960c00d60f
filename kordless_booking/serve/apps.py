"""Configuration of the site's own app."""

from __future__ import annotations

from django.apps import AppConfig

from kordless_booking import hooks


class ServeConfig(AppConfig):
    name = "kordless_booking.serve"
    label = "kordless_serve"

    def ready(self) -> None:
        # A service with this slug has its pages under service/: the address is the admin's.
        hooks.url_patterns.register("admin", [])
