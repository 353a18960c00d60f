"""Configuration of the site's own app."""

from __future__ import annotations

from django.apps import AppConfig, apps

from kordless_booking import hooks


class ServeConfig(AppConfig):
    name = "kordless_booking.serve"
    label = "kordless_serve"

    def ready(self) -> None:
        from django.contrib import admin  # noqa: PLC0415 (once apps are ready)

        # The name of the package's own part of the admin, which is translated.
        admin.site.site_title = admin.site.site_header = apps.get_app_config("kordless_booking").verbose_name
        from kordless_booking.serve.front_page import render_privacy  # noqa: PLC0415
        from kordless_booking.serve.login import LoginForm  # noqa: PLC0415

        admin.site.login_form = LoginForm

        hooks.template_slots.register("services_after", render_privacy)
        # A service with this slug has its pages under service/: the address is the admin's.
        hooks.url_patterns.register("admin", [])
