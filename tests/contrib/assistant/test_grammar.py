"""Grammar of appointments: total, never in the past, linear; what is doubtful is a miss."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kordless_booking.contrib.assistant import grammar
from kordless_booking.contrib.assistant.grammar import MAX_LENGTH, Named, Offer, TimeQuery, is_supported, parse
from kordless_booking.contrib.assistant.lexicon import FOLDER, Lexicon, get_lexicon, normalize
from kordless_booking.contrib.assistant.words import NUMBERED, NUMBERED_VALUES, WORDS
from tests.support.phrases import FOLDER as PHRASES
from tests.support.phrases import NOW, OFFER, describe, measure, read_phrases

LANGUAGES = ["en", *sorted(path.name for path in (FOLDER / "locale").iterdir() if path.is_dir())]
SUPPORTED = [name for name in LANGUAGES if is_supported(name)]
STEPS_PER_CHARACTER = 400
"""Looks at a token. A token is looked at by ten rules, of which some try what follows as a day and as a time."""
ENGLISH = [phrase for phrase, _meaning in read_phrases("en")]
PIECES = st.one_of(
    st.sampled_from(
        [word for _text, english in (WORDS | NUMBERED).values() for word in english.replace("/", "|").split("|")]
    ),
    st.sampled_from(ENGLISH),
    st.integers(0, 10**12).map(str),
    st.sampled_from(list(":./,-+&@'\"\n\u200f٣５०")),
    st.text(max_size=8),
)
TEXTS = st.one_of(
    st.text(max_size=300), st.lists(PIECES, max_size=12).map(" ".join), st.lists(PIECES, max_size=12).map("".join)
)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2098, 12, 31), timezones=st.just(ZoneInfo("Europe/Berlin")))  # noqa: DTZ001


def understand(text: str, language: str = "en", offer: Offer = OFFER, now: datetime = NOW) -> TimeQuery:
    """Understand a text of the salon's visitors."""
    return parse(text, offer, language=language, now=now)


@pytest.mark.parametrize("language", SUPPORTED)
def test_phrases_are_understood(language: str) -> None:
    """At least 95 % of a language's phrases as a whole, and wrong dates in at most 1 %."""
    report = measure(language)
    assert report.count >= 40
    assert report.spans_right >= 0.95 * report.count, report.failures
    assert len(report.dates_wrong) <= 0.01 * report.count, report.dates_wrong


@pytest.mark.parametrize("language", SUPPORTED)
def test_phrases_that_were_held_out_are_understood(language: str) -> None:
    """At least 85 % of phrases that the language's words were not made for."""
    report = measure(language, "held")
    assert report.count >= 30
    assert report.spans_right >= 0.85 * report.count, report.failures
    assert len(report.dates_wrong) <= 0.01 * report.count + 1, report.dates_wrong


@pytest.mark.parametrize("language", sorted(path.name.split(".")[0] for path in PHRASES.glob("*.fresh.tsv")))
def test_phrases_in_unusual_shapes_are_understood(language: str) -> None:
    """At least 85 % of the phrases that testers wrote afterwards, and a wrong date in one at most."""
    report = measure(language, "fresh")
    assert report.count >= 40
    assert report.spans_right >= 0.85 * report.count, report.failures
    assert len(report.dates_wrong) <= 1, report.dates_wrong


def test_order_of_day_and_month_in_english_is_that_of_the_country() -> None:
    """3/12 is March 12 in American English, and the 3rd of December in British English."""
    assert understand("3/12", "en").first == date(2027, 3, 12)
    assert understand("3/12", "en-us").first == date(2027, 3, 12)
    assert understand("3/12", "en-gb").first == date(2026, 12, 3)
    assert understand("3/12", "en_AU").first == date(2026, 12, 3)


@given(TEXTS, MOMENTS, st.sampled_from(LANGUAGES))
def test_parsing_is_total_and_never_in_the_past(text: str, now: datetime, language: str) -> None:
    """Any text gives an answer, whose days are today or later, in order, and whose times are too."""
    query = understand(text, language, now=now)
    for each in (query, *query.alternatives):
        assert each.first is None or each.first >= now.date()
        assert each.last is None or each.last >= (each.first or now.date())
        assert not (each.first is None and each.last)
        assert each.after is None or each.before is None or each.after < each.before
        assert each.party is None or 1 <= each.party <= 99
        assert each.understood or not query.understood


@given(st.lists(PIECES, min_size=1, max_size=60).map(" ".join))
def test_parsing_takes_time_in_proportion_to_the_text(text: str) -> None:
    """The words looked up, and the rules tried, are at most so many per character that is read."""
    steps = 0

    class Counted(grammar._Reader):
        def _has(self, index: int, kind: str) -> bool:
            nonlocal steps
            steps += 1
            return super()._has(index, kind)

    lexicon = get_lexicon("en")
    assert lexicon is not None
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(grammar, "_Reader", Counted)
        understand(text)
    assert steps <= STEPS_PER_CHARACTER * max(1, min(len(text), MAX_LENGTH))


@given(st.text(st.characters(), max_size=MAX_LENGTH))
@example("\ufdfa" * MAX_LENGTH)
@example("…" * MAX_LENGTH)
def test_no_character_stands_for_many(text: str) -> None:
    """So a text of characters that are written out as words is as little work as any."""
    normalized = normalize(text)
    assert len(normalized.text) <= 4 * len(text)
    assert len(normalized.text) == len(normalized.folded) == len(normalized.origins)


@pytest.mark.parametrize("text", ["in 3 months", "next year", "tomorrow", "December 31", "the 5th", "next week"])
def test_the_end_of_the_calendar_is_a_miss(text: str) -> None:
    """Or an answer, and never an error."""
    for day in (30, 31):
        query = understand(text, now=datetime(9999, 12, day, 12, tzinfo=ZoneInfo("Asia/Tokyo")))
        assert query.first is None or query.first.year == 9999


def test_only_the_first_characters_are_read() -> None:
    """What comes after them changes nothing."""
    text = "tomorrow after 3".ljust(MAX_LENGTH) + " not Monday"
    assert understand(text) == understand("tomorrow after 3")


@given(
    st.text(alphabet="0123456789 :./-apmth,", max_size=20),
    st.sampled_from(["٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "０１２３４５６７８９"]),
)
def test_digits_of_every_script_say_the_same(text: str, digits: str) -> None:
    """Numbers are the same in the digits of any script."""
    other = text.translate(str.maketrans("0123456789", digits))
    assert understand(other).unparsed or describe(understand(other)) == describe(understand(text))
    assert describe(understand(other)) == describe(understand(text))


@given(st.dates(NOW.date(), NOW.date() + timedelta(days=300)), st.times())
def test_written_dates_and_times_are_read_back(day: date, clock: time) -> None:
    """A date and a time in digits are what was understood."""
    query = understand(f"{day:%Y-%m-%d} at {clock:%H:%M}")
    assert (query.first, query.last) == (day, day)
    if clock.hour >= 13:
        assert query.after == clock.replace(second=0, microsecond=0)


@given(st.text(max_size=60))
def test_normalizing_keeps_where_each_letter_was(text: str) -> None:
    """Normalized text and its form without accents are as long as the list of places."""
    normalized = normalize(text)
    assert len(normalized.text) == len(normalized.folded) == len(normalized.origins)
    assert list(normalized.origins) == sorted(normalized.origins)


@pytest.mark.parametrize(
    "text",
    ["", " ", "asdf", "yesterday", "last friday", "not tomorrow", "before my holiday", "Easter", "tuesday 7 of 9 12"],
)
def test_what_is_doubtful_is_a_miss(text: str) -> None:
    """A negation, a number or a word that could change the date makes all of it a miss."""
    query = understand(text)
    assert not query.understood
    assert query == TimeQuery(unparsed=query.unparsed)


@pytest.mark.parametrize(
    ("text", "excluded"),
    [
        ("not monday or tuesday", {0, 1}),
        ("not monday, tuesday or friday", {0, 1, 4}),
        ("not monday, after 3", {0}),
        ("not monday, tuesday", set()),
        ("not monday, tuesday is better", set()),
    ],
)
def test_day_behind_a_comma_is_hardly_one_more_that_is_not_meant(text: str, excluded: set[int]) -> None:
    """Days that are not meant are joined by a word; behind a comma alone may be what is asked for, so it is a miss."""
    query = understand(text)
    assert query.excluded_weekdays == excluded
    assert query.understood == bool(excluded)


@pytest.mark.parametrize(
    ("text", "language", "day"),
    [
        ("the 5th of next month", "en", date(2027, 1, 5)),
        ("next month on the 5th", "en", date(2027, 1, 5)),
        ("the 20th of this month", "en", date(2026, 12, 20)),
        ("el 5 del mes que viene", "es", date(2027, 1, 5)),
        ("5 числа следующего месяца", "ru", date(2027, 1, 5)),
        ("来月5日", "ja", date(2027, 1, 5)),
        ("31st of next month", "en", date(2027, 1, 31)),
        ("the 1st of this month", "en", None),
        ("next month, the first week", "en", None),
        ("next month, the first tuesday", "en", None),
    ],
)
def test_day_of_next_month_is_read_where_the_number_is_marked_as_a_day(
    text: str, language: str, day: date | None
) -> None:
    """The number stands before or behind the month; a day that has passed, or a week, makes it a miss."""
    query = parse(text, OFFER, language=language, now=NOW)
    assert (query.first, query.last) == (day, day)
    assert query.understood == (day is not None)


@pytest.mark.parametrize(
    ("text", "language"), [("en dos horas", "es"), ("dans deux heures", "fr"), ("in 2 hours", "en")]
)
def test_hours_from_now_are_no_time_of_the_day(text: str, language: str) -> None:
    """In two hours is not at two."""
    assert not parse(text, OFFER, language=language, now=NOW).understood


def test_unknown_words_that_change_nothing_are_left() -> None:
    """What was understood stands, and the rest is in `unparsed`, as it was typed."""
    query = understand("Tomorrow after 3, my Knee hurts")
    assert (query.first, query.after) == (date(2026, 12, 3), time(15))
    assert query.unparsed == ("Knee", "hurts")


@pytest.mark.parametrize(
    ("opening", "wanted"),
    [
        ((time(9), time(19)), [time(15)]),
        ((time(1), time(12)), [time(3)]),
        (None, [time(3), time(15)]),
    ],
    ids=["day", "night", "unknown"],
)
def test_hour_is_before_or_after_noon_by_the_opening_hours(
    opening: tuple[time, time] | None, wanted: list[time]
) -> None:
    """ "At 3" is the one of both that is within the opening hours; where both are, both are readings."""
    query = understand("tomorrow at 3", offer=Offer(opening=opening))
    assert [each.after for each in (query, *query.alternatives)] == wanted


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("friday or next week", [date(2026, 12, 4), date(2026, 12, 7)]),
        ("next monday or wednesday", [date(2026, 12, 7), date(2026, 12, 9)]),
        ("monday or tuesday next week", [date(2026, 12, 7), date(2026, 12, 8)]),
        ("the 20th or the 12th", [date(2026, 12, 12), date(2026, 12, 20)]),
    ],
)
def test_days_with_or_are_readings_of_their_own(text: str, days: list[date]) -> None:
    """A span belongs to all weekdays before it, unless it is itself one of the choices."""
    query = understand(text)
    assert [each.first for each in (query, *query.alternatives)] == days


def test_two_hours_share_their_half_of_the_day() -> None:
    """ "3 or 4 pm" is two times in the afternoon."""
    query = understand("3 or 4 pm on friday")
    assert [each.after for each in (query, *query.alternatives)] == [time(15), time(16)]


@pytest.mark.parametrize(
    ("text", "day"),
    [("tuesday the 8th", date(2026, 12, 8)), ("tuesday 8", date(2026, 12, 8)), ("tuesday the 9th", None)],
)
def test_weekday_and_date_must_agree(text: str, day: date | None) -> None:
    """A date that falls on another weekday is a slip: better a miss than one of the two."""
    assert understand(text).first == day


@pytest.mark.parametrize(
    "text", ["or " * 60, "mo " * 60, "not " * 50, "friday or " * 20 + "10 or " * 20, "sarah or miguel or " * 20]
)
def test_readings_are_few(text: str) -> None:
    """However much is written, at most four readings come of it."""
    for language in ("en", "de"):
        assert len(understand(text, language).alternatives) < 4


def test_or_gives_two_readings_the_nearer_first() -> None:
    """ "Thursday or Tuesday" on a Wednesday is Thursday, or else Tuesday."""
    query = understand("tuesday or thursday after 3")
    assert [each.first for each in (query, *query.alternatives)] == [date(2026, 12, 3), date(2026, 12, 8)]
    assert {each.after for each in (query, *query.alternatives)} == {time(15)}


def test_hosts_are_known_by_their_first_names_where_one_has_it() -> None:
    """A first name that two share says nothing."""
    offer = Offer(hosts=(Named("1", ("Ana Lima",)), Named("2", ("Ana Costa",)), Named("3", ("Zoë Ray",))))
    assert understand("friday with zoe", offer=offer).host == "3"
    assert understand("friday with ana", offer=offer).host is None
    assert understand("friday with Ana Costa", offer=offer).host == "2"


def test_part_of_today_that_has_passed_is_a_miss() -> None:
    """ "This morning" in the afternoon is never tomorrow's."""
    assert not understand("this morning", now=NOW.replace(hour=15)).understood
    assert understand("this morning").first == NOW.date()


def test_language_without_all_words_is_not_supported() -> None:
    """A language that is not known, or lacks a list, understands nothing."""
    assert all(map(is_supported, ("en", "en-gb", "de", "pt-br", "pt", "zh-hans", "zh_Hant")))
    for language in ("xx", "", "../en", "de\0", "x" * 500):
        assert not is_supported(language)
        assert not parse("tomorrow", OFFER, language=language, now=NOW).understood


@pytest.mark.parametrize("language", SUPPORTED)
def test_lists_have_a_word_for_each_number(language: str) -> None:
    """No number word stands for two numbers in one list."""
    lexicon = get_lexicon(language)
    assert isinstance(lexicon, Lexicon)
    assert all(len(values) for values in NUMBERED_VALUES.values())
