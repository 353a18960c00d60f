"""Choices in the query string: parsed safely from untrusted input, and written so that they parse to the same again."""

from datetime import date, time
from urllib.parse import parse_qsl

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import settings as fast
from hypothesis import strategies as st

from kordless_booking.booking.choices import Choices, provider_value, query_id
from kordless_booking.limits import MAX_PARTY_SIZE
from kordless_booking.presentation.timezones import timezones_by_country

LANGUAGES = ("en", "de", "pt-br", "zh-hans", "he")
NAMES = ("tz", "month", "day", "after", "before", "host", "team", "with", "party", "clock", "hours", "lang", "thanks")
IDS = st.none() | st.text(min_size=1, max_size=250)
DAYS = st.dates(date(1970, 1, 1), date(9000, 12, 31))
CHOICES = st.builds(
    Choices,
    timezone=st.none() | st.sampled_from(sorted(timezones_by_country())),
    month=st.none() | DAYS,
    day=st.none() | DAYS,
    after=st.none() | st.builds(time, st.integers(1, 11), st.sampled_from([0, 15, 30, 45])),
    before=st.none() | st.builds(time, st.integers(12, 23), st.sampled_from([0, 15, 30, 45])),
    host_id=IDS,
    team_id=IDS,
    party_size=st.integers(1, MAX_PARTY_SIZE),
    clock=st.sampled_from([None, "visitor", "business"]),
    hours=st.sampled_from([None, "12", "24"]),
    lang=st.sampled_from([None, *LANGUAGES]),
    embed=st.sampled_from([None, "1", "left", "right"]),
    done_url=st.sampled_from([None, "https://shop.example/thanks?service={service}&a=b%20c#top"]),
)


def read(**query: str) -> Choices:
    """The choices in a query."""
    return Choices.from_query(query, LANGUAGES)


@fast(max_examples=100, deadline=None)
@given(choices=CHOICES)
def test_a_query_reads_as_it_was_written(choices):
    """Every choice survives its own link, through Django's parser and the standard library's."""
    query = choices.query()
    assert Choices.from_query(QueryDict(query[1:]), LANGUAGES) == choices
    assert Choices.from_query(dict(parse_qsl(query[1:])), LANGUAGES) == choices
    assert query.isascii()
    assert not set(query) & set("\"<>'# \r\n\0")


@fast(max_examples=100, deadline=None)
@given(query=st.dictionaries(st.sampled_from(NAMES), st.text(max_size=40)))
def test_any_text_reads_as_something_safe(query):
    """Nothing raises, and what is left has its type and its limits and can be written again."""
    choices = Choices.from_query(query, LANGUAGES)
    assert Choices.from_query(dict(choices.query_items()), LANGUAGES) == choices
    assert 1 <= choices.party_size <= MAX_PARTY_SIZE
    assert choices.lang in {None, *LANGUAGES}
    assert choices.clock in {None, "visitor", "business"}
    assert choices.hours in {None, "12", "24"}


@fast(max_examples=100, deadline=None)
@given(raw=st.binary(max_size=120))
def test_any_bytes_read_as_something_safe(raw):
    """A query string made of anything."""
    Choices.from_query(QueryDict(raw, encoding="utf-8"), LANGUAGES)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("month", "2026-13"),
        ("month", "2026-1"),
        ("month", "0001-01"),
        ("month", "9999-12"),
        ("month", "2026-01-32"),
        ("month", "\uff12026-01"),
        ("month", "2026-01\n"),
        ("day", "2026-02-30"),
        ("day", "0001-01-01"),
        ("day", "9999-12-31"),
        ("day", "20260101"),
        ("after", "24:00"),
        ("after", "9:00"),
        ("after", "20261201T140000Z"),
        ("after", "00:00"),
        ("before", "23:60"),
        ("before", "23:50"),
        ("before", "٢٣:00"),
        ("day", "-2026-01-01"),
        ("tz", "Mars/Olympus"),
        ("tz", "../../etc/passwd"),
        ("tz", "Europe/Paris\0"),
        ("host", ""),
        ("team", ""),
        ("with", ""),
        ("party", "-1"),
        ("party", "1e9"),
        ("party", "100"),
        ("party", "٣"),
        ("party", "2.0"),
        ("clock", "mine"),
        ("hours", "23"),
        ("hours", "12 "),
        ("lang", "tlh"),
        ("lang", "../en"),
    ],
)
def test_absurd_values_are_dropped_quietly(name, value):
    """As if they had not been there."""
    assert read(**{name: value}) == Choices()


@pytest.mark.parametrize("id_", ["a b", "x" * 101, "né", "a\r\nb", "мастер/1", "\0"])
@pytest.mark.parametrize("name", ["host", "team"])
def test_an_id_that_a_link_cannot_carry_stays_a_choice_as_its_digest(name, id_):
    """Dropped, it would let anyone be booked."""
    chosen = read(**{name: id_})
    assert chosen == Choices(**{f"{name}_id": id_}) != Choices()
    assert dict(chosen.query_items())[name] == query_id(id_) != id_


@fast(max_examples=100, deadline=None)
@given(one=st.text(min_size=1, max_size=200), other=st.text(min_size=1, max_size=200))
def test_ids_in_links_are_short_plain_and_distinct(one, other):
    """Two ids of 200 characters at most never share a link, and writing an id twice changes nothing."""
    written = query_id(one)
    assert written.isascii()
    assert written.isprintable()
    assert 1 <= len(written) <= 100
    assert query_id(written) == written
    assert (written == query_id(other)) is (one == other)


@given(id_=st.text(min_size=1, max_size=120))
def test_one_field_can_choose_a_host_a_team_or_anyone(id_):
    """The select of many hosts and teams has one name for all of them."""
    assert read(**{"with": provider_value(host_id=id_)}) == Choices(host_id=id_)
    assert read(**{"with": provider_value(team_id=id_), "host": "left over"}) == Choices(team_id=id_)
    assert read(**{"with": provider_value(), "host": "left over"}) == Choices()


@pytest.mark.parametrize(
    ("query", "choices"),
    [
        ({"tz": "Europe/Paris"}, Choices(timezone="Europe/Paris")),
        ({"tz": "Europe/Kiev"}, Choices(timezone="Europe/Kyiv")),
        ({"month": "2027-02"}, Choices(month=date(2027, 2, 1))),
        ({"month": "2027-02-15"}, Choices(month=date(2027, 2, 15))),
        ({"day": "2028-02-29"}, Choices(day=date(2028, 2, 29))),
        ({"host": "host_sarah"}, Choices(host_id="host_sarah")),
        ({"team": "team_hair"}, Choices(team_id="team_hair")),
        ({"with": "host:host_sarah", "team": "team_hair"}, Choices(host_id="host_sarah")),
        ({"with": "team:team_hair", "host": "host_sarah"}, Choices(team_id="team_hair")),
        ({"with": "", "host": "host_sarah"}, Choices()),
        ({"with": "cream", "host": "host_sarah"}, Choices(host_id="host_sarah")),
        ({"party": "3"}, Choices(party_size=3)),
        ({"party": "0"}, Choices()),
        ({"party": "99"}, Choices(party_size=MAX_PARTY_SIZE)),
        ({"clock": "business"}, Choices(clock="business")),
        ({"hours": "24"}, Choices(hours="24")),
        ({"lang": "PT-BR"}, Choices(lang="pt-br")),
        ({"embed": "1"}, Choices(embed="1")),
        ({"embed": "right"}, Choices(embed="right")),
        ({"embed": "top"}, Choices()),
        ({"unknown": "1"}, Choices()),
    ],
)
def test_valid_values_are_used(query, choices):
    """Each in its own type, old zone names as today's, languages in any case."""
    assert Choices.from_query(query, LANGUAGES) == choices


def test_what_was_not_chosen_is_not_written():
    """A bare address stays bare; the order is always the same."""
    assert Choices().query() == ""
    chosen = Choices(lang="de", party_size=2, timezone="Europe/Paris", month=date(2026, 12, 1))
    assert chosen.query() == "?tz=Europe/Paris&month=2026-12&party=2&lang=de"


def test_some_of_it_can_be_changed():
    """The original stays as it was."""
    chosen = Choices(timezone="Europe/Paris", party_size=2)
    assert chosen.replace(party_size=1).query_items() == [("tz", "Europe/Paris")]
    assert chosen.party_size == 2
