"""The table of large cities: correct zones, complete and well spelled names, and each of them finds its city."""

import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kordless_booking.presentation.cities import City, large_cities
from kordless_booking.presentation.search import normalize_words
from kordless_booking.presentation.timezone_search import city_name, search_zones
from kordless_booking.presentation.timezones import canonical_timezone, timezones_by_country

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SCRIPTS = {
    "ar": {"ARABIC"},
    "he": {"HEBREW"},
    "hi": {"DEVANAGARI"},
    "ja": {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"},
    "ko": {"HANGUL"},
    "ru": {"CYRILLIC"},
    "uk": {"CYRILLIC"},
    "zh_Hans": {"CJK"},
    "zh_Hant": {"CJK"},
}
"""First words of the Unicode names of the letters that a language writes."""
LATIN = {"de", "es", "fr", "id", "it", "nl", "pl", "pt_BR", "tr", "vi"}
NAMED = [city for city in large_cities() if city.names]
"""Cities that give no zone its name."""


def test_each_city_is_in_a_zone_that_can_be_chosen():
    """Its zone has the canonical name, and is on the list."""
    for city in large_cities():
        assert canonical_timezone(city.zone) == city.zone
        assert city.zone in timezones_by_country(), city


def test_no_city_is_listed_twice():
    """A second line of a city would be a second row of the results."""
    keys = [(city.zone, city.name) for city in large_cities()]
    assert len(set(keys)) == len(keys)
    assert len(NAMED) >= 200


def test_a_city_without_translations_gives_its_zone_the_name():
    """CLDR has its translations, so its English name is CLDR's."""
    for city in large_cities():
        if not city.names:
            assert normalize_words(city_name(city.zone, "en")).startswith(normalize_words(city.name)), city


@pytest.mark.parametrize("language", sorted(SCRIPTS))
def test_each_city_has_a_name_in_the_script_of_each_language(language: str):
    """No language that isn't written in Latin letters shows them, and none has a letter of another script."""
    for city in NAMED:
        letters = {unicodedata.name(c).split()[0] for c in city.names[language] if unicodedata.category(c)[0] == "L"}
        assert letters, city
        assert letters <= SCRIPTS[language] | ({"LATIN"} if city.name == "Washington" else {"MODIFIER"}), city


def test_names_are_spelled_without_stray_characters():
    """Composed characters, no space around a name or twice within it, no separator of the file, typographic marks."""
    for city in large_cities():
        assert set(city.names) <= LATIN | set(SCRIPTS), city
        for name in (city.name, *city.also, *city.names.values()):
            assert name == " ".join(name.split()), city
            assert name == unicodedata.normalize("NFC", name), city
            assert not set(name) & set("=;|#\t'\"()"), city


@given(st.sampled_from(NAMED), st.data())
@settings(max_examples=60, deadline=None)
def test_each_name_of_a_city_finds_it_on_a_page_of_any_language(city: City, data: st.DataObject):
    """A traveler's keyboard and the language of the page need not agree."""
    name = data.draw(st.sampled_from([city.name, *city.also, *city.names.values()]))
    language = data.draw(st.sampled_from(["en", "ru", "ja"]))
    assert city.zone in [choice.name for choice in search_zones(name, NOW, language)]
