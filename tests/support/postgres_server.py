"""A real PostgreSQL for tests, on a free loopback port, in a folder that goes when it stops.

`python -m tests.support.postgres_server COMMAND…` runs a command with DATABASE_URL set to such a server.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.reserved_port import reserved_port

WHY_NO_POSTGRES = "no PostgreSQL on this machine: install Debian's postgresql package to run this test"
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    # Nothing here outlives the test, so nothing need reach the disk.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


def _programs() -> Path | None:
    """The folder with initdb and pg_ctl: on the path, or Debian's newest."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    debian = Path("/usr/lib/postgresql")
    versions = sorted(debian.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return versions[-1].parent if versions else None


POSTGRES = _programs()


def _owner() -> pwd.struct_passwd | None:
    """Return the user that runs the server, or None for the current one: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


@contextmanager
def running_postgres() -> Iterator[str]:
    """Run a PostgreSQL while the context lasts; gives the URL of its first database."""
    with reserved_port() as port, _serving_at(port):
        yield f"postgres://kordless@127.0.0.1:{port}/postgres"


@contextmanager
def _serving_at(port: int) -> Iterator[None]:
    """Run it at this port."""
    assert POSTGRES is not None
    owner = _owner()
    as_owner: dict[str, Any] = {}
    # Not under pytest's folder, which the other user can't enter.
    folder = Path(tempfile.mkdtemp(prefix="kordless-postgres-"))
    if owner:
        shutil.chown(folder, owner.pw_uid, owner.pw_gid)
        as_owner = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    data = str(folder / "data")
    initdb = [str(POSTGRES / "initdb"), "--pgdata", data, "--username", "kordless", "--auth", "trust"]
    pg_ctl = [str(POSTGRES / "pg_ctl"), "--pgdata", data, "--wait"]
    options = " ".join(f"-c {name}='{value}'" for name, value in OPTIONS.items())

    def run(*command: str) -> None:
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, **as_owner)  # noqa: S603 (ours)

    try:
        run(*initdb, "--encoding", "UTF8", "--locale", "C", "--no-sync")
        run(*pg_ctl, "--log", str(folder / "log"), "--options", f"-p {port} {options}", "start")
        try:
            yield
        finally:
            run(*pg_ctl, "--mode", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main(command: list[str]) -> int:
    """Run the command on a server of its own; its exit status."""
    if POSTGRES is None:
        print(WHY_NO_POSTGRES, file=sys.stderr)  # noqa: T201 (what a command says)
        return 1
    with running_postgres() as url:
        return subprocess.run(command, env={**os.environ, "DATABASE_URL": url}, check=False).returncode  # noqa: S603 (given)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
