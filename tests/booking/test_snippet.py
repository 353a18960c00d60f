"""The two lines to paste: what was chosen stands in them, escaped, and nothing else does."""

from urllib.parse import parse_qs

from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from kordless_booking.views.snippet import Snippet

BOOK = "https://salon.example/book/"


def test_the_shortest_snippet():
    """With nothing chosen it is the script and a link."""
    assert Snippet(base_url=BOOK).html() == (
        '<script async src="https://salon.example/book/embed.js"></script>\n'
        '<a href="https://salon.example/book/" data-kordless-booking="inline">Book now</a>'
    )


def test_every_option_is_written():
    """Each choice is an attribute of its own."""
    snippet = Snippet(
        base_url=BOOK,
        service="haircut/",
        mode="popup",
        text="Termin",
        lang="de",
        scheme="dark",
        accent="#1f6f5c",
        theme="salon",
        width="480px",
        done_url="https://shop.example/thanks?a=1&b={service}",
        close_label="Schließen",
        open_label="In neuem Tab",
    )
    link = LexborHTMLParser(snippet.link()).css_first("a")
    assert link.attributes == {
        "href": f"{BOOK}haircut/",
        "data-kordless-booking": "popup",
        "data-lang": "de",
        "data-scheme": "dark",
        "data-accent": "#1f6f5c",
        "data-theme": "salon",
        "data-width": "480px",
        "data-done-url": "https://shop.example/thanks?a=1&b={service}",
        "data-open-label": "In neuem Tab",
        "data-close-label": "Schließen",
    }
    assert parse_qs(snippet.query())["close_label"] == ["Schließen"]


def test_a_frame_in_the_page_has_nothing_to_close():
    """The label of the dialog's button is only said where there is a dialog."""
    assert "close" not in Snippet(base_url=BOOK, close_label="Schließen").link()


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40))
def test_no_words_break_out_of_the_link(text: str):
    """Whatever the words are, the link is one link with those words."""
    found = LexborHTMLParser(Snippet(base_url=BOOK, text=text, open_label=text).link()).css("body *")
    assert [node.tag for node in found] == ["a"]
    assert found[0].text() == text
    assert found[0].attributes.get("data-open-label") in {text, None}
