"""Run the sandbox as an HTTP server: python -m kordless_booking.sandbox --port 8765."""

from __future__ import annotations

import argparse
import os
import signal
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .app import SEEDS, Sandbox
from .limits import Limits
from .request import PREFIX
from .seeds import SANDBOX_KEY, SANDBOX_ORG
from .server import SandboxServer

if TYPE_CHECKING:
    from collections.abc import Sequence


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _stop(*_: object) -> None:
    # SIGTERM then ends the server like Ctrl-C, and the store is closed.
    raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m kordless_booking.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8765, help="0 for any free port (default: %(default)s)")
    parser.add_argument(
        "--host", default="127.0.0.1", help="default: %(default)s; anyone who can reach it can control it"
    )
    parser.add_argument("--path", default=":memory:", help="SQLite file for the bookings (default: in memory)")
    parser.add_argument("--now", type=_moment, help="start the clock at this ISO 8601 time (UTC if it has no offset)")
    parser.add_argument("--freeze", action="store_true", help="stop the clock at --now")
    parser.add_argument("--no-limits", action="store_true", help="disable rate limits")
    parser.add_argument(
        "--seed",
        choices=SEEDS,
        default=os.environ.get("KORDLESS_SANDBOX_SEED", "demo"),
        help="businesses: odd has more of them, each with something unusual (default: KORDLESS_SANDBOX_SEED, or demo)",
    )
    parser.add_argument("--quiet", action="store_true", help="do not log requests")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _stop)
    sandbox = Sandbox(given.path, limits=Limits.off() if given.no_limits else None, seed=given.seed)
    if given.now:
        sandbox.clock.set(given.now, frozen=given.freeze)
    try:
        server = SandboxServer(sandbox, given.host, given.port, quiet=given.quiet)
    except OSError as error:
        parser.error(f"can't listen on {given.host}:{given.port} ({error.strerror}): choose another --port")
    with suppress(KeyboardInterrupt), server:
        base = f"http://{given.host}:{server.server_port}{PREFIX}"
        for line in (
            f"Kordless sandbox at {base}",
            f"  key {SANDBOX_KEY}   organization {SANDBOX_ORG}",
            *(f"  key {each.key}   organization {each.slug}" for each in sandbox.businesses[1:]),
            f"  curl -H 'x-kordless-key: {SANDBOX_KEY}' {base}/org/{SANDBOX_ORG}",
            f"  control it under http://{given.host}:{server.server_port}/_sandbox/ and stop it with Ctrl-C",
        ):
            print(line, flush=True)  # noqa: T201 - what this command is for
        server.serve_forever(poll_interval=0.1)  # seconds between two checks for a shutdown
    sandbox.close()


if __name__ == "__main__":
    main()
