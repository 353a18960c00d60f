"""The snippet builder: for the staff, with a warning that names the exact setting, and a preview nobody else frames."""

import ast
import html
import re
import sys
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import segno
from django.contrib.auth.models import User
from django.core import signing
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from kordless_booking import hooks
from kordless_booking.normalization import visible_text
from kordless_booking.sandbox import Sandbox
from kordless_booking.views.sign import build_sign
from tests.support.extension import mount_hooks
from tests.support.visitor import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client, site: Settings) -> Client:
    """Somebody who may enter the admin."""
    client.force_login(User.objects.create_user("sarah", is_staff=True))
    return client


def built(client: Client, query: str = "") -> Page:
    """The builder with these choices."""
    page = Page("/book/snippet/", client.get(f"/book/snippet/{query}"))
    assert page.status == 200
    return page


def lines(page: Page) -> str:
    """The snippet that the page offers."""
    return page.tree.css_first("textarea").text()


def test_strangers_are_asked_to_log_in(client: Client, site: Settings):
    """Nobody but staff sees it, and whoever is sent to the login comes back here."""
    response = client.get("/book/snippet/?mode=popup")
    assert response.status_code == 302
    assert response["Location"] == "/admin/login/?next=/book/snippet/%3Fmode%3Dpopup"
    client.force_login(User.objects.create_user("visitor"))
    assert client.get("/book/snippet/").status_code == 302


def test_a_site_without_the_admin_has_none(client: Client, site: Settings):
    """Where the admin is mounted nowhere there is no login to ask for, and no page."""
    site.ROOT_URLCONF = "tests.projects.elsewhere.urls"
    assert client.get("/de/termine/snippet/").status_code == 404


def test_it_offers_what_the_business_offers(staff: Client):
    """All services and languages can be chosen, in a page of the admin's that no other site may frame."""
    page = built(staff)
    assert "Haircut" in page.texts("select[name=service] option")
    assert "Deutsch" in page.texts("select[name=lang] option")
    assert "frame-ancestors 'none'" in page.response["Content-Security-Policy"]
    assert page.response["X-Frame-Options"] == "DENY"
    assert page.tree.css("#user-tools, #header")
    assert not re.search(r"<script(?![^>]*\ssrc=)|\son[a-z]+=", page.html)


def test_without_a_choice_the_snippet_speaks_the_language_of_the_site(staff: Client, site: Settings):
    """A German site's lines have a German text, whatever language its staff reads; a chosen language wins."""
    site.LANGUAGE_CODE = "de"
    assert ">Jetzt buchen</a>" in lines(built(staff))
    assert ">Book now</a>" in lines(built(staff, "?lang=en"))


def test_what_is_chosen_is_in_the_snippet(staff: Client):
    """The lines say what was chosen, with absolute addresses of this mount."""
    looks = "accent=%231f6f5c&scheme=dark&theme=studio&width=480px"
    text = lines(built(staff, f"?service=haircut&mode=popup&{looks}&text=Go+%26+book"))
    assert text.splitlines()[0] == '<script async src="http://testserver/book/embed.js"></script>'
    assert '<a href="http://testserver/book/haircut/" data-kordless-booking="popup"' in text
    attributes = ('data-accent="#1f6f5c"', 'data-scheme="dark"', 'data-theme="studio"', 'data-width="480px"')
    for part in (*attributes, ">Go &amp; book</a>"):
        assert part in text


def test_a_floating_button_has_the_color_of_the_business(staff: Client):
    """The script on another site can't ask Kordless for it; a chosen color wins, and other links need none."""
    assert 'data-accent="#7a2e5d"' in lines(built(staff, "?mode=button"))
    assert 'data-accent="#1f6f5c"' in lines(built(staff, "?mode=button&accent=%231f6f5c"))
    assert "data-accent" not in lines(built(staff, "?mode=popup"))


def test_the_snippet_has_the_color_scheme_of_the_site(staff: Client, site: Settings, account_settings: dict[str, Any]):
    """A frame would else have that of the page around it; the builder can choose that, too."""
    assert "data-scheme" not in lines(built(staff))
    site.KORDLESS_BOOKING = {**account_settings, "COLOR_SCHEME": "light"}
    assert built(staff).texts("select[name=scheme] option[selected]") == ["Light"]
    for query in ("", "?service=haircut"):
        assert 'data-scheme="light"' in lines(built(staff, query))
    assert 'data-scheme="dark"' in lines(built(staff, "?scheme=dark"))
    assert "data-scheme" not in lines(built(staff, "?scheme=&mode=inline"))


@pytest.mark.parametrize(
    ("language", "written"), [("de-AT", "de"), ("pt", "pt-br"), ("zh-CN", "zh-hans"), ("de", "de")]
)
def test_the_nearest_language_is_in_the_snippet(staff: Client, language: str, written: str):
    """A regional code gets what there is of that language."""
    assert f'data-lang="{written}"' in lines(built(staff, f"?lang={language}"))


def test_the_lines_to_copy_have_the_public_address(staff: Client, site: Settings, account_settings: dict[str, Any]):
    """SITE_URL, and not the name under which the staff open the builder; the preview shows the builder's own site."""
    site.KORDLESS_BOOKING = {**account_settings, "SITE_URL": "https://salon.example/shop"}
    page = built(staff, "?service=haircut&site=https://salon.example")
    assert lines(page).splitlines()[0] == '<script async src="https://salon.example/shop/book/embed.js"></script>'
    assert '<a href="https://salon.example/shop/book/haircut/"' in lines(page)
    assert "https://salon.example may embed your booking." in page.text
    shown = Client().get(page.tree.css_first("iframe").attributes["src"] or "")
    assert 'src="http://testserver/book/embed.js"' in shown.content.decode()


def test_what_makes_no_sense_is_left_out(staff: Client):
    """An unknown service or mode and a color that is none are said to be wrong, and the rest still holds."""
    page = built(staff, "?service=unknown&mode=sideways&accent=red&lang=de&width=1px")
    assert (
        lines(page)
        .splitlines()[1]
        .startswith('<a href="http://testserver/book/" data-kordless-booking="inline" data-lang="de"')
    )
    assert len(page.tree.css(".kb-snippet-wrong")) == 4


def test_the_missing_setting_is_named(staff: Client, site: Settings, account_settings: dict[str, Any]):
    """A site that may not embed yet is met with the line of settings that lets it; it can be pasted as it is."""
    site.KORDLESS_BOOKING = {**account_settings, "EMBED_ORIGINS": ["https://*.market.example"]}
    page = built(staff, "?site=https://Shop.example/some/page")
    place, code = page.tree.css(".kb-snippet-warning code")
    setting = html.unescape(code.text())
    assert place.text() == "KORDLESS_BOOKING"
    assert ast.literal_eval(f"{{{setting}}}") == {"EMBED_ORIGINS": ["https://*.market.example", "https://shop.example"]}
    site.KORDLESS_BOOKING = {**account_settings, **ast.literal_eval(f"{{{setting}}}")}
    for may in ("https://shop.example/", "shop.example", "https://a.market.example", "http://testserver"):
        assert "may embed your booking." in built(staff, f"?site={may}").tree.css_first(".kb-snippet-verdict").text(), (
            may
        )
    for nowhere in ("", "://", "ftp://shop.example", "%00"):
        page = built(staff, f"?site={nowhere}")
        assert not page.tree.css(".kb-snippet-verdict")
        assert bool(page.tree.css(".kb-snippet-wrong")) is bool(nowhere), nowhere
    for may_not in ("https://shop.example.evil.example", "http://shop.example", "https://market.example"):
        assert built(staff, f"?site={may_not}").tree.css(".kb-snippet-warning"), may_not


def test_it_says_what_is_chosen(staff: Client):
    """Without a choice it is a widget in the page, as wide as there is room; a choice stays one."""
    for query, chosen in (
        ("", ["inline", ""]),
        ("?lang=de", ["inline", ""]),
        ("?mode=popup&width=480px", ["popup", "480px"]),
    ):
        checked = built(staff, query).tree.css(".kb-snippet-form [type=radio][checked]")
        assert [each.attributes["value"] or "" for each in checked] == chosen


def test_the_preview_shows_the_snippet(staff: Client):
    """It is a page with the same lines on it, which only the builder's own site may frame."""
    page = built(staff, "?service=haircut&accent=%231f6f5c")
    url = page.tree.css_first("iframe").attributes["src"] or ""
    assert url.startswith("http://testserver/book/snippet/preview/?from=")
    response = Client().get(url)
    assert lines(page) in response.content.decode()
    policy = response["Content-Security-Policy"]
    assert "frame-ancestors http://testserver;" in policy
    assert "script-src http://testserver;" in policy
    assert "X-Frame-Options" not in response
    assert not response.cookies


def test_the_preview_stands_on_another_origin_where_there_is_one(
    staff: Client, site: Settings, account_settings: dict[str, Any]
):
    """Another name of this site that may embed is the stage; a forged opener is not believed."""
    site.ALLOWED_HOSTS = ["testserver", "www.salon.example"]
    site.KORDLESS_BOOKING = {**account_settings, "EMBED_ORIGINS": ["https://shop.example", "https://www.salon.example"]}
    page = built(staff)
    url = page.tree.css_first("iframe").attributes["src"] or ""
    assert url.startswith("https://www.salon.example/book/snippet/preview/")
    assert "frame-src https://www.salon.example;" in page.response["Content-Security-Policy"]
    shown = Client().get(url, headers={"Host": "www.salon.example"}, secure=True)
    assert "frame-ancestors http://testserver;" in shown["Content-Security-Policy"]
    assert 'src="http://testserver/book/embed.js"' in shown.content.decode()
    site.KORDLESS_BOOKING = {**account_settings, "EMBED_ORIGINS": ["https://www.salon.example:8443"]}
    assert (built(staff).tree.css_first("iframe").attributes["src"] or "").startswith("http://testserver/")
    forged = Client().get("/book/snippet/preview/?from=http://evil.example")
    assert "evil" not in forged["Content-Security-Policy"]


def test_the_preview_shows_nobodys_words_in_our_name(staff: Client):
    """Only what the builder has signed stands on the page; a link of anybody's making shows the plain snippet."""
    url = built(staff, "?text=Zzqx").tree.css_first("iframe").attributes["src"] or ""
    assert "Zzqx" in Client().get(url).content.decode()
    plain = Client().get("/book/snippet/preview/").content.decode()
    forged = signing.dumps("http://testserver", salt="kordless_booking.snippet")
    for query in ("?text=Evil+words", f"{url.partition('/preview/')[2]}x&text=Evil+words", f"?from={forged}&text=Evil"):
        shown = Client().get(f"/book/snippet/preview/{query}").content.decode()
        assert "Evil" not in shown
        assert "Zzqx" not in shown
        assert shown == plain


def test_it_works_while_kordless_does_not(staff: Client, sandbox: Sandbox):
    """Then there is no service to choose, and the rest is there."""
    sandbox.faults.add("key_revoked")
    page = built(staff)
    assert page.texts("select[name=service] option") == ["All services"]


def test_a_thank_you_page_is_in_the_snippet_when_the_confirmation_may_lead_there(staff: Client, site: Settings):
    """Else the builder says what is wrong, in words, and leaves it out."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "EMBED_ORIGINS": ["https://shop.example"]}
    page = built(staff, "?" + urlencode({"done_url": "https://shop.example/thanks?of={service}"}))
    assert 'data-done-url="https://shop.example/thanks?of={service}"' in lines(page)
    for url, words in (
        ("https://evil.example/", "Add https://evil.example to EMBED_ORIGINS."),
        ("javascript:alert(1)", "Enter the address of a page"),
        ("/thanks", "Enter the address of a page"),
    ):
        page = built(staff, "?" + urlencode({"done_url": url}))
        assert "data-done-url" not in lines(page)
        assert words in page.tree.css_first("[data-kb-part=done_url]").text()


def test_the_builder_judges_a_thank_you_page_by_the_host_of_the_widget(staff: Client, site: Settings):
    """That of SITE_URL, not the one on which staff are; and only where links may name pages of the site at all."""

    def is_taken(url: str, **settings: object) -> bool:
        site.KORDLESS_BOOKING = {**account, **settings}
        return "data-done-url" in lines(built(staff, "?" + urlencode({"done_url": url})))

    account = {**site.KORDLESS_BOOKING}
    salon = {"SITE_URL": "https://salon.example", "EMBED_ORIGINS": ["'self'"]}
    assert is_taken("https://salon.example/thanks", **salon)
    assert not is_taken("http://testserver/thanks", **salon)
    assert not is_taken("https://testserver/thanks", **salon)
    assert not is_taken("https://salon.example/thanks", SITE_URL="https://salon.example")
    assert is_taken("https://salon.example/thanks", SITE_URL="https://salon.example", DONE_URL="https://x.example/")


def signs(page: Page) -> list[str]:
    """Return the texts of the sign, from top to bottom; nothing without one."""
    return page.texts(".kb-sign p")


def test_the_sign_has_the_public_address_as_a_code_and_in_words(
    staff: Client, site: Settings, account_settings: dict[str, Any]
):
    """The plain address of the chosen service: no language, color or campaign is in it."""
    site.KORDLESS_BOOKING = {**account_settings, "SITE_URL": "https://salon.example/shop"}
    page = built(staff, "?service=haircut&accent=%231f6f5c&theme=clinic")
    assert signs(page) == [
        "Acme Salon",
        "Book online",
        "Haircut",
        "Scan the code with your phone’s camera, or enter this address:",
        "salon.example/shop/book/haircut",
    ]
    expected = segno.make("https://salon.example/shop/book/haircut/", error="m", micro=False)
    shown = page.tree.css_first(".kb-sign img").attributes["src"]
    assert shown == expected.svg_data_uri(border=4, light="#fff", omitsize=True)
    assert shown.startswith("data:image/svg+xml")
    assert "img-src 'self' data:" in page.response["Content-Security-Policy"]
    assert page.tree.css_first("a[download]").attributes["download"] == "qr-code.svg"
    assert signs(built(staff))[1:3] == ["Book online", "Scan the code with your phone’s camera, or enter this address:"]


def test_the_sign_is_in_the_chosen_language(staff: Client):
    """Also where it is written from right to left; the address isn't."""
    sign = built(staff, "?lang=ar").tree.css_first(".kb-sign")
    assert (sign.attributes["lang"], sign.attributes["dir"]) == ("ar", "rtl")
    assert sign.css_first(".kb-sign-address bdi").attributes["dir"] == "ltr"
    assert built(staff).tree.css_first(".kb-sign").attributes["lang"] == "en"


def test_there_is_no_sign_without_the_library_for_it(staff: Client, monkeypatch: pytest.MonkeyPatch):
    """The builder works without."""
    monkeypatch.setitem(sys.modules, "segno", None)
    page = built(staff, "?service=haircut")
    assert signs(page) == []
    assert "book/haircut/" in lines(page)


def test_there_is_a_sign_while_kordless_is_away(staff: Client, sandbox: Sandbox):
    """Of all services, without the name of the business."""
    sandbox.faults.add("status", status=500)
    assert signs(built(staff, "?service=haircut"))[0] == "Book online"


@given(st.text(max_size=4000))
def test_any_address_makes_a_sign_or_none(address: str):
    """Texts are shown as people type them, and an address that no code can hold makes no sign."""
    sign = build_sign(f"https://salon.example/{quote(address)}", business="", service="", language="en")
    assert (sign is None) == (len(quote(address)) > 2331 - len("https://salon.example/"))
    if sign is not None:
        assert sign.address.startswith("salon.example")
        assert visible_text(sign.address) == sign.address
        assert not re.search(r"\s", sign.address)


@pytest.mark.parametrize(
    ("slug", "printed"),
    [
        ("%E2%80%AEx", "%E2%80%AEx"),
        ("a%C2%A0b", "a%C2%A0b"),
        ("%E2%80%8Bx%C3%A9", "%E2%80%8Bx%C3%A9"),
        ("coup%C3%A9", "coupé"),
        ("%D9%85%DB%8C%E2%80%8C%D8%AE", "می\u200cخ"),
    ],
    ids=["turned around", "no-break space", "zero width space", "accent", "joiner"],
)
def test_an_address_with_letters_that_do_not_show_is_printed_encoded(slug: str, printed: str):
    """A mark in a slug turns no address around, and nobody has to type what can't be seen."""
    sign = build_sign(f"https://s.example/book/{slug}/", business="", service="", language="en")
    assert sign is not None
    assert sign.address == f"s.example/book/{printed}"
    assert "\u202e" not in sign.address


def test_a_service_named_as_an_extension_has_its_own_address(staff: Client, site: Settings):
    """Where the prefix of an extension's pages is its slug, the snippet leads to the service all the same."""
    with hooks.temporary_hooks():
        hooks.url_patterns.register("haircut", "tests.projects.extended.callback.urls")
        mount_hooks(site)
        assert "/book/service/haircut/" in lines(built(staff, "?service=haircut"))
