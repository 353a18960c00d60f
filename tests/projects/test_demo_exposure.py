"""Exposure of the demo: it runs at once on its own machine, and rejects everybody else until it is configured."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.core.management import CommandError
from django.http import HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from demo_site import mail_viewer
from demo_site.exposure import find_misconfiguration, is_local_request, is_loopback_name
from demo_site.local import LocalMiddleware, demo_tool
from demo_site.management.commands.demo import Command as Demo
from demo_site.management.commands.runserver import Command as Runserver
from demo_site.staff import SalonBackend

ROOT = Path(__file__).resolve().parents[2]
SECRET = {"SECRET_KEY": "canary-q3v8Tn2xL0bY5sWk7dRz9mHc4pJ"}
ACCOUNT = {"KORDLESS_API_KEY": "kb-canary-key", "KORDLESS_ORG_SLUG": "salon"}
SANDBOX = {"KORDLESS_SANDBOX": "1"}
HERE = {"ALLOWED_HOSTS": "127.0.0.1,localhost"}
PUBLIC = {"ALLOWED_HOSTS": "book.example"}
HOOK = "KORDLESS_SANDBOX_WEBHOOK"


def why_not(environment: dict[str, str]) -> str:
    """Return the misconfiguration found in these variables."""
    return find_misconfiguration(
        environment, [host for host in environment.get("ALLOWED_HOSTS", "").split(",") if host]
    )


@pytest.mark.parametrize(
    "environment",
    [
        {},
        HERE,
        SANDBOX,
        ACCOUNT,
        {"DEBUG": "1"},
        {"DEBUG": "true", **HERE},
        {**SECRET, **ACCOUNT},
        {**SECRET, **ACCOUNT, **PUBLIC},
        {**SECRET, **ACCOUNT, "ALLOWED_HOSTS": "*", "DEBUG": "0"},
        {**SECRET, **SANDBOX},
        {**SECRET, **SANDBOX, **HERE, "DEBUG": "1"},
        {**SECRET, **SANDBOX, **PUBLIC},
        {HOOK: "http://127.0.0.1:8000/book/webhook/"},
        {**SECRET, **SANDBOX, **PUBLIC, HOOK: "https://book.example/book/webhook/"},
        {**SECRET, **SANDBOX, "ALLOWED_HOSTS": ".example", HOOK: "https://book.example/book/webhook/"},
    ],
)
def test_what_is_set_in_full_starts(environment: dict[str, str]) -> None:
    """Nothing at all is in full too: on this machine it just runs."""
    assert why_not(environment) == ""


@pytest.mark.parametrize(
    ("environment", "advice"),
    [
        (SECRET, "Set KORDLESS_API_KEY and KORDLESS_ORG_SLUG to book in Kordless, or KORDLESS_SANDBOX=1"),
        ({**SECRET, **PUBLIC}, "KORDLESS_SANDBOX=1"),
        ({**SECRET, "KORDLESS_SANDBOX": "0"}, "Set KORDLESS_API_KEY"),
        ({"KORDLESS_SANDBOX": "off"}, "Set KORDLESS_API_KEY"),
        (PUBLIC, "Set SECRET_KEY"),
        ({**PUBLIC, **SANDBOX}, "Set SECRET_KEY"),
        ({**PUBLIC, **ACCOUNT}, "Set SECRET_KEY"),
        ({"ALLOWED_HOSTS": "127.0.0.1,book.example"}, "book.example"),
        ({"ALLOWED_HOSTS": "*"}, "Set SECRET_KEY"),
        ({"DEBUG": "0"}, "Set SECRET_KEY"),
        ({"DEBUG": "0", **ACCOUNT}, "Set SECRET_KEY"),
        ({**SECRET, **ACCOUNT, **PUBLIC, "DEBUG": "1"}, "Remove DEBUG"),
        ({**SECRET, **SANDBOX, **PUBLIC, "DEBUG": "yes"}, "Remove DEBUG"),
        ({**ACCOUNT, **PUBLIC, "SECRET_KEY": "django-insecure-" + "x" * 50}, "random string"),
        ({**ACCOUNT, **PUBLIC, "SECRET_KEY": "short"}, "at least 32 characters"),
        ({**SECRET, **ACCOUNT, **SANDBOX}, "Remove one of them"),
        ({**ACCOUNT, **SANDBOX}, "Remove one of them"),
        ({**SECRET, "KORDLESS_API_KEY": "kb-canary-key"}, "Set it to your organization's slug"),
        ({"KORDLESS_ORG_SLUG": "salon"}, "KORDLESS_ORG_SLUG is set without KORDLESS_API_KEY"),
        ({"KORDLESS_BASE_URL": "https://x.example"}, "KORDLESS_BASE_URL is set without KORDLESS_API_KEY"),
        ({"DEBUG": "perhaps"}, "DEBUG is 'perhaps'. Set it to 1 or 0."),
        ({**SECRET, "KORDLESS_SANDBOX": "please"}, "Set it to 1 or 0."),
        ({HOOK: "https://evil.example/"}, HOOK),
        ({HOOK: "ftp://127.0.0.1/"}, HOOK),
        ({**SECRET, **SANDBOX, "ALLOWED_HOSTS": "*", HOOK: "https://evil.example/"}, HOOK),
    ],
)
def test_incomplete_or_exposing_settings_are_rejected_with_advice(environment: dict[str, str], advice: str) -> None:
    """Each mixture has its own words, and none repeats a secret."""
    assert advice in why_not(environment)
    assert "canary" not in why_not(environment)


@pytest.mark.long
@pytest.mark.parametrize(
    "environment", [{**SECRET, **HERE}, PUBLIC, {**SECRET, **ACCOUNT, **PUBLIC, "DEBUG": "1"}, {"DEBUG": "0"}]
)
def test_a_misconfigured_demo_does_not_start(environment: dict[str, str]) -> None:
    """The settings raise, so no command and no server gets further."""
    done = _python("manage.py", "check", environment=environment)
    assert done.returncode != 0
    assert ImproperlyConfigured.__name__ in done.stderr
    assert why_not(environment) in done.stderr
    assert "canary" not in done.stderr


@pytest.mark.long
@pytest.mark.parametrize(
    ("environment", "shown"),
    [
        ({}, "True True [] True []"),
        (ACCOUNT, "True True [] False []"),
        ({**SECRET, **SANDBOX, **HERE}, "False False [] False []"),
        ({**SECRET, **SANDBOX, **HERE, "DEBUG": "1"}, "True True [] True []"),
        ({**SECRET, **SANDBOX, **PUBLIC}, "False False ['book.example'] False ['https://book.example']"),
        (
            {**SECRET, **ACCOUNT, "ALLOWED_HOSTS": ".x.example,*"},
            "False False ['.x.example', '*'] False ['https://*.x.example']",
        ),
    ],
)
def test_what_the_settings_make_of_it(environment: dict[str, str], shown: str) -> None:
    """DEBUG, whether only this machine is answered, public names, the salon's login, trusted origins of forms."""
    names = "DEBUG, LOCAL_ONLY, PUBLIC_HOSTS, STAFF_LOGIN, CSRF_TRUSTED_ORIGINS"
    done = _python("-c", f"from demo_site.settings import {names}; print({names})", environment=environment)
    assert done.stdout.strip() == shown, done.stderr
    assert _python("manage.py", "check", environment=environment).returncode == 0


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"TRUSTED_PROXIES": "two"}, "TRUSTED_PROXIES is 'two'. Set it to the number of proxies"),
        ({"TRUSTED_PROXIES": "-1"}, "TRUSTED_PROXIES is '-1'"),
        ({"SECURE_PROXY_SSL_HEADER": "X-Forwarded-Proto"}, "SECURE_PROXY_SSL_HEADER is 'X-Forwarded-Proto'"),
        ({"SECURE_PROXY_SSL_HEADER": "HTTP_X_FORWARDED_PROTO"}, "HTTP_X_FORWARDED_PROTO,https"),
        ({"TRUSTED_PROXIES": "1", "SECURE_PROXY_SSL_HEADER": "HTTP_X_FORWARDED_PROTO, https"}, ""),
        ({"TRUSTED_PROXIES": "", "SECURE_PROXY_SSL_HEADER": ""}, ""),
    ],
)
def test_the_variables_about_proxies_are_checked(environment: dict[str, str], words: str) -> None:
    """A form that Django would ignore without a word is rejected."""
    found = why_not(environment)
    assert words in found
    assert bool(words) is bool(found)


@pytest.mark.long
def test_the_demo_takes_its_proxies_from_the_environment() -> None:
    """Behind one that ends TLS, its pages are on https and each visitor has an address."""
    code = (
        "from demo_site import settings as s; print(s.KORDLESS_BOOKING['TRUSTED_PROXIES'], s.SECURE_PROXY_SSL_HEADER)"
    )
    behind = {"TRUSTED_PROXIES": "2", "SECURE_PROXY_SSL_HEADER": "HTTP_X_FORWARDED_PROTO,https"}
    assert _python("-c", code, environment=behind).stdout.strip() == "2 ('HTTP_X_FORWARDED_PROTO', 'https')"
    assert _python("-c", code, environment={}).stdout.strip() == "0 None"


@pytest.mark.long
def test_the_demo_books_at_another_business_of_the_sandbox() -> None:
    """KORDLESS_SANDBOX_ORG names the business; one that doesn't exist is rejected, with those that do."""
    code = "from demo_site.settings import KORDLESS_BOOKING as given; print(given['ORG_SLUG'], given['API_KEY'])"
    done = _python("-c", code, environment={"KORDLESS_SANDBOX_ORG": "odd-times"})
    assert done.stdout.strip() == "odd-times kordless-sandbox-key-odd-times"
    done = _python("-c", code, environment={"KORDLESS_SANDBOX_ORG": "even-times"})
    assert "ImproperlyConfigured: KORDLESS_SANDBOX_ORG: the sandbox has no organization 'even-times'" in done.stderr


def test_a_public_sandbox_writes_links_to_its_public_name() -> None:
    """A mail that leads to 127.0.0.1 is of no use to anybody."""
    code = "from demo_site.settings import KORDLESS_BOOKING as given; print(given['SITE_URL'])"
    for environment, url in (
        ({**SECRET, **SANDBOX, **PUBLIC}, "https://book.example"),
        ({**SECRET, **SANDBOX, **PUBLIC, "SITE_URL": "https://b.example/x"}, "https://b.example/x"),
        ({}, "http://127.0.0.1:8000"),
    ):
        assert _python("-c", code, environment=environment).stdout.strip() == url


@pytest.mark.parametrize(
    ("name", "here"),
    [
        ("localhost", True),
        ("LOCALHOST:8000", True),
        ("localhost.", True),
        (".localhost", True),
        ("shop.localhost:80", True),
        ("127.0.0.1", True),
        ("127.9.9.9:8000", True),
        ("[::1]", True),
        ("[::1]:8000", True),
        ("::1", True),
        ("", False),
        ("*", False),
        (".", False),
        ("example", False),
        (".example", False),
        ("Book.Example.", False),
        ("0.0.0.0", False),  # noqa: S104 (not this machine alone)
        ("0.0.0.0:8000", False),
        ("[::]", False),
        ("192.168.0.5", False),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
        ("localhost@evil.example", False),
        ("[::1]evil.example", False),
        ("evil.example:127", False),
        ("127.0.0.256", False),
    ],
)
def test_only_names_that_always_mean_this_machine_do(name: str, here: bool) -> None:
    """Whatever else resolves to it today."""
    assert is_loopback_name(name) is here


PEERS = [
    ({"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:8000"}, True),
    ({"REMOTE_ADDR": "::1", "HTTP_HOST": "[::1]:8000"}, True),
    ({"REMOTE_ADDR": "::ffff:127.0.0.1", "HTTP_HOST": "127.0.0.1"}, True),
    ({"REMOTE_ADDR": "192.168.0.9", "HTTP_HOST": "localhost"}, False),
    ({"REMOTE_ADDR": "::ffff:192.168.0.9", "HTTP_HOST": "localhost"}, False),
    ({"REMOTE_ADDR": "", "HTTP_HOST": "localhost"}, False),
    ({"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "book.example"}, False),
    ({"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": ""}, False),
    ({"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1", "SERVER_PROTOCOL": "HTTP/1.0"}, False),
    *[
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1", f"HTTP_{header}": "127.0.0.1"}, False)
        for header in (
            "X_FORWARDED_FOR",
            "X_FORWARDED_HOST",
            "X_FORWARDED_PROTO",
            "FORWARDED",
            "X_REAL_IP",
            "VIA",
            "CF_CONNECTING_IP",
            "TRUE_CLIENT_IP",
            "X_CLIENT_IP",
        )
    ],
]


@pytest.mark.parametrize(("meta", "here"), PEERS)
def test_the_peer_and_what_it_says_decide_together(meta: dict[str, str], here: bool) -> None:
    """A forged Host from the network is not enough, nor is a proxy on this machine."""
    assert is_local_request(RequestFactory().get("/", **meta)) is here


@pytest.mark.parametrize(("meta", "here"), PEERS)
def test_a_demo_without_a_secret_key_answers_this_machine_only(
    settings: Settings, meta: dict[str, str], here: bool
) -> None:
    """Every address of it: pages, admin, debug pages."""
    answer = LocalMiddleware(lambda _request: HttpResponse("all of it"))
    request = RequestFactory().get("/", **meta)
    settings.LOCAL_ONLY = True
    assert answer(request).status_code == (200 if here else 403)
    settings.LOCAL_ONLY = False
    assert answer(request).status_code == 200
    del settings.LOCAL_ONLY
    assert answer(request).status_code == (200 if here else 403), "settings that don't say are no leave"


@pytest.mark.parametrize(("meta", "here"), PEERS)
@pytest.mark.parametrize("public", [[], ["book.example"]])
@pytest.mark.parametrize(
    ("user", "staff"),
    [
        (AnonymousUser(), False),
        (User(username="customer"), False),
        (User(username="gone", is_staff=True, is_active=False), False),
        (User(username="desk", is_staff=True), True),
    ],
)
def test_tools_are_for_this_machine_and_for_staff(
    settings: Settings,
    meta: dict[str, str],
    here: bool,
    public: list[str],
    user: AnonymousUser | User,
    staff: bool,
) -> None:
    """With a public name being at this machine counts for nothing: its proxy is there too."""
    settings.ROOT_URLCONF = "demo_site.urls"
    settings.PUBLIC_HOSTS = public
    for method in ("GET", "POST"):
        request = RequestFactory().generic(method, "/mail/?letter=1", **meta)
        request.user = user
        answer = demo_tool(lambda _request: HttpResponse("letters"))(request)
        if staff or (here and not public):
            assert answer.content == b"letters"
            assert answer["Cache-Control"] == "private, no-store"
        else:
            assert (answer.status_code, answer["Location"]) == (302, "/admin/login/?next=/mail/%3Fletter%3D1")


def test_every_page_of_the_demo_but_those_for_visitors_is_a_tool() -> None:
    """A new one is guarded, or this test says so. Forms link policy and terms, and confirmations the thank-you page."""
    code = """
import django; django.setup()
from django.test import Client
from django.urls import URLPattern, get_resolver
from django.utils.regex_helper import normalize
own = [one for one in get_resolver().url_patterns if isinstance(one, URLPattern)]
for one in own:
    path = "/" + str(one.pattern).replace("<str:name>", "1234567890-0")
    answer = Client().get(path, headers={"Host": "book.example"}, REMOTE_ADDR="192.0.2.1")
    print(path, answer.status_code, answer.headers.get("Location", "").startswith("/admin/login/"))
    again = Client().get(path, headers={"Host": "book.example"}, REMOTE_ADDR="127.0.0.1")
    assert (again.status_code, again.headers.get("Location")) == (answer.status_code, answer.headers.get("Location"))
"""
    environment = {**SECRET, **SANDBOX, **PUBLIC, "DJANGO_SETTINGS_MODULE": "tests.projects.demo_without_files"}
    done = _python("-c", code, environment=environment)
    assert done.returncode == 0, done.stderr
    pages = done.stdout.splitlines()
    tools = [line for line in pages if line.split()[0] not in {"/", "/privacy/", "/terms/", "/thanks/", "/sitemap.xml"}]
    assert {line for line in pages if line not in tools} == {
        "/ 200 False",
        "/privacy/ 200 False",
        "/terms/ 200 False",
        "/thanks/ 200 False",
        "/sitemap.xml 200 False",
    }
    assert len(tools) == 7
    assert all(line.endswith(" 302 True") for line in tools), tools


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.0.5", "book.example"])  # noqa: S104 (refused)
def test_commands_refuse_to_serve_strangers_what_is_for_this_machine(settings: Settings, address: str) -> None:
    """`manage.py runserver` and `manage.py demo` say what to set instead."""
    settings.LOCAL_ONLY = True
    for command in (Runserver(), Demo()):
        command.addr, command.port = address, "8000"
        with pytest.raises(CommandError, match="KORDLESS_SANDBOX=1"):
            command.run()
        command.addr = "127.0.0.1"
        command.refuse_strangers()
        settings.LOCAL_ONLY = False
        command.addr = address
        command.refuse_strangers()
        settings.LOCAL_ONLY = True


@pytest.mark.django_db
def test_the_salons_password_is_worth_nothing_from_elsewhere(settings: Settings) -> None:
    """Even where the backend is named by mistake."""
    settings.LOCAL_ONLY = True
    for meta, here in PEERS:
        user = SalonBackend().authenticate(RequestFactory().post("/", **meta), "salon", "salon")
        assert (user is not None) is here
    settings.LOCAL_ONLY = False
    assert SalonBackend().authenticate(None, "salon", "salon") is None


def test_mails_are_for_the_sites_own_user(settings: Settings, tmp_path: Path) -> None:
    """Others on this machine don't get into the folder, also one that was there before."""
    for folder in (tmp_path / "new", tmp_path / "old"):
        settings.SANDBOX_MAIL = folder
        if folder.name == "old":
            folder.mkdir(mode=0o755)
        mail_viewer.Folder().send_messages([EmailMessage("Booked", "text", "a@salon.example", ["b@example.com"])])
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("environment", "index"),
    [({}, "True"), ({**SECRET, **SANDBOX, **PUBLIC}, "False"), ({**SECRET, **ACCOUNT, **PUBLIC}, "False")],
)
def test_no_search_engine_lists_a_sandbox_that_it_can_reach(environment: dict[str, str], index: str):
    """The demo shows INDEX on this machine, where no search engine comes."""
    script = "from demo_site import settings; print(settings.EVERYTHING['INDEX'])"
    ran = _python("-c", script, environment=environment)
    assert (ran.returncode, ran.stdout.strip()) == (0, index), ran.stderr


def _python(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run Python at the project's root with nothing in its environment but this."""
    given = {"PATH": os.environ["PATH"], **environment}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False)  # noqa: S603 (ours)
