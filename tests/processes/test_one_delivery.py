"""One delivery is one signal, in however many processes it arrives at one moment."""

from __future__ import annotations

import pytest

from tests.processes.crowd import all_at_once, counted, post
from tests.processes.gunicorn_site import Served
from tests.support.deliveries import delivery, event_body

pytestmark = pytest.mark.processes


def test_the_same_delivery_fifty_times_at_once(four: Served) -> None:
    """All are answered with 200, and the site hears of it once."""
    sent = delivery(event_body(confirmation_number="BOOK_SAME0001"), delivery_id="dlv_same")
    answers = all_at_once(lambda _: post(four, sent), 50)
    assert counted(answers) == {(200, "processed"): 1, (200, "duplicate"): 49}
    assert four.log().count("signal=event delivery=dlv_same") == 1
    assert four.log().count("signal=created number=BOOK_SAME0001 source=webhook") == 1


def test_the_same_change_in_twenty_deliveries_at_once(four: Served) -> None:
    """Other ids and other bodies, as when Kordless writes each try anew: one of them is signaled."""
    sent = [
        delivery(event_body(confirmation_number="BOOK_SAME0002", attempt=number), delivery_id=f"dlv_{number}_of_20")
        for number in range(20)
    ]
    answers = all_at_once(lambda number: post(four, sent[number]), 20)
    assert counted(answers) == {(200, "processed"): 1, (200, "superseded"): 19}
    assert four.log().count("signal=created number=BOOK_SAME0002") == 1
