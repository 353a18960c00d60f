"""The doctor's report on the origins that may frame the widget, and on middleware that prevents them."""

from collections.abc import Callable

import pytest
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from pytest_django import Settings

from tests.support.doctor import run_as_json

pytestmark = pytest.mark.django_db

Answer = Callable[[HttpRequest], HttpResponse]
HERE = "tests.doctor.test_embedding"


def own_policy(answer: Answer) -> Answer:
    """One policy for everything."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        response["Content-Security-Policy"] = "default-src 'self'"
        return response

    return middleware


def deny(answer: Answer) -> Answer:
    """No frames, whatever a view says."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        response["X-Frame-Options"] = "DENY"
        return response

    return middleware


def tracker(answer: Answer) -> Answer:
    """A cookie for everybody."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        response.set_cookie("seen", "1")
        return response

    return middleware


def wall(_answer: Answer) -> Answer:
    """A login for everything."""
    return lambda _request: HttpResponseRedirect("/login/")


def only_this_machine(answer: Answer) -> Answer:
    """Nobody but a browser on this machine, as the demo does."""

    def middleware(request: HttpRequest) -> HttpResponse:
        local = request.META["REMOTE_ADDR"] == "127.0.0.1" and request.META["SERVER_PROTOCOL"] == "HTTP/1.1"
        return answer(request) if local else HttpResponse(status=403)

    return middleware


def unused(_answer: Answer) -> Answer:
    """Not today."""
    raise MiddlewareNotUsed


def broken(_answer: Answer) -> Answer:
    """Needs what isn't there."""
    raise LookupError("canary")


@pytest.mark.parametrize(
    ("origins", "found"),
    [
        ([], {"embedded_nowhere": "note"}),
        (["'self'"], {"embedded_nowhere": "note"}),
        (["https://shop.example"], {"origins": "ok"}),
        (["https://*.shop.example"], {"origins_wide": "note", "origins": "ok"}),
        (["http://localhost:8001"], {"origins_local": "note"}),
    ],
)
def test_origins(well: Settings, origins: list[str], found: dict[str, str]):
    """None of them is visited."""
    well.KORDLESS_BOOKING = {**well.KORDLESS_BOOKING, "EMBED_ORIGINS": origins}
    report = run_as_json()
    assert report.of("embedding") == {**found, "middleware": "ok"}
    assert report.status == 0


@pytest.mark.parametrize("origin", ["http://shop.example", "*", "https://shop.example/path", "shop.example"])
def test_origins_that_can_not_be(well: Settings, origin: str):
    """A mistake in the settings."""
    well.KORDLESS_BOOKING = {**well.KORDLESS_BOOKING, "EMBED_ORIGINS": [origin]}
    report = run_as_json()
    assert report.fixes() == ["E004"]
    assert "EMBED_ORIGINS" in report.line("E004")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("own_policy", "replaces the widget's Content-Security-Policy"),
        ("deny", "adds X-Frame-Options"),
        ("tracker", "sets a cookie"),
        ("wall", "answers 302 instead of the widget let requests for the widget pass"),
    ],
)
@pytest.mark.parametrize("place", [0, 3, 99])
def test_middleware_that_breaks_the_widget(well: Settings, name: str, words: str, place: int):
    """It is named, wherever it stands."""
    middleware = list(well.MIDDLEWARE)
    middleware.insert(place, f"{HERE}.{name}")
    well.MIDDLEWARE = middleware
    report = run_as_json()
    assert report.fixes() == ["middleware"]
    assert report.line("middleware").startswith(f"{HERE}.{name} {words}")


@pytest.mark.parametrize(
    "names",
    [
        [f"{HERE}.unused"],
        [f"{HERE}.only_this_machine"],
        ["tests.projects.strict.csp.StrictPolicyMiddleware"],
        ["django.contrib.auth.middleware.LoginRequiredMiddleware"],
        ["django.middleware.gzip.GZipMiddleware", "django.middleware.locale.LocaleMiddleware"],
    ],
)
def test_middleware_that_does_no_harm(well: Settings, names: list[str]):
    """Also behind a redirect to https, and under names that are not the first."""
    well.MIDDLEWARE = [*well.MIDDLEWARE, *names]
    well.SECURE_SSL_REDIRECT = True
    well.ALLOWED_HOSTS = ["*", ".salon.example"]
    assert run_as_json().of("embedding")["middleware"] == "ok"


def test_middleware_that_can_not_be_tried(well: Settings):
    """Said, and the rest is looked at."""
    well.MIDDLEWARE = [f"{HERE}.broken"]
    report = run_as_json()
    assert report.of("embedding")["middleware_not_tried"] == "note"
    assert report.status == 0
