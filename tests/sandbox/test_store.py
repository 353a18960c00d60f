"""The store: sandboxes on one file agree, across threads and processes."""

from __future__ import annotations

import multiprocessing
import sqlite3
from typing import TYPE_CHECKING

import pytest

from kordless_booking.sandbox import Limits, Sandbox
from tests.support.sandbox_api import NOW, Api

if TYPE_CHECKING:
    from pathlib import Path


def book(path: str, body: dict[str, object], found: multiprocessing.Queue[int]) -> None:
    sandbox = Sandbox(path)
    found.put(Api(sandbox).create(body).status_code)  # type: ignore[arg-type]
    sandbox.close()


def test_two_sandboxes_on_one_file_agree(tmp_path: Path) -> None:
    """Bookings, clock, limits, faults, requests and idempotency keys are shared and outlive the first."""
    path = str(tmp_path / "new" / "sandbox.sqlite3")
    first = Sandbox(path, now=NOW, limits=Limits(general=7))
    one = Api(first)
    body = one.body()
    booked = one.create(body, Idempotency_Key="k").json()
    first.faults.add("status", operation="organization", status=503, times=1)
    first.close()
    second = Sandbox(path)
    two = Api(second)
    assert second.clock.now() == NOW
    assert second.limits.general == 7
    assert two.create(body, Idempotency_Key="k").json() == booked
    assert two.manage(booked["booking"]["confirmation_number"]).status_code == 200
    assert two.get("/org/acme-salon").status_code == 503
    assert [each.operation for each in second.requests][:2] == ["availability", "create"]
    second.close()


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # Python 3.12 warns of forking with threads
@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_processes_race_for_one_time(tmp_path: Path, method: str) -> None:
    """Of four processes, forked or fresh, one gets the time."""
    path = str(tmp_path / "sandbox.sqlite3")
    sandbox = Sandbox(path, now=NOW, limits=Limits.off())
    body = Api(sandbox).body("full-color")
    context = multiprocessing.get_context(method)
    found = context.Queue()
    racers = [context.Process(target=book, args=(path, body, found)) for _ in range(4)]
    for racer in racers:
        racer.start()
    assert sorted(found.get(timeout=30) for _ in racers) == [201, 409, 409, 409]
    for racer in racers:
        racer.join()
    assert len(sandbox.bookings()) == 1
    sandbox.close()


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # Python 3.12 warns of forking with threads
def test_a_forked_process_may_use_an_inherited_sandbox(tmp_path: Path) -> None:
    """As gunicorn with preload does: the child opens its own connection to the file."""
    sandbox = Sandbox(str(tmp_path / "sandbox.sqlite3"), now=NOW, limits=Limits.off())
    api = Api(sandbox)
    body = api.body("full-color")
    child = multiprocessing.get_context("fork").Process(target=api.create, args=(body,))
    child.start()
    child.join()
    assert child.exitcode == 0
    assert len(sandbox.bookings()) == 1
    assert api.create(body).status_code == 409
    sandbox.close()


def test_memory_is_apart() -> None:
    """Each sandbox in memory is its own world."""
    one, two = Sandbox(now=NOW), Sandbox(now=NOW)
    Api(one).book()
    assert two.bookings() == []


def test_reset_deletes_everything(sandbox: Sandbox, api: Api) -> None:
    """Bookings, requests, faults, limits and clock."""
    api.book()
    sandbox.faults.add("slow")
    sandbox.reset()
    assert (sandbox.bookings(), sandbox.requests, sandbox.faults.rules()) == ([], [], [])
    assert sandbox.limits == Limits()
    assert sandbox.clock.now() != NOW


def test_a_file_of_another_version_is_rejected(tmp_path: Path) -> None:
    """Rather than guess, the sandbox says what to do."""
    path = tmp_path / "old.sqlite3"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(ValueError, match="delete it"):
        Sandbox(str(path))
