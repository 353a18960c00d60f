"""Formatting of dates, times, money and durations in the visitor's language, by CLDR data.

`language` is a Django code ("pt-br", "zh-hans", "he"); an unknown one means English. Times are formatted as they are:
convert them to the visitor's zone first. Each pattern is looked up once, and each minute of the day is formatted once
per language: a page shows a hundred times, and Babel is too slow to format each of them anew.

No line breaks inside a clock time, a range of two, a date's day and month and year, or a number and its unit: their
spaces are no-break spaces, in mails and plain text too. Browsers and mail programs find them with plain spaces typed. A
full date may break beside its weekday, and date and time break between each other. Chinese and Japanese dates have no
spaces: the style sheet keeps them whole (`word-break: keep-all`), since word joiners would keep people from finding
them in a mail.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from django.utils.translation import pgettext

from kordless_booking.api.resources import Price, PriceKind
from kordless_booking.lazy_imports import LazyModule

from .locales import locale_name, locale_of, regional_locale
from .timezones import is_ambiguous, offset_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    import phonenumbers
    from babel import Locale, dates, numbers
    from babel.dates import DateTimePattern
else:
    phonenumbers = LazyModule("phonenumbers")
    dates = LazyModule("babel.dates")
    numbers = LazyModule("babel.numbers")

Hours = Literal["12", "24"]
"""12-hour or 24-hour clock."""

_MIDNIGHT = time()
_NO_BREAK = "\xa0"


def crosses_midnight(start: datetime, end: datetime) -> bool:
    """Return True when an interval ends on a later date than it starts. Ending at midnight sharp does not count."""
    # By date, not by hours: a visit from 23:30 to 0:00 ends on the same evening for people.
    days = end.toordinal() - start.toordinal()
    return days > 1 or (days == 1 and end.time() != _MIDNIGHT)


def full_date(day: date, language: str) -> str:
    """Format as "Tuesday, December 1, 2026"."""
    return _date(date(day.year, day.month, day.day), locale_name(language), "full")


def day_title(day: date, language: str) -> str:
    """Format as "Tuesday, December 1": the full date without the year."""
    return _date(date(day.year, day.month, day.day), locale_name(language), "day")


def day_heading(day: date, language: str) -> str:
    """Format as `day_title`, as a heading."""
    return _heading(day_title(day, language), language)


def month_day(day: date, language: str) -> str:
    """Format as "March 31", in the form that stands within a sentence."""
    return _date(date(day.year, day.month, day.day), locale_name(language), "month_day")


def short_day(day: date, language: str) -> str:
    """Format as "Tue, Dec 1", for where there is little room."""
    return _date(date(day.year, day.month, day.day), locale_name(language), "short")


def month_title(month: date, language: str) -> str:
    """Format as "December 2026", as a heading."""
    return _heading(_date(date(month.year, month.month, 1), locale_name(language), "month"), language)


def short_month(month: date, language: str) -> str:
    """Format as "Dec", standing alone."""
    return str(locale_of(locale_name(language)).months["stand-alone"]["abbreviated"][month.month])


def months_title(first: date, last: date, language: str) -> str:
    """Format as "December 2026", "November \u2013 December 2026" or, over a year's end, "Dec 2026 \u2013 Jan 2027"."""
    if (first.year, first.month) == (last.year, last.month):
        return month_title(first, language)
    name = locale_name(language)
    return _months(date(first.year, first.month, 1), date(last.year, last.month, 1), name)


def month_name(month: date, language: str) -> str:
    """Format as "December", in the form that stands alone."""
    return str(locale_of(language).months["stand-alone"]["wide"][month.month])


def city_and_country(city: str, country: str) -> str:
    """Join a city with its country, as in "Kolkata, India"; the city alone where it is the country's name, or has none.

    In the active language, as the names should be.
    """
    if country in {"", city}:
        return city
    # Translators: a city and its country, such as "Kolkata, India".
    return pgettext("city and country", "%(city)s, %(country)s") % {"city": city, "country": country}


def weekday_names(language: str) -> list[tuple[str, str]]:
    """Return the short and the full name of each weekday, Monday first, whatever day the week begins with."""
    return list(_weekdays(locale_name(language)))


def narrow_weekday_names(language: str) -> list[str]:
    """Return the narrowest name of each weekday, Monday first: a letter or two, which several days may share."""
    days = locale_of(locale_name(language)).days["stand-alone"]["narrow"]
    return [days[day] for day in range(7)]


@lru_cache(maxsize=64)
def first_weekday(language: str) -> int:
    """Return the first day of the week where the language is mostly spoken: 0 is Monday, 6 is Sunday."""
    return int(regional_locale(language).first_week_day)


def default_hours(language: str) -> Hours:
    """Return the clock that the language uses: "12" for 9 PM, "24" for 21:00."""
    return _default_hours(locale_name(language))


def clock_time(moment: datetime | time, language: str, hours: Hours | None = None) -> str:
    """Format the time of day as "9:00 AM" or "09:00". `hours` None means the language's own clock.

    The time is taken as it stands, without any conversion of zones.
    """
    name = locale_name(language)
    return _clock(moment.hour, moment.minute, name, hours or _default_hours(name))


def date_and_time(moment: datetime, language: str, hours: Hours | None = None) -> str:
    """Format as "Tuesday, December 1, 2026, 9:00 AM"."""
    return _join_date_and_time(full_date(moment, language), clock_time(moment, language, hours), language, "full")


def short_date_and_time(moment: datetime, language: str, hours: Hours | None = None) -> str:
    """Format as "Tue, Dec 1, 9:00 AM", for where there is little room."""
    return _join_date_and_time(short_day(moment, language), clock_time(moment, language, hours), language, "short")


def time_range(start: datetime, end: datetime, language: str, hours: Hours | None = None) -> str:
    """Format as "9:00 AM - 10:00 AM", with the language's own dash.

    Both ends are written in full, not as "9:00 - 10:00 AM", so that each reads like the button it was chosen with.
    """
    ends = clock_time(start, language, hours), _with_own_offset(clock_time(end, language, hours), start, end, language)
    # Where CLDR has no space, as in Indonesian, a line would break behind the dash.
    pattern = _unbreakable(_range_pattern(language).replace("}\u2013{", "} \u2013 {"))
    return pattern.replace("{0}", ends[0]).replace("{1}", ends[1])


def date_and_time_range(start: datetime, end: datetime, language: str, hours: Hours | None = None) -> str:
    """Format as "Tuesday, December 1, 2026, 9:00 AM - Wednesday, December 2, 2026, 9:00 AM"."""
    last = _with_own_offset(date_and_time(end, language, hours), start, end, language)
    return join_range(date_and_time(start, language, hours), last, language)


def join_range(first: str, last: str, language: str) -> str:
    """Join the texts of two ends, of which one at least has a date, with the language's own dash."""
    # Some languages write thin spaces or none around the dash, which is right only between single words.
    pattern = re.sub(r"\s?([\u2013\u2014~])\s?", f"{_NO_BREAK}\\1 ", _range_pattern(language))
    return pattern.replace("{0}", first).replace("{1}", last)


def shows_end_date(start: datetime, end: datetime) -> bool:
    """Return True when a text about an interval has to say the date of its end.

    That is when it crosses midnight, and when it lasts from one midnight to the next: "12:00 AM - 12:00 AM" on one date
    would read as nothing.
    """
    return crosses_midnight(start, end) or (start.date() != end.date() and start.time() == end.time())


def money(price: Price, language: str) -> str:
    """Format as "$45.00", or "Free" or "Price varies" in the active language; "" when nothing sensible is known."""
    if price.kind is PriceKind.FREE:
        return pgettext("price", "Free")
    if price.kind is PriceKind.VARIABLE:
        return pgettext("price", "Price varies")
    if price.kind is not PriceKind.FIXED or price.amount is None or not price.amount.is_finite():
        return ""
    return _money(price.amount, price.currency or "", locale_name(language))


def duration(minutes: int, language: str) -> str:
    """Format as "45 min", "1 hr 30 min", "3 days" or "1 day 2 hr"; "" for zero or less.

    Between the parts a line may break, inside of them not.
    """
    return _duration(minutes, locale_name(language)) if minutes > 0 else ""


def length_text(length: timedelta, language: str) -> str:
    """Format the length of a slot or booking like `duration`, rounded to whole minutes; "1 min" at least."""
    return duration(max(1, round(length.total_seconds() / 60)), language)


def _join_date_and_time(day: str, clock: str, language: str, width: Literal["full", "short"]) -> str:
    # Quotes mark literal text in CLDR patterns; here only the two places are filled, so they would be shown.
    locale = locale_of(language)
    pattern = str(locale.datetime_formats[width]).replace("'", "")
    if locale.language in _COMMA_BEFORE_TIME:
        pattern = "{1}, {0}"
    return pattern.replace("{0}", clock).replace("{1}", day)


# CLDR's patterns put the time right behind the year: "1 dicembre 2026 17:30".
_COMMA_BEFORE_TIME = frozenset({"fr", "id", "it", "pl", "pt"})


def _range_pattern(language: str) -> str:
    locale = locale_of(language)
    return _plain_spaces(str(locale.interval_formats.get(None, "{0} \u2013 {1}")), locale)


def _with_own_offset(text: str, start: datetime, end: datetime, language: str) -> str:
    """Return the text of an interval's end, with its offset where the clock shows that time twice.

    The hour from 1:30 AM on the night when clocks go back ends at 1:30 AM. Texts about an interval say the offset of
    its start, so an end with the same offset needs none.
    """
    if end.tzinfo is None or end.utcoffset() == start.utcoffset() or not is_ambiguous(end):
        return text
    return _unbreakable(time_in_zone(text, offset_text(end, language)))


DOT = "\xa0\xb7 "
"""Separator of texts that stand in one line. It stays with the text before it, so that no line begins with it."""


def time_in_zone(when: str, zone: str) -> str:
    """Return a time with its zone, such as "9:00 AM (New York · GMT-5)". In the active language."""
    # Translators: a time, and in brackets the city or the offset whose clock it is on.
    return pgettext("time and time zone", "%(when)s (%(zone)s)") % {"when": when, "zone": _unbreakable(zone)}


@lru_cache(maxsize=4096)
def phone_number(text: str, language: str) -> str:
    """Format a phone number with its country code as "+1 212-555-0123"; return one without as it is."""
    try:
        number = phonenumbers.parse(text[:100], None)
    except phonenumbers.NumberParseException:
        shown = text
    else:
        shown = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    # In a line of right-to-left letters the groups of digits would stand in the opposite order.
    return f"\u2066{shown}\u2069" if locale_of(language).text_direction == "rtl" else shown


@lru_cache(maxsize=4096)
def _date(day: date, name: str, form: Literal["full", "day", "short", "month", "month_day"]) -> str:
    locale = locale_of(name)
    if form == "month":
        # A heading, and longer than half a line where text is twice as large: it may break.
        return _pattern(locale, "yMMMM", "MMMM y").apply(day, locale)
    if form == "full":
        pattern = locale.date_formats["full"]
    elif form == "day":
        pattern = _day_pattern(name)
    elif form == "month_day":
        pattern = _pattern(locale, "MMMMd", "d MMMM")
    else:
        pattern = _pattern(locale, "MMMEd", "E, d MMM")
    text = _unbreakable(_day_as_written(pattern, day, name).apply(day, locale))
    return text if form == "short" else _breaking_at_weekday(text, day, locale)


# What people write for the first of a month, where CLDR writes a bare 1.
_FIRST_OF_MONTH = {"fr": "1er", "pt": "1º"}


def _day_as_written(pattern: DateTimePattern, day: date, name: str) -> DateTimePattern:
    """Return the pattern with the day as people write it: "1er" in French, no leading zero in Indonesian."""
    # In Brazil, not in Portugal.
    number = _FIRST_OF_MONTH.get(locale_of(name).language) if day.day == 1 and name != "pt_PT" else None
    if number is None and "dd" not in pattern.pattern:
        return pattern
    parts = re.split("('[^']*')", pattern.pattern)  # quoted text is literal
    parts[::2] = [re.sub("d+", f"'{number}'" if number else "d", part) for part in parts[::2]]
    return dates.parse_pattern("".join(parts))


def _unbreakable(text: str) -> str:
    """Replace plain and thin spaces with no-break ones of the same width."""
    return text.replace(" ", _NO_BREAK).replace("\u2009", "\u202f")


def _breaking_at_weekday(text: str, day: date, locale: Locale) -> str:
    """Return an unbreakable full date with the one plain space beside its weekday.

    A second one stands before the year of Spanish and Portuguese dates, which would be longer than a line of a phone
    where text is twice as large.
    """
    weekday = _unbreakable(locale.days["format"]["wide"][day.weekday()])
    text = re.sub(f"({re.escape(weekday)}[^\\w\\s]*){_NO_BREAK}", r"\1 ", text)
    text = re.sub(f"{_NO_BREAK}(\\(?{re.escape(weekday)})", r" \1", text)
    return re.sub(f"{_NO_BREAK}de{_NO_BREAK}(?=[0-9]{{4}})", f" de{_NO_BREAK}", text)


@lru_cache(maxsize=512)
def _months(first: date, last: date, name: str) -> str:
    locale = locale_of(name)
    # Of two years in full, it would be longer than a line of a phone.
    skeleton = "yMMMM" if first.year == last.year else "yMMM"
    text = dates.format_interval(first, last, skeleton, locale=locale)
    # Room at both sides of the dash, also where CLDR has a thin space or none: what is joined has spaces itself.
    return _plain_spaces(re.sub("[\u2009 ]?\u2013[\u2009 ]?", " \u2013 ", text), locale)


@lru_cache(maxsize=64)
def _day_pattern(name: str) -> DateTimePattern:
    """Return the pattern of a date without the year, names in full.

    CLDR gives only "E, d MMM" for some languages, and expects the program to stretch the widths.
    """
    skeletons = locale_of(name).datetime_skeletons
    key = next((k for k in ("MMMMEEEEd", "MMMMEd", "MMMEd") if k in skeletons), None)
    pattern = skeletons[key].pattern if key else "EEEE, d MMMM"
    parts = re.split("('[^']*')", pattern)  # quoted text is literal and must not be stretched
    parts[::2] = [re.sub("[Ec]+", "EEEE", re.sub("M{3,}", "MMMM", part)) for part in parts[::2]]
    return dates.parse_pattern("".join(parts))


def _pattern(locale: Locale, skeleton: str, fallback: str) -> DateTimePattern:
    found: DateTimePattern | None = locale.datetime_skeletons.get(skeleton)
    return found or dates.parse_pattern(fallback)


@lru_cache(maxsize=64)
def _weekdays(name: str) -> tuple[tuple[str, str], ...]:
    days = locale_of(name).days["stand-alone"]
    short = days["abbreviated"]
    if max(len(short[day].rstrip(".")) for day in range(7)) > _LONGEST_SHORT_DAY:
        # In some languages the abbreviated names are nearly the full ones; the "short" ones are shorter still.
        short = days.get("short", short)
    return tuple((short[day], days["wide"][day]) for day in range(7))


# Letters that still fit a column of the month, a seventh of 280 px.
_LONGEST_SHORT_DAY = 5


@lru_cache(maxsize=64)
def _default_hours(name: str) -> Hours:
    # Quoted letters are literal text. H and k are the 24-hour fields, h and K the 12-hour ones.
    pattern = re.sub("'[^']*'", "", regional_locale(name).time_formats["short"].pattern)
    return "24" if "H" in pattern or "k" in pattern else "12"


@lru_cache(maxsize=8192)
def _clock(hour: int, minute: int, name: str, hours: Hours) -> str:
    locale = locale_of(name)
    if hours == _default_hours(name):
        # The language's own clock: its short time format, by country. The skeletons below are for the other clock.
        pattern = regional_locale(name).time_formats["short"]
    elif hours == "12":
        pattern = _pattern(locale, "hm", "h:mm a")
    else:
        pattern = _pattern(locale, "Hm", "HH:mm")
    if _writes_own_wide_periods(name):
        pattern = dates.parse_pattern(re.sub("a+", "aaaa", pattern.pattern))
    text = _unbreakable(_plain_spaces(pattern.apply(time(hour, minute), locale), locale))
    # Between right-to-left letters "5:30 PM" would change places with what is beside it. An isolate, not a mark: the
    # ends of a range then stand in the same order as those without letters do.
    isolated = locale.text_direction == "rtl" and re.search("[A-Za-z]", text)
    return f"\u2066{text}\u2069" if isolated else text


def _heading(text: str, language: str) -> str:
    """Start with a capital in Russian and Ukrainian. Others that write days and months in lower case keep it."""
    return text[:1].upper() + text[1:] if locale_of(language).language in {"ru", "uk"} else text


def _plain_spaces(text: str, locale: Locale) -> str:
    """Replace CLDR's narrow and thin spaces with plain ones in English, where people don't write them."""
    return re.sub("[\u202f\xa0\u2009]", " ", text) if locale.language == "en" else text


@lru_cache(maxsize=64)
def _writes_own_wide_periods(name: str) -> bool:
    """Return True when only the wide form of AM is in the language's own script, as in Korean."""
    forms = locale_of(name).day_periods["format"]
    return forms["abbreviated"]["am"].isascii() and not forms["wide"].get("am", "AM").isascii()


# An amount from here on is nonsense, and is not shown.
_LARGEST_AMOUNT = Decimal(10) ** 12


@lru_cache(maxsize=1024)
def _money(amount: Decimal, currency: str, name: str) -> str:
    if not 0 <= amount < _LARGEST_AMOUNT:
        return ""
    if re.fullmatch("[A-Za-z]{3}", currency):
        locale = locale_of(name)
        text = numbers.format_currency(amount, currency.upper(), locale=locale)
        if locale.text_direction == "rtl":  # without a left-to-right mark after it, "US$" is shown as "$US"
            text = re.sub(r"([A-Za-z]+[^\w\s\u200e\u200f]+)", "\\1\u200e", text)
        return re.sub(r"(?<=[^\W\d_])(?=\d)", "\xa0", text)  # CLDR's currencySpacing, which Babel leaves out
    # A currency that is unknown or mistyped: show the number alone rather than guess.
    return numbers.format_decimal(amount, "#,##0.00", locale=locale_of(name))


@lru_cache(maxsize=1024)
def _duration(minutes: int, name: str) -> str:
    days, rest = divmod(minutes, 1440)
    units = [(days, "day"), (rest // 60, "hour"), (rest % 60, "minute")]
    first, *more = [_amount(number, unit, name) for number, unit in units if number]
    locale = locale_of(name)
    # Traditional Chinese has spaces, simplified has none.
    middle, last = _DURATION_JOINTS.get(locale.language if locale.script != "Hant" else name, (" ", " "))
    text = first
    for index, part in enumerate(more, start=1):
        joint = last if index == len(more) else middle
        # A Hebrew "and" is part of the word after it, but not of a number.
        hyphen = "-" if locale.language == "he" and joint is last and part[0].isdigit() else ""
        text = f"{text}{joint}{hyphen}{part}"
    return text


# What stands between the units of a duration, and before its last one. CLDR's patterns for lists of units are not
# what people write in some languages ("2 Std., 30 Min."), and it has none for others.
_DURATION_JOINTS: Mapping[str, tuple[str, str]] = {
    "ar": (" و", " و"),
    "he": (", ", " ו"),  # noqa: RUF001 (a Hebrew letter)
    "ja": ("", ""),
    "zh": ("", ""),
}
# Units in full, not abbreviated: one letter says little, or the word is as short. Days are in full everywhere.
_UNITS_IN_FULL: Mapping[str, frozenset[str]] = {
    "ar": frozenset({"hour", "minute"}),
    "he": frozenset({"hour", "minute"}),
    "hi": frozenset({"hour", "minute"}),
    "id": frozenset({"hour", "minute"}),
    "tr": frozenset({"hour"}),
}
# One of a unit where CLDR writes a bare noun, or a number that nobody writes.
_ONE_UNIT: Mapping[str, Mapping[str, str]] = {
    "ar": {
        "day": "يوم واحد",
        "hour": "ساعة واحدة",
        "minute": "دقيقة واحدة",
    },
    "he": {
        "day": "יום אחד",
        "hour": "שעה",
        "minute": "דקה",
    },
}


def _amount(number: int, unit: str, name: str) -> str:
    """Format a number with its unit by CLDR, which leaves a plural form out where it equals "other".

    Babel's `format_unit` then says "1 horas", so its data is read here directly.
    """
    locale = locale_of(name)
    if number == 1 and locale.language in _ONE_UNIT:
        return _unbreakable(_ONE_UNIT[locale.language][unit])
    in_full = unit == "day" or unit in _UNITS_IN_FULL.get(locale.language, ())
    lengths: Mapping[str, Mapping[str, str]] = locale._data["unit_patterns"].get(f"duration-{unit}", {})
    wanted = ("long", "short") if in_full else ("short", "long")
    usable = (lengths[length] for length in wanted if "other" in lengths.get(length, {}))
    patterns = next(usable, {"other": "{0}"})
    pattern = patterns.get(locale.plural_form(number)) or patterns["other"]
    if locale.language == "ja":  # CLDR's space between number and unit isn't written
        pattern = pattern.replace(" ", "")
    return _unbreakable(pattern.replace("{0}", numbers.format_decimal(number, locale=locale)))
