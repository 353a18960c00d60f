"""Searching zones: by city, country, region, everyday name and offset, in every language."""

# ruff: noqa: RUF001 (people type these characters)

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kordless_booking.presentation.locales import locale_name
from kordless_booking.presentation.search import MAX_QUERY, normalize_words
from kordless_booking.presentation.timezone_search import (
    MAX_LIKELY,
    _read,
    city_name,
    likely_zones,
    list_zones,
    search_zones,
)
from kordless_booking.presentation.timezones import get_timezone, timezones_by_country, zone_country

WINTER = datetime(2026, 11, 22, 12, tzinfo=UTC)
SUMMER = datetime(2026, 7, 1, 12, tzinfo=UTC)
TWENTY = ["ar", "de", "en", "es", "fr", "he", "hi", "id", "it", "ja", "ko", "nl", "pl"]
TWENTY += ["pt-br", "ru", "tr", "uk", "vi", "zh-hans", "zh-hant"]


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


def offsets(name):
    """The offsets of a zone in winter and in summer."""
    return [now.astimezone(get_timezone(name)).utcoffset() for now in (WINTER, SUMMER)]


def first(query, language="en", now=WINTER):
    """The best match in words."""
    choice = search_zones(query, now, language)[0]
    return f"{choice.label}, {choice.country}"


@pytest.mark.parametrize(
    ("query", "language", "found"),
    [
        ("India", "en", "Kolkata, India"),
        ("भारत", "hi", "कोलकाता, भारत"),
        ("germany", "de", "Berlin, Deutschland"),
        ("Georgia", "en", "Tbilisi, Georgia"),
        ("russia", "en", "Moscow, Russia"),
        ("Argentina", "en", "Buenos Aires, Argentina"),
        ("us", "en", "New York, United States"),
        ("USA", "en", "New York, United States"),
        ("UK", "en", "London, United Kingdom"),
        ("EST", "en", "New York, United States"),
        ("EDT", "en", "New York, United States"),
        ("ET", "en", "New York, United States"),
        ("CST", "en", "Chicago, United States"),
        ("CST", "zh-hans", "上海, 中国"),
        ("MST", "en", "Denver, United States"),
        ("PST", "en", "Los Angeles, United States"),
        ("PST", "de", "Los Angeles, Vereinigte Staaten"),
        ("Eastern time", "en", "New York, United States"),
        ("GMT", "en", "London, United Kingdom"),
        ("BST", "en", "London, United Kingdom"),
        ("CET", "en", "Paris, France"),
        ("CET", "it", "Roma, Italia"),
        ("MEZ", "de", "Berlin, Deutschland"),
        ("IST", "en", "Kolkata, India"),
        ("IST", "he", "ירושלים, ישראל"),
        ("JST", "en", "Tokyo, Japan"),
        ("MSK", "ru", "Москва, Россия"),
    ],
)
def test_a_whole_country_or_abbreviation_has_its_largest_city_first(query, language, found):
    """Of several countries with an abbreviation, that of the language's most speakers comes first."""
    assert first(query, language) == found


@pytest.mark.parametrize(
    ("query", "language", "found"),
    [
        ("Munich", "en", "Munich, Germany"),
        ("Muenchen", "de", "München, Deutschland"),
        ("monaco di baviera", "it", "Monaco di Baviera, Germania"),
        ("Mumbai", "en", "Mumbai, India"),
        ("Bombay", "en", "Mumbai, India"),
        ("Бомбей", "de", "Mumbai, Indien"),
        ("北京", "en", "Beijing, China"),
        ("Peki", "en", "Beijing, China"),
        ("베이징", "ko", "베이징, 중국"),
        ("תל אביב", "he", "תל אביב, ישראל"),
        ("תל־אביב", "en", "Tel Aviv, Israel"),
        ("Tel-Aviv", "fr", "Tel-Aviv, Israël"),
        ("مكة", "ar", "مكة المكرمة, المملكة العربية السعودية"),
        ("san francisco", "ja", "サンフランシスコ, アメリカ合衆国"),
        ("St Petersburg", "en", "Saint Petersburg, Russia"),
        ("mumbai india", "en", "Mumbai, India"),
        ("India, Mumbai", "en", "Mumbai, India"),
        ("Xian", "en", "Xi’an, China"),
        ("xi'an", "en", "Xi’an, China"),
        ("hawaii", "en", "Honolulu, United States"),
        ("Wien", "en", "Vienna, Austria"),
        ("Londres", "en", "London, United Kingdom"),
        ("Tokio", "ja", "東京, 日本"),
        ("Thượng Hải", "en", "Shanghai, China"),
    ],
)
def test_large_cities_are_found_that_give_no_zone_its_name(query, language, found):
    """In any language, by older names, and as they are typed on keyboards without accents."""
    assert first(query, language) == found


@pytest.mark.parametrize(
    ("query", "language", "found"),
    [
        ("臺北", "zh-hant", "台北, 台灣"),
        ("台北", "zh-hant", "台北, 台灣"),
        ("紐約", "zh-hans", "纽约, 美国"),
        ("纽约", "zh-hant", "紐約, 美國"),
        ("広島", "ja", "広島, 日本"),
        ("廣島", "zh-hans", "广岛, 日本"),
        ("にゅーよーく", "ja", "ニューヨーク, アメリカ合衆国"),
        ("ﾄｳｷｮｳ東京", "ja", ""),
        ("Ｔｏｋｙｏ", "ja", "東京, 日本"),
        ("القاهره", "ar", "القاهرة, مصر"),
        ("قاهرة", "ar", "القاهرة, مصر"),
        ("تهران", "ar", ""),
        ("Россия", "en", "Moscow, Russia"),
        ("Київ", "en", "Kyiv, Ukraine"),
        ("서울", "en", "Seoul, South Korea"),
        ("दिल्ली", "en", "Delhi, India"),
        ("ירושלים", "fr", "Jérusalem, Israël"),
        ("東京", "de", "Tokio, Japan"),
        ("ivoire", "fr", "Abidjan, Côte d’Ivoire"),
    ],
)
def test_words_of_another_script_or_spelling_are_understood(query, language, found):
    """Traditional and simplified characters, kana, exchanged Arabic letters, and the keyboard of another language."""
    assert (first(query, language) if found else names(query, language)) == (found or [])


@pytest.mark.parametrize(
    ("query", "language"),
    [
        ("GMT+5:30", "en"),
        ("UTC+05:30", "fr"),
        ("+5.5", "en"),
        ("+5,5", "de"),
        ("＋５：３０", "ja"),
        ("ＧＭＴ＋５：３０", "ja"),
        ("+५:३०", "hi"),
        ("غرينتش+5:30", "ar"),
        ("غرينتش\u200e+5:30", "ar"),
        ("غرينتش +٥:٣٠", "ar"),
        ("+۵:۳۰", "ar"),
        ("GMT\u200e+5:30\u200e", "he"),
        ("+5:30 GMT", "pt-br"),
        (" utc + 5:30 ", "en"),
    ],
)
def test_an_offset_is_found_in_the_digits_and_the_spelling_of_each_language(query, language):
    """As keyboards give it, as decimals, and as the page itself writes it."""
    assert names(query, language) == ["Asia/Kolkata", "Asia/Colombo"]


@pytest.mark.parametrize("language", TWENTY)
def test_the_offset_of_each_row_finds_the_row(language):
    """What a page shows can be copied into its search."""
    for zone in ("Asia/Kolkata", "America/New_York", "America/St_Johns", "Asia/Tokyo"):
        [choice] = [each for each in list_zones(WINTER, language) if each.name == zone]
        assert zone in names(choice.offset, language)


def test_utc_lists_what_is_at_utc_now():
    """London is on the list in winter, and what has no summer time all year."""
    assert "Europe/London" in names("UTC")
    assert "Europe/London" not in names("utc", now=SUMMER)
    assert "Africa/Abidjan" in names("UTC", now=SUMMER)
    assert names("±0") == names("+0") == names("UTC")


def test_a_search_lists_a_clock_of_a_country_once():
    """A dozen zones of Argentina have one clock; each is found by its own name."""
    assert names("argentina") == ["America/Argentina/Buenos_Aires"]
    assert names("Córdoba") == ["America/Argentina/Cordoba"]
    us = names("united states")
    assert us[:4] == ["America/New_York", "America/Los_Angeles", "America/Chicago", "America/Denver"]
    assert len(us) < 12


def test_cities_of_one_zone_are_all_listed_when_they_are_meant():
    """Two cities that begin alike are two answers, also where their clock is the same."""
    labels = [choice.label for choice in search_zones("san", WINTER, "en")]
    assert labels[0] == "San Francisco"
    assert {"San Diego", "San Antonio", "Santiago", "San José"} <= set(labels)
    assert {"Indore", "Kolkata"} <= {choice.label for choice in search_zones("ind", WINTER, "en")}


def test_likely_zones_begin_with_the_one_in_use_and_the_businesss():
    """Then come large ones of the country, and neighbors with the same clock before those with another."""
    found = likely_zones("America/Chicago", "Europe/Berlin", WINTER, "en")
    assert [choice.name for choice in found][:5] == [
        *("America/Chicago", "Europe/Berlin", "America/New_York", "America/Los_Angeles", "America/Denver")
    ]
    berlin = likely_zones("Europe/Berlin", "Europe/Berlin", WINTER, "de")
    assert [choice.label for choice in berlin][:4] == ["Berlin", "Paris", "Madrid", "Rom"]
    assert {choice.region for choice in berlin} == {"Europa"}
    assert berlin[0].everyday_name == "Mitteleuropäische Zeit"


@pytest.mark.parametrize(("current", "label"), [("UTC", "UTC"), ("Etc/GMT-2", "GMT+2")])
def test_a_zone_that_is_not_listed_is_likely_too(current, label):
    """A visitor may come with UTC, or a business have a plain offset."""
    found = likely_zones(current, "America/New_York", WINTER, "en")
    assert [choice.label for choice in found] == [label, "New York"]
    assert likely_zones("Asia/Tokyo", current, WINTER, "en")[1].label == label


@given(
    st.sampled_from(timezones_by_country()),
    st.sampled_from((None, *timezones_by_country())),
    st.sampled_from(["en", "ar", "ja"]),
)
@settings(max_examples=60, deadline=None)
def test_likely_zones_are_few_and_different(current, business, language):
    """For every zone in use and every business, the first is the one in use, and no row is there twice."""
    found = [choice.name for choice in likely_zones(current, business, WINTER, language)]
    assert found[0] == current
    assert business is None or business in found[:2]
    assert len(found) == len(set(found)) <= MAX_LIKELY


@pytest.mark.parametrize("language", ["en", "de", "ar", "hi", "ja", "zh-hans"])
def test_the_list_has_each_clock_of_each_country_once_by_continent(language):
    """Every zone that isn't on it has the clock of one that is, and each continent is in one piece."""
    listed = list_zones(WINTER, language)
    regions = [choice.region for choice in listed]
    assert [region for before, region in zip(["", *regions], regions, strict=False) if region != before] == sorted(
        set(regions)
    )
    assert len(listed) < 330
    clocks = {(zone_country(choice.name), *offsets(choice.name)) for choice in listed}
    assert {(zone_country(name), *offsets(name)) for name in timezones_by_country()} == clocks
    assert {"Asia/Nicosia", "America/New_York", "Europe/Berlin"} <= {choice.name for choice in listed}
    assert "Europe/Busingen" not in {choice.name for choice in listed}


def test_offset_and_clock_follow_summer_time():
    """In July New York is at GMT-4 and its clock an hour ahead; its name says neither."""
    for now, offset, hour in ((WINTER, "GMT-5", 7), (SUMMER, "GMT-4", 8)):
        [choice] = search_zones("America/New_York", now, "en")
        assert (choice.offset, choice.local.hour, choice.everyday_name) == (offset, hour, "Eastern Time")


@given(st.text(max_size=300) | st.from_regex(r"[+\-±−]?\s?\d{0,3}[:.,]?\d{0,3}\s?\w*", fullmatch=True))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_as_an_offset_and_words_of_bounded_length(query):
    """The parser never raises, in no language, and what it returns can't grow with what is typed."""
    for language in ("en", "ar", "he", "pt-br", "fr"):
        offset, words = _read(query, locale_name(language))
        assert offset is None or abs(offset) < timedelta(hours=102)
        assert sum(map(len, words)) <= 18 * MAX_QUERY  # NFKD makes at most 18 characters of one
        assert words == normalize_words(" ".join(words)).split()


@given(st.integers(-12, 14), st.sampled_from(["", ":00", ":30", ":45"]), st.sampled_from(["0", "٠", "०", "０", "۰"]))
@settings(max_examples=80, deadline=None)
def test_an_offset_is_the_same_in_the_digits_of_each_script(hours, minutes, zero):
    """Each script's digits stand in a row in Unicode, from its zero on."""
    text = f"{hours:+d}{minutes}"
    own = "".join(chr(ord(zero) + int(c)) if c.isdigit() else c for c in text)
    assert _read(own, "en") == _read(text, "en") != (None, [])


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
    assert sorted(choice.name for choice in found) == sorted(timezones_by_country())
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
    assert set(names(query)) <= set(timezones_by_country())


@given(st.sampled_from(timezones_by_country()), st.sampled_from(["en", "fr", "ru", "hi", "ja"]))
@settings(max_examples=80, deadline=None)
def test_every_zone_is_found_by_its_own_label(name, language):
    """Whatever city the list shows, typing it finds it."""
    assert name in names(city_name(name, language), language)
