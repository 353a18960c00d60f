"""Findings of the doctor about Kordless: each failure has its id and its advice, at eight requests at most."""

import logging
from typing import Any

import pytest
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.api import parsing
from kordless_booking.api.responses import ResponseMeta
from kordless_booking.api.session import wsgi_transport
from kordless_booking.conf import get_account
from kordless_booking.doctor.upstream_check import MAX_SLUGS
from kordless_booking.sandbox import NORTH_KEY, Sandbox
from kordless_booking.upstream.registry import services_for
from tests.support.doctor import DoctorReport, run_as_json
from tests.support.mail_settings import MAIL
from tests.support.odd_answers import Change, OddAnswers, many_hosts
from tests.support.odd_businesses import use_odd_business

pytestmark = pytest.mark.django_db


def test_all_is_well(well: Settings, limited: Sandbox):
    """Three requests: for the organization, a service, and its times."""
    limited.faults.add("date_skew", seconds=1)
    limited.faults.add("not_public", operation="organization", service="makeover")
    report = run_as_json()
    assert report.status == 0, report.text
    assert report.of("kordless") == dict.fromkeys(("reached", "key", "services", "times", "clock"), "ok")
    assert [request.operation for request in limited.requests] == ["organization", "service", "availability"]
    assert report.document["requests"] == 3
    assert "8 of 9 services can be booked online: haircut, " in report.line("services")
    assert "head-spa" in report.line("services")
    assert "makeover" not in report.line("services")


def test_of_many_services_the_first_slugs_are_listed(well: Settings, sandbox: Sandbox):
    """A tag for one of them needs its slug; hundreds would push everything else off the screen."""
    use_odd_business(well, sandbox, "many-services")
    line = run_as_json().line("services")
    assert line.count(",") == MAX_SLUGS - 1
    assert line.endswith(f" and {300 - MAX_SLUGS} more")


@pytest.mark.parametrize(
    ("kind", "operation", "options", "code", "advice", "most"),
    [
        ("key_revoked", "*", {}, "key_refused", "create a key in Kordless", 1),
        ("status", "*", {"status": 403}, "key_of_other_organization", "the same organization", 1),
        ("status", "organization", {"status": 404}, "org_not_found", "set ORG_SLUG", 1),
        ("status", "*", {"status": 429, "retry_after": 20}, "too_many", "wait 20 s", 1),
        ("status", "*", {"status": 500}, "no_usable_answer", "Kordless has an outage", 1),
        ("status", "*", {"status": 502, "html": True}, "no_usable_answer", "Kordless has an outage", 2),
        ("html", "*", {}, "no_usable_answer", "check BASE_URL", 1),
        ("redirect", "*", {}, "no_usable_answer", "check BASE_URL", 1),
        ("broken_json", "*", {}, "no_usable_answer", "check BASE_URL", 1),
        ("empty", "*", {}, "no_usable_answer", "check BASE_URL", 1),
        ("other_org", "*", {}, "no_usable_answer", "check ORG_SLUG", 1),
        ("reset", "*", {}, "no_usable_answer", "Kordless has an outage", 2),
        ("status", "*", {"status": 400}, "refused", "look for a newer one", 1),
        ("key_revoked", "availability", {}, "key_refused", "create a key", 3),
        ("status", "availability", {"status": 503}, "no_usable_answer", "Kordless has an outage", 4),
        ("null_lists", "organization", {}, "nothing_bookable", "make a service public", 1),
    ],
)
def test_each_illness_has_its_advice(
    well: Settings,
    sandbox: Sandbox,
    kind: str,
    operation: str,
    options: dict[str, Any],
    code: str,
    advice: str,
    most: int,
):
    """Exit code 1, one line with what to do, nothing of the answer's own words, and no more requests than needed."""
    sandbox.faults.add(kind, operation, **options)
    report = run_as_json()
    assert report.status == 1
    assert report.fixes() == [code]
    assert advice in report.line(code)
    assert "faults" not in report.text
    assert "script" not in report.of("kordless")
    assert len(sandbox.requests) == report.document["requests"] <= most


def test_settings_of_a_service_that_is_not_listed_are_reported(well: Settings, sandbox: Sandbox):
    """A misspelled slug would change nothing; those that exist are named."""
    own = {"CONTACT_FIELDS": {"phone": "required"}}
    well.KORDLESS_BOOKING = {**well.KORDLESS_BOOKING, "SERVICES": {"haircut": own, "hair-cut\x1b[2J": own}}
    report = run_as_json()
    assert report.of("kordless")["service_settings_unused"] == "note"
    line = report.line("service_settings_unused")
    assert "doesn't list: hair-cut?[2J" in line
    assert "haircut, full-color" in line
    well.KORDLESS_BOOKING = {**well.KORDLESS_BOOKING, "SERVICES": {"haircut": own}}
    assert "service_settings_unused" not in run_as_json().of("kordless")


def _run_with_questions(well: Settings, questions: Any) -> DoctorReport:
    well.KORDLESS_BOOKING = {**well.KORDLESS_BOOKING, "QUESTIONS": questions}
    return run_as_json()


def test_questions_of_a_service_that_is_not_listed_are_reported(well: Settings):
    """As settings of such a service; those of all services belong to none."""
    question = {"name": "allergies", "label": "Any allergies?", "kind": "text"}
    report = _run_with_questions(well, {"haircut": [question], "hair-cut": [question], "*": [question]})
    assert "QUESTIONS has settings for services that Kordless doesn't list: hair-cut" in report.line(
        "service_settings_unused"
    )
    assert "service_settings_unused" not in _run_with_questions(well, {"haircut": [question], "*": [question]}).of(
        "kordless"
    )


def test_questions_that_may_not_fit_into_the_notes_are_reported(well: Settings):
    """With full notes and full answers: nothing is cut off, but such a visitor has to shorten a text."""
    long = [{"name": f"q{number}", "label": "Question", "kind": "long_text"} for number in range(3)]
    report = _run_with_questions(well, {"haircut": long})
    assert report.of("kordless")["questions_long"] == "note"
    assert "answers of haircut can have 2533 characters, and 2000 are sent" in report.line("questions_long")
    report = _run_with_questions(well, {"haircut": long[:1]})
    assert "questions_long" not in report.of("kordless")
    assert "1 of 9 services ask questions" in report.line("questions")


def test_languages_that_questions_lack_are_reported(well: Settings):
    """Of those that visitors can choose; a text in one language is meant to be read by all."""
    well.LANGUAGES = [("en", "English"), ("de", "German"), ("ar", "Arabic")]
    label = {"en": "Any allergies?", "de": "Allergien?"}
    report = _run_with_questions(well, {"*": [{"name": "allergies", "label": label, "kind": "text", "help": "Nuts"}]})
    assert report.of("kordless")["questions_untranslated"] == "note"
    assert "allergies in ar" in report.line("questions_untranslated")
    report = _run_with_questions(
        well, {"*": [{"name": "allergies", "label": {**label, "ar": "حساسية"}, "kind": "text"}]}
    )
    assert "questions_untranslated" not in report.of("kordless")


def test_a_function_that_can_not_be_asked_for_questions_is_reported(well: Settings):
    """With the question that is wrong, or the class of what it raised."""
    report = _run_with_questions(well, lambda _account, _service: [{"name": "A", "label": "L", "kind": "text"}])
    assert report.fixes() == ["questions_failed"]
    assert "Question 1 has the name 'A'" in report.line("questions_failed")
    report = _run_with_questions(well, "tests.no_such_module.questions")
    assert "ModuleNotFoundError" in report.line("questions_failed")


@pytest.mark.parametrize(
    ("fields", "services", "found"),
    [
        ({"email": "hidden"}, {}, True),
        ({"email": "hidden"}, {"haircut": {"CONTACT_FIELDS": {"email": "optional"}}}, False),
        ({"email": "optional"}, {}, False),
    ],
)
def test_mail_is_reported_where_no_form_asks_for_an_email_address(
    well: Settings, fields: dict[str, str], services: dict[str, Any], found: bool
):
    """The site would be ready to send, and write to nobody."""
    well.KORDLESS_BOOKING = {**well.KORDLESS_BOOKING, **MAIL, "CONTACT_FIELDS": fields, "SERVICES": services}
    assert ("mail_to_nobody" in run_as_json().of("settings")) == found


def test_a_key_of_another_organization(well: Settings, sandbox: Sandbox):
    """The two settings don't belong together."""
    well.KORDLESS_BOOKING = {**well.KORDLESS_BOOKING, "API_KEY": NORTH_KEY}
    report = run_as_json()
    assert report.fixes() == ["key_of_other_organization"]
    assert "acme-salon" in report.line("key_of_other_organization")


def test_an_outage_costs_one_retry_of_each_request(well: Settings, sandbox: Sandbox):
    """Each call is tried twice at most."""
    sandbox.faults.add("status", "organization", times=1, status=502)
    sandbox.faults.add("status", "availability", status=502)
    report = run_as_json()
    operations = [request.operation for request in sandbox.requests]
    assert operations == ["organization"] * 2 + ["service"] + ["availability"] * 2
    assert report.fixes() == ["no_usable_answer"]


def test_a_month_in_many_parts_costs_eight_requests_at_most(
    well: Settings, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """It is not checked then, and that is said."""
    monkeypatch.setattr(parsing, "MAX_SLOTS", 20)
    report = run_as_json()
    assert report.document["requests"] == len(sandbox.requests) == 8
    assert report.of("kordless")["times_not_checked"] == "note"


def test_many_hosts_are_read_to_the_end_of_the_near_days(well: Settings, sandbox: Sandbox):
    """The days of the page, in the parts of the page: 6 hosts every quarter of an hour."""
    kordless = answered_by(well, sandbox, availability=many_hosts(6))
    assert "14880 of haircut until 2027-01-30" in run_as_json().line("times")
    assert kordless.request_counts["availability"] == 1


def test_a_day_of_too_many_times_is_no_good_state(well: Settings, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch):
    """Times that visitors can't see are never "ok"."""
    monkeypatch.setattr(parsing, "MAX_SLOTS", 3)
    report = run_as_json()
    assert report.fixes() == ["times_too_many"]
    assert "times" not in report.of("kordless")
    assert run_as_json().fixes() == ["times_too_many"]


def test_times_that_cannot_be_understood_are_counted(well: Settings, sandbox: Sandbox):
    """They are skipped on pages."""

    def broken(document: dict[str, Any], _query: dict[str, str]) -> dict[str, Any]:
        for slot in document["slots"][:3]:
            slot["startsAt"] = "soon"
        return document

    answered_by(well, sandbox, availability=broken)
    report = run_as_json()
    assert report.fixes() == ["times_skipped"]
    assert "3 free times of haircut" in report.line("times_skipped")


@pytest.mark.parametrize(
    ("zone", "finding"),
    [
        ("Our time", {"timezone_unknown": "fix"}),
        (None, {"timezone_missing": "note"}),
        ("Eastern Standard Time", {}),
        ("america/new_york", {}),
    ],
)
def test_a_time_zone_that_is_none_is_found(well: Settings, sandbox: Sandbox, zone: str | None, finding: dict[str, str]):
    """By its name, with what to do."""

    def change(document: dict[str, Any], _query: dict[str, str]) -> dict[str, Any]:
        document["calendarSettings"]["timezone"] = zone
        return document

    answered_by(well, sandbox, service=change)
    report = run_as_json().of("kordless")
    assert {code: level for code, level in report.items() if code.startswith("timezone")} == finding
    assert report["times"] == "ok"


def test_services_that_cannot_be_shown_are_named(well: Settings, sandbox: Sandbox):
    """A slash in the slug, and a slug that another service has."""

    def change(document: dict[str, Any], _query: dict[str, str]) -> dict[str, Any]:
        document["services"][1]["slug"] = "cut/and\x1b[2J color"
        document["services"][2]["slug"] = "haircut"
        return document

    answered_by(well, sandbox, organization=change)
    report = run_as_json()
    assert report.fixes() == ["services_left_out"]
    assert "cut/and[2J color, haircut" in report.line("services_left_out")
    # They count among the services, or "all can be booked" would stand above "these can't".
    assert "7 of 9 services" in report.line("services")


def answered_by(site: Settings, sandbox: Sandbox, **changes: Change) -> OddAnswers:
    """Put these changes between the site and its Kordless."""
    kordless = OddAnswers(sandbox, **changes)
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "TRANSPORT": wsgi_transport(kordless)}
    return kordless


@pytest.mark.parametrize(("seconds", "words"), [(600, "600 s behind"), (-600, "600 s ahead of"), (121, "121 s behind")])
def test_a_clock_that_is_off(well: Settings, sandbox: Sandbox, seconds: int, words: str):
    """In either direction, from two minutes on."""
    sandbox.faults.add("date_skew", seconds=seconds)
    report = run_as_json()
    assert report.fixes() == ["clock_skew"]
    assert words in report.line("clock_skew")
    assert "NTP" in report.line("clock_skew")


def test_an_answer_without_date(well: Settings, sandbox: Sandbox):
    """Nothing is claimed that isn't known."""
    assert run_as_json().of("kordless")["clock_unknown"] == "note"


def test_a_key_that_may_less_than_the_settings_say(well: Settings, limited: Sandbox):
    """The rate limit is Kordless's to define."""
    well.KORDLESS_BOOKING = {**well.KORDLESS_BOOKING, "REQUESTS_PER_MINUTE": 90}
    report = run_as_json()
    assert report.fixes() == ["quota"]
    assert 'set "REQUESTS_PER_MINUTE": 60' in report.line("quota")


def test_a_rate_limit_that_is_used_up(well: Settings, sandbox: Sandbox, clock: Traveller):
    """The doctor takes its tickets like everybody, and when there is none it asks nothing."""
    gate = services_for(get_account(None)).gate
    for _ in range(58):
        gate.before("availability")
    report = run_as_json()
    assert report.fixes() == ["too_many"]
    assert sandbox.requests == []


def test_while_the_circuit_is_open(well: Settings, sandbox: Sandbox):
    """Kordless is left alone by everybody."""
    sandbox.faults.add("status", status=503, retry_after=60)
    assert run_as_json().fixes() == ["no_usable_answer"]
    sandbox.clear_requests()
    report = run_as_json()
    assert report.fixes() == ["circuit_open"]
    assert sandbox.requests == []


@pytest.mark.parametrize(("code", "response"), [("contact_circuit_open", None), ("contact_limited", 429)])
def test_troubles_of_lookups_are_reported_without_a_lookup(
    well: Settings, sandbox: Sandbox, code: str, response: int | None
):
    """What the site has learned of the operations without a key; they don't concern what the key is for."""
    gate = services_for(get_account(None)).gate
    for _ in range(5 if response is None else 1):
        gate.before("lookup")
        gate.after("lookup", response and ResponseMeta(response, retry_after=40))
    report = run_as_json()
    assert report.of("kordless")[code] == ("fix" if response is None else "note")
    assert "times" in report.of("kordless")
    assert "lookup" not in [request.operation for request in sandbox.requests]


def test_the_lines_in_the_log_are_its_own(well: Settings, sandbox: Sandbox, caplog: pytest.LogCaptureFixture):
    """So that nobody takes them for a visitor's."""
    caplog.set_level(logging.INFO)
    run_as_json()
    calls = [record.getMessage() for record in caplog.records if "kordless_call" in record.getMessage()]
    assert len(calls) == 3
    assert all(" req=doctor-" in line for line in calls)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["hang", "slow", "drip"])
def test_a_kordless_that_is_slow(far: Sandbox, well: Settings, kind: str):
    """The doctor waits no longer than a page would."""
    well.KORDLESS_BOOKING = {**well.KORDLESS_BOOKING, "BROWSE_SECONDS": 0.5}
    far.faults.add(kind)
    report = run_as_json()
    assert "no_usable_answer" in report.fixes()
    assert "BROWSE_SECONDS" in report.line("no_usable_answer")
    assert report.document["seconds"] < 20  # the sandbox dawdles for 30 at least, and the machine may be busy


@pytest.mark.long
def test_a_kordless_that_is_slow_but_answers(far: Sandbox, well: Settings):
    """Worth knowing before it gets worse."""
    well.KORDLESS_BOOKING = {**well.KORDLESS_BOOKING, "BROWSE_SECONDS": 5}
    far.faults.add("slow", "organization", seconds=2.6)
    assert run_as_json().of("kordless")["slow"] == "note"


@pytest.mark.parametrize(
    ("base_url", "advice"),
    [
        ("http://127.0.0.1:1", "nothing listens there"),
        # A label of more than 63 letters is looked up nowhere: the machine's name server may take its time.
        (f"https://{'k' * 64}.invalid/api", "DNS"),
    ],
)
def test_a_kordless_that_is_not_there(far: Sandbox, well: Settings, base_url: str, advice: str):
    """With the reason, and what that usually means."""
    well.KORDLESS_BOOKING = {**well.KORDLESS_BOOKING, "BASE_URL": base_url}
    report = run_as_json()
    assert "unreachable" in report.fixes()
    assert advice in report.line("unreachable")


def test_something_else_speaks_tls(far: Sandbox, well: Settings):
    """The sandbox speaks plain HTTP: a handshake with it fails."""
    base = well.KORDLESS_BOOKING["BASE_URL"].replace("http://", "https://")
    well.KORDLESS_BOOKING = {**well.KORDLESS_BOOKING, "BASE_URL": base}
    report = run_as_json()
    assert "certificate" in report.line("unreachable")


def test_a_hostile_name_stays_on_its_line(well: Settings, sandbox: Sandbox):
    """The name of the business is untrusted input: it is printed on one line, without control characters, and cut."""
    sandbox.faults.add("org_renamed", name="Salon\x1b[2J\nfix  nothing" + "x" * 500)
    report = run_as_json()
    assert "\x1b" not in report.line("key")
    assert "\n" not in report.line("key")
    assert len(report.line("key")) < 200


def test_each_account_is_asked_for_itself(two_accounts: Settings, sandbox: Sandbox):
    """Or one alone."""
    report = run_as_json()
    assert report.of("kordless", "north")["key"] == report.of("kordless", "south")["key"] == "ok"
    assert report.document["requests"] == len(sandbox.requests) == 6
    sandbox.clear_requests()
    assert run_as_json("--account", "south").of("kordless", "north") == {}
    assert len(sandbox.requests) == 3
