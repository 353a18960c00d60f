"""Links from hostile texts: only what is safe to click comes through."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kordless_booking.presentation.safe_links import map_link, phone_link, safe_url

REFUSED = ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x", "//evil", "/path", "evil"]
REFUSED += ["https:evil", "https:/evil", "https:///evil", "https:\\\\evil", "https://evil\\@good", "https://u:p@x.com"]
REFUSED += [
    "https://good.com@evil",
    "https://@evil",
    "java\tscript:alert(1)",
    "https://x/\ty",
    "https://x/\ny",
    "\x01https://x",
]
REFUSED += ["https://x y/", "https://x/ y", "https://x:99999/", "https://x:port/", "https://[::1", "https://[v1.x]/"]
REFUSED += [
    "https://[::1%25eth0]/",
    "https://a..b",
    "https://-x-/",
    "https://exa%6dple.com",
    "https://x<b>",
    "ftp://x",
    "",
    " ",
]
REFUSED += [
    'https://x/"onload=',
    "https://x/\u2028",
    "https://x/\xa0",
    "https://x/\ud800",
    "https://x/" + "a" * 3000,
    "https://",
]
REFUSED += ["https://" + "ü" * 100, None]


@pytest.mark.parametrize("value", REFUSED)
def test_anything_but_a_plain_web_address_is_rejected(value):
    """Other schemes, credentials, control characters, ambiguous slashes and hosts: no link at all."""
    assert safe_url(value) is None


@pytest.mark.parametrize(
    ("value", "link"),
    [
        ("https://meet.example/abc-def", "https://meet.example/abc-def"),
        ("  https://meet.example  ", "https://meet.example/"),
        ("HTTP://EXAMPLE.COM/Path?Q=1#Top", "http://example.com/Path?Q=1#Top"),
        ("https://zoom.example/j/1?pwd=a%20b&x=1,2", "https://zoom.example/j/1?pwd=a%20b&x=1,2"),
        ("https://münchen.example/ß?q=ü#ö", "https://xn--mnchen-3ya.example/%C3%9F?q=%C3%BC#%C3%B6"),
        ("https://x.example:8443/", "https://x.example:8443/"),
        ("https://[2001:db8::1]/", "https://[2001:db8::1]/"),
        ("https://x.example?a=b", "https://x.example/?a=b"),
        ("https://x.example/%0d%0aSet-Cookie:x", "https://x.example/%0d%0aSet-Cookie:x"),
    ],
)
def test_a_web_address_is_rebuilt(value, link):
    """A web address is rebuilt in one normal form with the same meaning."""
    assert safe_url(value) == link


def test_what_a_page_loads_itself_must_be_https():
    """A logo over http is rejected where https is asked for."""
    assert safe_url("http://x.example/logo.png", https_only=True) is None
    assert safe_url("https://x.example/logo.png", https_only=True) == "https://x.example/logo.png"


@given(
    st.text(max_size=60)
    | st.text(max_size=40).map(lambda text: f"https://{text}")
    | st.from_regex(r"https?:[/\\]{0,3}[a-z@:.\[\]%#?]{0,20}")
)
@settings(max_examples=300)
def test_no_text_raises_and_no_link_is_dangerous(text):
    """A link is ASCII without blanks, quotes or credentials, and comes out the same when it goes in again."""
    link = safe_url(text)
    if link is not None:
        assert link.startswith(("https://", "http://"))
        assert link.isascii()
        assert not set(link) & set(" \"'<>\\`\t\r\n") - {"'"}
        assert "@" not in urlsplit(link).netloc
        assert safe_url(link) == link


def test_a_place_becomes_a_map_search():
    """The address is one line and fully quoted, whatever is in it."""
    link = map_link("12 Main St\r\nNew York & co #3 +1 <b>")
    assert parse_qs(urlsplit(link).query) == {"api": ["1"], "query": ["12 Main St New York & co #3 +1 <b>"]}
    assert link.startswith("https://")


@given(st.text(max_size=600))
@settings(max_examples=100)
def test_any_address_is_a_short_map_link_or_none(address):
    """No text breaks out of the query or makes an endless link."""
    link = map_link(address)
    assert link == "" or (link.isascii() and link.count("&") == 1 and len(link) < 6500)


@pytest.mark.parametrize(
    ("value", "region", "link"),
    [
        ("+1 212-555-0123", None, "tel:+12125550123"),
        ("tel:+12125550123", None, "tel:+12125550123"),
        ("Call +44 20 7946 0958", None, "tel:+442079460958"),
        ("+1 212-555-0123 ext. 5", None, "tel:+12125550123;ext=5"),
        ("(212) 555-0123", "US", "tel:+12125550123"),
        ("(212) 555-0123", None, None),
        ("030 901820", "DE", "tel:+4930901820"),
        ("+1", None, None),
        ("+1 212", None, None),
        ("call us", None, None),
        ("javascript:alert(1)", "US", None),
        ("9" * 5000, "US", None),
        ("", None, None),
        (None, "US", None),
    ],
)
def test_a_phone_number_becomes_a_link(value, region, link):
    """Only a number that can exist is a link, in E.164, with its extension."""
    assert phone_link(value, region) == link


@given(st.text(max_size=150), st.sampled_from([None, "US", "DE"]))
@settings(max_examples=150)
def test_any_text_is_a_plain_phone_link_or_none(text, region):
    """Nothing but digits ever gets into the link."""
    link = phone_link(text, region)
    assert link is None or set(link) <= set("tel:+;ext=0123456789")
