"""Who is notified of a free time, when, and how often."""

from __future__ import annotations

import io
import json
import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.api.resources import Slot
from kordless_booking.contrib.waitlist import matching, notifying, outbox
from kordless_booking.contrib.waitlist.models import WaitlistEntry
from kordless_booking.hooks import RefreshedTimes
from kordless_booking.mail import messenger
from kordless_booking.messenger import MessageNotSent
from kordless_booking.sandbox import Sandbox
from tests.support.clock import NOW
from tests.support.phone_messages import PHONE, failing, received
from tests.support.visitor import Visitor
from tests.support.waitlist import (
    FORM_URL,
    HOUR,
    JANE,
    join_waitlist,
    message_url,
    recipients,
    run_notifications,
    sent_mails,
    states,
)

pytestmark = pytest.mark.django_db

Booked = dict[datetime, list[str]]
DAY = timedelta(days=1)


def free(sandbox: Sandbox, booked: Booked, place: int = 2) -> datetime:
    """Cancel the bookings at one start, and return it."""
    start = sorted(booked)[place]
    for number in booked[start]:
        sandbox.set_status(number, "canceled")
    return start


def test_nobody_is_notified_while_nothing_is_free(visitor: Visitor, booked: Booked):
    """An entry alone sends nothing."""
    assert join_waitlist(visitor).heading == "You’re on the list"
    assert run_notifications() == []
    assert states() == ["waiting"]


def test_the_first_who_waits_is_notified_of_a_time_that_became_free(
    visitor: Visitor, booked: Booked, sandbox: Sandbox, clock: Traveller
):
    """One mail with the time, the link that books it, the link that stops it, and the rule."""
    join_waitlist(visitor)
    join_waitlist(visitor, "second@example.com")
    start = free(sandbox, booked)
    clock.shift(HOUR / 4)
    [letter] = run_notifications()
    assert letter.to == [JANE]
    assert "free now" in letter.subject
    assert "First come, first served" in letter.body
    assert letter.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = re.search(r"https://salon\.example(/book/service/haircut/contact/\S+)", letter.body)
    assert link is not None
    page = visitor.open(link[1])
    assert page.heading == "Your details"
    assert "example.com" not in link[0]
    assert states() == ["notified", "waiting"]
    offered = WaitlistEntry.objects.get(state="notified")
    # The canceled hour may have made an earlier start possible.
    assert offered.offered_start is not None
    assert offered.offered_start <= start
    html = str(letter.alternatives[0][0])
    assert link[0].replace("&", "&amp;") in html


def test_the_next_in_line_is_notified_after_two_hours_if_the_time_is_still_free(
    visitor: Visitor, booked: Booked, sandbox: Sandbox, clock: Traveller
):
    """Nobody else is notified of the time before, and none is notified twice of it."""
    for name in ("first", "second", "third"):
        join_waitlist(visitor, f"{name}@example.com")
    free(sandbox, booked)
    clock.shift(HOUR / 4)
    assert recipients(run_notifications()) == ["first@example.com"]
    clock.shift(HOUR)
    assert run_notifications() == []
    clock.shift(HOUR)
    assert recipients(run_notifications()) == ["second@example.com"]
    clock.shift(HOUR)
    assert run_notifications() == []


def test_two_free_times_go_to_two_who_wait(visitor: Visitor, booked: Booked, sandbox: Sandbox, clock: Traveller):
    """Each hears of another time, so that they don't race for the same one."""
    join_waitlist(visitor, "first@example.com")
    join_waitlist(visitor, "second@example.com")
    starts = [free(sandbox, booked, 2), free(sandbox, booked, -1)]
    clock.shift(HOUR / 12)
    assert recipients(run_notifications()) == ["first@example.com", "second@example.com"]
    first, second = WaitlistEntry.objects.order_by("pk").values_list("offered_start", flat=True)
    assert first <= min(starts)
    assert second <= max(starts)
    assert second - first >= HOUR


def slots_at(*starts: datetime) -> tuple[Slot, ...]:
    """Return free slots of an hour."""
    return tuple(Slot(start=start, end=start + HOUR, capacity=1, available=1) for start in starts)


def refresh(service: str, *starts: datetime, now: datetime) -> int:
    """Tell of these free times, and of no others, and send. Return how many messages there were."""
    until = NOW + timedelta(days=60)
    queued = notifying.notify_about(
        RefreshedTimes(account="default", service=service, slots=slots_at(*starts), until=until), now
    )
    outbox.send_due()
    return queued


def test_an_entry_gets_one_message_a_day_and_none_about_what_it_knows(visitor: Visitor, clock: Traveller):
    """A second time that becomes free on the same day waits; a known one is notified again only after it was taken."""
    visitor.send(visitor.open("/book/waitlist/head-spa/"), "Tell me", contact=JANE, until="2026-12-20")
    day = timedelta(days=1)
    fourth, fifth, sixth = (NOW.replace(hour=18) + number * day for number in (4, 5, 6))

    def after(hours: int, *starts: datetime) -> int:
        clock.move_to(NOW + hours * HOUR)
        return refresh("head-spa", *starts, now=NOW + hours * HOUR)

    assert after(0, fifth) == 1
    assert after(1, fifth, sixth) == 0
    assert after(25, fifth) == 0
    assert after(26, fifth, sixth) == 1
    assert after(52, fourth, sixth) == 1
    assert after(78, fifth, sixth) == 1
    assert len(mail.outbox) == 4


def test_only_times_that_fit_are_offered(visitor: Visitor, booked: Booked):
    """Part of the day and host: a free evening with anyone is nothing for the others."""
    join_waitlist(visitor, "morning@example.com", part="morning")
    join_waitlist(visitor, "host@example.com", part="evening", provider="host:host_sarah")
    join_waitlist(visitor, "evening@example.com", part="evening")
    assert refresh("haircut", NOW.replace(hour=23), now=NOW) == 1
    assert recipients(sent_mails()) == ["evening@example.com"]


def test_a_phone_gets_a_short_message_with_one_link(
    visitor: Visitor, booked: Booked, sandbox: Sandbox, clock: Traveller
):
    """Kind, service, time and link fit into one message; the link leads to the entry's page."""
    join_waitlist(visitor, PHONE)
    free(sandbox, booked)
    clock.shift(HOUR / 12)
    assert run_notifications() == []
    [message] = received()
    assert (message.to, message.kind, message.booking) == (PHONE, "free_time", None)
    assert len(message.text) <= 160
    page = visitor.open(message.link.removeprefix("https://salon.example"))
    assert page.heading == "A time is free"
    assert visitor.follow("Book this time").heading == "Your details"


def test_a_message_that_was_not_accepted_is_tried_again_and_given_up_after_two_hours(
    visitor: Visitor, booked: Booked, sandbox: Sandbox, clock: Traveller
):
    """Then the next in line may be notified; nobody gets the stale message later."""

    def refuse() -> None:
        raise MessageNotSent

    join_waitlist(visitor, PHONE)
    free(sandbox, booked)
    clock.shift(HOUR / 12)
    with failing(refuse):
        run_notifications()
        assert states() == ["queued"]
        clock.shift(HOUR / 6)
        run_notifications()
        clock.shift(2 * HOUR)
        run_notifications()
    assert states() == ["waiting"]
    run_notifications()
    assert received() == []


def test_a_message_with_an_unknown_outcome_is_never_sent_again(
    visitor: Visitor, booked: Booked, sandbox: Sandbox, clock: Traveller
):
    """It may have been sent."""

    def hang_up() -> None:
        raise TimeoutError

    join_waitlist(visitor, PHONE)
    free(sandbox, booked)
    clock.shift(HOUR / 12)
    with failing(hang_up):
        run_notifications()
    assert states() == ["notified"]
    clock.shift(HOUR / 12)
    run_notifications()
    assert received() == []


def test_two_processes_never_tell_twice(visitor: Visitor, booked: Booked, monkeypatch: pytest.MonkeyPatch):
    """Whoever loses the claim tells nobody else of the time either."""
    join_waitlist(visitor, "first@example.com")
    join_waitlist(visitor, "second@example.com")
    slots = slots_at(NOW + HOUR)
    refreshed = RefreshedTimes(account="default", service="haircut", slots=slots, until=NOW + 24 * HOUR)
    began: list[bool] = []

    def race(*arguments: Any) -> Any:
        if not began:
            began.append(True)
            # The other process tells between this one's read and its claim.
            assert notifying.notify_about(refreshed, NOW) == 1
        return matching.fitting_times(*arguments)

    monkeypatch.setattr(notifying, "fitting_times", race)
    assert notifying.notify_about(refreshed, NOW) == 0
    assert list(WaitlistEntry.objects.order_by("pk").values_list("state", "claim")) == [("queued", 1), ("waiting", 0)]


def test_entries_that_nothing_fits_keep_nobody_from_being_notified(
    visitor: Visitor, booked: Booked, monkeypatch: pytest.MonkeyPatch
):
    """Of a queue that is too long to be looked at in one go, each part has its turn."""
    monkeypatch.setattr(notifying, "MAX_QUEUE", 2)
    for number in range(5):
        join_waitlist(visitor, f"hostile{number}@example.com", url=f"{FORM_URL}?party=90")
    join_waitlist(visitor)
    refreshed = RefreshedTimes(account="default", service="haircut", slots=slots_at(NOW + 8 * HOUR), until=NOW + DAY)
    counts = [notifying.notify_about(refreshed, NOW + hours * HOUR) for hours in range(3)]
    assert sorted(counts) == [0, 0, 1]
    assert WaitlistEntry.objects.get(state="queued").pk == WaitlistEntry.objects.order_by("pk").last().pk  # type: ignore[union-attr]


def test_a_message_that_is_sent_late_in_a_batch_is_not_taken_for_left_behind(
    visitor: Visitor, booked: Booked, sandbox: Sandbox, clock: Traveller, monkeypatch: pytest.MonkeyPatch
):
    """Another process sets what was left behind to notified; a slow function of the site's is still at it."""
    join_waitlist(visitor, PHONE)
    free(sandbox, booked)
    clock.shift(HOUR / 12)
    notifying.sweep(NOW + HOUR / 12)
    real = outbox.MessengerCalls.send

    def send(calls: outbox.MessengerCalls, *arguments: Any) -> None:
        assert outbox.release_stuck(datetime.now(UTC)) == 0
        real(calls, *arguments)

    monkeypatch.setattr(outbox.MessengerCalls, "send", send)
    monkeypatch.setattr(outbox, "MessengerCalls", lambda: (clock.shift(HOUR / 2), messenger.MessengerCalls())[1])
    outbox.send_due()
    assert (states(), len(received())) == (["notified"], 1)


@pytest.mark.parametrize("end", ["by the page after the form", "by the link of the message"])
def test_a_contact_that_is_entered_again_gets_no_second_message_that_day(
    visitor: Visitor, booked: Booked, sandbox: Sandbox, clock: Traveller, end: str
):
    """Ending an entry doesn't make it forgotten that its contact was notified; a day later nothing is left of it."""
    page = join_waitlist(visitor)
    link = page.url if end == "by the page after the form" else message_url()
    free(sandbox, booked)
    clock.shift(HOUR / 12)
    assert len(run_notifications()) == 1
    visitor.send(visitor.open(link), "Stop these messages")
    assert visitor.open(link).status == 404
    assert list(WaitlistEntry.objects.values_list("encrypted", "offered_start")) == [("", None)]
    join_waitlist(visitor, part="evening")
    join_waitlist(visitor, "other@example.com", part="evening")
    refreshed = RefreshedTimes(account="default", service="haircut", slots=slots_at(NOW + 8 * HOUR), until=NOW + DAY)
    assert notifying.notify_about(refreshed, NOW + HOUR) == 1
    assert states() == ["waiting", "waiting", "queued"]
    output = io.StringIO()
    call_command("kordless_export", "--contact", JANE, stdout=output, stderr=io.StringIO())
    assert [bool(row["entry"]) for row in json.loads(output.getvalue())["stored"]["waitlist entries"]] == [False, True]
    notifying.delete_expired(NOW + HOUR + DAY)
    assert not WaitlistEntry.objects.filter(encrypted="").exists()


def test_a_message_is_claimed_once(visitor: Visitor, booked: Booked, sandbox: Sandbox, clock: Traveller):
    """A process that read the row before another one sent it sends nothing."""
    join_waitlist(visitor)
    free(sandbox, booked)
    clock.shift(HOUR / 12)
    notifying.sweep(NOW + HOUR / 12)
    stale = WaitlistEntry.objects.get()
    outbox.send_due()
    with outbox.MailConnection() as connection:
        assert outbox._send(stale, connection, outbox.MessengerCalls(), NOW) is None
    assert len(mail.outbox) == 1


def test_what_a_dead_process_left_behind_counts_as_notified(visitor: Visitor, booked: Booked, clock: Traveller):
    """Nobody knows whether it went out, so it is never sent again."""
    join_waitlist(visitor)
    WaitlistEntry.objects.update(state=WaitlistEntry.State.SENDING, changed_at=NOW - HOUR)
    run_notifications()
    assert states() == ["notified"]


def test_a_run_waits_for_messages_that_threads_of_its_process_send(
    visitor: Visitor, booked: Booked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that a thread has claimed would never be sent if the process ended first."""
    goes_on, sent = threading.Event(), []

    def send() -> None:
        goes_on.wait(60)
        sent.append("a message")

    assert outbox._background(send)
    monkeypatch.setattr(outbox, "send_due", goes_on.set)
    notifying.run(NOW)
    assert sent == ["a message"]


def test_the_sweep_costs_one_request_for_a_service_and_only_while_somebody_waits(
    visitor: Visitor, booked: Booked, sandbox: Sandbox, clock: Traveller
):
    """Whoever waits for the same service costs nothing more; without anybody nothing is asked."""
    for number in range(3):
        join_waitlist(visitor, f"guest{number}@example.com")
    clock.shift(HOUR)
    visitor.open("/book/")
    sandbox.clear_requests()
    run_notifications()
    fetches = [each for each in sandbox.requests if each.path.endswith("/availability")]
    assert len(fetches) == 1
    WaitlistEntry.objects.all().delete()
    clock.shift(HOUR)
    sandbox.clear_requests()
    run_notifications()
    assert list(sandbox.requests) == []


def test_a_booking_ends_the_entry(visitor: Visitor, booked: Booked, sandbox: Sandbox):
    """Whoever has booked the service needs no more messages about it; entries for others stay."""
    join_waitlist(visitor)
    visitor.send(visitor.open("/book/waitlist/head-spa/"), "Tell me", contact=JANE, until="2026-12-20")
    assert visitor.book("haircut").number
    assert list(WaitlistEntry.objects.values_list("service", flat=True)) == ["head-spa"]


def test_an_expired_entry_gets_no_message_and_deleted_a_day_later(
    visitor: Visitor, booked: Booked, sandbox: Sandbox, clock: Traveller
):
    """Its latest date ends at midnight in the zone of the page that it came from."""
    join_waitlist(visitor)
    clock.shift(timedelta(days=1))
    assert run_notifications() == []
    assert states() == ["waiting"]
    clock.shift(timedelta(days=1))
    run_notifications()
    assert states() == []


def test_a_site_that_switches_the_waitlist_off_tells_nobody(
    visitor: Visitor, booked: Booked, sandbox: Sandbox, waiting: Settings, clock: Traveller
):
    """Entries that are left are deleted when they expire."""
    join_waitlist(visitor)
    free(sandbox, booked)
    clock.shift(HOUR / 12)
    waiting.KORDLESS_BOOKING = {**waiting.KORDLESS_BOOKING, "WAITLIST": False}
    assert run_notifications() == []
