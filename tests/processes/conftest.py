"""Sites in several processes; skipped, and said so, where Redis or PostgreSQL is missing."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest

from tests.processes.gunicorn_site import ROOT, Served, environment, served
from tests.processes.sandbox_process import Steered, sandbox_process
from tests.support import clock
from tests.support.matrix import thinned
from tests.support.postgres_server import POSTGRES, WHY_NO_POSTGRES, running_postgres
from tests.support.redis_server import REDIS, WHY_NOT, running_redis

HERE = Path(__file__).parent
REQUIRED = os.environ.get("KORDLESS_SERVERS") == "required"
MISSING = [why for found, why in ((REDIS, WHY_NOT), (POSTGRES, WHY_NO_POSTGRES)) if not found]
_numbers = count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder runs several processes."""
    ours = [item for item in items if HERE in item.path.parents]
    if ours and REQUIRED and MISSING:
        raise pytest.UsageError(f"KORDLESS_SERVERS=required, but there is {'; '.join(MISSING)}.")
    for item in ours:
        item.add_marker(pytest.mark.processes)
        if MISSING:
            item.add_marker(pytest.mark.skip(reason="; ".join(MISSING)))


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    """The test's own process goes by the clock of the sites, which runs on from one test to the next."""
    with clock.running_from(clock.AHEAD):
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A server whose first database has the site's tables."""
    with running_postgres() as url:
        given = environment(Steered("http://127.0.0.1:1", ""), workers=1, redis_url="", database_url=url)
        command = [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0"]
        subprocess.run(command, cwd=ROOT, env=given, check=True)  # noqa: S603 (ours)
        yield url


@pytest.fixture
def kordless(tmp_path: Path) -> Iterator[Steered]:
    """A fresh Kordless with the documented limits."""
    with sandbox_process(tmp_path) as steered:
        yield steered


@contextmanager
def four_processes(folder: Path, postgres: str, mail_folder: str = "") -> Iterator[Served]:
    """The demo in four processes on a Redis, a Kordless and a database that nobody else uses."""
    with ExitStack() as stack:
        server, name = postgres.rpartition("/")[0], f"site_{next(_numbers)}"
        with psycopg.connect(f"{server}/template1", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE postgres")
        kordless = stack.enter_context(sandbox_process(folder))
        redis_url = stack.enter_context(running_redis(folder))
        urls = {"redis_url": redis_url, "database_url": f"{server}/{name}"}
        yield stack.enter_context(served(folder, kordless, workers=4, threads=8, mail_folder=mail_folder, **urls))


@pytest.fixture(scope="session")
def _shared(tmp_path_factory: pytest.TempPathFactory, postgres: str) -> Iterator[Served]:
    with four_processes(tmp_path_factory.mktemp("four"), postgres) as site:
        yield site


@pytest.fixture
def four(_shared: Served) -> Served:
    """The demo in four processes on a Redis and a PostgreSQL, as if nobody had been there yet."""
    _shared.afresh()
    return _shared


@pytest.fixture
def doomed(tmp_path: Path, postgres: str) -> Iterator[Served]:
    """As `four`, for a test that breaks it."""
    with four_processes(tmp_path, postgres) as site:
        yield site


@pytest.fixture
def alone(tmp_path: Path, kordless: Steered) -> Iterator[Served]:
    """The demo in one process with threads, its cache inside, on SQLite."""
    database_url = f"sqlite:///{tmp_path / 'site.sqlite3'}"
    given = environment(kordless, workers=1, redis_url="", database_url=database_url)
    command = [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=given, check=True)  # noqa: S603 (ours)
    with served(tmp_path, kordless, workers=1, threads=32, database_url=database_url) as site:
        yield site


@pytest.fixture(params=thinned(["four processes", "one process"], ids=str))
def site(request: pytest.FixtureRequest) -> Served:
    """Both ways to serve the demo."""
    chosen: Served = request.getfixturevalue("four" if request.param == "four processes" else "alone")
    return chosen
