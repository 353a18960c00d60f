"""Formatting of dates, times, money and durations in the visitor's language, by CLDR data.

`language` is a Django code ("pt-br", "zh-hans", "he"); an unknown one means English. Times are formatted as they are:
convert them to the visitor's zone first. Each pattern is looked up once, and each minute of the day is formatted once
per language: a page shows a hundred times, and Babel is too slow to format each of them anew.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import phonenumbers
from babel.dates import format_date, parse_pattern
from babel.numbers import format_currency, format_decimal
from django.utils.translation import pgettext

from kordless_booking.api.resources import Price, PriceKind

from .locales import locale_name, locale_of, regional_locale
from .timezones import is_ambiguous, offset_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from babel import Locale
    from babel.dates import DateTimePattern

Hours = Literal["12", "24"]
"""12-hour or 24-hour clock."""

_MIDNIGHT = time()


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


def weekday_names(language: str) -> list[tuple[str, str]]:
    """Return the short and the full name of each weekday, Monday first, whatever day the week begins with."""
    return list(_weekdays(locale_name(language)))


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
    return _range_pattern(language).replace("{0}", ends[0]).replace("{1}", ends[1])


def date_and_time_range(start: datetime, end: datetime, language: str, hours: Hours | None = None) -> str:
    """Format as "Tuesday, December 1, 2026, 9:00 AM - Wednesday, December 2, 2026, 9:00 AM"."""
    last = _with_own_offset(date_and_time(end, language, hours), start, end, language)
    return join_range(date_and_time(start, language, hours), last, language)


def join_range(first: str, last: str, language: str) -> str:
    """Join the texts of two ends, of which one at least has a date, with the language's own dash."""
    # Some languages write no spaces around the dash, which is right only between single words.
    pattern = _range_pattern(language).replace("}\u2013{", "} \u2013 {")
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
    """Format as "45 min", "1 hr 30 min", "3 days" or "1 day 2 hr"; "" for zero or less."""
    return _duration(minutes, locale_name(language)) if minutes > 0 else ""


def length_text(length: timedelta, language: str) -> str:
    """Format the length of a slot or booking like `duration`, rounded to whole minutes; "1 min" at least."""
    return duration(max(1, round(length.total_seconds() / 60)), language)


def _join_date_and_time(day: str, clock: str, language: str, width: Literal["full", "short"]) -> str:
    # Quotes mark literal text in CLDR patterns; here only the two places are filled, so they would be shown.
    pattern = str(locale_of(language).datetime_formats[width]).replace("'", "")
    return pattern.replace("{0}", clock).replace("{1}", day)


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
    return f"{text} ({offset_text(end, language)})"


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
    if form == "full":
        return format_date(day, "full", locale=locale)
    if form == "day":
        return _day_pattern(name).apply(day, locale)
    if form == "month":
        return _pattern(locale, "yMMMM", "MMMM y").apply(day, locale)
    if form == "month_day":
        return _pattern(locale, "MMMMd", "d MMMM").apply(day, locale)
    return _pattern(locale, "MMMEd", "E, d MMM").apply(day, locale)


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
    return parse_pattern("".join(parts))


def _pattern(locale: Locale, skeleton: str, fallback: str) -> DateTimePattern:
    found: DateTimePattern | None = locale.datetime_skeletons.get(skeleton)
    return found or parse_pattern(fallback)


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
        pattern = parse_pattern(re.sub("a+", "aaaa", pattern.pattern))
    return _plain_spaces(pattern.apply(time(hour, minute), locale), locale)


def _heading(text: str, language: str) -> str:
    """Start with a capital in Russian and Ukrainian. Others that write days and months in lower case keep it."""
    return text[:1].upper() + text[1:] if locale_of(language).language in {"ru", "uk"} else text


def _plain_spaces(text: str, locale: Locale) -> str:
    """Replace CLDR's narrow spaces before AM with plain ones in English.

    People type plain ones, and would not find the text otherwise.
    """
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
        text = format_currency(amount, currency.upper(), locale=locale)
        if locale.text_direction == "rtl":  # without a left-to-right mark after it, "US$" is shown as "$US"
            text = re.sub(r"([A-Za-z]+[^\w\s\u200e\u200f]+)", "\\1\u200e", text)
        return re.sub(r"(?<=[^\W\d_])(?=\d)", "\xa0", text)  # CLDR's currencySpacing, which Babel leaves out
    # A currency that is unknown or mistyped: show the number alone rather than guess.
    return format_decimal(amount, "#,##0.00", locale=locale_of(name))


@lru_cache(maxsize=1024)
def _duration(minutes: int, name: str) -> str:
    days, rest = divmod(minutes, 1440)
    units = [(days, "duration-day"), (rest // 60, "duration-hour"), (rest % 60, "duration-minute")]
    text, *more = [_amount(number, unit, name) for number, unit in units if number]
    for index, part in enumerate(more, start=1):
        pattern = _list_pattern("2" if len(more) == 1 else "end" if index == len(more) else "start", name)
        text = pattern.replace("{0}", text).replace("{1}", part)
    return text


def _list_pattern(place: Literal["2", "start", "end"], name: str) -> str:
    """Return CLDR's pattern to join two units, or the first two or the last two of three.

    Not `format_list`: where CLDR leaves "2" out, Babel repeats the last element.
    """
    styles = locale_of(name).list_patterns
    found: Mapping[str, str] = styles.get("unit-narrow") or styles.get("unit-short") or {}
    return found.get(place) or (found.get("end") if place == "2" else found.get("2")) or "{0} {1}"


def _amount(number: int, unit: str, name: str) -> str:
    """Format a number with its unit by CLDR, which leaves a plural form out where it equals "other".

    Babel's `format_unit` then says "1 horas", so its data is read here directly.
    """
    locale = locale_of(name)
    number_text = format_decimal(number, locale=locale)
    lengths: Mapping[str, Mapping[str, str]] = locale._data["unit_patterns"].get(unit, {})
    usable = (lengths[length] for length in ("short", "long") if "other" in lengths.get(length, {}))
    patterns = next(usable, {"other": "{0}"})
    return (patterns.get(locale.plural_form(number)) or patterns["other"]).replace("{0}", number_text)
