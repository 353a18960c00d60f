"""Arguments of the tags that a site's template takes from the query of its page: an attacker writes them."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.template import engines
from django.test import RequestFactory
from pytest_django import Settings
from selectolax.lexbor import LexborHTMLParser

from kordless_booking.views.tag_arguments import ARGUMENTS

pytestmark = pytest.mark.django_db

WIDGET = (*ARGUMENTS, "service", "account", "name", "width", "lazy", "metadata", "history")
NEXT_FREE = ("service", "count", "account")
HOSTILE: list[Any] = [
    '"><script>alert(1)</script>',
    "{{ settings.SECRET_KEY }}{% now %}",
    "a\x00b",
    "\r\nSet-Cookie: a=b",
    "../../x",
    "\ud800",
    "٣",
    "x" * 100_000,
    "9" * 5_000,
    10**5_000,
    -1,
    True,
    1.5,
    float("nan"),
    float("inf"),
    ["a"],
    {"a": ["b"]},
    {"a": 10**5_000},
    b"\xff",
    object(),
]


def render(tag: str, value: object = None) -> str:
    """Return the page of a template with this tag, which has `value` as a variable."""
    template = engines["django"].from_string("{% load kordless_booking %}{% " + tag + " %}")
    return template.render({"value": value}, RequestFactory().get("/page/"))


@pytest.mark.parametrize("argument", WIDGET)
def test_no_value_of_an_argument_takes_the_page_down(site: Settings, argument: str):
    """Whatever a template passes on of its page's query, the page is shown, and nothing breaks out of the widget."""
    for value in HOSTILE:
        tree = LexborHTMLParser(render(f"booking_widget {argument}=value", value))
        # Another account's widget in its place would be a booking at the wrong business.
        assert bool(tree.css(".kb")) is (argument != "account"), repr(value)[:40] if argument != "metadata" else ""
        assert all(not script.text() for script in tree.css("script"))


@pytest.mark.parametrize("argument", NEXT_FREE)
def test_no_value_takes_the_page_of_next_free_times_down(site: Settings, argument: str):
    """The same for the links to the next free times, which are left out for an unknown service or account."""
    render("booking_widget service=value", "haircut")  # its times are cached now
    for value in HOSTILE:
        others = "" if argument == "service" else 'service="haircut"'
        html = render(f"next_free {others} {argument}=value", value)
        assert "alert(1)" not in html
        assert ("kb-next-free" in html) is (argument == "count")


@pytest.mark.parametrize("account", ["east", "kordless_booking", "north:x", 7])
def test_an_unknown_account_leaves_the_widget_out_and_is_logged(
    two_accounts: Settings, caplog: pytest.LogCaptureFixture, account: object
):
    """No other business's widget stands in its place, and the log names the argument, without the value."""
    assert render("booking_widget account=value", account) == ""
    assert render('next_free service="haircut" account=value', account) == ""
    [line] = [each.getMessage() for each in caplog.records if "event=tag_argument_invalid" in each.getMessage()]
    assert "argument=account " in line
    assert "north, south" in line


def test_a_repeated_mistake_in_an_argument_does_not_fill_the_log(site: Settings, caplog: pytest.LogCaptureFixture):
    """A page's query can make the mistake as often as somebody likes: an error once a minute, then information."""
    with caplog.at_level(logging.INFO):
        for number in range(5):
            render("booking_widget theme=value", f"gothic{number}")
        render("booking_widget scheme=value", "blue")
    lines = [each for each in caplog.records if "event=tag_argument_invalid" in each.getMessage()]
    assert [each.levelname for each in lines] == ["ERROR", *["INFO"] * 4, "ERROR"]
    assert "gothic" not in caplog.text
