"""A Redis that is gone or hangs costs freshness and a line in the log, never a page."""

import os
import signal
from contextlib import suppress
from statistics import median

import redis

from tests.processes.crowd import Guest, all_at_once, counted
from tests.processes.gunicorn_site import Served


def complaints(site: Served) -> int:
    """Count the log lines that report the cache as unavailable."""
    return site.log().count("event=cache_unavailable")


def rounds(site: Served, how_many: int) -> list[int]:
    """So many pages of many visitors, one after the other; their statuses."""

    def visit(number: int) -> list[int]:
        guest = Guest(site.url)
        pages = ("/book/", "/book/haircut/", f"/book/haircut/?tz=Europe/Paris&party={number % 2 + 1}", "/book/manage/")
        return [guest.open(page).status for page in pages[:how_many]]

    return [status for statuses in all_at_once(visit, 16) for status in statuses]


def test_a_redis_that_stops_takes_no_page_down_and_fills_no_log(doomed: Served) -> None:
    """Each process goes on with its own memory and its part of the rate limit, and logs that once."""
    assert counted(rounds(doomed, 2)) == {200: 32}
    with doomed.redis() as cache, suppress(redis.ConnectionError):
        cache.shutdown(nosave=True)
    assert counted(rounds(doomed, 4)) == {200: 64}
    guest = Guest(doomed.url)
    action, fields = guest.fill_in(guest.times("haircut")[0])
    guests = [Guest(doomed.url, guest.address) for _ in range(8)]
    all_at_once(lambda number: guests[number].open(action, fields), 8)
    assert {each.page.status for each in guests} == {200}
    assert len(doomed.kordless.requests("create")) == len(doomed.kordless.bookings()) == 1
    assert 1 <= complaints(doomed) <= 4
    assert "Traceback" not in doomed.log()
    assert 429 not in {request["status"] for request in doomed.kordless.requests()}


def test_a_redis_that_hangs_costs_a_visitor_a_second_and_not_everybody(doomed: Served) -> None:
    """It takes connections and says nothing; whoever asks first waits, the others go on with memory."""
    assert counted(rounds(doomed, 2)) == {200: 32}
    with doomed.redis() as cache:
        number = cache.info("server")["process_id"]
    os.kill(number, signal.SIGSTOP)
    try:
        assert counted(rounds(doomed, 4)) == {200: 64}
        answers = [Guest(doomed.url).open("/book/haircut/") for _ in range(20)]
        assert {answer.status for answer in answers} == {200}
        # Of half of them, so that those who ask first, or a busy moment of the machine, don't count.
        assert median(answer.seconds for answer in answers) < 1
    finally:
        os.kill(number, signal.SIGCONT)
    assert 1 <= complaints(doomed) <= 4
