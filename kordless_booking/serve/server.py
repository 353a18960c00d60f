"""Server: gunicorn with threads, and the process beside it that sends reminders."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from gunicorn.app.base import BaseApplication

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter

    from kordless_booking.serve.configuration import Configuration

MAX_REQUEST_LINE: Final = 8190
"""Bytes, gunicorn's maximum. Its default of 4,094 is less than the address of a waiting page may have."""

_TIMER_SECONDS: Final = 30
"""For which the end waits for a run of mail that has begun; as long as gunicorn waits for requests."""


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn with the options of a configuration. `run()` serves until SIGTERM, and lets requests finish."""

    def __init__(
        self, configuration: Configuration, logging: dict[str, Any], announce: Callable[[], None], *, sends_mail: bool
    ) -> None:
        self._configuration = configuration
        self._logging = logging
        self._announce = announce
        self._sends_mail = sends_mail
        self._timer: subprocess.Popen[bytes] | None = None
        super().__init__()

    def load_config(self) -> None:
        given = self._configuration
        host = f"[{given['LISTEN_HOST']}]" if ":" in given["LISTEN_HOST"] else given["LISTEN_HOST"]
        options = {
            "bind": f"{host}:{given['PORT']}",
            "workers": given["WEB_CONCURRENCY"],
            "worker_class": "gthread",
            "threads": given["THREADS"],
            "preload_app": True,
            "limit_request_line": MAX_REQUEST_LINE,
            # Django alone decides which proxy is believed: TRUSTED_PROXIES and SECURE_PROXY_SSL_HEADER.
            "forwarded_allow_ips": "",
            # No access log: the address of a confirmation opens it.
            "logconfig_dict": self._logging,
            "proc_name": "kordless-booking",
            "when_ready": self._begin,
            "on_exit": self._end,
        }
        for name, value in options.items():
            self.cfg.set(name, value)
        # A socket that newer versions open in the home folder, through which others of this user could steer it.
        if "control_socket_disable" in self.cfg.settings:
            self.cfg.set("control_socket_disable", True)

    def load(self) -> Any:
        from kordless_booking.lazy_imports import preload  # noqa: PLC0415 (once settings are read)
        from kordless_booking.serve.wsgi import application  # noqa: PLC0415

        # Once for all processes, instead of with the first page of each.
        preload()
        return application

    def _begin(self, _arbiter: Arbiter) -> None:
        # Not before: the port may be somebody else's.
        self._announce()
        if self._sends_mail:
            command = [sys.executable, "-m", "kordless_booking.serve.mail_timer"]
            self._timer = subprocess.Popen(command, env=os.environ)  # noqa: S603 (ours)

    def _end(self, _arbiter: Arbiter) -> None:
        if self._timer is not None:
            self._timer.terminate()
            # It ends by itself, too, when this process is gone.
            with suppress(subprocess.TimeoutExpired):
                self._timer.wait(_TIMER_SECONDS)
