"""Decorators that turn a function of a request into a view: exemptions, language, guard and problem pages."""

import sys

import pytest
from django.core.signals import got_request_exception
from django.http import HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from kordless_booking import exceptions, urls
from kordless_booking.views.decorators import widget_view
from kordless_booking.views.request import WidgetRequest

pytestmark = pytest.mark.django_db


def test_every_view_is_exempt_from_what_needs_a_cookie():
    """No page of the widget asks for a login, a CSRF cookie, or a transaction around a call to Kordless."""
    for pattern in urls.urlpatterns:
        view = pattern.callback
        assert view.login_required is False, pattern.name
        if pattern.name not in {"style", "style-themed", "embed", "embed-dialog", "snippet", "snippet-preview"}:
            assert view.csrf_exempt is True, pattern.name
            assert view._non_atomic_requests == {"default"}, pattern.name


def test_a_view_is_given_a_visit(site: Settings):
    """The function gets the visit and what stood in the address; its answer gets the frame's headers."""

    @widget_view("GET", no_store=True)
    def view(visit: WidgetRequest, word: str) -> HttpResponse:
        return HttpResponse(f"{visit.account.name} {word}")

    response = view(RequestFactory().get("/book/"), word="here")
    assert response.content == b"default here"
    assert response["Cache-Control"] == "no-store, private"
    assert response["Content-Language"] == "en"
    assert "frame-ancestors 'self'" in response["Content-Security-Policy"]


def test_a_failure_of_kordless_is_a_page(site: Settings):
    """Whatever a view raises about Kordless is answered with a page in the same frame."""

    @widget_view("GET")
    def view(visit: WidgetRequest) -> HttpResponse:
        raise exceptions.Unreachable(operation="availability")

    response = view(RequestFactory().get("/book/"))
    assert response.status_code == 503
    assert response["Cache-Control"] == "no-store, private"
    assert "Content-Security-Policy" in response


def test_a_mistake_of_ours_is_not_hidden(site: Settings):
    """A programming error is a page in the same frame, a 500, and told to error trackers and tests as ever."""
    reported: list[str] = []

    def listen(**_arguments: object) -> None:
        reported.append(type(sys.exc_info()[1]).__name__)

    @widget_view("GET")
    def view(visit: WidgetRequest) -> HttpResponse:
        raise ZeroDivisionError

    got_request_exception.connect(listen)
    try:
        response = view(RequestFactory().get("/book/"))
    finally:
        got_request_exception.disconnect(listen)
    assert response.status_code == 500
    assert "frame-ancestors 'self'" in response["Content-Security-Policy"]
    assert reported == ["ZeroDivisionError"]
    site.DEBUG = True
    with pytest.raises(ZeroDivisionError):
        view(RequestFactory().get("/book/"))


def test_what_is_typed_is_hidden_from_error_mails(site: Settings):
    """Django's error reports leave out everything that was posted."""

    @widget_view("POST")
    def view(visit: WidgetRequest) -> HttpResponse:
        return HttpResponse(str(getattr(visit.request, "sensitive_post_parameters", "")))

    assert view(RequestFactory().post("/book/")).content == b"__ALL__"
