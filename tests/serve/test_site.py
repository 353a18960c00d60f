"""The site that `kordless-booking serve` serves: the business itself at /, and the admin."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings
from pytest_django.fixtures import DjangoAssertNumQueries

from kordless_booking import hooks
from kordless_booking.sandbox import Sandbox
from kordless_booking.serve.front_page import render_privacy
from kordless_booking.serve.login import ATTEMPTS, LoginForm
from kordless_booking.serve.policy import CONTENT_SECURITY_POLICY
from kordless_booking.views.links import service_url_name
from tests.support.serve import PUBLIC
from tests.support.visitor import Visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def served(site: Settings) -> Settings:
    """The plain host project with the URLs and the policy of the server."""
    site.ROOT_URLCONF = "kordless_booking.serve.urls"
    site.MIDDLEWARE = [site.MIDDLEWARE[0], "kordless_booking.serve.policy.PolicyMiddleware", *site.MIDDLEWARE[1:]]
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "SITE_URL": "https://book.salon.example"}
    return site


def test_the_front_page_is_the_business_with_its_services(served: Settings, client: Client):
    """Name, services, prices and lengths, a way to the customer's own booking, and nothing of a demo."""
    page = Visitor(client).open("/")
    for words in ("Acme Salon", "Haircut", "$45.00", "1 hr", "Change or cancel a booking"):
        assert words in page.text
    assert "/manage/" in page.links()["Change or cancel a booking"]


def test_the_privacy_policy_is_linked_on_the_front_page(served: Settings, client: Client):
    """In the visitor's language; without an address, and in a frame, there is nothing."""
    with hooks.temporary_hooks():
        hooks.template_slots.register("services_after", render_privacy)
        assert "privacy" not in Visitor(client).open("/").text
        served.KORDLESS_BOOKING = {
            **served.KORDLESS_BOOKING,
            "PRIVACY_URL": "https://salon.example/privacy/",
            "EMBED_ORIGINS": ["https://salon.example"],
        }
        assert Visitor(client).open("/").link("privacy policy") == "https://salon.example/privacy/"
        assert "Datenschutz" in Visitor(client).open("/?lang=de").text
        assert "privacy" not in Visitor(client).open("/?embed=1").text


def test_a_visitor_books_from_the_front_page(served: Settings, client: Client, sandbox: Sandbox):
    """Down to the manage page, with no cookie and no session."""
    visitor = Visitor(client, base="/")
    visitor.open("/")
    visitor.follow("Haircut")
    number = visitor.book().number
    assert number
    visitor.follow("Change or cancel")
    assert number in visitor.page.text
    assert not [page.url for page in visitor.responses if page.response.cookies]
    assert len(sandbox.bookings()) == 1


def test_a_warm_front_page_asks_nobody(
    served: Settings, client: Client, sandbox: Sandbox, django_assert_num_queries: DjangoAssertNumQueries
):
    """No query, because nobody is looked up in a session, and no request to Kordless."""
    client.get("/")
    request_count = len(sandbox.requests)
    with django_assert_num_queries(0):
        assert client.get("/").status_code == 200
    assert len(sandbox.requests) == request_count


def test_the_admin_has_the_pages_of_the_package(served: Settings, admin_client: Client):
    """Overview, funnel and mails, under the policy that allows nothing inline."""
    for page in ("overview", "funnelcount", "outgoingmail", "webhookdelivery", "bookingattempt"):
        response = admin_client.get(f"/admin/kordless_booking/{page}/")
        assert response.status_code == 200
        assert response["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert admin_client.get("/snippet/").status_code == 200


def test_the_admin_is_closed_to_visitors(served: Settings, client: Client):
    """It asks for a login, and the snippet builder with it."""
    assert client.get("/admin/")["Location"].startswith("/admin/login/")
    assert client.get("/admin")["Location"] == "/admin/"
    assert "/admin/login/" in client.get("/snippet/")["Location"]


def log_in(client: Client, password: str, address: str = "192.0.2.7") -> str:
    """Send the login form of anna from an address. Return the page, or where it leads to."""
    form = {"username": "anna", "password": password}
    response = client.post("/admin/login/?next=/admin/", form, REMOTE_ADDR=address)
    return response.get("Location") or response.content.decode()


@pytest.fixture
def limited_login(served: Settings, monkeypatch: pytest.MonkeyPatch) -> User:
    """An account, and the login form of the server."""
    monkeypatch.setattr(admin.site, "login_form", LoginForm)
    return User.objects.create_user("anna", password="right-password-of-anna", is_staff=True)


@pytest.mark.usefixtures("limited_login")
def test_who_guesses_passwords_of_the_admin_is_refused(client: Client, caplog: pytest.LogCaptureFixture):
    """The right one as well, for it would tell that it is; another address isn't."""
    for _ in range(ATTEMPTS):
        assert "Please enter the correct" in log_in(client, "wrong")
    for password in ("wrong", "right-password-of-anna"):
        assert "Too many attempts. Please try again in 10 minutes." in log_in(client, password)
    assert log_in(client, "right-password-of-anna", "192.0.2.8") == "/admin/"
    assert "password" not in caplog.text
    assert "anna" not in caplog.text


@pytest.mark.usefixtures("limited_login")
def test_logins_that_succeed_do_not_count(client: Client):
    """A desk of several people has one address."""
    for _ in range(ATTEMPTS + 1):
        assert log_in(client, "right-password-of-anna") == "/admin/"


def test_a_service_with_the_slug_of_the_admin_keeps_its_page():
    """Its links lead to service/admin/, because /admin/ is somebody else's."""
    with hooks.temporary_hooks():
        hooks.url_patterns.register("admin", [])
        assert service_url_name("slots", "admin") == "slots-named"


def test_robots_are_kept_from_the_admin_and_told_of_the_sitemap(served: Settings, client: Client):
    """The sitemap is named only where search engines may list anything."""
    assert client.get("/robots.txt").content.decode() == "User-agent: *\nDisallow: /admin/\n"
    served.KORDLESS_BOOKING = {**served.KORDLESS_BOOKING, "INDEX": True}
    assert "Sitemap: https://book.salon.example/sitemap.xml\n" in client.get("/robots.txt").content.decode()


def test_a_browser_that_guesses_the_icon_is_no_visitor_of_a_missing_page(served: Settings, client: Client):
    """The admin's pages name none, and the log of missing pages stays readable."""
    response = client.get("/favicon.ico")
    assert (response.status_code, response.content) == (204, b"")


def test_behind_a_proxy_http_leads_to_https_except_for_health(
    served: Settings, client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """The proxy's header says which of both it is, and browsers are told to remember https."""
    for name, text in {**PUBLIC, "STATE_FOLDER": str(tmp_path)}.items():
        monkeypatch.setenv(name, text)
    found = runpy.run_module("kordless_booking.serve.settings")
    for name in found:
        if name.startswith("SECURE_") or name == "ALLOWED_HOSTS":
            setattr(served, name, found[name])
    host = {"Host": "book.salon.example"}
    assert client.get("/", headers=host)["Location"] == "https://book.salon.example/"
    secure = client.get("/", headers={**host, "X-Forwarded-Proto": "https"})
    assert secure.status_code == 200
    assert secure["Strict-Transport-Security"] == "max-age=2592000"
    assert client.get("/health/", headers={"Host": "127.0.0.1:8000"}).status_code == 200
    assert client.get("/health/", headers={"Host": "other.example"}).status_code == 400


def test_health_is_at_the_top(served: Settings, client: Client):
    """For a load balancer, and for a container's check."""
    assert client.get("/health/").status_code == 200
    assert client.get("/health/booking/").json()["status"] == "ok"
