"""Command `manage.py demo 127.0.0.1:8000`: serves the demo, and someone else's website on NEIGHBOR_ORIGIN."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils.autoreload import DJANGO_AUTORELOAD_ENV

from demo_site.embedding_site import serve
from demo_site.exposure import is_loopback_name
from demo_site.management.commands.runserver import Command as RunserverCommand


class Command(RunserverCommand):
    help = "Serves the demo, and someone else's website beside it on NEIGHBOR_ORIGIN."

    addr: str
    port: str

    def run(self, **options: Any) -> None:
        """Serve both sites. Raises CommandError as `refuse_strangers` does.

        The autoreloader restarts the demo in a child process. Someone else's website stays in the parent.
        """
        self.refuse_strangers()
        neighbor = getattr(settings, "NEIGHBOR_ORIGIN", "")
        if neighbor and DJANGO_AUTORELOAD_ENV not in os.environ:
            origin = urlsplit(neighbor)
            port = origin.port or 80
            # Others can't use a name of this machine, so nothing but the loopback interface is needed.
            address = "127.0.0.1" if is_loopback_name(origin.hostname or "") else self.addr
            book = f"http://{self.addr}:{self.port}{reverse('kordless_booking:services')}"
            try:
                serve(book, address, port)
            except OSError as error:
                self.stderr.write(f"Someone else's website can't be served on port {port}: {error.strerror}.")
        super().run(**options)
