"""The reader of pages: forms as a browser would send them, and no error for any page."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from kordless_booking.testing.pages import PageReader

FORM = """
<h1 class="kb-title"><bdi>Your details</bdi></h1>
<div role="alert"><p>Check <a href="#kb-name">this</a><br>field.</p></div>
<form method="POST" action="/book/?tz=America/New_York&amp;x=1">
<input type="hidden" name="draft" value="a&amp;b"><input name="name">
<input type="checkbox" name="news" value="yes"><input type="checkbox" name="terms" checked>
<input type="radio" name="who" value="1"><input type="radio" name="who" value="2" checked>
<select name="size"><option value="s">S</option><option value="m" selected>M</option></select>
<select name="first"><option value="a">A</option><option value="b">B</option></select>
<textarea name="notes">
first line
second</textarea>
<button name="go" value="1">Send</button>
</form>
<form action="/other/"><input name="name" value="other"></form>
"""


PIECES = [
    *("<form>", "</form>", "<p>", "</p>", "<h1>", "</h1>", "<i role=alert>", "</i>", "text", "&amp;", "<"),
    *("<select name=a>", "</select>", "<option value=1>", "<textarea name=b>", "</textarea>", "<input name=c>"),
]
"""Parts of a page, in any order."""


def test_a_form_is_read_as_a_browser_would_send_it() -> None:
    """Values as they stand; boxes that aren't checked have a name and no value."""
    page = PageReader(FORM)
    form = page.find_form("draft")
    assert form is not None
    assert (form.method, form.action) == ("post", "/book/?tz=America/New_York&x=1")
    assert form.names == {"draft", "name", "news", "terms", "who", "size", "first", "notes"}
    assert form.values == {
        "draft": ["a&b"],
        "name": [""],
        "terms": ["on"],
        "who": ["2"],
        "size": ["m"],
        "first": ["a"],
        "notes": ["first line\nsecond"],
    }
    assert page.links == ["#kb-name"]
    assert page.find_form("kb_hp") is None


def test_what_a_page_says_is_its_heading_and_its_errors() -> None:
    """For the message of a test that fails."""
    page = PageReader(FORM)
    assert page.title == "Your details"
    assert page.alerts == ["Check this field."]


@given(st.lists(st.sampled_from(PIECES)))
@example(["<form>", "<textarea name=b>", "<form>", "text"])
@example(["<form>", "<select name=a>", "<form>", "<option value=1>"])
def test_no_page_is_an_error(pieces: list[str]) -> None:
    """Whatever a site's own templates look like, and where elements aren't closed."""
    page = PageReader("".join(pieces))
    assert all(form.values.keys() <= form.names for form in page.forms)
