"""The language of a page: asked for, preferred by the browser, or the site's own."""

import pytest
from django.test import Client, RequestFactory
from django.utils.translation.trans_real import parse_accept_lang_header
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from kordless_booking.views import request


def negotiate(header: str) -> str:
    """Return the language for a browser with this Accept-Language header."""
    return request.language_for(RequestFactory().get("/", headers={"Accept-Language": header}))


def test_only_languages_with_words_are_offered(settings: Settings):
    """A language is offered when the site lists it and the package has it; English always can be."""
    settings.LANGUAGES = [("en", "English"), ("tlh", "Klingon")]
    assert request.supported_languages() == ("en",)
    settings.LANGUAGES = [("tlh", "Klingon")]
    assert request.supported_languages() == ("en",)


@pytest.mark.parametrize("header", ["", "tlh", "tlh;q=0.9, xx", "*", "en-GB", "en-us;q=0.1", ";;;", "x" * 5000, "é"])
def test_what_we_do_not_speak_is_english(header: str):
    """Without a common language the site's own is spoken."""
    assert negotiate(header) == "en"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de-AT,en;q=0.5", "de"),
        ("pt-PT", "pt-br"),
        ("zh-CN", "zh-hans"),
        ("zh-TW,zh;q=0.8", "zh-hant"),
        ("zh-HK", "zh-hant"),
        ("tlh,ar-EG;q=0.3,en;q=0.2", "ar"),
    ],
)
def test_the_nearest_of_what_is_wished(header: str, language: str):
    """The first language that is supported is used, by the nearest relative if need be."""
    assert negotiate(header) == language


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80))
def test_no_header_breaks_the_choice(header: str):
    """Whatever the browser says, the answer is a language that is offered."""
    assert negotiate(header) in request.supported_languages()


@pytest.mark.parametrize("length", range(490, 505))
def test_a_long_header_is_read_as_django_reads_it(length: int):
    """To its last comma within 500 characters."""
    header = f"{'tlh':{length}},de,fr"
    read = [code for code, _quality in parse_accept_lang_header(header)]
    assert negotiate(header) == ("de" if "de" in read else "en")


def test_the_end_of_a_long_header_takes_no_memory():
    """It decides on nothing, and a client may send many."""
    request._browser_language.cache_clear()
    assert {negotiate(f"tlh{' ' * 600},de,{number}") for number in range(9)} == {"en"}
    assert request._browser_language.cache_info().currsize == 1


def test_regions_are_served_by_their_language(settings: Settings):
    """A regional language is served by whatever there is of that language."""
    settings.LANGUAGES = [("en-gb", "British English"), ("en", "English")]
    assert negotiate("en-AU") == "en"


def test_a_regional_language_is_offered_by_its_own_name(settings: Settings):
    """A site for Austria alone is German, not English; where both are listed, the region adds nothing."""
    settings.LANGUAGES = [("de-at", "Austrian German"), ("en-gb", "British English"), ("tlh-kx", "Klingon")]
    assert request.supported_languages() == ("de-at", "en-gb")
    assert negotiate("de,en;q=0.5") == "de-at"
    settings.LANGUAGES = [("de", "German"), ("de-at", "Austrian German")]
    assert request.supported_languages() == ("de",)


@pytest.mark.django_db
def test_the_words_of_a_regional_language_are_those_of_its_language(site: Settings, client: Client):
    """And the dates are the region's."""
    site.LANGUAGES = [("de-at", "Austrian German")]
    site.LANGUAGE_CODE = "de-at"
    response = client.get("/book/haircut/")
    assert response["Content-Language"] == "de-at"
    assert b'<html lang="de-at" dir="ltr">' in response.content
    assert "Dienstleistungen" in response.content.decode() or "Termin" in response.content.decode()


def test_a_monolingual_site_has_its_own_language_for_all(settings: Settings):
    """LANGUAGE_CODE decides, whatever the browser says, unless the site lists languages or chooses by itself."""
    settings.LANGUAGE_CODE = "de"
    assert negotiate("fr,en;q=0.5") == "de"
    assert negotiate("") == "de"
    settings.LANGUAGE_CODE = "tlh"
    assert negotiate("fr") == "en"
    settings.LANGUAGE_CODE = "de"
    settings.LANGUAGES = [("de", "German"), ("fr", "French")]
    assert [negotiate("fr"), negotiate("en")] == ["fr", "de"]
    settings.LANGUAGES = [("de", "German")]
    assert negotiate("fr") == "de"


def test_a_new_project_speaks_its_visitors_languages(settings: Settings):
    """Django's own LANGUAGE_CODE is in every new project, and no choice."""
    assert settings.LANGUAGE_CODE == "en-us"
    assert negotiate("fr") == "fr"


@pytest.mark.django_db
def test_without_translation_everything_is_english(site: Settings, client: Client):
    """Django translates nothing then: German dates between English words would be in two languages."""
    site.USE_I18N = False
    site.LANGUAGE_CODE = "de"
    assert request.supported_languages() == ("en",)
    response = client.get("/book/haircut/", headers={"Accept-Language": "fr"})
    assert response["Content-Language"] == "en"


@pytest.mark.django_db
def test_a_page_says_its_language(site: Settings, client: Client):
    """The language stands on the page and in the answer; one that isn't offered is dropped."""
    for query in ("", "?lang=en", "?lang=tlh", "?lang="):
        response = client.get(f"/book/{query}")
        assert response["Content-Language"] == "en"
        assert b'<html lang="en" dir="ltr">' in response.content


@pytest.mark.django_db
def test_a_host_that_chooses_is_heeded(site: Settings, client: Client):
    """Where the site has a LocaleMiddleware its choice counts."""
    site.MIDDLEWARE = [*site.MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]
    assert client.get("/book/", headers={"Accept-Language": "tlh"})["Content-Language"] == "en"
