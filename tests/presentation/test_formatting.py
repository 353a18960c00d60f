"""Dates, times, money and durations in words, by CLDR, in every language that we speak."""

import unicodedata
from datetime import date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kordless_booking.api.resources import Price, PriceKind
from kordless_booking.presentation.formatting import (
    clock_time,
    date_and_time,
    day_heading,
    day_title,
    default_hours,
    duration,
    first_weekday,
    full_date,
    money,
    month_day,
    month_title,
    phone_number,
    short_day,
    time_range,
    weekday_names,
)

LANGUAGES = ["en", "es", "fr", "de", "it", "pt-br", "nl", "pl", "tr", "uk", "ru", "ar", "he", "hi", "id", "vi"]
LANGUAGES += ["ja", "ko", "zh-hans", "zh-hant"]
MORNING = datetime(2026, 12, 1, 9, 5)  # noqa: DTZ001 (a clock on the wall has no zone)
EVENING = datetime(2026, 12, 1, 21, 0)  # noqa: DTZ001 (a clock on the wall has no zone)


def fixed(amount, currency="USD"):
    """A price with an amount."""
    return Price(kind=PriceKind.FIXED, amount=Decimal(amount), currency=currency)


@pytest.mark.parametrize(("language", "currency"), [("ar", "USD"), ("ar", "CAD"), ("he", "CAD")])
def test_a_foreign_currency_stays_in_order_in_right_to_left_text(language, currency):
    """A mark behind "US$" keeps its dollar sign from changing sides."""
    assert "$\u200e" in money(fixed("45", currency), language)
    assert "\u200e" not in money(fixed("45", "EUR"), language)


@pytest.mark.parametrize(
    ("language", "short"),
    [("en", "Tue, Dec 1"), ("de", "Di., 1. Dez."), ("ja", "12月1日(火)")],
)
def test_a_day_fits_where_there_is_little_room(language, short):
    """Weekday, day and month, each as short as the language writes them."""
    assert short_day(MORNING, language) == short


@pytest.mark.parametrize(
    ("language", "full", "day", "month"),
    [
        ("en", "Tuesday, December 1, 2026", "Tuesday, December 1", "December 2026"),
        ("en-gb", "Tuesday, 1 December 2026", "Tuesday 1 December", "December 2026"),
        ("es", "martes, 1 de diciembre de 2026", "martes, 1 de diciembre", "diciembre de 2026"),
        ("fr", "mardi 1 décembre 2026", "mardi 1 décembre", "décembre 2026"),
        ("de", "Dienstag, 1. Dezember 2026", "Dienstag, 1. Dezember", "Dezember 2026"),
        ("pl", "wtorek, 1 grudnia 2026", "wtorek, 1 grudnia", "grudzień 2026"),
        ("pt-br", "terça-feira, 1 de dezembro de 2026", "terça-feira, 1 de dezembro", "dezembro de 2026"),
        ("vi", "Thứ Ba, 1 tháng 12, 2026", "Thứ Ba, 1 tháng 12", "tháng 12 năm 2026"),
        ("he", "יום שלישי, 1 בדצמבר 2026", "יום שלישי, 1 בדצמבר", "דצמבר 2026"),
        ("ja", "2026年12月1日火曜日", "12月1日(火曜日)", "2026年12月"),
        ("xx", "Tuesday, December 1, 2026", "Tuesday, December 1", "December 2026"),
    ],
)
def test_dates_are_written_in_full_in_the_language(language, full, day, month):
    """Order, grammatical case and punctuation are the language's; an unknown one is English."""
    assert full_date(MORNING.date(), language) == full
    assert day_title(MORNING.date(), language) == day
    assert month_title(MORNING.date(), language) == month


@pytest.mark.parametrize(
    ("language", "day", "month"),
    [
        ("ru", "Вторник, 1 декабря", "Декабрь 2026\u202f\u0433."),
        ("uk", "Вівторок, 1 грудня", "Грудень 2026\u202f\u0440."),
        ("es", "martes, 1 de diciembre", "diciembre de 2026"),
    ],
)
def test_headings_start_as_the_language_starts_them(language, day, month):
    """Russian and Ukrainian write days and months in lower case, but for the start of a heading."""
    assert day_heading(MORNING.date(), language) == day
    assert month_title(MORNING.date(), language) == month


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "March 31"),
        ("de", "31. März"),
        ("ru", "31 марта"),
        ("pl", "31 marca"),
        ("ja", "3月31日"),
        ("xx", "March 31"),
    ],
)
def test_a_day_within_a_sentence_is_written_without_its_weekday(language, text):
    """In the grammatical case that stands after "until"."""
    assert month_day(date(2027, 3, 31), language) == text


def test_a_moment_is_as_good_as_its_date():
    """Dates of moments are said without asking for a date first."""
    assert full_date(MORNING, "en") == full_date(date(2026, 12, 1), "en")


@pytest.mark.parametrize(
    ("language", "own", "twelve", "twentyfour"),
    [
        ("en", "9:05 AM", "9:05 AM", "09:05"),
        ("en-gb", "09:05", "9:05 am", "09:05"),
        ("es", "9:05", "9:05\u202fa.\u202fm.", "9:05"),
        ("de", "09:05", "9:05\u202fAM", "09:05"),
        ("id", "09.05", "9.05\u202fAM", "09.05"),
        ("ar", "9:05 ص", "9:05 ص", "09:05"),
        ("ja", "9:05", "午前9:05", "9:05"),
        ("ko", "오전 9:05", "오전 9:05", "09:05"),
        ("zh-hant", "上午9:05", "上午9:05", "09:05"),
    ],
)
def test_the_clock_is_written_by_the_language_or_as_asked(language, own, twelve, twentyfour):
    """12 and 24 hours exist in every language; without asking, the language's own is used."""
    assert clock_time(MORNING, language) == own
    assert clock_time(MORNING, language, "12") == twelve
    assert clock_time(MORNING, language, "24") == twentyfour


@given(st.times(), st.sampled_from(["en", "en-us", "en-au", "en-ca", "en-in"]))
@settings(max_examples=60)
def test_english_clocks_have_plain_blanks(moment, language):
    """No narrow no-break space stands before AM and PM, so the text is found when typed."""
    text = clock_time(moment, language, "12")
    assert text.isascii()
    assert text[-3:].lower() in (" am", " pm", "m.") or text.endswith(("a.m.", "p.m."))


@given(st.times(), st.sampled_from(LANGUAGES))
@settings(max_examples=200, deadline=None)
def test_twelve_hours_still_tell_morning_from_evening(moment, language):
    """Twelve hours later reads differently on either clock, in every language."""
    other = time((moment.hour + 12) % 24, moment.minute)
    assert clock_time(moment, language, "12") != clock_time(other, language, "12")
    assert clock_time(moment, language, "24") != clock_time(other, language, "24")


@pytest.mark.parametrize(
    ("language", "hours"), [("en", "12"), ("en-gb", "24"), ("de", "24"), ("hi", "12"), ("ar", "12"), ("ja", "24")]
)
def test_the_language_has_its_own_hours(language, hours):
    """CLDR knows who writes AM and PM."""
    assert default_hours(language) == hours


def test_a_moment_is_written_with_date_and_time():
    """Date and time are joined as the language does."""
    assert date_and_time(MORNING, "en") == "Tuesday, December 1, 2026, 9:05 AM"
    assert date_and_time(MORNING, "de", "12") == "Dienstag, 1. Dezember 2026, 9:05\u202fAM"
    assert date_and_time(MORNING, "vi") == "09:05 Thứ Ba, 1 tháng 12, 2026"


def test_a_range_says_both_ends():
    """Both ends stand in full, with the language's own dash."""
    assert time_range(MORNING, EVENING, "en") == "9:05 AM \u2013 9:00 PM"
    assert time_range(MORNING, EVENING, "ja") == "9:05\uff5e21:00"


def test_weekdays_start_on_monday_and_are_translated():
    """Seven pairs, Monday first."""
    names = weekday_names("en")
    assert names[0] == ("Mon", "Monday")
    assert names[6] == ("Sun", "Sunday")
    assert weekday_names("es")[2] == ("mié", "miércoles")


@pytest.mark.parametrize("language", LANGUAGES)
def test_short_weekdays_fit_and_differ(language):
    """A column of a 280 px wide month holds each of them, and no two are the same."""
    shorts = [short for short, _ in weekday_names(language)]
    assert len(set(shorts)) == 7
    assert max(len([c for c in short if not unicodedata.combining(c)]) for short in shorts) <= 7


@pytest.mark.parametrize(
    ("language", "day"),
    [("en", 6), ("en-gb", 0), ("de", 0), ("he", 6), ("ar", 5), ("pt-br", 6), ("ja", 6), ("zh-hans", 0)],
)
def test_the_week_begins_where_the_country_begins_it(language, day):
    """A language without a country takes the one where it is mostly spoken."""
    assert first_weekday(language) == day


@pytest.mark.parametrize(
    ("price", "language", "text"),
    [
        (fixed("45"), "en", "$45.00"),
        (fixed("45"), "de", "45,00\xa0$"),
        (fixed("1234.5", "EUR"), "fr", "1\u202f234,50\xa0€"),
        (fixed("5000", "JPY"), "ja", "￥5,000"),
        (fixed("5000", "jpy"), "en", "¥5,000"),
        (fixed("45", "CHF"), "en", "CHF\xa045.00"),
        (fixed("45", "XQQ"), "en", "XQQ\xa045.00"),
        (fixed("45", None), "en", "45.00"),
        (fixed("45", "<b>"), "en", "45.00"),
        (fixed("45", "٣٣٣"), "en", "45.00"),
        (fixed("0.001", "USD"), "en", "$0.00"),
    ],
)
def test_money_is_written_by_language_and_currency(price, language, text):
    """Digits, sign and place follow CLDR; a currency that can't be one is left out."""
    assert money(price, language) == text


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity", "-1", "1e12", "1e999999", "sNaN"])
def test_an_absurd_amount_is_not_shown(amount):
    """No number is better than a wrong or endless one."""
    assert money(fixed(amount), "en") == ""


def test_prices_without_an_amount_are_written_in_words():
    """Free and variable are words, and what nobody said is nothing."""
    assert money(Price(kind=PriceKind.FREE), "en") == "Free"
    assert money(Price(kind=PriceKind.VARIABLE), "en") == "Price varies"
    assert money(Price(), "en") == ""
    assert money(Price(kind=PriceKind.FIXED), "en") == ""


@given(st.decimals(allow_nan=True, allow_infinity=True), st.text(max_size=5), st.sampled_from(LANGUAGES))
@settings(max_examples=150, deadline=None)
def test_no_price_raises(amount, currency, language):
    """Whatever a business typed gives a short text."""
    assert len(money(Price(kind=PriceKind.FIXED, amount=amount, currency=currency), language)) < 60


@pytest.mark.parametrize(
    ("minutes", "language", "text"),
    [
        (45, "en", "45 min"),
        (60, "en", "1 hr"),
        (90, "en", "1 hr 30 min"),
        (1500, "en", "1 day 1 hr"),
        (1560, "en", "1 day 2 hr"),
        (4320, "en", "3 days"),
        (4470, "en", "3 days 2 hr 30 min"),
        (1450, "de", "1 Tg., 10 Min."),
        (4470, "ar", "3 أيام و2 س و30 د"),
        (1440, "en", "1 day"),
        (2880, "en", "2 days"),
        (60, "es", "1 h"),
        (90, "pt-br", "1 h 30 min"),
        (90, "de", "1 Std., 30 Min."),
        (90, "ar", "1 س و30 د"),
        (2880, "ar", "يومان"),
        (120, "pl", "2 godz."),
        (90, "ja", "1 時間30 分"),
        (0, "en", ""),
        (-5, "en", ""),
    ],
)
def test_durations_are_written_in_hours_and_minutes(minutes, language, text):
    """By CLDR's short units, plurals right, whole days as days, nothing for nothing."""
    assert duration(minutes, language) == text


@given(st.integers(1, 10**7), st.sampled_from(LANGUAGES))
@settings(max_examples=150, deadline=None)
def test_every_duration_has_words(minutes, language):
    """No unit is missing in any language: no placeholder is left, and there is a letter beside the number."""
    text = duration(minutes, language)
    assert "{" not in text
    assert any(c.isalpha() for c in text)


@pytest.mark.parametrize(
    ("text", "language", "shown"),
    [
        ("+12125550123", "en", "+1 212-555-0123"),
        ("+49 30 901820", "de", "+49 30 901820"),
        ("+12125550123;ext=5", "en", "+1 212-555-0123 ext. 5"),
        ("(212) 555-0123", "en", "(212) 555-0123"),
        ("+12125550123", "ar", "\u2066+1 212-555-0123\u2069"),
    ],
)
def test_a_phone_number_is_written_internationally(text, language, shown):
    """With its country code; without one as it is; and in order within right-to-left text."""
    assert phone_number(text, language) == shown
