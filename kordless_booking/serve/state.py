"""State folder: the kept secret key, SQLite's database and the collected files, and the lock of an upgrade."""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

SECRET_FILE: Final = "secret_key"  # noqa: S105 (the name of a file)
_PRIVATE: Final = 0o700


def prepare_folder(folder: Path) -> None:
    """Make the folder, for nobody but this user. Raises OSError if it can't be written to, or isn't safe.

    SQLite's database and the secret key that encrypts it are both in it.
    """
    folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(13, "this user can't write to it", str(folder))
    found = folder.stat()
    # As in /tmp: somebody else could put a secret key of theirs into it, or read and replace what is in it.
    if found.st_uid not in {os.geteuid(), 0}:
        raise PermissionError(13, "it belongs to another user", str(folder))
    if found.st_mode & stat.S_IWOTH:
        raise PermissionError(13, "all users of this machine can write to it", str(folder))


def keep_secret_key(folder: Path) -> str:
    """Return the secret key in the folder, and make it the first time. Raises OSError.

    Two processes that start at once get the same: a link is made once, whole.
    """
    kept = folder / SECRET_FILE
    if not kept.exists():
        prepare_folder(folder)
        made = folder / f".{SECRET_FILE}.{os.getpid()}.{secrets.token_hex(4)}"
        # Mode 600 from the start, so that there is no moment at which others could read it.
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
        try:
            with suppress(FileExistsError):
                kept.hardlink_to(made)
        finally:
            made.unlink()
    with kept.open() as file:
        found = os.fstat(file.fileno())
        # A backup that was copied back without `cp -p` is readable by all.
        if found.st_uid == os.geteuid() and found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            os.fchmod(file.fileno(), 0o600)
        key = file.read().strip()
    if not key:
        # An empty key would be refused by Django later, without a word of this file.
        raise OSError(22, "its file secret_key is empty", str(folder))
    return key


@contextmanager
def upgrade_lock(folder: Path) -> Iterator[None]:
    """Hold the folder's lock during the `with` block. Others wait, also those in other processes."""
    prepare_folder(folder)
    with (folder / "upgrade.lock").open("w") as file:
        # Given back by the system, too, when the process dies.
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
