"""Replay of a delivery, on request of staff."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from kordless_booking.conf import get_account
from kordless_booking.logs import error_location
from kordless_booking.models import BookingProjection, WebhookDelivery
from kordless_booking.signals import ChangeSource, booking_created
from kordless_booking.upstream.registry import services_for
from kordless_booking.webhooks.inbox import ReceiverFailed
from kordless_booking.webhooks.replay import event_of, is_outdated, replay
from kordless_booking.webhooks.stored_body import BodyUnavailable
from tests.support.clock import NOW
from tests.support.deliveries import delivery, event_body
from tests.support.signal_receiver import SignalRecorder

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hooked")]


def received(client: Client, body: bytes | None = None) -> WebhookDelivery:
    """A delivery that was taken in."""
    assert delivery(body or event_body()).post(client).status_code == 200
    return WebhookDelivery.objects.latest("pk")


def test_the_receivers_hear_it_although_it_is_known(client: Client, recorder: SignalRecorder) -> None:
    """As often as somebody wants, and each signal says that it is a replay."""
    row = received(client)
    replay(get_account(None), row, ChangeSource.WEBHOOK, NOW)
    replay(get_account(None), row, ChangeSource.WIDGET, NOW)
    assert recorder.names == ["created"] * 3
    assert [arguments["replay"] for arguments in recorder.arguments] == [False, True, True]
    assert [str(arguments["source"]) for arguments in recorder.arguments] == ["webhook", "webhook", "widget"]
    assert recorder.events == ["booking.created"] * 3
    assert recorder.arguments[2]["booking"] == recorder.arguments[0]["booking"]


def test_a_receiver_of_one_source_hears_what_is_replayed_as_that(client: Client) -> None:
    """The source is the sender."""
    row = received(client)
    replays: list[bool] = []

    def note_replay(replay: bool, **_arguments: Any) -> None:
        replays.append(replay)

    booking_created.connect(note_replay, sender=ChangeSource.WIDGET)
    try:
        replay(get_account(None), row, ChangeSource.WEBHOOK, NOW)
        assert replays == []
        replay(get_account(None), row, ChangeSource.WIDGET, NOW)
        assert replays == [True]
    finally:
        booking_created.disconnect(note_replay, sender=ChangeSource.WIDGET)


def test_what_is_known_of_the_booking_stays(
    client: Client, recorder: SignalRecorder, clock: time_machine.Traveller
) -> None:
    """An old creation that is replayed after the cancellation is signaled, and makes nothing alive again."""
    row = received(client)
    clock.shift(60)
    received(client, event_body("booking.cancelled", "2026-12-01T15:00:30Z"))
    known = BookingProjection.objects.values().get()
    assert is_outdated(row, event_of(row, NOW))
    replay(get_account(None), row, ChangeSource.WEBHOOK, NOW)
    assert BookingProjection.objects.values().get() == known
    assert recorder.names == ["created", "cancelled", "created"]
    assert delivery(event_body("booking.updated", "2026-12-01T15:00:40Z")).post(client).json() == {
        "received": "superseded"
    }


def test_the_newest_is_not_outdated(client: Client) -> None:
    """By itself it is no older than what is known."""
    row = received(client)
    assert not is_outdated(row, event_of(row, NOW))


def test_a_receiver_that_fails_undoes_what_receivers_did(client: Client, recorder: SignalRecorder) -> None:
    """And the error says where it was, without its words."""
    row = received(client)
    recorder.failures = 1
    with pytest.raises(ReceiverFailed) as failed:
        replay(get_account(None), row, ChangeSource.WEBHOOK, NOW)
    assert str(failed.value) == "LookupError"
    assert "tests.support.signal_receiver:" in error_location(failed.value.error)["at"]
    assert "canary" not in str(error_location(failed.value.error))


def test_an_unknown_kind_is_signaled_as_an_event(client: Client, recorder: SignalRecorder) -> None:
    """No booking, no change."""
    row = received(client, b'{"event": "invoice.paid", "timestamp": "2026-12-01T14:59:00Z"}')
    replay(get_account(None), row, ChangeSource.WEBHOOK, NOW)
    assert recorder.events == ["invoice.paid"] * 2
    assert recorder.names == []
    assert not is_outdated(row, event_of(row, NOW))


def test_what_it_changed_is_asked_for_anew(client: Client) -> None:
    """As when it came."""
    client.get("/book/haircut/")
    row = received(client)
    cache = services_for(get_account(None)).catalog_cache
    before = cache.invalidations
    replay(get_account(None), row, ChangeSource.WEBHOOK, NOW)
    assert cache.invalidations > before


@pytest.mark.parametrize("spoilt", ["too old", "emptied", "another key"])
def test_a_body_that_is_gone(client: Client, hooked: Settings, spoilt: str) -> None:
    """It can't be signaled again, not even in part."""
    row, now = received(client), NOW
    match spoilt:
        case "too old":
            now += timedelta(days=31)
        case "emptied":
            row.encrypted = ""
        case _:
            hooked.SECRET_KEY = "another"
    with pytest.raises(BodyUnavailable):
        replay(get_account(None), row, ChangeSource.WEBHOOK, now)


def test_where_a_change_was_made_is_written_down(client: Client) -> None:
    """For signaled changes; a change that was known already has no source of its own."""
    assert received(client).source == "webhook"
    assert received(client, event_body(at="2026-12-01T14:59:30Z")).source == ""
