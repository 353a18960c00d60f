"""Command `manage.py runserver`: refuses to listen on a public address while the demo is for this machine only."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.staticfiles.management.commands.runserver import Command as StaticfilesCommand
from django.core.management import CommandError

from demo_site.exposure import is_loopback_name


class Command(StaticfilesCommand):
    addr: str
    port: str

    def run(self, **options: Any) -> None:
        """Serve, with WhiteNoise for the static files. Raises CommandError as `refuse_strangers` does."""
        self.refuse_strangers()
        super().run(**{**options, "use_static_handler": False})

    def refuse_strangers(self) -> None:
        """Raise CommandError if other machines could connect, whose requests the middleware would reject anyway."""
        if getattr(settings, "LOCAL_ONLY", True) and not is_loopback_name(self.addr):
            raise CommandError(
                f"{self.addr} can be reached from elsewhere, and this demo is for this machine only, "
                "since it has no SECRET_KEY or DEBUG is on. Serve it on 127.0.0.1, or set SECRET_KEY, ALLOWED_HOSTS "
                "and KORDLESS_API_KEY with KORDLESS_ORG_SLUG or KORDLESS_SANDBOX=1."
            )
