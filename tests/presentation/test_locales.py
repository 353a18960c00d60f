"""Languages: every Django code finds its CLDR data, and nonsense is English."""

from datetime import UTC, datetime

import pytest
from babel.localedata import locale_identifiers
from django.conf.locale import LANG_INFO
from hypothesis import given, settings
from hypothesis import strategies as st

from kordless_booking.presentation import formatting, timezone_search
from kordless_booking.presentation.locales import locale_name, locale_of, regional_locale
from tests.support.matrix import thinned

MOMENT = datetime(2026, 12, 1, 9, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("en", "en"),
        ("pt-br", "pt_BR"),
        ("PT-BR", "pt_BR"),
        ("zh-hans", "zh_Hans"),
        ("zh-hant", "zh_Hant"),
        ("he", "he"),
        ("es-419", "es_419"),
        ("sr-latn", "sr_Latn"),
        ("de-xx", "de"),
        ("uk-xx-xx", "uk"),
    ],
)
def test_a_django_code_finds_its_cldr_locale(code, name):
    """Scripts and regions are kept where CLDR has them and dropped where it has not."""
    assert locale_name(code) == name


@pytest.mark.parametrize(
    "code", ["", "x", "xx", "tlh", "../../etc/passwd", "e\0n", "en" * 99, "٣٣", "\ud800", "-", "_"]
)
def test_nonsense_is_english(code):
    """Whatever stands in `?lang=` gives a locale, and English when it means nothing."""
    assert locale_name(code) == "en"


@given(st.text(max_size=30))
@settings(max_examples=200)
def test_no_text_raises(code):
    """Any text at all is answered with a usable locale."""
    assert locale_of(code).time_formats["short"]


@pytest.mark.parametrize("code", ["ar", "fa", "he", "ur", "en", "uk", "zh-hans"])
def test_direction_agrees_with_django(code):
    """A language that Django lays out from the right has right-to-left CLDR data too."""
    assert (locale_of(code).text_direction == "rtl") == LANG_INFO[code]["bidi"]


def test_the_likeliest_country_fills_in():
    """Hebrew alone means Israel where the country matters, and a given country stays."""
    assert regional_locale("he").territory == "IL"
    assert regional_locale("en-gb").territory == "GB"
    assert regional_locale("en").territory == "US"


SOME = sorted(name for name in locale_identifiers() if "_" not in name)[::6]


@pytest.mark.parametrize("name", thinned([*SOME, "aa", "iu", "no", "rw", "vo"], lambda name: name not in SOME[1::2]))
def test_every_language_of_cldr_can_be_asked_for(name):
    """Dates, clocks, durations and zones are said without an error, however little CLDR knows of a language."""
    assert 0 <= regional_locale(name).first_week_day <= 6
    assert formatting.date_and_time(MOMENT, name)
    assert formatting.clock_time(MOMENT, name, "12")
    assert formatting.duration(90, name)
    assert formatting.day_title(MOMENT, name)
    assert len(formatting.weekday_names(name)) == 7
    assert len(formatting.narrow_weekday_names(name)) == 7
    assert timezone_search.city_name("Europe/Kyiv", name)
    assert timezone_search.offset_text(MOMENT, name)


def test_no_language_leaks_into_another():
    """Changing the names of one locale changes no other, although Babel lets locales share them."""
    names = [locale_of(language).days["stand-alone"]["abbreviated"] for language in ("fy", "ru", "fa", "lt", "bg")]
    names[0][2] = "leaked"
    assert [list(each.values()).count("leaked") for each in names] == [1, 0, 0, 0, 0]
