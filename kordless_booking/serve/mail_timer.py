"""Process beside the server that runs `kordless-booking mail` every five minutes: reminders, and mail that is due.

It imports nothing of Django, so that it costs a few megabytes while it waits. It ends with the server that started it.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from typing import Final

SECONDS: Final = 300
"""As often as docs/mail.md tells cron to."""
_POLL_SECONDS: Final = 5
"""Seconds until it notices that the server is gone."""


def main() -> None:
    """Run until SIGTERM, or until the parent process is another one."""
    parent = os.getppid()
    # A pipe, and no lock: a handler interrupts any line, also one that holds the lock already.
    stopped, stop = os.pipe()
    signal.signal(signal.SIGTERM, lambda *_: os.write(stop, b"."))
    # The terminal sends Ctrl-C to both; the server then ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        # A run that has begun ends by itself: a mail that is on its way must not be cut off.
        subprocess.run([sys.executable, "-m", "kordless_booking.serve.cli", "mail"], check=False)
        for _ in range(SECONDS // _POLL_SECONDS):
            if select.select([stopped], [], [], _POLL_SECONDS)[0] or os.getppid() != parent:
                return


if __name__ == "__main__":
    main()
