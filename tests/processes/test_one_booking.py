"""One form is one booking, in whichever process it arrives, and whatever happens in between."""

import os
import signal

import pytest

from tests.processes.crowd import Guest, all_at_once, counted, until
from tests.processes.gunicorn_site import Served
from tests.support.visitor import Page

SOON = 3
"""Seconds that pass before a page that was not answered asks again, at most the first two times."""


def sent_by(site: Served, number_of_posts: int, *names: str) -> list[Guest]:
    """The same contact form, sent so often at one moment, by each of these people in turn."""
    first = Guest(site.url)
    action, fields = first.fill_in(first.times("haircut")[0])
    sent = [{**fields, "name": name} for name in names or (fields["name"],)]
    guests = [Guest(site.url, first.address) for _ in range(number_of_posts)]
    all_at_once(lambda number: guests[number].open(action, sent[number % len(sent)]), number_of_posts)
    return guests


def seen_through(site: Served, guests: list[Guest], *, seconds: int, rounds: int = 12) -> list[Page]:
    """Each page asks again by itself, `seconds` later, until nobody's does."""
    for _ in range(rounds):
        waiting = [guest for guest in guests if guest.page.refresh]
        if not waiting:
            return [guest.page for guest in guests]
        site.passes(seconds)
        all_at_once(lambda number: waiting[number].reload(), len(waiting))  # noqa: B023 (done when it returns)
    raise AssertionError(f"{len(waiting)} still wait: {waiting[0].page.html}")


def the_booking(site: Served, answers: list[Page]) -> str:
    """Return the one number on all pages, of the one booking there is."""
    numbers = counted([answer.number for answer in answers])
    bookings = site.kordless.bookings()
    assert len(bookings) == 1
    assert numbers == {bookings[0]["number"]: len(answers)}
    return str(bookings[0]["number"])


def test_twenty_posts_of_one_form_are_one_create(site: Served) -> None:
    """Double clicks, reloads and impatience: Kordless hears it once, and all are led to the same confirmation."""
    site.kordless.faults("slow", "create", seconds=0.5)
    guests = sent_by(site, 20)
    the_booking(site, seen_through(site, guests, seconds=SOON))
    assert len(site.kordless.requests("create")) == 1


def test_twenty_posts_of_one_form_whose_answers_are_lost_are_one_booking(four: Served) -> None:
    """Kordless books, then the line is cut, three times over; the same request is sent until an answer comes."""
    four.kordless.faults("reset", "create", times=3, after_bytes=0)
    guests = sent_by(four, 20)
    the_booking(four, seen_through(four, guests, seconds=10))
    creates = four.kordless.requests("create")
    assert len(creates) == 4
    assert len({(each["headers"]["idempotency-key"], each["body"]) for each in creates}) == 1


def test_twenty_posts_of_one_form_by_two_people_are_one_booking(site: Served) -> None:
    """One of the two is booked, ten times the same; the other gets ten conflict pages, at once, and no number."""
    names = ("Jane Doe", "Zoe Roe")
    site.kordless.faults("slow", "create", seconds=0.5)
    guests = sent_by(site, 20, *names)
    refused = [guest for guest in guests if guest.page.status == 409]
    assert [guest for guest in refused if guest.page.refresh or len(guest.responses) > 1] == []
    assert {"already requested from this page" in guest.page.html for guest in refused} == {True}
    the_booking(site, seen_through(site, [guest for guest in guests if guest not in refused], seconds=SOON))
    [booking] = site.kordless.bookings()
    winners, losers = (guests[0::2], guests[1::2]) if booking["name"] == names[0] else (guests[1::2], guests[0::2])
    assert {guest.page.number for guest in winners} == {booking["number"]}
    assert [guest.page.status for guest in losers] == [409] * 10
    assert not [guest for guest in losers if booking["number"] in guest.page.html or "/manage/g" in guest.page.html]
    assert len(site.kordless.requests("create")) == 1


@pytest.mark.parametrize("sent", [True, False], ids=["sent", "not sent"])
def test_a_process_killed_in_mid_create_costs_no_booking_and_makes_no_second(four: Served, *, sent: bool) -> None:
    """Its visitor sees the line cut, sends the form again, and gets the result when the lease has run out."""
    # As long as it may take a busy machine to see that it has arrived, and to kill the process.
    four.kordless.faults("slow", "create", times=1, seconds=8, carried_out=sent)
    guest = Guest(four.url)
    action, fields = guest.fill_in(guest.times("haircut")[0])

    def visit(number: int) -> None:
        if number == 0:
            guest.open(action, fields)
            return
        until(lambda: four.kordless.requests("create"))
        os.kill(four.worker_of(guest.connection.port), signal.SIGKILL)

    all_at_once(visit, 2)
    assert guest.page.status == 0
    four.kordless.behave()
    guest.open(action, fields)
    assert guest.page.refresh
    four.later(31)
    guest.reload()
    # The request of the dead process is carried out, or answered, all the same.
    four.kordless.wait_for_answers()
    the_booking(four, [guest.page])
    until(lambda: len(four.workers()) == 4)


def test_a_cache_emptied_on_the_way_changes_nothing_about_the_booking(four: Served) -> None:
    """The guarantee is in the database: Redis loses everything before the form is sent, while it is, and after."""
    four.kordless.faults("slow", "create", seconds=0.5)
    first = Guest(four.url)
    action, fields = first.fill_in(first.times("haircut")[0])
    guests = [Guest(four.url, first.address) for _ in range(12)]

    def visit(number: int) -> None:
        if number < 12:
            guests[number].open(action, fields)
            return
        with four.redis() as cache:
            until(lambda: cache.flushall() and four.kordless.bookings())

    all_at_once(visit, 13)
    with four.redis() as cache:
        cache.flushall()
    the_booking(four, seen_through(four, guests, seconds=SOON))
    assert len(four.kordless.requests("create")) == 1
