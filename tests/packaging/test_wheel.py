"""The wheel as others get it: what is in it, and a booking through a ten-line site that installed it."""

import re
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest
from packaging.metadata import Metadata

from kordless_booking.sandbox import SANDBOX_KEY, SANDBOX_ORG, Sandbox
from tests.support.serve import book_at, clean_environment, served
from tests.support.visitor import HttpTransport, Visitor

pytestmark = pytest.mark.packaging

ROOT = Path(__file__).resolve().parents[2]
HOST = """
import os, sys
from django.conf import settings
settings.configure(
    SECRET_KEY="k" * 50, DEBUG=True, ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF=__name__, USE_TZ=True,
    STATIC_URL="static/",
    INSTALLED_APPS=["django.contrib.staticfiles", "django_htmx", "kordless_booking"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "host.sqlite3"}},
    KORDLESS_BOOKING={"SANDBOX": os.path.abspath("kordless.sqlite3")})
from django.core import management, wsgi
from django.urls import include, path
application = wsgi.get_wsgi_application()
urlpatterns = [path("book/", include("kordless_booking.urls"))]
if __name__ == "__main__":
    management.execute_from_command_line(sys.argv)
"""
SERVE = """
from wsgiref.simple_server import make_server
import host
server = make_server("127.0.0.1", 0, host.application)
print(server.server_port, flush=True)
server.serve_forever()
"""

TESTS = """
from django.test import TestCase
from kordless_booking.testing import KordlessTestMixin


class BookingTests(KordlessTestMixin, TestCase):
    kordless_now = None

    def test_a_booking_that_the_business_cancels(self):
        late = self.kordless.find_free("haircut")[-1]
        booked = self.book(service="haircut", start=late, email="ada@example.com")
        self.assertContains(booked.response, booked.number)
        self.assertEqual(self.deliver_webhook("booking.cancelled").status_code, 200)
"""
"""An adopter's tests. In real time: time-machine is an extra, and what stops the clock isn't there."""


def run(*command: str | Path, cwd: Path) -> str:
    """A command's output, both streams; fails the test with it when the command fails."""
    done = subprocess.run(command, cwd=cwd, text=True, capture_output=True, check=False)  # noqa: S603 (ours)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT, cwd=folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> list[list[Path]]:
    """Source archive and wheel, built twice: from two folders of this checkout, one of them with other file modes."""
    built = []
    for mode in (0o644, 0o600):
        folder = tmp_path_factory.mktemp("source") / f"kept-{mode}"
        # What a build leaves beside the sources, and what no build reads.
        shutil.copytree(
            ROOT, folder, ignore=shutil.ignore_patterns(".venv*", ".git", ".nox", "build", "dist", ".*_cache")
        )
        for path in folder.rglob("*"):
            if path.is_file():
                path.chmod(mode)
        epoch = "SOURCE_DATE_EPOCH=1795910400"
        run("/usr/bin/env", epoch, sys.executable, "-m", "build", "--outdir", folder / "dist", folder, cwd=folder)
        built.append(sorted((folder / "dist").iterdir()))
    return built


def test_two_builds_of_one_checkout_are_the_same_bytes(archives: list[list[Path]]):
    """Whatever the folder, its times and its modes are, so that anybody can check a release."""
    first, second = archives
    assert [path.suffix for path in first] == [".whl", ".gz"]
    assert [path.name for path in first] == [path.name for path in second]
    assert [path.read_bytes() == other.read_bytes() for path, other in zip(first, second, strict=True)] == [True, True]


def test_the_source_archive_holds_what_the_wheel_is_made_of_and_the_documents(archives: list[list[Path]]):
    """The package, the scripts' sources and the documents; no tests, no demo, no leftovers. Both stay small."""
    wheel, source = archives[0]
    with tarfile.open(source) as archive:
        names = [PurePosixPath(*PurePosixPath(member.name).parts[1:]) for member in archive if member.isfile()]
    tops = {name.parts[0] for name in names}
    assert {"kordless_booking", "frontend", "README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml"} <= tops
    assert not tops & {"tests", "demo_site", "benchmarks", "screenshots", "templates", "static", "manage.py", "build"}
    assert not [name for name in names if "__pycache__" in name.parts or name.suffix in {".pyc", ".sqlite3"}]
    with zipfile.ZipFile(wheel) as archive:
        shipped = {PurePosixPath(name) for name in archive.namelist() if name.startswith("kordless_booking/")}
    assert shipped <= set(names)
    assert wheel.stat().st_size < 3_000_000


def test_the_metadata_of_the_wheel_is_valid(wheel: Path):
    """As an index checks it: fields, license, requirements, and a readme in Markdown."""
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = Metadata.from_email(archive.read(name), validate=True)
        licenses = [name.rpartition("/")[2] for name in archive.namelist() if ".dist-info/licenses/" in name]
        assert sorted(licenses) == ["LICENSE", "LICENSE.unicode"]
    assert metadata.description_content_type == "text/markdown"
    assert (metadata.description or "").startswith("# kordless-booking")
    assert (metadata.license_expression, str(metadata.requires_python)) == ("MIT AND Unicode-3.0", ">=3.11")


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a clean environment that has the wheel and what it asks for, and nothing else."""
    folder = tmp_path_factory.mktemp("clean")
    run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel, cwd=folder)
    return python


def test_the_install_command_of_the_readme_works_with_the_path_of_a_checkout(tmp_path: Path):
    """In a fresh environment it brings the package and all that it needs."""
    commands = re.findall(r"^pip install .+$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert commands == ["pip install ~/kordless-booking"]
    install = commands[0].replace("~/kordless-booking", str(ROOT))
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    run("/bin/sh", "-eu", "-c", f". {tmp_path / 'venv/bin/activate'}; {install}", cwd=tmp_path)
    run(tmp_path / "venv" / "bin" / "python", "-c", "import django, kordless_booking", cwd=tmp_path)


@pytest.fixture(scope="module")
def host(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the host project, its database migrated."""
    folder = tmp_path_factory.mktemp("host")
    (folder / "host.py").write_text(HOST)
    (folder / "serve.py").write_text(SERVE)
    run(python, "-W", "error", "host.py", "migrate", "--verbosity", "0", cwd=folder)
    return folder


@pytest.fixture
def site(python: Path, host: Path) -> Iterator[str]:
    """The host project, served; the address that the widget stands at."""
    command = [python, "serve.py"]
    with (
        (host / "server.log").open("w") as log,
        subprocess.Popen(command, cwd=host, stdout=subprocess.PIPE, stderr=log, text=True) as server,  # noqa: S603 (fixed)
    ):
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        assert port, (host / "server.log").read_text()
        yield f"http://127.0.0.1:{port}/book/"
        server.terminate()


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path):
    """Everything tracked under kordless_booking/ ships; the demo, the tests and leftovers do not."""
    names = zipfile.ZipFile(wheel).namelist()
    tops = {PurePosixPath(name).parts[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"kordless_booking"}
    assert not [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".po~", ".sqlite3"))]
    assert "kordless_booking/py.typed" in names
    shipped = {".html", ".css", ".js", ".mo", ".py", ".json", ".txt"}
    present = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "kordless_booking").rglob("*")
        if path.suffix in shipped and path.is_file()
    }
    assert present <= set(names)
    for folder, suffix in (
        ("templates", ".html"),
        ("static", ".css"),
        ("static", ".js"),
        ("migrations", ".py"),
    ):
        assert [name for name in names if name.startswith(f"kordless_booking/{folder}/") and name.endswith(suffix)]


def test_the_long_description_has_absolute_addresses_only(wheel: Path):
    """On a package index there is nothing beside it. The pictures are the files themselves, not pages about them."""
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = archive.read(name).decode()
    headers, _, text = metadata.partition("\n\n")
    assert "Description-Content-Type: text/markdown" in headers
    assert set(re.findall(r"^Project-URL: (\w+), https://", headers, re.MULTILINE)) == {
        "Documentation", "Source", "Changelog", "Issues",
    }  # fmt: skip
    addresses = re.findall(r"\]\(([^)\s]+)\)|\b(?:src|href)=\"([^\"]+)\"", text)
    assert len(addresses) > 40
    assert [found for pair in addresses if not (found := "".join(pair)).startswith("https://")] == []
    assert len(re.findall(r"/raw/v[\d.]+/docs/[\w/-]+\.(?:png|webp)", text)) == 2 + 2 * 3


def test_the_source_distribution_holds_the_docs(tmp_path: Path):
    """With all that the site is built of, so that a distributor can build it."""
    run(sys.executable, "-m", "build", "--sdist", "--outdir", tmp_path, ROOT, cwd=tmp_path)
    [archive] = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as files:
        names = {name.partition("/")[2] for name in files.getnames()}
    docs = {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.*") if "__pycache__" not in path.parts
    }
    assert docs <= names
    assert {"CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "deploy/Containerfile", "hatch_build.py"} <= names


def test_the_host_needs_no_more_than_the_readme_says(python: Path, host: Path):
    """With the documented settings `manage.py check` has nothing to say, nor have the migrations."""
    output = run(python, "-W", "error", "host.py", "check", cwd=host)
    assert output.strip() == "System check identified no issues (0 silenced)."
    run(python, "host.py", "makemigrations", "--check", "--dry-run", cwd=host)


def test_an_adopter_tests_a_booking_with_the_kit_of_the_wheel(python: Path, host: Path):
    """Without pytest and without any other package, the site's own test books and delivers a webhook."""
    (host / "tests.py").write_text(TESTS)
    # The bookings of the host's own sandbox, if another test has made some.
    (host / "kordless.sqlite3").unlink(missing_ok=True)
    output = run(python, "-W", "error", "host.py", "test", "--noinput", cwd=host)
    assert "Ran 1 test" in output
    assert not (host / "kordless.sqlite3").exists()


def test_a_booking_through_the_installed_wheel(site: str):
    """From the services to a confirmation number over real HTTP, by links and forms alone, no cookie."""
    visitor = Visitor(HttpTransport(site))
    visitor.open(site)
    visitor.follow("Haircut")
    visitor.show_last_day()
    visitor.follow("/contact/")
    visitor.send(visitor.page, "Book appointment", name="Ada Lovelace", email="ada@example.com")
    # A form that comes back within a second is held for the rest of it, and its page asks again.
    ends = time.monotonic() + 60
    while visitor.page.refresh and time.monotonic() < ends:
        visitor.reload()
    number = re.search(r"Confirmation number (\S+)", visitor.page.text)
    assert number, visitor.page.text
    visitor.follow("Change or cancel")
    assert number[1] in visitor.page.text
    assert not [page.url for page in visitor.responses if page.response.cookies]


def test_the_command_of_the_wheel_serves_a_site_that_books(wheel: Path, tmp_path: Path):
    """With the extra, in a clean environment: `kordless-booking serve` at a Kordless, from an empty folder."""
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    programs = tmp_path / "venv" / "bin"
    run(
        programs / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        f"{wheel}[serve]",
        cwd=tmp_path,
    )
    kordless = Sandbox(":memory:")
    with kordless.serve() as base:
        environment = clean_environment(
            KORDLESS_API_KEY=SANDBOX_KEY,
            KORDLESS_ORG_SLUG=SANDBOX_ORG,
            KORDLESS_BASE_URL=base,
            SITE_URL="http://127.0.0.1:8000",
        )
        with served([programs / "kordless-booking"], tmp_path, environment) as site:
            number, visitor = book_at(site)
            assert [booking["number"] for booking in kordless.bookings()] == [number]
            assert not [page.url for page in visitor.responses if page.response.cookies]
    kordless.close()
