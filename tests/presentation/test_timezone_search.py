"""Searching zones: by city, country, region, everyday name and offset, in every language."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kordless_booking.presentation.timezone_search import city_name, search_zones
from kordless_booking.presentation.timezones import selectable_timezones

WINTER = datetime(2026, 11, 22, 12, tzinfo=UTC)
SUMMER = datetime(2026, 7, 1, 12, tzinfo=UTC)


def names(query, language="en", now=WINTER):
    """The IANA names found."""
    return [choice.name for choice in search_zones(query, now, language)]


@pytest.mark.parametrize(
    ("query", "language", "first"),
    [
        ("kyiv", "en", "Europe/Kyiv"),
        ("Kiev", "en", "Europe/Kyiv"),
        ("киев", "ru", "Europe/Kyiv"),
        ("calcutta", "en", "Asia/Kolkata"),
        ("sao paulo", "pt-br", "America/Sao_Paulo"),
        ("SÃO PAULO", "pt-br", "America/Sao_Paulo"),
        ("new york", "en", "America/New_York"),
        ("York New", "en", "America/New_York"),
        ("nueva", "es", "America/New_York"),
        ("America/New_York", "en", "America/New_York"),
        ("東京", "ja", "Asia/Tokyo"),
        ("京", "ja", "Asia/Tokyo"),
        ("ISTANBUL", "tr", "Europe/Istanbul"),
        ("istanbul", "tr", "Europe/Istanbul"),
        ("warszawa", "pl", "Europe/Warsaw"),
        ("ukraina", "pl", "Europe/Kyiv"),
        ("nepal", "en", "Asia/Kathmandu"),
        ("us/pacific", "en", "America/Los_Angeles"),
        ("القاهرة", "ar", "Africa/Cairo"),
    ],
)
def test_a_place_is_found_by_the_name_people_use(query, language, first):
    """City, country, old name or IANA name, in the language or in English, without accents or capitals."""
    assert names(query, language)[0] == first


def test_the_city_comes_before_the_country():
    """For "georgia" or "ind", what is called so comes before what only lies there."""
    found = search_zones("ind", WINTER, "en")
    labels = [choice.label for choice in found]
    assert labels[0].startswith("Ind")
    assert "Kolkata" in labels


@pytest.mark.parametrize("query", ["+5:45", "gmt+5:45", "UTC +5:45", "+0545", "utc+05:45"])
def test_an_offset_is_found_in_every_spelling(query):
    """Nepal is the only place at a quarter to six hours."""
    assert names(query) == ["Asia/Kathmandu"]


@pytest.mark.parametrize("query", ["-3", "\u22123", "GMT-3", "utc-03:00"])
def test_an_offset_west_of_greenwich_is_found_too(query):
    """Also with the typographic minus that people paste."""
    assert "America/Sao_Paulo" in names(query)
    assert "Europe/Kyiv" not in names(query)


def test_an_offset_means_the_one_of_now():
    """London is at +1 in summer only."""
    assert "Europe/London" in names("+1", now=SUMMER)
    assert "Europe/London" not in names("+1", now=WINTER)


def test_offset_and_words_together_narrow_down():
    """All that is typed must fit."""
    assert names("utc+2 ky") == ["Europe/Kyiv"]
    assert names("utc+3 kyiv") == []


@pytest.mark.parametrize("query", ["eastern", "EST", "US eastern"])
def test_everyday_names_of_zones_are_found(query):
    """Americans know their zone by its name, not by its city."""
    assert "America/New_York" in names(query)


def test_nothing_is_found_for_nonsense():
    """An unknown word gives an empty list."""
    assert names("zzzzzz") == []


@pytest.mark.parametrize("query", ["", "   ", "///"])
def test_an_empty_query_lists_every_place_from_west_to_east(query):
    """Without words the list is complete and sorted by offset."""
    found = search_zones(query, WINTER, "en")
    assert sorted(choice.name for choice in found) == list(selectable_timezones())
    offsets = [choice.local.utcoffset() for choice in found]
    assert offsets == sorted(offsets)


@pytest.mark.parametrize(
    "language", ["en", "es", "de", "pt-br", "tr", "uk", "ar", "he", "hi", "ja", "ko", "zh-hans", "zh-hant"]
)
def test_every_zone_has_a_city_a_country_and_a_region_in_every_language(language):
    """No label is empty or shows an underscore, and each city leads back to its zone."""
    for choice in search_zones("", WINTER, language):
        assert choice.label
        assert "_" not in choice.label
        assert choice.country
        assert choice.region
    assert "Europe/Kyiv" in names(city_name("Europe/Kyiv", language), language)


def test_renamed_cities_are_translated():
    """CLDR keeps translations under the first name of a city; they are found for its new one."""
    assert city_name("Europe/Kyiv", "ru") == "Киев"
    assert city_name("Asia/Ho_Chi_Minh", "ru") == "Хошимин"
    assert city_name("America/Argentina/Buenos_Aires", "ja") == "ブエノスアイレス"


def test_one_zone_in_words():
    """A zone says its city, country, continent, offset and what time it is there."""
    [choice] = search_zones("Europe/Kyiv", WINTER, "en")
    assert (choice.label, choice.country, choice.region, choice.offset) == ("Kyiv", "Ukraine", "Europe", "GMT+2")
    assert (choice.local.hour, choice.local.minute) == (14, 0)


@pytest.mark.parametrize("name", ["UTC", "Etc/GMT+5"])
def test_what_is_not_listed_has_words_too(name):
    """A visitor may come with UTC although nobody can choose it."""
    assert city_name(name, "de") == name.rsplit("/", 1)[-1]


@given(st.text(max_size=150))
@settings(max_examples=60, deadline=None)
def test_any_query_is_answered(query):
    """No text breaks the search, and what is found is always on the list."""
    assert set(names(query)) <= set(selectable_timezones())


@given(st.sampled_from(selectable_timezones()), st.sampled_from(["en", "fr", "ru", "hi", "ja"]))
@settings(max_examples=80, deadline=None)
def test_every_zone_is_found_by_its_own_label(name, language):
    """Whatever city the list shows, typing it finds it."""
    assert name in names(city_name(name, language), language)
