"""Metadata of the tag: from the site's page through the draft to signals, admin and export, readable in no address."""

from __future__ import annotations

import pytest
from django.template import engines
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking import conf, hooks
from kordless_booking.booking.draft import MAX_TOKEN, Draft, sign, unsign
from kordless_booking.booking.metadata import MAX_BYTES, METADATA_SECONDS, decrypt_metadata, encrypt_metadata
from kordless_booking.booking.terms import Terms
from kordless_booking.erasure.base import Person
from kordless_booking.erasure.run import export_person
from kordless_booking.models import BookingAttempt, WebhookDelivery
from kordless_booking.sandbox import Sandbox
from kordless_booking.signals import ChangeSource
from kordless_booking.views import response_cache
from kordless_booking.views.tag_arguments import InvalidArgument, parse_metadata
from kordless_booking.webhooks.replay import replay
from tests.support.clock import NOW
from tests.support.deliveries import delivery, event_body
from tests.support.lost_answers import lose_answers
from tests.support.mail_settings import MAIL
from tests.support.signal_receiver import record_signals
from tests.support.visitor import JANE, Page, Visitor

pytestmark = pytest.mark.django_db

ORDER = {"order": 17, "cart": "canary-cart"}
INLINE = {"HX-Request": "true", "HX-Target": "kb-inline-widget"}


def page_with_times(service: str = "haircut") -> Page:
    """The site's own page with the times of a service and ORDER as their metadata."""
    template = engines["django"].from_string("{% load kordless_booking %}{% booking_widget service metadata=order %}")
    page = Page("/page/", Client().get("/book/"))
    page.tree = type(page.tree)(template.render({"service": service, "order": ORDER}, RequestFactory().get("/page/")))
    return page


def choose(any_visitor: Visitor) -> Page:
    """Open the first time of that page."""
    return any_visitor.open(next(iter(page_with_times().times.values())))


@pytest.mark.parametrize("headers", [{}, INLINE], ids=["without scripts", "with htmx"])
def test_metadata_comes_back_with_every_signal(
    client: Client, sandbox: Sandbox, site: Settings, headers: dict[str, str]
):
    """Also after another time was chosen, the booking moved and canceled; no address, page or request says it."""
    any_visitor = Visitor(client, headers)
    form = choose(any_visitor)
    times = any_visitor.open(form.link("Choose another time"))
    form = any_visitor.open(list(times.times.values())[1])
    with record_signals() as recorder:
        booked = any_visitor.send(form, "Book appointment", **JANE)
        managed = any_visitor.open(booked.link("Change or cancel"))
        times = any_visitor.send(managed, "Reschedule")
        any_visitor.send(any_visitor.open(next(iter(times.times.values()))), "Reschedule")
        any_visitor.send(any_visitor.send(any_visitor.page, "Cancel booking"), "Cancel booking")
    assert [
        (what, arguments["metadata"]) for what, arguments in zip(recorder.names, recorder.arguments, strict=True)
    ] == [
        ("created", ORDER),
        ("rescheduled", ORDER),
        ("cancelled", ORDER),
    ]
    for page in any_visitor.responses:
        assert "canary-cart" not in f"{page.url} {page.html} {page.response.get('Location', '')}"
    assert "canary-cart" not in str([request.body for request in sandbox.requests])


def test_a_booking_without_metadata_has_none(visitor: Visitor, site: Settings):
    """The argument is a dictionary all the same, so that receivers need not ask."""
    with record_signals() as recorder:
        visitor.book()
    assert [arguments["metadata"] for arguments in recorder.arguments] == [{}]


def test_metadata_survives_a_lost_response_and_a_quicker_webhook(
    client: Client, sandbox: Sandbox, site: Settings, clock: Traveller
):
    """It is in the open attempt's row, which the waiting page and the webhook read."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, **MAIL}
    for ends_by_webhook in (False, True):
        any_visitor = Visitor(client)
        form = choose(any_visitor)
        lose_answers(sandbox, times=1)
        with record_signals() as recorder:
            any_visitor.send(form, "Book appointment", **JANE)
            if ends_by_webhook:
                made = sandbox.bookings()[-1]
                attempt = BookingAttempt.objects.latest("created_at")
                contact = {"email": JANE["email"], "name": JANE["name"], "phone": None}
                start = attempt.start.isoformat().replace("+00:00", "Z")
                delivery(event_body(confirmation_number=made["number"], contact=contact, startsAt=start)).post(client)
            else:
                clock.shift(60)
                assert any_visitor.reload().heading == "You’re booked"
        assert [arguments["metadata"] for arguments in recorder.arguments] == [ORDER]


def test_extensions_replays_and_an_export_have_the_metadata(client: Client, sandbox: Sandbox, site: Settings):
    """By name, as it was given; and a change that is logged or shown in a traceback has none of it in it."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, **MAIL}
    any_visitor, changes = Visitor(client), list[hooks.Change]()
    with hooks.temporary_hooks():
        hooks.change_handlers.register("collect", changes.append)
        booked = any_visitor.send(choose(any_visitor), "Book appointment", **JANE)
    [change] = changes
    assert change.metadata == ORDER
    assert "canary" not in repr(change)
    delivery(event_body(confirmation_number=booked.number)).post(client)
    with record_signals() as recorder:
        replay(conf.get_account(None), WebhookDelivery.objects.get(), ChangeSource.WIDGET, NOW)
    assert recorder.arguments[0]["metadata"] == ORDER
    [attempt] = export_person(Person.from_texts([JANE["email"]], frozenset()))["booking attempts"]
    assert attempt["metadata"] == ORDER


def test_pages_with_metadata_are_stored_for_nobody(client: Client, site: Settings, clock: Traveller):
    """Each visitor's is another address: they must not take the place of pages that others need."""
    with_metadata = next(iter(page_with_times().links(".kb-day a, a.kb-day").values()))
    before = len(response_cache._responses)
    client.get(with_metadata)
    assert len(response_cache._responses) == before
    client.get("/book/haircut/")
    assert len(response_cache._responses) == before + 1


def test_a_token_that_is_old_foreign_or_changed_is_dropped(client: Client, site: Settings, clock: Traveller):
    """The page is shown without it, and none of its links repeats it."""
    now = NOW.timestamp()
    token = encrypt_metadata("default", ORDER)
    for meta in (token[:-2], encrypt_metadata("other", ORDER), "x", "", "é"):
        assert "meta=" not in Visitor(client).open(f"/book/haircut/?meta={meta}").html
    assert f"meta={token}" in Visitor(client).open(f"/book/haircut/?meta={token}").html
    clock.shift(METADATA_SECONDS + 60)
    assert "meta=" not in Visitor(client).open(f"/book/haircut/?meta={token}").html
    assert decrypt_metadata("default", token, now + METADATA_SECONDS + 60) == {}
    assert decrypt_metadata("default", token, None) == ORDER


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(metadata=st.dictionaries(st.text(), JSON, min_size=1, max_size=4))
def test_metadata_fits_into_a_draft_and_comes_back_or_is_refused(metadata: dict[str, object]):
    """Whatever a page gives: as it was, or an error that names the argument."""
    try:
        token = parse_metadata("default", metadata)
    except InvalidArgument as error:
        token, named = "", error.argument
    else:
        named = "metadata"
        assert decrypt_metadata("default", token, None) == metadata
    assert named == "metadata"
    terms = Terms(service="haircut", start=NOW, end=NOW, timezone="UTC", host_id="h" * 40, team_id="t" * 40)
    signed = sign(Draft(terms=terms, issued_at=1, metadata=token), "default")
    assert len(signed) <= MAX_TOKEN
    assert unsign(signed, "default", max_age=9, now=1).metadata == token


@pytest.mark.parametrize("value", ["17", 17, [1], {"a": NOW}, {"a": float("nan")}, {1: 2}, {"a": "x" * MAX_BYTES}])
def test_metadata_that_no_token_can_hold_names_the_argument(value: object):
    """Dates, numbers as keys and long texts are mistakes of the page."""
    with pytest.raises(InvalidArgument, match="metadata must be a dictionary"):
        parse_metadata("default", value)


def test_the_waiting_line_keeps_the_metadata_of_a_draft_without_it(site: Settings):
    """A draft of before metadata is read as one that has none."""
    terms = Terms(service="haircut", start=NOW, end=NOW, timezone="UTC")
    assert unsign(sign(Draft(terms=terms, issued_at=1), "default"), "default", max_age=9, now=1).metadata == ""
