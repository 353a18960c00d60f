"""docs/operating.md says what the log can say, and where things are."""

import re
from pathlib import Path

from django.apps import apps
from django.urls import reverse

from kordless_booking.erasure.run import TARGETS
from kordless_booking.management.commands import kordless_doctor, kordless_erase, kordless_warm
from tests.support.log_events import LOGGED, RAISED, rows, written

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "operating.md").read_text()


def test_every_event_is_on_one_of_the_two_pages():
    """None is missing, none is made up, none stands twice."""
    code = written()
    events = {*LOGGED.findall(code), *RAISED.findall(code)}
    section = PAGE.partition("\n## The log")[2].partition("\n## ")[0]
    here = re.findall(r"^\| `([a-z_]+)` \| [A-Z, ]+ \|", section, re.MULTILINE)
    there = {row[0].strip("`") for row in rows("Events and what the visitor sees")}
    assert len(here) == len(set(here))
    assert set(here) == events - there


def test_every_logger_is_listed():
    """By the name that LOGGING would use."""
    loggers = set(re.findall(r'getLogger\("(kordless_booking\.[a-z]+)"\)', written())) | {"kordless_booking.upstream"}
    assert set(re.findall(r"^\| `(kordless_booking\.[a-z]+)` \|", PAGE, re.MULTILINE)) == loggers


def test_every_table_is_listed_and_can_be_erased():
    """A new model needs an entry in the table of stored data, and a target that erases it."""
    models = {model.__name__ for model in apps.get_app_config("kordless_booking").get_models() if not model._meta.proxy}
    section = PAGE.partition("\n## Stored data")[2].partition("\n## ")[0]
    assert set(re.findall(r"\| `([A-Z][A-Za-z]+)` \|", section)) == models
    assert {model.__name__ for kind in TARGETS for model in kind.models} == models
    for kind in TARGETS:
        assert f"  {kind.name}: " in PAGE


def test_addresses_and_options_are_real():
    """Every address and option that can be copied from the page exists."""
    assert reverse("kordless_booking:health") == "/book/health/"
    assert reverse("kordless_booking:health-booking") == "/book/health/booking/"
    known: set[str] = set()
    for module in (kordless_doctor, kordless_erase, kordless_warm):
        command = module.Command()
        known |= set(command.create_parser("manage.py", "x")._option_string_actions)
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", PAGE)) <= known
    assert f"After {kordless_doctor.SECONDS} seconds" in PAGE
    assert f"after S seconds ({kordless_warm.SECONDS} by default)" in PAGE
