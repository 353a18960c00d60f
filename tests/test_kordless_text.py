"""Dates and times that stay whole in HTML."""

import pytest
from django.template import Context, Template
from django.utils.safestring import SafeString
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from kordless_booking.templatetags.kordless_text import whole, whole_with_dot
from tests.support.spaces import plain_spaces


def test_a_date_and_a_range_of_times_move_to_the_next_line_as_a_whole():
    """Each is an element of its own; the weekday and the words around them are not."""
    text = "Tuesday, December\xa01,\xa02026, 5:30\u202fPM\xa0\u2013\xa06:30\u202fPM local time"
    html = LexborHTMLParser(whole(text))
    assert [node.text() for node in html.css(".kb-whole")] == ["December 1, 2026,", "5:30 PM \u2013 6:30 PM"]
    assert html.body is not None
    assert html.body.text() == plain_spaces(text)


def test_a_range_with_two_dates_breaks_behind_its_dash():
    """Each of its ends is an element of its own, which moves to the next line before anything in it does."""
    text = "Sun, Nov\xa029, 3:00\xa0PM\xa0\u2013 Wed, Dec\xa02, 3:00\xa0PM local time"
    html = LexborHTMLParser(whole(text))
    assert [node.text() for node in html.css(".kb-end")] == [
        "Sun, Nov 29, 3:00 PM \u2013",
        "Wed, Dec 2, 3:00 PM local time",
    ]
    assert html.body is not None
    assert html.body.text() == plain_spaces(text)


@given(st.text(max_size=40) | st.text("\xa0\u2013 <a", max_size=20))
def test_no_text_becomes_markup(text: str):
    """What somebody typed is escaped, once."""
    html = whole(text)
    for tag in ('<span class="kb-whole">', '<span class="kb-end">', "</span>"):
        html = SafeString(html.replace(tag, ""))
    assert html.count("<") == 0


@pytest.mark.parametrize("text", ["<b>5:30\xa0PM</b>", SafeString("&lt;b&gt;5:30\xa0PM&lt;/b&gt;")])
def test_the_filter_escapes_once(text: str):
    """Also within an element, and not again what is safe."""
    made = Template("{% load kordless_text %}{{ text|whole }}").render(Context({"text": text}))
    assert made == '<span class="kb-whole">&lt;b&gt;5:30 PM&lt;/b&gt;</span>'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("in New York\xa0· GMT-5 · 9:00 now", 'in <span class="kb-whole">New York\xa0· GMT-5\xa0·</span> 9:00 now'),
        ("(New York\xa0· GMT-5) · 9:00", '(<span class="kb-whole">New York\xa0· GMT-5</span>) · 9:00'),
        ("9:00 & later", "9:00 &amp; later"),
    ],
)
def test_a_zone_and_the_dot_behind_it_move_to_the_next_line_together(text: str, html: str):
    """The rest of the text is as it was, escaped once."""
    assert whole_with_dot(text, "New York\xa0· GMT-5") == html
