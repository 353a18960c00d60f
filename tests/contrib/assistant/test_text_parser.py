"""Door for a model: when it is asked, what is believed of its answer, and what becomes of its failures."""

import logging
import threading
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from kordless_booking import conf
from kordless_booking.contrib.assistant import checks, doctor, text_parser
from kordless_booking.contrib.assistant.grammar import Named, Offer, TimeQuery
from kordless_booking.contrib.assistant.text_parser import check_query
from kordless_booking.sandbox import Sandbox

pytestmark = pytest.mark.django_db

OFFER = Offer(
    services=(Named("haircut", ("Haircut",)),),
    hosts=(Named("host_sarah", ("Sarah",)),),
    window=(date(2026, 12, 1), date(2027, 1, 30)),
)
GOOD = TimeQuery(first=date(2026, 12, 8), last=date(2026, 12, 8), after=time(15), host="host_sarah", party=2)
texts: list[str] = []
answers: list[Any] = []


def parse(text: str, offer: Offer) -> Any:
    """A model of the site's, which answers what the test says."""
    texts.append(text)
    answer = answers[-1]
    if isinstance(answer, Exception):
        raise answer
    if isinstance(answer, threading.Event):
        answer.wait()
    return answer


@pytest.fixture
def model(assistant: Settings) -> Settings:
    """The plain site with the assistant and a model."""
    texts.clear()
    assistant.KORDLESS_BOOKING = {
        **assistant.KORDLESS_BOOKING,
        "TEXT_PARSER": f"{__name__}.parse",
        "PRIVACY_URL": "https://acme.example/privacy",
    }
    return assistant


def submit_query(client: Client, words: str, found: Any, **headers: str) -> Any:
    """Post words to a site whose model finds this."""
    answers.append(found)
    return client.post("/book/say/?service=haircut", {"words": words}, headers=headers)


def test_a_model_is_asked_only_where_the_grammar_understands_nothing(client: Client, model: Settings):
    """What the grammar reads never leaves the site, and what the model reads leads to the same page."""
    assert submit_query(client, "tomorrow", GOOD).status_code == 303
    assert texts == []
    response = submit_query(client, "zzyzx", GOOD)
    assert response.status_code == 303
    assert response.url == "/book/haircut/?day=2026-12-08&after=15:00&host=host_sarah&party=2&until=2026-12-08"
    assert texts == ["zzyzx"]


@pytest.mark.parametrize(
    "found", [None, TimeQuery(), "tomorrow", {"first": "2026-12-08"}, ValueError("zzyzx"), GeneratorExit]
)
def test_a_model_that_fails_is_a_miss(client: Client, model: Settings, caplog: pytest.LogCaptureFixture, found: Any):
    """Whatever it returns or raises, the words stay in the field and are in no log."""
    with caplog.at_level(logging.DEBUG):
        response = submit_query(client, "zzyzx", found)
    assert response.status_code == 422
    assert 'value="zzyzx"' in response.content.decode()
    assert "zzyzx" not in caplog.text


def test_a_model_that_hangs_is_a_miss_in_time(
    client: Client, model: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """The visitor gets the page after the deadline, whenever the model answers."""
    monkeypatch.setattr(text_parser, "PARSER_SECONDS", 0.05)
    hangs = threading.Event()
    try:
        assert submit_query(client, "zzyzx", hangs).status_code == 422
    finally:
        hangs.set()
    assert "TimeoutError" in caplog.text


def test_words_that_waited_in_line_too_long_never_leave_the_site(
    client: Client, model: Settings, monkeypatch: pytest.MonkeyPatch
):
    """Nobody waits for the answer anymore, and who comes next isn't behind them in the line."""
    monkeypatch.setattr(text_parser, "PARSER_SECONDS", 0.05)
    hangs = threading.Event()
    try:
        for _thread in range(text_parser.MAX_THREADS):
            text_parser._pool().submit(hangs.wait)
        for _visitor in range(3):
            assert submit_query(client, "zzyzx", GOOD).status_code == 422
    finally:
        hangs.set()
    monkeypatch.setattr(text_parser, "PARSER_SECONDS", 60)
    assert submit_query(client, "zzyzx last", GOOD).status_code == 303
    assert texts == ["zzyzx last"]


def test_a_model_is_asked_ten_times_in_ten_minutes_for_one_address(client: Client, model: Settings):
    """Each answer may cost the site money; the grammar goes on for free."""
    for _again in range(text_parser.MAX_CALLS + 3):
        assert submit_query(client, "zzyzx", None).status_code == 422
    assert len(texts) == text_parser.MAX_CALLS
    assert submit_query(client, "tomorrow", None).status_code == 303


def test_the_field_says_where_the_words_go(client: Client, model: Settings):
    """On every page that has it, with a link to the privacy policy; without a model it says nothing."""
    for url in ("/book/haircut/", "/book/", "/book/say/"):
        text = client.get(url).content.decode()
        assert "read by an outside service" in text
        assert 'href="https://acme.example/privacy"' in text
    model.KORDLESS_BOOKING = {**model.KORDLESS_BOOKING, "TEXT_PARSER": ""}
    assert b"outside service" not in client.get("/book/haircut/").content


WRONG = [
    {"first": date(2026, 11, 30)},
    {"last": date(2027, 2, 1)},
    {"first": date(2026, 12, 9), "last": date(2026, 12, 8)},
    {"first": datetime(2026, 12, 8)},  # noqa: DTZ001 (a wrong type)
    {"first": "2026-12-08"},
    {"after": "15:00"},
    {"before": 15},
    {"excluded_weekdays": {1}},
    {"excluded_weekdays": frozenset({7})},
    {"service": "made-up"},
    {"host": "<script>"},
    {"team": "team_1"},
    {"party": 0},
    {"party": 1000},
    {"party": True},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_field_outside_the_offer_makes_the_whole_answer_useless(wrong: dict[str, Any]):
    """Half of what a model has made up isn't better than none of it."""
    assert check_query(replace(GOOD, **wrong), OFFER) is None


def test_words_of_a_model_never_reach_a_page():
    """Other readings are checked as the first one is, and its `unparsed` is dropped."""
    other = replace(GOOD, first=date(2026, 12, 9), last=date(2026, 12, 9))
    found = check_query(replace(GOOD, unparsed=("<b>",), alternatives=(other, replace(other, host="made-up"))), OFFER)
    assert found == replace(GOOD, alternatives=(other,))


VALUES = st.none() | st.text(max_size=5) | st.integers() | st.dates() | st.times() | st.datetimes() | st.booleans()


@given(fields=st.dictionaries(st.sampled_from(sorted(TimeQuery.__dataclass_fields__)), VALUES))
def test_any_answer_is_checked_without_an_error(fields: dict[str, Any]):
    """What passes lies within the offer."""
    found = check_query(TimeQuery(**fields), OFFER)
    if found is not None and found.first is not None:
        assert OFFER.window is not None
        assert OFFER.window[0] <= found.first <= OFFER.window[1]


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("nowhere.parse", "it can't be imported"),
        (f"{__name__}.OFFER", "it is not a function"),
        ("no path", "dotted path"),
    ],
)
def test_a_setting_that_cannot_work_is_reported(model: Settings, path: str, problem: str):
    """By the system checks, before the first visitor writes anything, and by the doctor."""
    model.KORDLESS_BOOKING = {**model.KORDLESS_BOOKING, "TEXT_PARSER": path}
    found = [*run_checks(), *checks.check_text_parser()]
    assert any(problem in f"{message.msg} {message.hint}" for message in found)
    if " " not in path:
        assert "fix" in {finding.level.name.lower() for finding in doctor.examine(conf.get_account("default"))}


def test_a_model_without_a_privacy_policy_is_warned_of(model: Settings, sandbox: Sandbox):
    """The words of visitors leave the site: they should find out where to."""
    assert checks.check_text_parser() == []
    model.KORDLESS_BOOKING = {name: value for name, value in model.KORDLESS_BOOKING.items() if name != "PRIVACY_URL"}
    assert [message.id for message in checks.check_text_parser()] == ["kordless_assistant.W001"]
    assert "text_parser_privacy" in {finding.code for finding in doctor.examine(conf.get_account("default"))}
