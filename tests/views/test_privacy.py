"""Where the visitor's name, e-mail and phone, the API key and encrypted tokens may stand, and where they never do."""

import logging
import re

import pytest
import stamina
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.db import connection
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.logs import JsonFormatter
from kordless_booking.sandbox import SANDBOX_KEY, Sandbox
from tests.support.deliveries import NEW, OLD
from tests.support.log_events import RAISED, SAID, written
from tests.support.privacy_scenario import SECRETS, TOKENS, live_on, live_through_it_all
from tests.support.visitor import Visitor

pytestmark = pytest.mark.django_db(transaction=True)

NUMBERS = re.compile(r"BOOK_[A-Z0-9]{6,}", re.IGNORECASE)
KEYS = (SANDBOX_KEY, NEW, OLD)
ELSEWHERE = {"background_job_failed", "count_failed", "terms_changed"}
"""Mistakes of ours, and one of Kordless's that the sandbox doesn't make: other tests bring them about."""


@pytest.fixture
def lived(
    site: Settings, client: Client, sandbox: Sandbox, clock: Traveller, caplog: pytest.LogCaptureFixture
) -> Visitor:
    """A visitor to whom everything has happened, and all around it, with every logger at DEBUG."""
    site.KORDLESS_BOOKING = {
        **site.KORDLESS_BOOKING,
        **dict.fromkeys(
            ("BOOKINGS_PER_ADDRESS", "LOOKUPS_PER_ADDRESS", "CHANGES_PER_ADDRESS", "LOOKUPS_PER_NUMBER"), 0
        ),
    }
    names = {*logging.root.manager.loggerDict, "django.server", "httpx", "httpcore", "stamina", "kordless_booking"}
    known = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in known]
    for logger in known:
        # Django's own search for mistakes in templates prints whole contexts, for whoever turns it on.
        logger.setLevel(logging.INFO if logger.name == "django.template" else logging.DEBUG)
    client.raise_request_exception = False
    walk = Visitor(client)
    with caplog.at_level(logging.DEBUG), stamina.set_testing(True, attempts=2, cap=True):
        live_through_it_all(walk, sandbox, clock, site)
        live_on(walk, sandbox, clock, site)
    for logger, level in zip(known, levels, strict=True):
        logger.setLevel(level)
    return walk


def _addresses(lived: Visitor) -> None:
    """No address that a visitor goes to, and no Referer that could follow from it, can be read by others."""
    assert len(lived.seen) > 40
    for page in lived.seen:
        for url in (page.url, page.response.get("Location", "")):
            assert not SECRETS.search(url), url
            assert "BOOK_" not in url, url


def _key(lived: Visitor) -> None:
    """The API key stands on no page and in no header."""
    for page in lived.seen:
        assert SANDBOX_KEY not in page.html
        assert SANDBOX_KEY not in str(page.response.headers)


def _pages(lived: Visitor) -> None:
    """Services, times and zones are the same for everybody."""
    for page in lived.seen:
        if page.heading in {"What would you like to book?", "Choose your time zone"}:
            assert not SECRETS.search(page.html), page.url


def _database() -> None:
    """What is written down is encrypted, or gone."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 (the database's own table names)
            assert not SECRETS.search(str(cursor.fetchall())), table


def _cache() -> None:
    """Neither keys nor values of the cache name a visitor."""
    cache = caches["default"]
    assert isinstance(cache, LocMemCache)
    kept = {key: bytes(value) for key, value in cache._cache.items()}
    assert kept
    assert not SECRETS.search(str(kept))
    assert not TOKENS.search(str(kept))


def _kordless(sandbox: Sandbox) -> None:
    """The contact goes to Kordless in a creation's body and in the contact of a lookup, and nowhere else."""
    for asked in sandbox.requests:
        if asked.operation in {"organization", "service", "availability"}:
            assert not SECRETS.search(f"{asked.path} {asked.query} {asked.headers} {asked.body}"), asked
        if asked.operation in {"lookup", "cancel", "reschedule"}:
            assert "x-kordless-key" not in asked.headers


def _log(records: list[logging.LogRecord]) -> None:
    """At DEBUG, in every logger, message, argument, attribute and traceback: no contact, number, key or token."""
    assert len(records) > 300
    shown = logging.Formatter("%(name)s %(message)s")
    for record in records:
        line = f"{shown.format(record)} {JsonFormatter().format(record)} {vars(record)!r}"
        for never in (SECRETS, NUMBERS, TOKENS):
            assert not never.search(line), line
        assert not [key for key in KEYS if key in line], line


def _everything_was_said(records: list[logging.LogRecord]) -> None:
    """So the search has looked at every kind of line there is, but for those that need what a test can't have."""
    code = written()
    possible = {*SAID.findall(code), *RAISED.findall(code)}
    unsaid = possible - {record.__dict__["kordless"]["event"] for record in records}
    assert unsaid == ELSEWHERE, " ".join(sorted(unsaid ^ ELSEWHERE))


def _requests_are_named(records: list[logging.LogRecord]) -> None:
    """By the page's own id, down to Kordless and the refreshes behind the scenes; what runs by itself has none."""
    nameless = {record.__dict__["kordless"]["event"] for record in records if "req" not in record.__dict__["kordless"]}
    assert {name for name in nameless if not re.match("data_erased|mail_|reminders?_|counts_", name)} == set()
    behind = {
        record.__dict__["kordless"]["event"]
        for record in records
        if record.__dict__["kordless"].get("req") == "behind-1"
    }
    assert behind == {"kordless_call", "fetch_failed"}


@pytest.mark.long
def test_nothing_personal_stays_behind(lived: Visitor, sandbox: Sandbox, caplog: pytest.LogCaptureFixture):
    """Addresses, pages before the form, the database, the cache, the log and Kordless's reads: without the visitor."""
    _addresses(lived)
    _pages(lived)
    _key(lived)
    _database()
    _cache()
    _kordless(sandbox)
    records = caplog.get_records("setup")
    _log(records)
    ours = [record for record in records if record.name.startswith("kordless_booking")]
    _everything_was_said(ours)
    _requests_are_named(ours)
