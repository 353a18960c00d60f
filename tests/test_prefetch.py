"""Who only guesses that a page will be wanted says so, in our script's way or in a browser's."""

import pytest
from django.test import RequestFactory

from kordless_booking.prefetch import is_prefetch, prefetch_declined


@pytest.mark.parametrize(
    ("headers", "guessed"),
    [
        ({"KB-Ahead": "1"}, True),
        ({"Sec-Purpose": "prefetch"}, True),
        ({"Sec-Purpose": "prefetch;prerender"}, True),
        ({"Purpose": "prefetch"}, True),
        ({"X-Moz": "prefetch"}, True),
        ({"Sec-Purpose": "", "Purpose": "prefetch"}, True),
        ({"Sec-Purpose": "navigate"}, False),
        ({}, False),
    ],
)
def test_a_prefetch_is_recognized_by_its_headers(headers: dict[str, str], *, guessed: bool) -> None:
    """And only a GET can be one: who posts means it."""
    requests = RequestFactory()
    assert is_prefetch(requests.get("/book/", headers=headers)) is guessed
    assert not is_prefetch(requests.post("/book/", headers=headers))


def test_a_declined_prefetch_is_not_cached() -> None:
    """Nothing, to be asked for again in earnest."""
    answer = prefetch_declined()
    assert (answer.status_code, answer.content, answer["Cache-Control"]) == (204, b"", "no-store")
