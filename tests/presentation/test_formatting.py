"""Dates, times, money and durations in words, by CLDR, in every language that we speak."""

# ruff: noqa: RUF001 (letters of many alphabets)

import re
import unicodedata
from datetime import date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kordless_booking.api.resources import Price, PriceKind
from kordless_booking.presentation.formatting import (
    city_and_country,
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
    month_name,
    month_title,
    months_title,
    narrow_weekday_names,
    phone_number,
    short_day,
    short_month,
    time_range,
    weekday_names,
)
from tests.support.spaces import plain_spaces

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
    assert plain_spaces(short_day(MORNING, language)) == short


@pytest.mark.parametrize(
    ("language", "full", "day", "month"),
    [
        ("en", "Tuesday, December 1, 2026", "Tuesday, December 1", "December 2026"),
        ("en-gb", "Tuesday, 1 December 2026", "Tuesday 1 December", "December 2026"),
        ("es", "martes, 1 de diciembre de 2026", "martes, 1 de diciembre", "diciembre de 2026"),
        ("fr", "mardi 1er décembre 2026", "mardi 1er décembre", "décembre 2026"),
        ("de", "Dienstag, 1. Dezember 2026", "Dienstag, 1. Dezember", "Dezember 2026"),
        ("pl", "wtorek, 1 grudnia 2026", "wtorek, 1 grudnia", "grudzień 2026"),
        ("pt-br", "terça-feira, 1º de dezembro de 2026", "terça-feira, 1º de dezembro", "dezembro de 2026"),
        ("vi", "Thứ Ba, 1 tháng 12, 2026", "Thứ Ba, 1 tháng 12", "tháng 12 năm 2026"),
        ("he", "יום שלישי, 1 בדצמבר 2026", "יום שלישי, 1 בדצמבר", "דצמבר 2026"),
        ("ja", "2026年12月1日火曜日", "12月1日(火曜日)", "2026年12月"),
        ("xx", "Tuesday, December 1, 2026", "Tuesday, December 1", "December 2026"),
    ],
)
def test_dates_are_written_in_full_in_the_language(language, full, day, month):
    """Order, grammatical case and punctuation are the language's; an unknown one is English."""
    assert plain_spaces(full_date(MORNING.date(), language)) == full
    assert plain_spaces(day_title(MORNING.date(), language)) == day
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
    assert plain_spaces(day_heading(MORNING.date(), language)) == day
    assert month_title(MORNING.date(), language) == month


@pytest.mark.parametrize(
    ("language", "two_months", "over_the_year"),
    [
        ("en", "November \u2013 December 2026", "Dec 2026 \u2013 Jan 2027"),
        ("de", "November \u2013 Dezember 2026", "Dez. 2026 \u2013 Jan. 2027"),
        ("es", "noviembre \u2013 diciembre de 2026", "dic 2026 \u2013 ene 2027"),
        ("ja", "2026年11月\uff5e12月", "2026年12月\uff5e2027年1月"),
        ("zh-hant", "2026年11月至12月", "2026年12月至2027年1月"),
    ],
)
def test_two_months_are_written_as_one_span(language, two_months, over_the_year):
    """By the language's own pattern, with the year once where it is the same; one month as itself."""
    november, december, january = date(2026, 11, 23), date(2026, 12, 27), date(2027, 1, 3)
    assert months_title(november, december, language) == two_months
    assert months_title(december, january, language) == over_the_year
    assert months_title(december, december, language) == month_title(december, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_a_span_of_months_and_a_short_month(language):
    """Both ends and the year are in the one, and the other fits above a day."""
    title = months_title(date(2026, 11, 1), date(2026, 12, 31), language)
    assert "2026" in title
    assert "2027" in months_title(date(2026, 12, 1), date(2027, 1, 31), language)
    assert 0 < len(short_month(date(2026, 12, 1), language)) <= 8


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
    assert plain_spaces(month_day(date(2027, 3, 31), language)) == text


@pytest.mark.parametrize(
    ("language", "full", "short", "moment"),
    [
        ("en", "Tuesday, December 1, 2026", "Tue, Dec 1", "Tuesday, December 1, 2026, 17:30"),
        ("es", "martes, 1 de diciembre de 2026", "mar, 1 dic", "martes, 1 de diciembre de 2026, 17:30"),
        ("fr", "mardi 1er décembre 2026", "mar. 1er déc.", "mardi 1er décembre 2026, 17:30"),
        ("fr-ca", "mardi 1er décembre 2026", "mar. 1er déc.", "mardi 1er décembre 2026, 17 h 30"),
        ("de", "Dienstag, 1. Dezember 2026", "Di., 1. Dez.", "Dienstag, 1. Dezember 2026, 17:30"),
        ("it", "martedì 1 dicembre 2026", "mar 1 dic", "martedì 1 dicembre 2026, 17:30"),
        (
            "pt-br",
            "terça-feira, 1º de dezembro de 2026",
            "ter., 1º de dez.",
            "terça-feira, 1º de dezembro de 2026, 17:30",
        ),
        ("pt-pt", "terça-feira, 1 de dezembro de 2026", "terça, 1/12", "terça-feira, 1 de dezembro de 2026, 17:30"),
        ("nl", "dinsdag 1 december 2026", "di 1 dec", "dinsdag 1 december 2026, 17:30"),
        ("pl", "wtorek, 1 grudnia 2026", "wt., 1 gru", "wtorek, 1 grudnia 2026, 17:30"),
        ("tr", "1 Aralık 2026 Salı", "1 Ara Sal", "1 Aralık 2026 Salı 17:30"),
        ("uk", "вівторок, 1 грудня 2026 р.", "вт, 1 груд.", "вівторок, 1 грудня 2026 р., 17:30"),
        ("ru", "вторник, 1 декабря 2026 г.", "вт, 1 дек.", "вторник, 1 декабря 2026 г., 17:30"),
        ("ar", "الثلاثاء، 1 ديسمبر 2026", "الثلاثاء، 1 ديسمبر", "الثلاثاء، 1 ديسمبر 2026، 17:30"),
        ("he", "יום שלישי, 1 בדצמבר 2026", "יום ג׳, 1 בדצמ׳", "יום שלישי, 1 בדצמבר 2026, 17:30"),
        ("hi", "मंगलवार, 1 दिसंबर 2026", "मंगल, 1 दिस॰", "मंगलवार, 1 दिसंबर 2026, 17:30"),
        ("id", "Selasa, 1 Desember 2026", "Sel, 1 Des", "Selasa, 1 Desember 2026, 17.30"),
        ("vi", "Thứ Ba, 1 tháng 12, 2026", "Thứ 3, 1 thg 12", "17:30 Thứ Ba, 1 tháng 12, 2026"),
        ("ja", "2026年12月1日火曜日", "12月1日(火)", "2026年12月1日火曜日 17:30"),
        ("ko", "2026년 12월 1일 화요일", "12월 1일 (화)", "2026년 12월 1일 화요일 17:30"),
        ("zh-hans", "2026年12月1日星期二", "12月1日周二", "2026年12月1日星期二 17:30"),
        ("zh-hant", "2026年12月1日 星期二", "12月1日週二", "2026年12月1日 星期二 17:30"),
    ],
)
def test_a_date_is_written_as_people_write_it(language, full, short, moment):
    """The first is "1er" or "1º" where people write it so, no day has a leading zero, and a comma ends the year."""
    half_past = datetime(2026, 12, 1, 17, 30)  # noqa: DTZ001 (a clock on the wall has no zone)
    assert plain_spaces(full_date(half_past, language)) == full
    assert plain_spaces(short_day(half_past, language)) == short
    assert plain_spaces(date_and_time(half_past, language, "24")) == moment


def lines(text):
    """The pieces of a text between which a line may break, for texts with spaces."""
    return re.split("(?<=[ \u2009\u200b])|(?<=\u2013)(?=[^\xa0\u202f ])", text)


@given(st.times(), st.times(), st.sampled_from(LANGUAGES), st.sampled_from([None, "12", "24"]))
@settings(max_examples=200, deadline=None)
def test_no_line_breaks_inside_a_clock_time_or_a_range(start, end, language, hours):
    """Neither "12:00" and "PM" nor the two ends of an appointment part; the length stays that of the plain text."""
    start, end = (datetime.combine(date(2026, 12, 1), each) for each in (start, end))
    assert len(lines(clock_time(start, language, hours))) == 1
    assert len(lines(time_range(start, end, language, hours))) == 1


@given(st.dates(date(1, 1, 1), date(9999, 12, 31)), st.sampled_from(LANGUAGES))
@settings(max_examples=300, deadline=None)
def test_no_line_breaks_between_day_and_month(day, language):
    """A date breaks beside its weekday at most, and before the year of a Spanish or Portuguese one."""
    assert len(lines(short_day(day, language))) == 1
    assert len(lines(month_day(day, language))) == 1
    assert len(lines(day_title(day, language))) <= 2
    pieces = lines(full_date(day, language))
    assert len(pieces) <= (3 if language in {"es", "pt-br"} else 2)
    assert not any(piece.strip().isdigit() for piece in pieces)


@given(st.integers(1, 10**6), st.sampled_from(LANGUAGES))
@settings(max_examples=200, deadline=None)
def test_no_line_breaks_between_a_number_and_its_unit(minutes, language):
    """Three units have two places at most where a line may break."""
    pieces = lines(duration(minutes, language))
    assert len(pieces) <= 3
    assert all(any(c.isalpha() for c in piece) for piece in pieces)


@given(st.times(), st.sampled_from(LANGUAGES), st.sampled_from([None, "12", "24"]))
@settings(max_examples=200, deadline=None)
def test_latin_clock_times_are_isolated_in_right_to_left_text_only(moment, language, hours):
    """Between Hebrew letters "5:30 PM" would change places with what is beside it."""
    text = clock_time(moment, language, hours)
    isolated = language == "he" and hours == "12"
    assert (text[0] == "\u2066", text[-1] == "\u2069") == (isolated, isolated)


def test_each_end_of_a_hebrew_range_is_isolated():
    """The start stands on the right, as it does on the 24-hour clock."""
    assert time_range(MORNING, EVENING, "he", "12") == "\u20669:05\xa0AM\u2069\xa0\u2013\xa0\u20669:00\xa0PM\u2069"
    assert time_range(MORNING, EVENING, "he", "24") == "9:05\xa0\u2013\xa021:00"


def test_a_moment_is_as_good_as_its_date():
    """Dates of moments are said without asking for a date first."""
    assert full_date(MORNING, "en") == full_date(date(2026, 12, 1), "en")


@pytest.mark.parametrize(
    ("language", "own", "twelve", "twentyfour"),
    [
        ("en", "9:05\xa0AM", "9:05\xa0AM", "09:05"),
        ("en-gb", "09:05", "9:05\xa0am", "09:05"),
        ("es", "9:05", "9:05\u202fa.\u202fm.", "9:05"),
        ("de", "09:05", "9:05\u202fAM", "09:05"),
        ("id", "09.05", "9.05\u202fAM", "09.05"),
        ("ar", "9:05\xa0ص", "9:05\xa0ص", "09:05"),
        ("ja", "9:05", "午前9:05", "9:05"),
        ("ko", "오전\xa09:05", "오전\xa09:05", "09:05"),
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
def test_english_clocks_have_one_no_break_space(moment, language):
    """The space before AM and PM is of usual width, and no line breaks there."""
    before, space, after = clock_time(moment, language, "12").partition("\xa0")
    assert space
    assert before.replace(":", "").isdigit()
    assert after.lower() in {"am", "pm", "a.m.", "p.m."}


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
    assert date_and_time(MORNING, "en") == "Tuesday, December\xa01,\xa02026, 9:05\xa0AM"
    assert date_and_time(MORNING, "de", "12") == "Dienstag, 1.\xa0Dezember\xa02026, 9:05\u202fAM"
    assert date_and_time(MORNING, "vi") == "09:05 Thứ\xa0Ba, 1\xa0tháng\xa012,\xa02026"


def test_a_range_says_both_ends():
    """Both ends stand in full, with the language's own dash."""
    assert time_range(MORNING, EVENING, "en") == "9:05\xa0AM\xa0\u2013\xa09:00\xa0PM"
    assert time_range(MORNING, EVENING, "ja") == "9:05\uff5e21:00"


def test_weekdays_start_on_monday_and_are_translated():
    """Seven pairs, Monday first."""
    names = weekday_names("en")
    assert names[0] == ("Mon", "Monday")
    assert names[6] == ("Sun", "Sunday")
    assert weekday_names("es")[2] == ("mié", "miércoles")


@pytest.mark.parametrize("language", LANGUAGES)
def test_narrow_weekdays_are_a_letter_or_two(language):
    """Monday first, as narrow as a column in large text on a phone."""
    narrow = narrow_weekday_names(language)
    assert len(narrow) == 7
    assert all(0 < len(name) <= 2 for name in narrow)


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
    ("language", "minute", "half_hour", "hour", "most_hours", "day", "all_units"),
    [
        ("en", "1 min", "30 min", "1 hr", "2 hr 30 min", "1 day", "3 days 2 hr 30 min"),
        ("en-gb", "1 min", "30 mins", "1 hr", "2 hrs 30 mins", "1 day", "3 days 2 hrs 30 mins"),
        ("es", "1 min", "30 min", "1 h", "2 h 30 min", "1 día", "3 días 2 h 30 min"),
        ("fr", "1 min", "30 min", "1 h", "2 h 30 min", "1 jour", "3 jours 2 h 30 min"),
        ("de", "1 Min.", "30 Min.", "1 Std.", "2 Std. 30 Min.", "1 Tag", "3 Tage 2 Std. 30 Min."),
        ("it", "1 min", "30 min", "1 h", "2 h 30 min", "1 giorno", "3 giorni 2 h 30 min"),
        ("pt-br", "1 min", "30 min", "1 h", "2 h 30 min", "1 dia", "3 dias 2 h 30 min"),
        ("nl", "1 min", "30 min", "1 uur", "2 uur 30 min", "1 dag", "3 dagen 2 uur 30 min"),
        ("pl", "1 min", "30 min", "1 godz.", "2 godz. 30 min", "1 dzień", "3 dni 2 godz. 30 min"),
        ("tr", "1 dk.", "30 dk.", "1 saat", "2 saat 30 dk.", "1 gün", "3 gün 2 saat 30 dk."),
        ("uk", "1 хв", "30 хв", "1 год", "2 год 30 хв", "1 день", "3 дні 2 год 30 хв"),
        ("ru", "1 мин", "30 мин", "1 ч", "2 ч 30 мин", "1 день", "3 дня 2 ч 30 мин"),
        ("ar", "دقيقة واحدة", "30 دقيقة", "ساعة واحدة", "ساعتان و30 دقيقة", "يوم واحد", "3 أيام وساعتان و30 دقيقة"),
        ("he", "דקה", "30 דקות", "שעה", "שעתיים ו-30 דקות", "יום אחד", "3 ימים, שעתיים ו-30 דקות"),
        ("hi", "1 मिनट", "30 मिनट", "1 घंटा", "2 घंटे 30 मिनट", "1 दिन", "3 दिन 2 घंटे 30 मिनट"),
        ("id", "1 menit", "30 menit", "1 jam", "2 jam 30 menit", "1 hari", "3 hari 2 jam 30 menit"),
        ("vi", "1 phút", "30 phút", "1 tiếng", "2 tiếng 30 phút", "1 ngày", "3 ngày 2 tiếng 30 phút"),
        ("ja", "1分", "30分", "1時間", "2時間30分", "1日", "3日2時間30分"),
        ("ko", "1분", "30분", "1시간", "2시간 30분", "1일", "3일 2시간 30분"),
        ("zh-hans", "1分钟", "30分钟", "1小时", "2小时30分钟", "1天", "3天2小时30分钟"),
        ("zh-cn", "1分钟", "30分钟", "1小时", "2小时30分钟", "1天", "3天2小时30分钟"),
        ("zh-hant", "1 分鐘", "30 分鐘", "1 小時", "2 小時 30 分鐘", "1 天", "3 天 2 小時 30 分鐘"),
    ],
)
def test_durations_are_written_as_people_write_them(language, minute, half_hour, hour, most_hours, day, all_units):
    """Plurals are right, whole days are days, and no unit is a lone letter where nobody writes it so."""
    written = [plain_spaces(duration(minutes, language)) for minutes in (1, 30, 60, 150, 1440, 4470)]
    assert written == [minute, half_hour, hour, most_hours, day, all_units]


@pytest.mark.parametrize(
    ("minutes", "language", "text"),
    [
        (90, "ar", "ساعة واحدة و30 دقيقة"),
        (61, "he", "שעה ודקה"),
        (62, "he", "שעה ושתי דקות"),
        (2880, "ar", "يومان"),
        (2880, "he", "יומיים"),
        (15840, "ru", "11 дней"),
        (15840, "ar", "11 يومًا"),
        (1560, "en", "1 day 2 hr"),
        (0, "en", ""),
        (-5, "en", ""),
    ],
)
def test_a_duration_has_the_plural_of_its_number(minutes, language, text):
    """Duals, "and" as a part of the next word, and nothing for nothing."""
    assert plain_spaces(duration(minutes, language)) == text


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


@pytest.mark.parametrize(
    ("language", "name"),
    [("en", "December"), ("de", "Dezember"), ("ru", "декабрь"), ("pl", "grudzień"), ("he", "דצמבר"), ("ja", "12月")],
)
def test_a_month_that_stands_alone_has_the_case_for_it(language, name):
    """Not "grudnia", which stands behind a day."""
    assert month_name(date(2026, 12, 5), language) == name


def test_a_city_is_joined_with_its_country_by_a_pattern():
    """A city that is called like its country is said once, and so is one without a country."""
    assert city_and_country("Kolkata", "India") == "Kolkata, India"
    assert city_and_country("Singapore", "Singapore") == "Singapore"
    assert city_and_country("UTC", "") == "UTC"
