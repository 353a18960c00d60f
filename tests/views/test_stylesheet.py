"""The style sheets, in the business's color: that of all pages, and that of later steps."""

import gzip
import re
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings
from selectolax.lexbor import LexborHTMLParser

import kordless_booking
from kordless_booking.presentation.palette import contrast
from kordless_booking.presentation.themes import THEMES
from kordless_booking.sandbox import Sandbox
from tests.support.odd_businesses import use_odd_business

pytestmark = pytest.mark.django_db
THEME_FILES = Path(kordless_booking.__file__).parent / "static" / "kordless_booking" / "themes"


def test_the_stylesheet_is_cached_for_ever(site: Settings, client: Client):
    """Colour and release stand in the address, so caches of all kinds may keep the answer for a year."""
    response = client.get("/book/style-7a2e5d.css")
    assert response["Content-Type"] == "text/css; charset=utf-8"
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Accept-Encoding" in response["Vary"]
    assert not response.cookies
    assert b"#7a2e5d" in response.content


def test_it_is_small(site: Settings, client: Client):
    """Packed, for those who can unpack it, it is the very same and at most 5.9 KB."""
    plain = client.get("/book/style-7a2e5d.css")
    packed = client.get("/book/style-7a2e5d.css", headers={"Accept-Encoding": "deflate, gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain
    assert gzip.decompress(packed.content) == plain.content
    assert len(packed.content) < 5.9 * 1024


@pytest.mark.parametrize("colour", ["red", "7a2e5", "7a2e5dd", "7A2E5G", "%23ffffff", "../../x"])
def test_only_colours_have_a_sheet(site: Settings, client: Client, colour: str):
    """Anything but six hexadecimal digits is a page that isn't there."""
    assert client.get(f"/book/style-{colour}.css").status_code == 404


def test_pages_link_the_sheet_of_the_business(site: Settings, client: Client, sandbox: Sandbox):
    """The page's one sheet is in the business's colour, with the release in its address."""
    html = client.get("/book/").content.decode()
    assert re.findall(r'rel="stylesheet" href="([^"?]+)\?v=[0-9a-f]{8}"', html) == ["/book/style-7a2e5d.css"]


def test_pages_link_the_sheet_of_the_accent_setting(site: Settings, client: Client, sandbox: Sandbox):
    """ACCENT wins over the color in Kordless, and a visitor's link over both; without it nothing changes."""
    before = client.get("/book/").content
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "ACCENT": "#1f6f5c"}
    assert "/book/style-1f6f5c.css" in client.get("/book/").content.decode()
    assert "/book/style-d81b60.css" in client.get("/book/?accent=d81b60").content.decode()
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "ACCENT": ""}
    assert client.get("/book/").content == before


def test_a_page_without_a_business_has_a_sheet_too(site: Settings, client: Client, sandbox: Sandbox):
    """When Kordless can't say whose page it is, the default colour is used."""
    sandbox.faults.add("status", status=500)
    html = client.get("/book/").content.decode()
    [sheet] = re.findall(r'rel="stylesheet" href="([^"]+)"', html)
    assert client.get(sheet).status_code == 200


def sheet_of(html: str) -> str:
    """The address of a page's one style sheet, with its version."""
    [address] = re.findall(r'rel="stylesheet" href="([^"]+)"', html)
    return address


def written(settings: Settings, folder: Path, name: str, css: str) -> None:
    """A static file of the site's own that belongs to its look."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(css)
    settings.STATICFILES_DIRS = [folder]
    names = [*settings.KORDLESS_BOOKING.get("STYLE_SHEETS", []), name]
    settings.KORDLESS_BOOKING = {**settings.KORDLESS_BOOKING, "STYLE_SHEETS": names}


def test_a_theme_is_in_the_one_sheet(site: Settings, client: Client):
    """The account's theme costs no request of its own, and stands after our own rules."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "THEME": "salon"}
    address = sheet_of(client.get("/book/").content.decode())
    assert address.startswith("/book/style-7a2e5d-salon.css?v=")
    css = client.get(address).content.decode()
    assert css.index("--kb-page:#f7f7f5") < css.index("--kb-accent:#7a2e5d") < css.index("--kb-page:#f4eadd")


def test_an_address_may_choose_a_ready_made_theme(site: Settings, client: Client):
    """It is carried through the way; plain is the widget's own look, and anything else changes nothing."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "THEME": "salon"}
    html = client.get("/book/?theme=studio").content.decode()
    assert sheet_of(html).startswith("/book/style-7a2e5d-studio.css")
    links = re.findall(r'href="(/book/[^"]*)"', html)
    assert [link for link in links if "theme=studio" not in link and "style-" not in link] == []
    assert sheet_of(client.get("/book/?theme=plain").content.decode()).startswith("/book/style-7a2e5d.css")
    for strange in ("", "Studio", "../studio", "studio%00"):
        assert "style-7a2e5d-salon.css" in client.get(f"/book/?theme={strange}").content.decode()


def test_a_theme_that_is_none_has_no_sheet(site: Settings, client: Client):
    """Only the ready-made ones have an address."""
    assert client.get("/book/style-7a2e5d-plain.css").status_code == 404
    assert client.get("/book/style-7a2e5d-nonesuch.css").status_code == 404


def rules(css: str) -> list[str]:
    """A sheet's words and marks, however it is laid out."""
    return re.findall(r"[^\s{};:,]+|[{};:,]", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL))


@pytest.mark.parametrize("theme", ["", *THEMES])
def test_being_small_costs_no_rule(site: Settings, client: Client, theme: str):
    """The minified style sheet has the same rules as the files."""
    css = client.get(f"/book/style-7a2e5d{'-' if theme else ''}{theme}.css").content.decode()
    later = client.get(f"/book/style-later{'-' if theme else ''}{theme}.css").content.decode()
    before, _, after = css.partition(".kb{--kb-accent:#7a2e5d")
    pieces = re.split(r"/\* </?later> \*/", (THEME_FILES.parent / "booking.css").read_text())
    # The palette has the tones of the business's color instead of the default one's.
    tones = re.findall(r"(--kb-[a-z-]+):#", css.partition(".kb{--kb-accent:#7a2e5d")[1] + after.partition("}")[0])
    of_all_pages = re.sub(rf"(?:{'|'.join(tones)}): #\w+;", "", "".join(pieces[::2]))
    assert rules(before) == rules(of_all_pages)
    of_theme = rules((THEME_FILES / f"{theme}.css").read_text()) if theme else []
    assert rules(after.partition("}")[2]) == of_theme
    assert rules(later) == rules("".join(pieces[1::2])) + of_theme


def test_the_sites_own_sheets_come_last(site: Settings, client: Client, tmp_path: Path):
    """In their order, with relative addresses made whole; the address changes with what they say."""
    before = sheet_of(client.get("/book/").content.decode())
    written(site, tmp_path, "shop/first.css", '.kb { src: url(../fonts/a.woff2) url("data:x") url("/b.png") }')
    written(site, tmp_path, "shop/second.css", ".kb { --kb-radius: 0; }")
    address = sheet_of(client.get("/book/").content.decode())
    assert address != before
    css = client.get(address).content.decode()
    assert css.index("--kb-accent:#7a2e5d") < css.index("src: ") < css.index("--kb-radius: 0")
    assert 'url("/static/fonts/a.woff2") url("data:x") url("/b.png")' in css


def test_the_palette_suits_the_sites_own_surfaces(site: Settings, client: Client, tmp_path: Path):
    """Links stay readable on a card that the site made dark."""
    written(site, tmp_path, "shop/dark.css", ".kb { --kb-surface: #101418; --kb-page: #000; }")
    css = client.get(sheet_of(client.get("/book/").content.decode())).content.decode()
    *_, link = re.findall(r"--kb-accent-text:(#[0-9a-f]{6})", css)
    assert contrast(link, "#101418") >= 4.5


def test_a_sheet_that_is_missing_spoils_nothing(site: Settings, client: Client):
    """The system check has said so; visitors get all the rest."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "STYLE_SHEETS": ["not/there.css"]}
    response = client.get(sheet_of(client.get("/book/").content.decode()))
    assert response.status_code == 200
    assert b"--kb-accent:#7a2e5d" in response.content


def test_an_older_stylesheet_address_is_not_cached_for_ever(site: Settings, client: Client):
    """While servers are replaced, a new one is asked in the words of an old page: nobody keeps that answer."""
    assert client.get("/book/style-7a2e5d.css?v=00000000")["Cache-Control"] == "no-cache"
    address = sheet_of(client.get("/book/").content.decode())
    assert client.get(address)["Cache-Control"] == "public, max-age=31536000, immutable"
    site.DEBUG = True
    assert client.get(address)["Cache-Control"] == "no-cache"


LATER_SHEET = r'<link rel="stylesheet" data-kb-later href="([^"]+)"( disabled)?>'


def test_only_later_steps_load_the_sheet_of_later_steps(site: Settings, client: Client, sandbox: Sandbox):
    """The services and the times do without it until the script needs it; a page with a form has it from the first."""
    slots = client.get("/book/haircut/").content.decode()
    for first in (client.get("/book/").content.decode(), slots):
        [(_, disabled)] = re.findall(LATER_SHEET, first)
        assert disabled
    form = client.get(re.findall(r'href="(/book/haircut/contact/[^"]+)"', slots)[0], follow=True).content.decode()
    for later in (
        form,
        *(client.get(f"/book/{path}").content.decode() for path in ("manage/", "haircut/zone/", "no/")),
    ):
        assert later.index('rel="stylesheet" href=') < later.index("data-kb-later")
        [(address, disabled)] = re.findall(LATER_SHEET, later)
        assert not disabled
        assert ".kb-summary{" in client.get(address).content.decode()


@pytest.mark.parametrize(
    ("business", "path"),
    [
        ("acme-salon", ""),
        ("acme-salon", "haircut/"),
        ("acme-salon", "styling-class/"),
        ("odd-times", "several-lengths/"),
    ],
)
def test_no_rule_for_later_steps_is_for_the_times(
    site: Settings, client: Client, sandbox: Sandbox, business: str, path: str
):
    """Services and times look the same with and without that sheet: no selector in it finds one of their elements."""
    if business != "acme-salon":
        use_odd_business(site, sandbox, business)
    page = client.get(f"/book/{path}").content.decode()
    assert 'data-kb-step="s' in page
    [(address, disabled)] = re.findall(LATER_SHEET, page)
    assert disabled
    css, printed = client.get(address).content.decode().split("@media print{")
    css = re.sub(r"@keyframes [\w-]+\{(?:[^{}]+\{[^{}]*\})+\}", "", css)
    assert ".kb-summary{" in printed  # bookings are printed, times aren't
    selectors = [
        re.sub(r"::[a-z-]+|:(?:hover|focus-visible)", "", selector).strip() or "*"
        for selector in re.findall(r"([^{};]+)\{", re.sub(r"@(?:container|media|supports)[^{]+\{", "", css))
    ]
    assert ".kb-summary dl" in selectors
    tree = LexborHTMLParser(page)
    assert [selector for selector in selectors if tree.css_first(selector)] == []


@pytest.mark.parametrize(
    ("business", "path"),
    [
        ("odd-times", ""),
        ("many-services", ""),
        ("many-services", "?q=none"),
        ("acme-salon", "haircut/?after=23:00"),
        ("acme-salon", "haircut/?after=15:00"),
        ("acme-salon", "?asked=1&party=2"),
    ],
)
def test_unusual_pages_of_services_and_times_load_the_sheet_at_once(
    site: Settings, client: Client, sandbox: Sandbox, business: str, path: str
):
    """A search, limits of the times and a page without any are rare, so that the usual pages do without their rules."""
    if business != "acme-salon":
        use_odd_business(site, sandbox, business)
    [(_address, disabled)] = re.findall(LATER_SHEET, client.get(f"/book/{path}").content.decode())
    assert not disabled


def test_the_sites_own_sheets_win_over_the_later_rules_too(site: Settings, client: Client, tmp_path: Path):
    """They stand at the end of that sheet once more, without the fonts, which would be loaded anew."""
    written(site, tmp_path, "shop/own.css", "@font-face { font-family: Own } .kb-summary { color: red }")
    [(address, _)] = re.findall(LATER_SHEET, client.get("/book/manage/").content.decode())
    css = client.get(address).content.decode()
    assert css.index(".kb-summary{") < css.index(".kb-summary { color: red }")
    assert "@font-face" not in css
    assert "@font-face" in client.get(sheet_of(client.get("/book/").content.decode())).content.decode()
