"""Dates and times that stay whole in HTML."""

import pytest
from django.template import Context, Template
from django.utils.safestring import SafeString
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from kordless_booking.templatetags.kordless_text import whole
from tests.support.spaces import plain_spaces


def test_a_date_and_a_range_of_times_move_to_the_next_line_as_a_whole():
    """Each is an element of its own; the weekday and the words around them are not."""
    text = "Tuesday, December\xa01,\xa02026, 5:30\u202fPM\xa0\u2013\xa06:30\u202fPM local time"
    html = LexborHTMLParser(whole(text))
    assert [node.text() for node in html.css(".kb-whole")] == ["December 1, 2026,", "5:30 PM \u2013 6:30 PM"]
    assert html.body is not None
    assert html.body.text() == plain_spaces(text)


@given(st.text(max_size=40))
def test_no_text_becomes_markup(text: str):
    """What somebody typed is escaped, once."""
    html = whole(text)
    assert html.replace('<span class="kb-whole">', "").replace("</span>", "").count("<") == 0


@pytest.mark.parametrize("text", ["<b>5:30\xa0PM</b>", SafeString("&lt;b&gt;5:30\xa0PM&lt;/b&gt;")])
def test_the_filter_escapes_once(text: str):
    """Also within an element, and not again what is safe."""
    made = Template("{% load kordless_text %}{{ text|whole }}").render(Context({"text": text}))
    assert made == '<span class="kb-whole">&lt;b&gt;5:30 PM&lt;/b&gt;</span>'
