"""State folder: the kept secret key, and the lock of an upgrade."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from kordless_booking.serve.state import keep_secret_key, prepare_folder, upgrade_lock


def mode_of(path: Path) -> int:
    """Return the permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def test_the_secret_key_is_made_once_and_for_nobody_else(tmp_path: Path):
    """It is long, the same at each start, and readable by this user alone; so is its folder."""
    folder = tmp_path / "new" / "state"
    key = keep_secret_key(folder)
    assert len(key) > 60
    assert keep_secret_key(folder) == key
    assert (mode_of(folder), mode_of(folder / "secret_key")) == (0o700, 0o600)
    assert [path.name for path in folder.iterdir()] == ["secret_key"]


def test_processes_that_start_at_once_keep_one_secret_key(tmp_path: Path):
    """Two keys would make unreadable what the other encrypts."""
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(keep_secret_key, [tmp_path / "state"] * 8))) == 1


def test_a_folder_that_is_a_file_is_an_error(tmp_path: Path):
    """The command names it before anything else begins."""
    (tmp_path / "state").write_text("")
    with pytest.raises(OSError, match="state"):
        prepare_folder(tmp_path / "state")


def test_a_folder_that_others_can_write_to_is_an_error(tmp_path: Path):
    """Somebody could put a secret key of theirs into it, and read all that it encrypts."""
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(PermissionError, match="all users"):
        keep_secret_key(folder)
    assert list(folder.iterdir()) == []


def test_a_folder_of_another_user_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Root's is not, which a container's volume may be."""
    monkeypatch.setattr(os, "access", lambda *_: True)
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    if tmp_path.stat().st_uid:
        with pytest.raises(PermissionError, match="another user"):
            prepare_folder(tmp_path)
    else:
        prepare_folder(tmp_path)


def test_a_secret_key_that_others_could_read_is_closed(tmp_path: Path):
    """As after a backup was copied back without its permissions."""
    kept = tmp_path / "secret_key"
    kept.write_text("canary-key\n")
    kept.chmod(0o644)
    assert keep_secret_key(tmp_path) == "canary-key"
    assert mode_of(kept) == 0o600


def test_an_empty_secret_key_is_an_error(tmp_path: Path):
    """As a restore on a full disk leaves it behind."""
    (tmp_path / "secret_key").write_text("")
    with pytest.raises(OSError, match="secret_key"):
        keep_secret_key(tmp_path)


def test_two_upgrades_wait_for_each_other(tmp_path: Path):
    """The second one begins when the first has ended."""
    order, waits = [], Event()

    def second() -> None:
        waits.set()
        with upgrade_lock(tmp_path):
            order.append("second")

    with ThreadPoolExecutor(1) as pool:
        with upgrade_lock(tmp_path):
            running = pool.submit(second)
            assert waits.wait(60)
            order.append("first")
        running.result(60)
    assert order == ["first", "second"]
