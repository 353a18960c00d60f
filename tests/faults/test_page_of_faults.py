"""docs/upstream-failures.md says what these tests show, and nothing else."""

import html
import re

from kordless_booking.api.responses import MAX_BODY_BYTES
from kordless_booking.upstream import circuit_breaker, read_through
from kordless_booking.upstream.entries import Lifetime
from tests.faults.expected import ALL, FINE
from tests.support.in_force import numbers_in_force
from tests.support.log_events import LOGGED, PACKAGE, PAGE, rows, written

COLUMNS = (
    ("services",),
    ("slots", "contact"),
    ("create",),
    ("attempt",),
    ("lookup",),
    ("cancel", "reschedule"),
)
EVENT = re.compile(r"`([a-z]+_[a-z_]+)`")
OUTSIDE = re.compile(
    "honeypot_filled|spam_check_failed|proxy_not_trusted|throttled|webhook_.*|change_not_recorded|data_erased|data_exported"
    "|counts?_.*|mail_.*|message_without_number|reminders?_.*|questions_.*|unhandled_exception|hook_failed|rows_expired|retention_failed"
    "|waitlist_.*|text_parser_failed|api_read_failed|base_template_failed"
)
"""Events about the visitor, extensions, our tables, or what Kordless tells us by itself: docs/operating.md has them."""


def test_every_fault_has_its_row_with_its_events():
    """Each fault stands in the table once, and each of its steps says the event that the test has shown."""
    ill = {fault.name: fault for fault in ALL if any(FINE[act] != outcome for act, outcome in fault.outcomes.items())}
    named: list[str] = []
    for names, *cells in rows("Every fault"):
        for name in re.findall("`([^`]+)`", names):
            named.append(name)
            for acts, cell in zip(COLUMNS, cells, strict=True):
                outcomes = [ill[name].outcomes[act] for act in acts if act in ill[name].outcomes]
                assert set(EVENT.findall(cell)) == {event for _status, event in outcomes if event}, (name, cell)
                assert ("fine" in cell) == any(not event for _status, event in outcomes), (name, cell)
                assert (cell == "-") == (not outcomes), (name, cell)
    assert sorted(named) == sorted(ill)
    strange = [name.strip("`") for name, *_ in rows("Unusual responses that are handled")]
    assert sorted(strange) == sorted(fault.name for fault in ALL if fault.name not in ill)


def test_every_event_is_listed_and_exists():
    """The code knows no event that isn't on the page, and the page none that isn't in the code."""
    listed = {row[0].strip("`") for row in rows("Events and what the visitor sees")} - {"upstream_…"}
    code = written()
    used = {event for event in LOGGED.findall(code) if not OUTSIDE.fullmatch(event)}
    used |= set(re.findall(r"(?:tell|not_changed)\(\s*visit, \"([a-z_]+)\"", code))
    assert used <= listed
    for event in listed:
        assert re.search(rf'["=]{event}\b', code), event


def test_every_reason_exists():
    """Each documented reason after `upstream_` is one that the code gives."""
    reasons = {event.removeprefix("upstream_") for event in EVENT.findall(PAGE) if event.startswith("upstream_")}
    code = written()
    assert reasons
    for reason in reasons:
        assert f'"{reason}"' in code, reason


def test_statuses_are_those_of_the_tests():
    """The status beside an event is the one that a visitor got in the tests."""
    statuses = {row[0].strip("`"): row[2] for row in rows("Events and what the visitor sees") if len(row) == 4}
    for fault in ALL:
        for status, event in fault.outcomes.values():
            known = statuses.get("upstream_…" if event.startswith("upstream_") else event)
            assert known in {None, str(status)}, (fault.name, event)


def test_quoted_words_are_the_visitors():
    """Every text in quotation marks occurs in the package's templates or code."""
    sources = "".join(path.read_text() for path in PACKAGE.rglob("*") if path.suffix in {".py", ".html"})
    shown = re.sub(r'"\s*\n\s*"', "", html.unescape(sources)).replace("\u2019", "'")
    for quoted in re.findall("“([^”]+)”", PAGE):
        words = " ".join(quoted.split()).replace("\u2019", "'")
        assert words in {"fine", "-"} or words in shown, words


def test_the_numbers_are_the_codes():
    """Limits on the page are those that the services of a real account go by."""
    in_force = numbers_in_force()
    organization, slots = in_force.organization, in_force.slots
    assert in_force.service == organization
    longest = circuit_breaker.MAX_OPEN_SECONDS
    for text in (
        f"| `BROWSE_SECONDS` | {in_force.settings['BROWSE_SECONDS']:g} seconds",
        f"| `BOOKING_SECONDS` | {in_force.settings['BOOKING_SECONDS']:g} seconds",
        f"once {circuit_breaker.FAILURE_THRESHOLD} more calls have failed than succeeded",
        f"within {circuit_breaker.FAILURE_TTL_SECONDS // 60} minutes",
        f"| {circuit_breaker.OPEN_SECONDS} seconds, as long as `Retry-After` says with a 503, at most {longest};",
        f"| Times are cached | {_in_words(slots)}, {slots.last_known} last-known |",
        f"| Services are cached | {_in_words(organization)} |",
        f"the latest when what is cached is {organization.fresh // 60} minutes old",
        f"every {read_through.NEGATIVE_TTL} seconds",
        f"{MAX_BODY_BYTES // 1024**2} MiB",
    ):
        assert text in PAGE, text


def _in_words(lifetime: Lifetime) -> str:
    stale, on_error = lifetime.stale_while_revalidate, lifetime.stale_if_error
    return f"{lifetime.fresh} seconds fresh, {stale} stale-while-revalidate, {on_error} stale-if-error"
