"""LANGUAGES of the site: each of Django's codes is served by the nearest of the widget's languages, or by English."""

import pytest
from django.conf import global_settings
from django.conf.urls.i18n import i18n_patterns
from django.test import Client
from django.urls import include, path
from django.utils import translation
from pytest_django import Settings

from kordless_booking.presentation.locales import best_supported_language, default_language, supported_languages

OURS = [
    *("ar", "de", "en", "es", "fr", "he", "hi", "id", "it", "ja", "ko", "nl", "pl", "pt-br", "ru", "tr", "uk", "vi"),
    *("zh-hans", "zh-hant"),
]
# A region has the words of its language and dates of its own; a code without such a language gets the nearest.
NEAREST = {
    **{code: code for code in OURS},
    **{code: code for code in ("ar-dz", "en-au", "en-gb", "es-ar", "es-co", "es-mx", "es-ni", "es-ve")},
    "pt": "pt-br",
}
OTHERS = {
    **{code: code for code in ("de-at", "de-ch", "fr-ca", "en-us", "PT-BR", "de-AT")},
    "pt-pt": "pt-br",
    "zh": "zh-hans",
    "zh-cn": "zh-hans",
    "zh-sg": "zh-hans",
    "zh-tw": "zh-hant",
    "zh-hk": "zh-hant",
}


@pytest.mark.parametrize(
    ("code", "served"),
    [*[(code, NEAREST.get(code, "en")) for code, _name in global_settings.LANGUAGES], *OTHERS.items()],
)
def test_a_site_of_one_language_gets_the_nearest_of_the_widget(settings: Settings, code: str, served: str):
    """Whatever its code is called; English where there is none."""
    settings.LANGUAGES = [(code, "The one")]
    settings.LANGUAGE_CODE = code
    assert supported_languages() == (served,)
    assert (default_language(), best_supported_language(code) or "en") == (served, served)


def test_djangos_own_list_is_our_twenty_languages(settings: Settings):
    """A region beside its language would be another page for search engines."""
    settings.LANGUAGES = global_settings.LANGUAGES
    assert sorted(supported_languages()) == sorted(OURS)


@pytest.mark.django_db
@pytest.mark.parametrize(("code", "served"), [("pt", "pt-br"), ("zh", "zh-hans"), ("zh-hk", "zh-hant")])
def test_a_page_has_the_words_of_the_nearest_language(client: Client, site: Settings, code: str, served: str):
    """Where the site lists its code alone, and a link asks for it."""
    site.LANGUAGES = [(code, "The one")]
    html = client.get(f"/book/haircut/?lang={code}").content.decode()
    assert f'<html lang="{served}"' in html
    with translation.override(served):
        words = translation.gettext("Change time zone")
    assert words != "Change time zone"
    assert words in html


@pytest.mark.django_db
def test_paths_have_the_code_of_the_site(client: Client, site: Settings):
    """Below i18n_patterns: Django knows no path of "pt-br" where LANGUAGES has "pt" alone."""
    site.LANGUAGES, site.LANGUAGE_CODE = [("pt", "Português"), ("en", "English")], "pt"
    site.ROOT_URLCONF = tuple(i18n_patterns(path("book/", include("kordless_booking.urls"))))
    site.MIDDLEWARE = ["django.middleware.locale.LocaleMiddleware", *site.MIDDLEWARE]
    answer = client.get("/pt/book/haircut/")
    assert (answer.status_code, answer.headers["Content-Language"]) == (200, "pt-br")
    html = answer.content.decode()
    assert 'href="/pt/book/' in html
    assert "/pt-br/" not in html
