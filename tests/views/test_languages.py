"""The language of a page: asked for, wished by the browser, or the site's own."""

import pytest
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from kordless_booking.views import request


def wishes(header: str) -> str:
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
    assert wishes(header) == "en"


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
    """The first wish that can be met is met, by the nearest relative if need be."""
    assert wishes(header) == language


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80))
def test_no_header_breaks_the_choice(header: str):
    """Whatever the browser says, the answer is a language that is offered."""
    assert wishes(header) in request.supported_languages()


def test_regions_are_served_by_their_language(settings: Settings):
    """A regional wish is served by whatever there is of that language."""
    settings.LANGUAGES = [("en-gb", "British English"), ("en", "English")]
    assert wishes("en-AU") == "en"


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
