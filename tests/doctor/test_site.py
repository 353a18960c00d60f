"""The doctor's report on the running site, to which it sends requests as Kordless and browsers would."""

import threading
from collections.abc import Iterator
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.test import Client
from django.urls import include, path
from pytest_django import Settings

from kordless_booking.funnel import counters
from kordless_booking.models import RejectedDeliveryCount, WebhookDelivery
from kordless_booking.sandbox import Sandbox
from tests.support.deliveries import OLD
from tests.support.doctor import run_as_json
from tests.support.reserved_port import reserved_port

pytestmark = pytest.mark.django_db


class Silent(WSGIRequestHandler):
    """Tells nobody."""

    def log_message(self, *_args: Any) -> None: ...


@pytest.fixture
def lost() -> list[str]:
    """The headers that a proxy in front of the site loses."""
    return []


@pytest.fixture
def added() -> dict[str, str]:
    """The headers that a proxy in front of the site adds."""
    return {}


@pytest.fixture
def running(well: Settings, lost: list[str], added: dict[str, str]) -> Iterator[str]:
    """Where the site answers over HTTP, its static files included."""
    application = StaticFilesHandler(WSGIHandler())

    def behind_a_proxy(environ: dict[str, Any], start_response: Any) -> Any:
        passed = {key: value for key, value in environ.items() if key not in lost}
        return application({**passed, **added}, start_response)

    with make_server("127.0.0.1", 0, behind_a_proxy, handler_class=Silent) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


def test_it_answers_and_believes_what_is_signed(running: str, sandbox: Sandbox):
    """Its health, its script and its webhook; nothing is stored, and Kordless hears nothing of it."""
    report = run_as_json("--site", f"{running}/")
    assert report.of("site") == {"site_health": "ok", "site_script": "ok", "site_webhook": "ok"}, report.text
    assert WebhookDelivery.objects.count() == 0
    assert report.document["requests"] == len(sandbox.requests) == 3
    assert report.status == 0


def test_the_doctors_own_deliveries_are_not_counted_as_refused(running: str):
    """A monitor that runs it every five minutes leaves no alarm in the overview."""
    report = run_as_json("--site", running)
    assert report.of("site")["site_webhook"] == "ok", report.text
    assert counters.flush()
    assert not RejectedDeliveryCount.objects.exists()


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("HTTP_X_KORDLESS_TIMESTAMP", "a proxy changes the body or drops X-Kordless headers"),
        ("HTTP_X_KORDLESS_WEBHOOK_ID", "a proxy drops X-Kordless-Webhook-Id"),
    ],
)
def test_a_proxy_that_loses_a_header(running: str, lost: list[str], header: str, words: str):
    """The signature can't be right without its timestamp. Without its id a delivery is rejected before it is read."""
    lost.append(header)
    report = run_as_json("--site", running)
    assert report.fixes() == ["site_webhook"]
    assert words in report.line("site_webhook")


def test_a_proxy_that_the_settings_do_not_know_of(running: str, added: dict[str, str], well: Settings):
    """The running site tells the doctor alone, who proves that it belongs to the site."""
    added["HTTP_X_FORWARDED_FOR"] = "203.0.113.7"
    report = run_as_json("--site", running)
    assert report.fixes() == ["site_proxy"]
    assert "TRUSTED_PROXIES" in report.line("site_proxy")
    for proof in (None, "", "doctor", "doctor:1:forged"):
        headers = {} if proof is None else {"KB-Doctor": proof}
        behind = {**headers, "X-Forwarded-For": "203.0.113.7"}
        answer = Client().get("/book/health/", headers=behind, REMOTE_ADDR="127.0.0.1")
        assert "KB-Proxy" not in answer
    well.KORDLESS_BOOKING = {**well.KORDLESS_BOOKING, "TRUSTED_PROXIES": 1}
    assert run_as_json("--site", running).fixes() == []


def test_no_webhook_to_try(running: str, well: Settings):
    """Without a secret nothing is sent."""
    well.KORDLESS_BOOKING = {**well.KORDLESS_BOOKING, "WEBHOOK_SECRETS": []}
    assert run_as_json("--site", running).of("site") == {"site_health": "ok", "site_script": "ok"}


def test_another_site(running: str, well: Settings):
    """Where other things are at our addresses."""
    well.ROOT_URLCONF = "tests.projects.several.urls"
    well.KORDLESS_BOOKING = {"ACCOUNTS": {"north": {**well.KORDLESS_BOOKING, "WEBHOOK_SECRETS": OLD}}}
    well.STATIC_URL = "https://cdn.example/"
    report = run_as_json("--site", running.replace("localhost", "127.0.0.1"))
    assert report.of("site") == {"site_health": "ok", "site_webhook": "ok"}


def serve_robots(well: Settings, text: str) -> None:
    """Let the site have this robots.txt, and INDEX."""
    well.ROOT_URLCONF = (
        path("book/", include("kordless_booking.urls")),
        path("robots.txt", lambda _request: HttpResponse(text, content_type="text/plain")),
    )
    well.KORDLESS_BOOKING = {**well.KORDLESS_BOOKING, "INDEX": True, "SITE_URL": "https://salon.example"}


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("User-agent: *\nDisallow: /", "fix"),
        ("User-agent: *\nDisallow: /book/", "fix"),
        ("User-agent: *\nDisallow: /book/manage/\nDisallow: /book/*?", "ok"),
        ("\ufeff\x00not robots", "ok"),
        ("", "ok"),
    ],
)
def test_a_robots_txt_that_contradicts_index(running: str, well: Settings, text: str, level: str):
    """Who lets search engines in, and keeps them from reading the pages, is told."""
    serve_robots(well, text)
    report = run_as_json("--site", running)
    assert report.of("site")["site_robots"] == level, report.text
    assert report.of("search engines") == {"indexed": "ok"}
    assert "https://salon.example/book/" in report.line("indexed")


def test_nobody_there(well: Settings):
    """Or somebody who speaks no HTTP."""
    assert run_as_json("--site", "http://127.0.0.1:1").of("site") == {"site_unreachable": "fix"}
    with reserved_port() as port:
        assert "site_unreachable" in run_as_json("--site", f"https://127.0.0.1:{port}").fixes()


def test_the_thank_you_page_is_asked_for(running: str, well: Settings):
    """One that answers, one that doesn't exist, and one whose server can't be reached."""
    with reserved_port() as nobodys:
        for url, status in (
            (f"{running}/book/health/?service={{service}}", "ok"),
            (f"{running}/no-such-page", "fix"),
            (f"http://127.0.0.1:{nobodys}/thanks", "fix"),
        ):
            well.KORDLESS_BOOKING = {**well.KORDLESS_BOOKING, "DONE_URL": url}
            report = run_as_json("--site", running)
            assert report.of("site")["site_done_url"] == status, report.text


def test_the_privacy_policy_and_the_terms_are_asked_for(running: str, well: Settings):
    """On this site or another one, and each address of those by language."""
    with reserved_port() as nobodys:
        for privacy, terms, statuses in (
            ("/book/health/", f"{running}/book/health/", ["ok", "ok"]),
            ("/no-such-page/", {"en": "/book/health/", "de": "/book/health/"}, ["fix", "ok"]),
            ({"en": "/book/health/"}, f"http://127.0.0.1:{nobodys}/terms", ["ok", "fix"]),
        ):
            well.KORDLESS_BOOKING = {**well.KORDLESS_BOOKING, "PRIVACY_URL": privacy, "TERMS_URL": terms}
            report = run_as_json("--site", running)
            found = report.of("site")
            assert [found["site_privacy_url"], found["site_terms_url"]] == statuses, report.text
        well.KORDLESS_BOOKING = {**well.KORDLESS_BOOKING, "TERMS_URL": {"en": "/book/health/", "de": "/gone/"}}
        assert "site_terms_url" in run_as_json("--site", running).fixes()
