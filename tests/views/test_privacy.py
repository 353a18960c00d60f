"""Places where name, e-mail, phone, API key and encrypted tokens are never found: log, cache, database, pages."""

import logging
import re
from collections.abc import Iterator

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
from tests.support.log_events import LOGGED, RAISED, written
from tests.support.privacy_scenario import CHAPTERS, SECRETS, TOKENS, Chapter
from tests.support.visitor import Visitor

pytestmark = pytest.mark.django_db(transaction=True)

NUMBERS = re.compile(r"BOOK_[A-Z0-9]{6,}", re.IGNORECASE)
KEYS = (SANDBOX_KEY, NEW, OLD)
ELSEWHERE = {
    "background_job_failed",
    "count_failed",
    "near_times_by_month",
    "slots_split",
    "terms_changed",
    "timezone_unknown",
}
"""Events of programming errors, and of answers that the sandbox doesn't give: other tests produce them."""


@pytest.fixture
def visitor(site: Settings, client: Client) -> Iterator[Visitor]:
    """A visitor of a site without limits for each address, with every logger at DEBUG."""
    site.KORDLESS_BOOKING = {
        **site.KORDLESS_BOOKING,
        **dict.fromkeys(
            (
                "BOOKINGS_PER_ADDRESS",
                "LOOKUPS_PER_ADDRESS",
                "CHANGES_PER_ADDRESS",
                "MANAGE_VIEWS_PER_ADDRESS",
                "LOOKUPS_PER_NUMBER",
            ),
            0,
        ),
    }
    names = {*logging.root.manager.loggerDict, "django.server", "httpx", "httpcore", "stamina", "kordless_booking"}
    known = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in known]
    for logger in known:
        # Django's own search for mistakes in templates prints whole contexts, for whoever turns it on.
        logger.setLevel(logging.INFO if logger.name == "django.template" else logging.DEBUG)
    client.raise_request_exception = False
    yield Visitor(client)
    for logger, level in zip(known, levels, strict=True):
        logger.setLevel(level)


def _addresses(visitor: Visitor) -> None:
    """No address that a visitor goes to, and no Referer that could follow from it, can be read by others."""
    for page in visitor.responses:
        for url in (page.url, page.response.get("Location", "")):
            assert not SECRETS.search(url), url
            assert "BOOK_" not in url, url


def _key(visitor: Visitor) -> None:
    """The API key stands on no page and in no header."""
    for page in visitor.responses:
        assert SANDBOX_KEY not in page.html
        assert SANDBOX_KEY not in str(page.response.headers)


def _pages(visitor: Visitor) -> None:
    """Services, times and zones are the same for everybody."""
    for page in visitor.responses:
        if page.heading in {"What would you like to book?", "Choose your time zone"}:
            assert not SECRETS.search(page.html), page.url


def _database() -> None:
    """Check that no table holds personal data in plain text."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 (the database's own table names)
            assert not SECRETS.search(str(cursor.fetchall())), table


def _cache(chapter: Chapter) -> None:
    """Neither keys nor values of the cache name a visitor."""
    cache = caches["default"]
    assert isinstance(cache, LocMemCache)
    entries = {key: bytes(value) for key, value in cache._cache.items()}
    assert entries or not chapter.pages
    assert not SECRETS.search(str(entries))
    assert not TOKENS.search(str(entries))


def _kordless(sandbox: Sandbox) -> None:
    """The contact goes to Kordless in a creation's body and in the contact of a lookup, and nowhere else."""
    for request in sandbox.requests:
        if request.operation in {"organization", "service", "availability"}:
            assert not SECRETS.search(f"{request.path} {request.query} {request.headers} {request.body}"), request
        if request.operation in {"lookup", "cancel", "reschedule"}:
            assert "x-kordless-key" not in request.headers


def _log(records: list[logging.LogRecord]) -> None:
    """At DEBUG, in every logger, message, argument, attribute and traceback: no contact, number, key or token."""
    shown = logging.Formatter("%(name)s %(message)s")
    for record in records:
        line = f"{shown.format(record)} {JsonFormatter().format(record)} {vars(record)!r}"
        for never in (SECRETS, NUMBERS, TOKENS):
            assert not never.search(line), line
        assert not [key for key in KEYS if key in line], line


def _requests_are_named(chapter: Chapter, records: list[logging.LogRecord]) -> None:
    """By the page's own id, down to Kordless and the refreshes behind the scenes; what runs by itself has none."""
    nameless = {record.__dict__["kordless"]["event"] for record in records if "req" not in record.__dict__["kordless"]}
    assert {
        name
        for name in nameless
        if not re.match("data_erased|data_exported|rows_expired|retention_|mail_|reminders?_|counts_", name)
    } == set()
    behind = {
        record.__dict__["kordless"]["event"]
        for record in records
        if record.__dict__["kordless"].get("req") == "behind-1"
    }
    assert behind == ({"kordless_call", "fetch_failed"} if chapter is CHAPTERS["background refresh"] else set())


@pytest.mark.long
@pytest.mark.parametrize("name", CHAPTERS)
def test_personal_data_is_nowhere_after(
    visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """Addresses, pages before the form, database, cache, log and Kordless's reads are without the visitor's data."""
    chapter = CHAPTERS[name]
    with caplog.at_level(logging.DEBUG), stamina.set_testing(True, attempts=2, cap=True):
        chapter.run(visitor, sandbox, clock, site)
    assert len(visitor.responses) >= chapter.pages
    _addresses(visitor)
    _pages(visitor)
    _key(visitor)
    _database()
    _cache(chapter)
    _kordless(sandbox)
    records = list(caplog.records)
    assert len(records) >= chapter.records
    _log(records)
    ours = [record for record in records if record.name.startswith("kordless_booking")]
    events = {record.__dict__["kordless"]["event"] for record in ours}
    assert chapter.events <= events, chapter.events - events
    _requests_are_named(chapter, ours)


def test_the_chapters_together_produce_every_log_event() -> None:
    """Each event of the source is declared by a chapter, except those that other tests produce."""
    code = written()
    possible = {*LOGGED.findall(code), *RAISED.findall(code)}
    missing = possible.difference(*(chapter.events for chapter in CHAPTERS.values()))
    assert missing == ELSEWHERE, " ".join(sorted(missing ^ ELSEWHERE))
    assert sum(chapter.pages for chapter in CHAPTERS.values()) > 40
    assert sum(chapter.records for chapter in CHAPTERS.values()) > 300
