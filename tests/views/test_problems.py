"""A page for everything that can go wrong: status, words, a way onward, one line in the log."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import OperationalError
from django.dispatch import Signal
from django.http import Http404, HttpResponse
from django.test import Client, RequestFactory
from pytest_django import Settings

from kordless_booking import exceptions
from kordless_booking.sandbox import Sandbox
from kordless_booking.views import problems
from kordless_booking.views.request import WidgetRequest
from tests.support.visitor import Page, Visitor

pytestmark = pytest.mark.django_db

EXPECTED = (
    (exceptions.KeyRefused(), 503, "Online booking is paused"),
    (exceptions.NotFound(operation="organization"), 404, "This booking page isn’t available"),
    (exceptions.NotFound(operation="service"), 404, "This service isn’t available"),
    (exceptions.NotFound(operation="availability"), 404, "This service isn’t available"),
    (exceptions.NotFound(operation="lookup"), 404, "Booking not found"),
    (exceptions.ContactRefused(), 404, "Booking not found"),
    (exceptions.TooMany(retry_after=7), 503, "Very busy right now"),
    (exceptions.BadRequest(), 422, "That didn’t work"),
    (exceptions.Refused(), 422, "That didn’t work"),
    (exceptions.SlotTaken(), 422, "That didn’t work"),
    (exceptions.Unreachable(), 503, "Temporarily unavailable"),
    (exceptions.CircuitOpen(retry_after=9), 503, "Temporarily unavailable"),
    (exceptions.OutcomeUnknown(), 503, "Temporarily unavailable"),
    (exceptions.KordlessError(), 503, "Temporarily unavailable"),
    (Http404(), 404, "Page not found"),
    (OperationalError(), 503, "Temporarily unavailable"),
    (SuspiciousOperation(), 400, "We couldn’t read your request"),
    (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"), 400, "We couldn’t read your request"),
)


def answer_to(error: Exception, method: str = "GET") -> Page:
    """The page that a view gives which raises this."""

    def view(visit: WidgetRequest) -> HttpResponse:
        raise error

    visit = WidgetRequest.from_http(RequestFactory().generic(method, "/book/haircut/?tz=Asia/Tokyo"))
    return Page("/book/", problems.call_view(visit, ("GET", "POST"), False, view))


@pytest.mark.parametrize(("error", "status", "headline"), EXPECTED, ids=lambda value: type(value).__name__)
def test_each_failure_has_its_page(site: Settings, error: Exception, status: int, headline: str):
    """Status and headline are the failure's own, and there is always a way onward."""
    page = answer_to(error)
    assert (page.status, page.heading) == (status, headline)
    assert [url for url in page.links("main a, .kb-problem a").values() if url.startswith("/book/")]
    assert ("Retry-After" in page.response) is (status == 503 and headline != "Online booking is paused")


def test_confused_contact_and_number_share_a_page(site: Settings):
    """Nobody can tell an unknown booking from a wrong contact."""
    unknown, refused = answer_to(exceptions.NotFound(operation="lookup")), answer_to(exceptions.ContactRefused())
    assert unknown.heading == refused.heading
    assert unknown.status == refused.status


def test_a_post_is_not_offered_again(site: Settings):
    """After a form the page doesn't link to the form's address, where nothing would stand."""
    assert "Try again" in answer_to(exceptions.Unreachable()).links()
    assert "Try again" not in answer_to(exceptions.Unreachable(), "POST").links()


def test_a_page_tells_when_to_come_back(site: Settings):
    """Kordless's own words about when are passed on."""
    page = answer_to(exceptions.TooMany(retry_after=7))
    assert page.response["Retry-After"] == "7"
    assert "7 seconds" in page.text


def test_the_business_can_be_reached(site: Settings, client: Client, sandbox: Sandbox):
    """When support is set, a problem page says how to reach it, safely linked."""
    site.KORDLESS_BOOKING = {
        **site.KORDLESS_BOOKING,
        "SUPPORT_EMAIL": "desk@acme.example",
        "SUPPORT_PHONE": "+1 212 555 0100",
    }
    links = Visitor(client).open("/book/nowhere/at/all").links()
    assert links["+1 212 555 0100"] == "tel:+12125550100"
    assert links["desk@acme.example"].startswith("mailto:desk")


def test_one_line_for_the_operator(site: Settings, client: Client, sandbox: Sandbox, caplog: pytest.LogCaptureFixture):
    """A problem is one line of the views with event, status, account and request id."""
    caplog.set_level(logging.INFO)
    page = Visitor(client).open("/book/unknown/")
    lines = [record.getMessage() for record in caplog.records if record.name == "kordless_booking.views"]
    [line] = lines
    for part in ("event=service_not_found", "status=404", "account=default", f"req={page.response['X-Request-ID']}"):
        assert part in line
    assert not [record for record in caplog.records if record.name == "django.request"]


def test_an_outage_is_loud_and_a_typo_is_not(site: Settings, client: Client, sandbox: Sandbox, caplog):
    """A rejected API key is critical, an outage an error, a wrong address information."""
    caplog.set_level(logging.INFO)

    def level(url: str) -> int:
        caplog.clear()
        client.get(url)
        return max(record.levelno for record in caplog.records if record.name == "kordless_booking.views")

    assert level("/book/nowhere/at/all") == logging.INFO
    sandbox.faults.add("status", "service", status=500)
    assert level("/book/haircut/") == logging.ERROR
    sandbox.faults.clear()
    sandbox.faults.add("key_revoked", "service")
    assert level("/book/beard-trim/") == logging.CRITICAL


def test_problem_pages_are_never_stored(site: Settings, client: Client):
    """A problem of this minute is not cached for the next."""
    assert client.get("/book/nowhere/at/all")["Cache-Control"] == "no-store, private"


def test_a_foreign_host_name_is_rejected(site: Settings, client: Client):
    """A Host that the site doesn't know gets no page of ours and no 500."""
    assert client.get("/book/", headers={"Host": "evil.example"}).status_code == 400
    assert client.get("/book/manage/x/booking.ics", headers={"Host": "evil.example"}).status_code == 400


def test_options_and_head_are_answered(site: Settings, client: Client):
    """HEAD is GET without a body; OPTIONS says what may be sent."""
    assert client.head("/book/").content == b""
    response = client.options("/book/manage/")
    assert response.status_code == 204
    assert response["Allow"] == "GET, POST, HEAD, OPTIONS"


def careless(request: Any, form: Any) -> bool:
    """A check for humans that makes a mistake, and tells whom it was about."""
    raise LookupError(f"no such person: {form.cleaned_data['email']}")


def test_an_accident_is_a_page_too(site: Settings, sandbox: Sandbox, caplog: pytest.LogCaptureFixture):
    """A mistake in the site's own code: a kind page, framed like all others, and a line without its message."""
    caplog.set_level(logging.INFO)
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "SPAM_CHECK": "tests.views.test_problems.careless"}
    raised: list[str] = []

    def listen(request: Any, **_kwargs: Any) -> None:
        raised.append(f"{request.path} {sys.exc_info()[1]}")

    with listening_to(got_request_exception, listen):
        page = Visitor(Client(raise_request_exception=False)).book(email="canary@example.com")
    assert page.status == 500
    assert page.heading == "Something went wrong"
    assert page.links()["Find a booking"] == "/book/manage/"
    assert "frame-ancestors" in page.response["Content-Security-Policy"]
    assert page.response["Cache-Control"] == "no-store, private"
    [line] = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert line.startswith(
        "event=unhandled_exception status=500 account=default error=LookupError at=tests.views.test_problems:"
    )
    assert line.endswith(f"req={page.response['X-Request-ID']}")
    assert "canary" not in caplog.text
    assert raised == ["/book/haircut/contact/ no such person: canary@example.com"]
    assert [request for request in sandbox.requests if request.operation == "create"] == []


@contextmanager
def listening_to(signal: Signal, listener: Callable[..., None]) -> Iterator[None]:
    """For a while."""
    signal.connect(listener)
    try:
        yield
    finally:
        signal.disconnect(listener)


def test_an_accident_in_what_every_page_is_made_of(site: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """Then plain text has to do; the address of a personal page is in no line."""
    broken = tmp_path / "kordless_booking" / "parts" / "title.html"
    broken.parent.mkdir(parents=True)
    broken.write_text("{% load i18n %}{{ kb.title|dictsort:5 }}{% include 'canary/nowhere.html' %}")
    any_visitor = Visitor(Client(raise_request_exception=False))
    manage = any_visitor.book().link("Change or cancel")
    site.TEMPLATES = [{**site.TEMPLATES[0], "DIRS": [tmp_path]}]
    page = any_visitor.open(manage)
    assert page.status == 500
    assert page.html.startswith("Something went wrong. ")
    assert "frame-ancestors" in page.response["Content-Security-Policy"]
    assert manage not in caplog.text
    assert "event=unhandled_exception" in caplog.text


def test_whoever_develops_sees_the_error_itself(site: Settings):
    """With DEBUG, Django's own page is of more use."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "SPAM_CHECK": "tests.views.test_problems.careless"}
    site.DEBUG = True
    with pytest.raises(LookupError):
        Visitor(Client()).book()
