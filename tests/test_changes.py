"""A change is published once, by whichever source comes first, and nothing older is published after it."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from kordless_booking.api.resources import Booking
from kordless_booking.changes import (
    BookingChange,
    find_change_in_progress,
    has_newer_change,
    mark_change_in_progress,
    publish_change,
    record_change,
)
from kordless_booking.clock import Clock
from kordless_booking.models import BookingProjection
from kordless_booking.signals import ChangeSource, booking_cancelled, booking_created, booking_rescheduled
from kordless_booking.upstream.fallback_cache import FallbackCache
from tests.support.clock import NOW
from tests.support.failing_database import refused_writes
from tests.support.signal_receiver import SignalRecorder, record_signals

pytestmark = pytest.mark.django_db

FIRST = NOW + timedelta(days=1)
MOVED = NOW + timedelta(days=2)


def booking(start: datetime = FIRST, number: str = "BOOK_AB12CD34", status: str = "confirmed") -> Booking:
    """An hour from `start` on."""
    return Booking(confirmation_number=number, status=status, start=start, end=start + timedelta(hours=1))


def start_to_publish(change: BookingChange, start: datetime = FIRST, *, at: int = 0, **more: Any) -> datetime | None:
    """The start that there is to tell when the webhook speaks of a change `at` seconds after NOW; None for nothing."""
    with transaction.atomic():
        recorded = record_change(change, booking(start, **more), account="default", at=NOW + timedelta(seconds=at))
    return recorded and recorded.start


def test_each_change_is_published_once():
    """A booking is made, moved, moved back and cancelled; every second time it is no change."""
    for change, start, at in (
        (BookingChange.CREATED, FIRST, 0),
        (BookingChange.RESCHEDULED, MOVED, 10),
        (BookingChange.RESCHEDULED, FIRST, 20),
        (BookingChange.CANCELLED, FIRST, 30),
    ):
        assert start_to_publish(change, start, at=at) == start
        assert start_to_publish(change, start, at=at) is None


def test_accounts_and_numbers_are_apart_and_case_is_not():
    """A number is written in any case."""
    assert start_to_publish(BookingChange.CREATED)
    assert start_to_publish(BookingChange.CREATED, number="BOOK_OTHER123")
    assert start_to_publish(BookingChange.CREATED, number="book_ab12cd34") is None
    assert record_change(BookingChange.CREATED, booking(), account="north", at=NOW)


@pytest.mark.parametrize("late", [BookingChange.CREATED, BookingChange.RESCHEDULED])
def test_nothing_follows_a_cancellation(late: BookingChange):
    """However new it claims to be."""
    assert start_to_publish(BookingChange.CANCELLED)
    assert start_to_publish(late, MOVED, at=1000) is None
    assert BookingProjection.objects.get().canceled


def test_an_older_move_is_not_published():
    """Two moves arrive in the wrong order."""
    assert start_to_publish(BookingChange.RESCHEDULED, MOVED, at=20)
    assert start_to_publish(BookingChange.RESCHEDULED, FIRST, at=10) is None
    assert BookingProjection.objects.get().start == MOVED


def test_a_creation_after_a_move_is_published_with_the_current_time():
    """A creation that arrives after its reschedule is published with the new time, not with its own old one."""
    assert start_to_publish(BookingChange.RESCHEDULED, MOVED, at=20)
    assert start_to_publish(BookingChange.CREATED, FIRST) == MOVED
    assert BookingProjection.objects.get().start == MOVED


def test_a_known_booking_stays_known_after_the_secret_key_was_rotated(settings: Settings):
    """A second report is dropped, also once the old key is gone from the fallbacks: the row gets the new key."""
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "old-key-for-this-test", []
    assert start_to_publish(BookingChange.CREATED)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new-key-for-this-test", ["old-key-for-this-test"]
    assert has_newer_change(booking(), account="default", at=NOW - timedelta(seconds=1))
    assert start_to_publish(BookingChange.CREATED) is None
    assert BookingProjection.objects.count() == 1
    settings.SECRET_KEY_FALLBACKS = []
    assert start_to_publish(BookingChange.CREATED) is None
    assert start_to_publish(BookingChange.RESCHEDULED, MOVED, at=10) == MOVED


def test_of_two_rows_of_a_booking_the_one_under_the_current_key_counts(settings: Settings):
    """A process without the fallback has written a second row; the newer one is found."""
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "old-key-for-this-test", []
    assert start_to_publish(BookingChange.CREATED)
    settings.SECRET_KEY = "new-key-for-this-test"
    assert start_to_publish(BookingChange.RESCHEDULED, MOVED, at=10)
    settings.SECRET_KEY_FALLBACKS = ["old-key-for-this-test"]
    assert start_to_publish(BookingChange.RESCHEDULED, MOVED, at=20) is None
    assert start_to_publish(BookingChange.CANCELLED, at=30)


def test_a_change_in_progress_is_found_while_a_key_is_rotated(settings: Settings):
    """The page and the webhook may run in processes with different keys."""
    cache = FallbackCache(None, Clock())
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "old-key-for-this-test", []
    mark_change_in_progress(cache, "default", "BOOK_AB12CD34", BookingChange.CANCELLED, "Ill")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new-key-for-this-test", ["old-key-for-this-test"]
    found = find_change_in_progress(cache, "default", "BOOK_AB12CD34")
    assert found is not None
    assert found.reason_for(BookingChange.CANCELLED, datetime.now(UTC)) == "Ill"
    assert find_change_in_progress(cache, "default", "BOOK_OTHER123") is None


CHANGES = (
    (BookingChange.CREATED, FIRST, 0),
    (BookingChange.RESCHEDULED, MOVED, 10),
    (BookingChange.CANCELLED, MOVED, 20),
)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_in_every_order_it_ends_cancelled(order: tuple[int, ...]):
    """The last signal is the cancellation."""
    published = [
        change for change, start, at in (CHANGES[index] for index in order) if start_to_publish(change, start, at=at)
    ]
    assert published[-1] is BookingChange.CANCELLED
    assert BookingProjection.objects.get().canceled
    assert len(set(published)) == len(published)


steps = st.lists(
    st.tuples(
        st.sampled_from(list(BookingChange)),
        st.sampled_from([FIRST, MOVED, MOVED + timedelta(days=1)]),
        st.integers(0, 99),
    ),
    max_size=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(steps=steps)
def test_any_sequence_keeps_to_the_rules(steps: list[tuple[BookingChange, datetime, int]]):
    """At most one creation, at most one cancellation and nothing after it, and no move to where it is."""
    BookingProjection.objects.all().delete()
    published = [(change, start) for change, start, at in steps if start_to_publish(change, start, at=at)]
    changes = [change for change, _ in published]
    assert changes.count(BookingChange.CREATED) <= 1
    assert BookingChange.CANCELLED not in changes[:-1]
    moves = [start for change, start in published if change is BookingChange.RESCHEDULED]
    assert all(one != other for one, other in pairwise(moves))


def test_the_page_tells_only_what_the_webhook_has_not():
    """The quicker one tells; the page says that it was made here, and carries where the visitor came from."""
    with record_signals() as recorder:
        publish_change(BookingChange.CREATED, booking(), account="default", now=NOW, attribution={"utm_source": "x"})
        assert start_to_publish(BookingChange.CREATED) is None
        assert start_to_publish(BookingChange.CANCELLED)
        publish_change(BookingChange.CANCELLED, booking(), account="default", now=NOW)
    assert recorder.calls == [("created", "widget", f"{FIRST:%d %H:%M}")]
    assert recorder.arguments[0]["attribution"] == {"utm_source": "x"}


def test_a_receiver_may_ask_for_one_source():
    """The source is the sender."""
    signals = SignalRecorder()
    booking_created.connect(
        on_created := lambda **arguments: signals.record("created", **arguments), sender=ChangeSource.WEBHOOK
    )
    try:
        publish_change(BookingChange.CREATED, booking(), account="default", now=NOW)
        assert signals.names == []
        booking_created.send(sender=ChangeSource.WEBHOOK, source=ChangeSource.WEBHOOK, booking=booking())
        assert signals.names == ["created"]
    finally:
        booking_created.disconnect(on_created, sender=ChangeSource.WEBHOOK)


def test_a_receiver_that_fails_keeps_nobody_from_booking(caplog: pytest.LogCaptureFixture):
    """It is logged by its name; our line is without its message."""
    with record_signals() as recorder:
        recorder.failures = 1
        publish_change(BookingChange.CREATED, booking(), account="default", now=NOW)
        assert recorder.names == []
    [line] = [record.getMessage() for record in caplog.records if record.name.startswith("kordless_booking")]
    assert line.startswith("event=receiver_failed receiver=")
    assert "canary" not in line


def test_a_page_tells_also_what_it_can_not_write_down(caplog: pytest.LogCaptureFixture):
    """The booking stands, so the site must hear of it; perhaps twice."""
    with record_signals() as recorder, refused_writes("INSERT", "UPDATE"):
        publish_change(BookingChange.CREATED, booking(), account="default", now=NOW)
        assert recorder.names == ["created"]
    assert "event=change_not_recorded change=created" in caplog.text


def test_projections_hold_no_personal_data():
    """No confirmation number in the clear."""
    start_to_publish(BookingChange.CREATED)
    row = BookingProjection.objects.get()
    assert "AB12" not in str(vars(row)) + str(row) + repr(row)


def test_each_change_has_its_signal():
    """Three of them."""
    assert [change.signal for change in BookingChange] == [booking_created, booking_rescheduled, booking_cancelled]
