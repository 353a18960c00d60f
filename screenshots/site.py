"""The demo on a clock of its own, so that the same days and times stand on every picture.

Run as a process: it serves on the listening socket whose number it is given, from the moment that is given.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

ROOT = Path(__file__).resolve().parents[1]
MOMENT = datetime(2026, 12, 1, 15, 0, 5, tzinfo=UTC)
"""A Tuesday: ten in the morning in New York, where Acme Salon is."""


@contextmanager
def standing(folder: Path, settings: str = "demo_site.settings", **more: str) -> Iterator[str]:
    """The site's address, from MOMENT on, with nothing booked. `more` are further variables of its environment."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("KORDLESS_", "DJANGO_"))}
    environment = {
        **kept,
        "DJANGO_SETTINGS_MODULE": settings,
        "DATABASE_URL": f"sqlite:///{folder / 'demo.sqlite3'}",
        "KORDLESS_SANDBOX_FILE": str(folder / "sandbox.sqlite3"),
        **more,
    }
    with socket.create_server(("127.0.0.1", 0)) as listening, (folder / "site.log").open("w") as log:
        command = [sys.executable, "-m", "screenshots.site", str(listening.fileno()), str(MOMENT.timestamp())]
        with subprocess.Popen(  # noqa: S603 (ours)
            command,
            cwd=ROOT,
            env=environment,
            pass_fds=[listening.fileno()],
            stdout=log,
            stderr=subprocess.STDOUT,
        ) as running:
            try:
                yield f"http://127.0.0.1:{listening.getsockname()[1]}"
            finally:
                running.terminate()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


def _serve(number: int, moment: float) -> None:
    import time_machine  # noqa: PLC0415 (only this process travels)

    with time_machine.travel(moment, tick=True):
        import django  # noqa: PLC0415
        from django.conf import settings  # noqa: PLC0415
        from django.contrib.staticfiles.handlers import StaticFilesHandler  # noqa: PLC0415
        from django.core.management import call_command  # noqa: PLC0415

        django.setup()
        call_command("migrate", verbosity=0)
        from demo_site.wsgi import application  # noqa: PLC0415

        server = _Server(("127.0.0.1", 0), WSGIRequestHandler, bind_and_activate=False)
        server.socket.close()
        server.socket = socket.socket(fileno=number)
        server.server_name, server.server_port = "127.0.0.1", server.socket.getsockname()[1]
        server.setup_environ()
        # Sites without whitenoise leave static files to a server in front of them.
        serves_static = any("whitenoise" in name for name in settings.MIDDLEWARE)
        server.set_app(application if serves_static else StaticFilesHandler(application))
        server.serve_forever()


if __name__ == "__main__":
    _serve(int(sys.argv[1]), float(sys.argv[2]))
