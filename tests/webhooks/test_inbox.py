"""Where a change was made: here or elsewhere, whoever is quicker, the page or the webhook."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.forms.models import model_to_dict
from django.test import Client
from pytest_django import Settings

from kordless_booking.api.session import wsgi_transport
from kordless_booking.booking.placement import MAX_OPEN_ATTEMPTS
from kordless_booking.conf import get_account
from kordless_booking.models import BookingAttempt
from kordless_booking.sandbox import Sandbox
from kordless_booking.webhooks.events import parse_event
from kordless_booking.webhooks.inbox import receive
from tests.support.clock import NOW
from tests.support.deliveries import delivery, event_body
from tests.support.signal_receiver import SignalRecorder
from tests.support.visitor import JANE, Page, Visitor, start_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hooked")]


def body_of(
    sandbox: Sandbox, event: str = "booking.created", at: str = "2026-12-01T15:00:00Z", **changes: Any
) -> bytes:
    """The event about the sandbox's only booking, as Kordless would send it now."""
    [row] = sandbox.bookings()
    fields = {
        "confirmation_number": row["number"],
        "serviceId": f"srv_{row['service']}",
        "startsAt": datetime.fromtimestamp(row["starts"], UTC).isoformat(),
        "endsAt": datetime.fromtimestamp(row["ends"], UTC).isoformat(),
        "contact": {"name": row["name"], "email": row["email"], "phone": row["phone"]},
    }
    return event_body(event, at, **fields | changes)


@pytest.fixture
def visitor(client: Client) -> Visitor:
    """Somebody without JavaScript."""
    return Visitor(client)


def manage_page(any_visitor: Visitor) -> Page:
    """The page of the booking that was just made."""
    return any_visitor.open(any_visitor.responses[-1].link("Change or cancel"))


def test_a_booking_of_ours_is_signaled_once(visitor: Visitor, recorder: SignalRecorder, sandbox: Sandbox):
    """By the page; the webhook that follows is written down and silent."""
    visitor.book()
    assert delivery(body_of(sandbox)).post(visitor.client).json() == {"received": "superseded"}
    assert [call[:2] for call in recorder.calls] == [("created", "widget")]
    assert recorder.events == ["booking.created"]


def test_a_webhook_that_is_quicker_than_the_answer(
    visitor: Visitor, recorder: SignalRecorder, sandbox: Sandbox, clock: Any
):
    """The answer was lost; the webhook knows the booking for ours by its time and contact, and where it came from."""
    sandbox.faults.add("status", "create", times=1, status=500, carried_out=True)
    form = visitor.choose()
    waiting = visitor.send(form, "Book appointment", **JANE, attribution='{"utm_source": "letter"}')
    assert not waiting.number
    assert delivery(body_of(sandbox)).post(visitor.client).json() == {"received": "processed"}
    clock.shift(60)
    assert visitor.open(waiting.url).number
    assert [call[:2] for call in recorder.calls] == [("created", "widget")]
    assert recorder.arguments[0]["attribution"] == {"utm_source": "letter"}


def test_two_who_share_an_address_and_a_time_are_distinguished(
    visitor: Visitor, recorder: SignalRecorder, sandbox: Sandbox, clock: Any
):
    """A mother books a class for one child and then for the other, and the first answer is lost: the name decides."""
    form = visitor.choose("styling-class")
    for name, campaign, carried_out in (("Jane Doe", "letter", True), ("John Doe", "poster", False)):
        sandbox.faults.add("status", "create", times=1, status=500, carried_out=carried_out)
        sent = visitor.send(
            form, "Book appointment", **{**JANE, "name": name}, attribution=f'{{"utm_source": "{campaign}"}}'
        )
        assert not sent.number
        clock.shift(1)
        form = visitor.open(visitor.open(form.url).link("Book this time for someone else"))
    assert delivery(body_of(sandbox)).post(visitor.client).json() == {"received": "processed"}
    assert recorder.arguments[0]["attribution"] == {"utm_source": "letter"}


@pytest.mark.parametrize(
    "other",
    [
        {"contact": {"name": "Jane Doe", "email": "john@example.com"}},
        {"contact": None},
        {"startsAt": "2026-12-01T15:15:00Z"},
    ],
)
def test_somebody_elses_booking_meanwhile(
    visitor: Visitor, recorder: SignalRecorder, sandbox: Sandbox, other: dict[str, Any]
):
    """An open attempt makes nothing ours that differs from it."""
    sandbox.faults.add("status", "create", times=1, status=500, carried_out=True)
    visitor.send(visitor.choose(), "Book appointment", **JANE)
    delivery(body_of(sandbox, confirmation_number="BOOK_ELSE1234", **other)).post(visitor.client)
    assert [call[:2] for call in recorder.calls] == [("created", "webhook")]


def test_a_cancellation_of_ours_is_signaled_once(visitor: Visitor, recorder: SignalRecorder, sandbox: Sandbox):
    """By the page."""
    visitor.book()
    visitor.send(visitor.open(f"{manage_page(visitor).url}cancel/"), "Cancel booking")
    assert delivery(body_of(sandbox, "booking.cancelled")).post(visitor.client).json() == {"received": "superseded"}
    assert [call[:2] for call in recorder.calls] == [("created", "widget"), ("cancelled", "widget")]


class Quick:
    """A Kordless whose webhook is here before its answer: it comes in while the page still waits."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.received: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        answer = list(self.sandbox(environ, start_response))
        if environ["REQUEST_METHOD"] == "POST":
            event = {"cancel": "booking.cancelled", "reschedule": "booking.updated"}.get(
                environ["PATH_INFO"].rpartition("/")[2], "booking.created"
            )
            body = body_of(self.sandbox, event)
            arguments = {"delivery_id": f"dlv_{event}", "body": body, "event": parse_event(body), "now": NOW}
            self.received.append(receive(get_account(None), **arguments).value)
        return answer


def test_webhooks_that_are_quicker_than_the_answers(
    visitor: Visitor, recorder: SignalRecorder, sandbox: Sandbox, hooked: Settings
):
    """Making, moving and cancelling: each is signaled once, by the webhook, and as made here."""
    quick = Quick(sandbox)
    hooked.KORDLESS_BOOKING = {**hooked.KORDLESS_BOOKING, "TRANSPORT": wsgi_transport(quick)}
    visitor.book()
    page = manage_page(visitor)
    times = visitor.open(f"{page.url}reschedule/")
    visitor.send(visitor.open(list(times.times.values())[-1]), "Reschedule")
    visitor.send(visitor.open(f"{page.url}cancel/"), "Cancel booking")
    assert quick.received == ["processed"] * 3
    assert [call[:2] for call in recorder.calls] == [
        ("created", "widget"),
        ("rescheduled", "widget"),
        ("cancelled", "widget"),
    ]


def test_a_cancellation_by_the_business_is_from_elsewhere(
    visitor: Visitor, recorder: SignalRecorder, sandbox: Sandbox, clock: Any
):
    """Also of a booking that was made, and changed, here."""
    visitor.book()
    clock.shift(3600)
    delivery(body_of(sandbox, "booking.cancelled", "2026-12-01T16:00:00Z")).post(visitor.client)
    assert [call[:2] for call in recorder.calls] == [("created", "widget"), ("cancelled", "webhook")]


def test_a_reschedule_of_ours_is_signaled_once(visitor: Visitor, recorder: SignalRecorder, sandbox: Sandbox):
    """By the page."""
    visitor.book()
    times = visitor.open(f"{manage_page(visitor).url}reschedule/")
    visitor.send(visitor.open(list(times.times.values())[-1]), "Reschedule")
    assert recorder.names == ["created", "rescheduled"]
    answer = delivery(body_of(sandbox, "booking.updated", "2026-12-01T15:00:01Z")).post(visitor.client)
    assert answer.json() == {"received": "superseded"}
    assert {call[1] for call in recorder.calls} == {"widget"}


def test_a_booking_by_phone_is_from_elsewhere(visitor: Visitor, recorder: SignalRecorder, sandbox: Sandbox):
    """And what was free is asked for anew at once."""
    page = visitor.open("/book/haircut/?host=host_sarah")
    first = next(iter(page.times.values()))
    sandbox.book_by_phone("haircut", start_of(first), "host_sarah")
    delivery(body_of(sandbox)).post(visitor.client)
    assert recorder.calls[0][:2] == ("created", "webhook")
    assert first not in visitor.open("/book/haircut/?host=host_sarah").times.values()


def test_an_attempt_that_was_never_sent_makes_no_booking_ours(
    visitor: Visitor, recorder: SignalRecorder, sandbox: Sandbox, hooked: Settings
):
    """Somebody left a form with this contact unsent; the booking by phone at that time is still from elsewhere, and the
    form's attribution isn't its own. As many as they leave, they hide no attempt whose answer was lost."""
    form = visitor.choose("styling-class")
    sandbox.faults.add("status", "create", times=1, status=500, carried_out=True)
    visitor.send(form, "Book appointment", **JANE, attribution='{"utm_source": "letter"}')
    body = body_of(sandbox)
    [sent] = BookingAttempt.objects.all()
    left = model_to_dict(sent, exclude=["id"]) | {
        "state": BookingAttempt.State.HELD,
        "outcome_unknown": False,
        "created_at": sent.created_at + timedelta(seconds=1),
    }
    BookingAttempt.objects.bulk_create(
        BookingAttempt(**left | {"key": f"left-{number}"}) for number in range(MAX_OPEN_ATTEMPTS)
    )
    delivery(body).post(visitor.client)
    assert recorder.calls[0][:2] == ("created", "widget")
    assert recorder.arguments[0]["attribution"] == {"utm_source": "letter"}
    sent.delete()
    other = body_of(sandbox, confirmation_number="BOOK_PHONE123", id="book_phone123")
    delivery(other).post(visitor.client)
    assert recorder.calls[1][:2] == ("created", "webhook")
    assert recorder.arguments[1]["attribution"] == {}
