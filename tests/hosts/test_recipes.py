"""Recipes of docs/recipes that need packages which a site with the widget doesn't: `nox -s hosts` installs them."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import django
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.browser_transport import BrowserTransport
from tests.support.recipes import ROOT, read_blocks, read_files, run_recipe, write_files
from tests.support.reserved_port import reserved_port
from tests.support.visitor import HttpTransport, Visitor
from tests.support.wait_until import wait_until

pytestmark = pytest.mark.long


def need(*packages: str) -> None:
    """Skip, and say so, where a package is missing."""
    if missing := [name for name in packages if find_spec(name) is None]:
        pytest.skip(f"needs {' and '.join(missing)}: nox -s hosts installs them")


@pytest.fixture
def sentry_folder(tmp_path: Path) -> Path:
    """The folder with the page's module."""
    need("sentry_sdk")
    write_files("sentry.md", tmp_path)
    return tmp_path


def test_sentry_gets_no_personal_data_with_the_recipe(sentry_folder: Path):
    """Neither of the crash in the contact step nor of the pages of a booking; the error and its place arrive."""
    dsn = "https://key@sentry.example/1"
    found = run_recipe("sentry", sentry_folder, SENTRY_DSN=dsn, RECIPE_DEFAULTS="0")
    assert found["leaked"] == []
    assert found["status"] == 500
    assert found["errors"] == ["ValueError"]
    assert "kordless_booking.views.abuse" in found["modules"]
    assert found["transactions"] > 5
    assert "/book/confirmation/{token}/" in found["names"]


def test_sentry_gets_personal_data_with_its_defaults(sentry_folder: Path):
    """The reason for the recipe, and the proof that its test would see a leak: all that was typed is sent."""
    found = run_recipe("sentry", sentry_folder, RECIPE_DEFAULTS="1")
    assert {"Zzqx Canary", "again@secret.example", "canary in the notes"} <= {*found["leaked"]}


def run(page: str, name: str, folder: Path, *packages: str, **environment: str) -> dict[str, Any]:
    """Run the site of a recipe with its page's files."""
    need(*packages)
    write_files(page, folder)
    return run_recipe(name, folder, **environment)


def test_jinja2_renders_the_widget_and_the_next_free_times(tmp_path: Path):
    """As functions of the environment, unescaped, and a time leads to its form."""
    found = run("jinja2.md", "jinja2", tmp_path, "jinja2")
    assert found["times"] > 0
    assert found["next_free"] == 3
    assert (found["widgets"], found["escaped"], found["form"]) == (1, False, True)


def test_a_streamfield_block_shows_the_times_in_a_wagtail_page(tmp_path: Path):
    """Published by Wagtail, inside its own base template."""
    found = run("wagtail.md", "wagtail", tmp_path, "wagtail", RECIPE_HOST="wagtail_site", RECIPE_APPS="booking_block")
    assert found["times"] > 0
    assert (found["widgets"], found["form"]) == (1, True)


def test_a_plugin_shows_the_times_in_a_django_cms_page(tmp_path: Path):
    """In a placeholder of a published page."""
    found = run("django-cms.md", "django_cms", tmp_path, "cms", RECIPE_HOST="cms_site", RECIPE_APPS="booking_plugin")
    assert found["times"] > 0
    assert (found["widgets"], found["form"]) == (1, True)


def test_celery_runs_one_task_for_each_change_after_the_commit(tmp_path: Path):
    """With the number and the start, and nothing about the person."""
    (tmp_path / "settings.py").write_text("CELERY_TASK_ALWAYS_EAGER = True\n")
    found = run("celery.md", "celery", tmp_path, "celery", RECIPE_APPS="crm")
    assert [each["task"] for each in found["started"]] == ["crm.tasks.write_to_crm", "crm.tasks.remove_from_crm"]
    assert {each["args"][0] for each in found["started"]} == {found["number"]}
    assert [len(each["args"]) for each in found["started"]] == [2, 1]
    assert not any(each["in_transaction"] for each in found["started"])


def test_djangos_own_tasks_get_one_for_each_change(tmp_path: Path):
    """With the number and the start, and nothing about the person."""
    name = "django.tasks" if django.VERSION >= (6,) else "django_tasks"
    need(name)
    backend = {"default": {"BACKEND": f"{name}.backends.dummy.DummyBackend"}}
    (tmp_path / "settings.py").write_text(f"TASKS = {backend}\n")
    write_files("django-tasks.md", tmp_path)
    tasks = tmp_path / "crm" / "tasks.py"
    tasks.write_text(tasks.read_text().replace("django.tasks", name))
    found = run_recipe("django_tasks", tmp_path, RECIPE_APPS="crm")
    assert [each["task"] for each in found["started"]] == ["write_to_crm", "remove_from_crm"]
    assert {each["args"][0] for each in found["started"]} == {found["number"]}
    assert [len(each["args"]) for each in found["started"]] == [2, 1]


def test_prometheus_reads_the_counts_of_the_log(tmp_path: Path):
    """Bookings and requests to Kordless are counted; nothing personal is a label."""
    found = run("prometheus.md", "prometheus", tmp_path, "prometheus_client")
    assert found["leaked"] == []
    assert 'kordless_call_seconds_count{operation="create",status="201"} 1.0' in found["text"]
    assert 'kordless_events_total{event="kordless_call",level="INFO"}' in found["text"]


NODE = """
const vm = require("vm"), fs = require("fs");
const [name, call] = process.argv.slice(1);
const listeners = [], counted = [];
const seen = {
  addEventListener: (kind, listener) => listeners.push([kind, listener]),
  gtag: (...all) => counted.push(["ga4", ...all]),
  fbq: (...all) => counted.push(["meta", ...all]),
  _paq: { push: (all) => counted.push(["matomo", ...all]) },
  performance: { getEntriesByType: () => [{ type: process.env.ARRIVED }] },
  location: { search: "?service=haircut" },
  URLSearchParams,
};
vm.createContext(seen);
vm.runInContext(fs.readFileSync(name, "utf8"), seen);
const event = { detail: { service: "haircut" } };
const book = () => listeners.forEach(([kind, tell]) => kind === "kordless:booked" && tell(event));
book();
const before = counted.length;
if (call) vm.runInContext(call, seen);
book();
console.log(JSON.stringify({ before, counted }));
"""


def count(folder: Path, file: str, call: str, arrived: str = "navigate") -> dict[str, Any]:
    """Run a file of the recipe in Node, a call of its function, and a booking before and after."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node")
    write_files("analytics.md", folder)
    command = [node, "-e", NODE, "--", str(folder / file), call]
    done = subprocess.run(  # noqa: S603 (ours)
        command, capture_output=True, text=True, check=True, env={**os.environ, "ARRIVED": arrived}
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("file", ["bookings.js", "thank-you.js"])
def test_a_booking_is_counted_once_for_each_tag_with_consent(tmp_path: Path, file: str):
    """And by none before the visitor has agreed, nor by those that the consent isn't for."""
    function = {"bookings.js": "countBookings", "thank-you.js": "countThisBooking"}[file]
    found = count(tmp_path, file, f"{function}({{ ga4: true, matomo: true }})")
    assert found["before"] == 0
    assert [tag[0] for tag in found["counted"]] == ["ga4", "matomo"]
    assert all("haircut" in json.dumps(tag) for tag in found["counted"])
    assert count(tmp_path, file, "")["counted"] == []


def test_a_reload_of_the_thank_you_page_counts_nothing(tmp_path: Path):
    """Nor do Back and Forward."""
    for arrived in ("reload", "back_forward"):
        assert count(tmp_path, "thank-you.js", "countThisBooking({ ga4: true })", arrived)["counted"] == []


@contextmanager
def running(command: list[str], folder: Path, is_up: Callable[[], bool], **environment: str) -> Iterator[None]:
    """Run a server until the block ends; begin when it answers."""
    kept = os.environ.get("PYTHONPATH", "")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(folder), str(ROOT), kept])),
        "DJANGO_SETTINGS_MODULE": "tests.projects.recipes.settings",
        "RECIPE_FOLDER": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'recipe.sqlite3'}",
        **environment,
    }
    log_file = folder / f"{Path(command[-1]).name}.log"
    with log_file.open("w") as log:
        process = subprocess.Popen(  # noqa: S603 (the page's)
            command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )

    def answers() -> bool:
        assert process.poll() is None, log_file.read_text()
        with suppress(OSError, httpx.TransportError):
            return is_up()
        return False

    try:
        wait_until(answers)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def line_of(server: str) -> list[str]:
    """Return the line that starts an application server, with two processes in the place of four."""
    [line] = [line for line in read_blocks("app-servers.md", "sh") if line.startswith(server)]
    return [sys.executable, "-m", *shlex.split(line.replace("--workers 4", "--workers 2"))]


@pytest.mark.parametrize("server", ["gunicorn", "granian", "uvicorn"])
def test_each_server_serves_the_widget_by_its_line(tmp_path: Path, server: str):
    """A booking over HTTP."""
    need(server)
    write_files("app-servers.md", tmp_path)
    run_recipe("prepare", tmp_path)
    with reserved_port() as port:
        site = f"http://127.0.0.1:{port}"
        command = [part.replace("8000", str(port)) for part in line_of(server)]
        with running(command, tmp_path, lambda: httpx.get(f"{site}/book/health/", timeout=30).is_success):
            assert Visitor(HttpTransport(site)).book_late().number


def find_program(name: str) -> str:
    """Return where a program is; skip, and say so, where there is none."""
    found = os.environ.get(f"{name.upper()}_PROGRAM") or shutil.which(name)
    if found is None:
        pytest.skip(f"needs {name}")
    return found


def replace_all(text: str, replaced: dict[str, str]) -> str:
    """Replace texts that must be there."""
    for old, new in replaced.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def write_nginx(folder: Path, port: int, other: int) -> list[str]:
    """Write the page's file as one of nginx's, on ports of this machine; the command that runs it."""
    program = find_program("nginx")
    key, certificate = write_certificate(folder)
    replaced = {
        "/etc/letsencrypt/live/salon.example/fullchain.pem": str(certificate),
        "/etc/letsencrypt/live/salon.example/privkey.pem": str(key),
        "/var/log/nginx/": f"{folder}/",
        "/run/salon/": f"{folder}/",
        "/srv/salon/": f"{folder}/",
        "listen 80;": f"listen 127.0.0.1:{other};",
        "    listen [::]:80;\n": "",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{port} ssl http2;",
        "    listen [::]:443 ssl http2;\n": "",
    }
    text = read_files("web-servers.md")["/etc/nginx/conf.d/salon.conf"]
    (folder / "salon.conf").write_text(replace_all(text, replaced))
    # The rest is what a distribution's own file has around conf.d.
    user = "user root;\n" if os.geteuid() == 0 else ""
    around = f"{user}daemon off;\npid {folder}/nginx.pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n"
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    around += "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    (folder / "nginx.conf").write_text(f"{around}include {folder}/salon.conf;\n}}\n")
    return [program, "-p", str(folder), "-c", str(folder / "nginx.conf")]


def write_caddy(folder: Path, port: int, other: int) -> list[str]:
    """Write the page's file for a port of this machine, with a certificate of Caddy's own; the command that runs it."""
    program = find_program("caddy")
    replaced = {"/var/log/caddy/": f"{folder}/", "/run/salon/": f"{folder}/", "/srv/salon/": f"{folder}/"}
    ports = f"https_port {port}\nhttp_port {other}\nauto_https disable_redirects\n"
    options = f"{{\nadmin off\n{ports}skip_install_trust\nlocal_certs\ndefault_sni salon.example\n"
    text = replace_all(read_files("web-servers.md")["Caddyfile"], replaced)
    # The page's file has global options, too, and only one block may have them.
    (folder / "Caddyfile").write_text(text.replace("{\n", options, 1))
    return [program, "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


def write_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a key and a certificate for salon.example; their paths."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "salon.example")])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
    built = built.serial_number(x509.random_serial_number()).not_valid_before(now)
    certificate = built.not_valid_after(now + timedelta(days=1)).sign(private, hashes.SHA256())
    key, chain = folder / "key.pem", folder / "chain.pem"
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key.write_bytes(private.private_bytes(*plain))
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return key, chain


@pytest.mark.parametrize("write", [write_nginx, write_caddy], ids=["nginx", "caddy"])
def test_a_booking_goes_through_the_web_server(tmp_path: Path, write: Callable[[Path, int, int], list[str]]):
    """By TLS, with the settings of the page; the access log has no query and nothing that opens the booking."""
    need("gunicorn")
    write_files("app-servers.md", tmp_path)
    (tmp_path / "settings.py").write_text(read_files("web-servers.md")["settings.py"])
    run_recipe("prepare", tmp_path)
    (tmp_path / "staticfiles").mkdir()
    (tmp_path / "staticfiles" / "file.css").write_text("/* served by the web server */")
    socket = tmp_path / "gunicorn.sock"
    caddys_folders = {"XDG_DATA_HOME": str(tmp_path / "data"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    with reserved_port() as port, reserved_port() as other:
        command = write(tmp_path, port, other)
        gunicorn = [part.replace("127.0.0.1:8000", f"unix:{socket}") for part in line_of("gunicorn")]
        browser = httpx.Client(
            base_url=f"https://127.0.0.1:{port}",
            headers={"Host": "salon.example"},
            verify=False,  # noqa: S501 (a certificate of this test's)
            timeout=60,
        )
        with (
            browser,
            running(gunicorn, tmp_path, socket.exists),
            running(command, tmp_path, lambda: browser.get("/book/health/").is_success, **caddys_folders),
        ):
            visitor = Visitor(BrowserTransport(browser, "https://salon.example"))
            done = visitor.book_late()
            assert done.number, done.text
            assert visitor.open(next(iter(done.links(".kb-onward a").values()))).number == done.number
            file = browser.get("/static/file.css")
            assert "immutable" in file.headers["Cache-Control"]
            assert browser.get("/book/", headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip"
    log = (tmp_path / "salon.log").read_text()
    assert "/book/haircut/" in log
    assert "/book/confirmation/" in log
    secrets = [
        page.url.split("?")[0].split("/")[3] for page in visitor.responses if re.search("confirmation|manage", page.url)
    ]
    assert secrets
    assert [secret for secret in [*secrets, "draft=", "start="] if secret in log] == []


@pytest.mark.parametrize("page", ["app-servers.md", "scheduled.md"])
def test_systemd_reads_the_units(tmp_path: Path, page: str):
    """Without a warning; the commands stand for themselves, because the site isn't installed here."""
    units = {name: text for name, text in read_files(page).items() if name.endswith((".service", ".timer"))}
    assert units
    for name, text in units.items():
        (tmp_path / name).write_text(re.sub(r"/srv/salon/.venv/bin/\w+", sys.executable, text))
    command = [find_program("systemd-analyze"), "verify", "--man=no", *(str(tmp_path / name) for name in units)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (ours)
    assert (done.returncode, done.stderr) == (0, "")
