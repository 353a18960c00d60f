"""Headers of prefetches, our script's and the browsers'."""

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
    """Only a GET can be one, never a POST."""
    requests = RequestFactory()
    assert is_prefetch(requests.get("/book/", headers=headers)) is guessed
    assert not is_prefetch(requests.post("/book/", headers=headers))


def test_a_declined_prefetch_is_not_cached() -> None:
    """The response is empty, so that the browser asks again."""
    answer = prefetch_declined()
    assert (answer.status_code, answer.content, answer["Cache-Control"]) == (204, b"", "no-store")
