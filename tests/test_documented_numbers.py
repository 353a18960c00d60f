"""The numbers in the documents are those in force, and numbers that depend on one another fit together."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db.models import CharField
from time_machine import Traveller

from kordless_booking import changes, checks, conf, logs
from kordless_booking.api import parsing, responses
from kordless_booking.booking import availability, draft, form_input, placement, queue, receipt, tokens
from kordless_booking.doctor import shared_cache, upstream_check
from kordless_booking.erasure import targets
from kordless_booking.funnel import buffered_counter
from kordless_booking.limits import MAX_MANAGE_LINK_DAYS
from kordless_booking.mail import enqueue, outbox, reminders
from kordless_booking.models import Appointment
from kordless_booking.staff import deliveries, funnel
from kordless_booking.upstream import (
    booking_cache,
    fallback_cache,
    gate,
    memory_cache,
    rate_limiter,
    read_through,
    waiting_list,
)
from kordless_booking.views import (
    address_limits,
    client_address,
    guesses,
    outcome,
    problems,
    request,
    response_cache,
    skeletons,
    slot_page,
    slot_reading,
    webhook,
)
from kordless_booking.webhooks import signature, stored_body
from tests.support.clock import NOW
from tests.support.in_force import REAL_ACCOUNT, numbers_in_force

DOCS = Path(__file__).resolve().parents[1] / "docs"
FLAT = {"API_KEY": "k", "ORG_SLUG": "acme"}
DAY = 86400
SPELLED = {2: "two", 3: "three", 5: "five", 10: "ten"}


def spelled(number: float) -> str:
    """A whole number as a word, as in running text; in digits when no word is known here."""
    return SPELLED.get(int(number), f"{number:,g}") if number == int(number) else str(number)


def minutes(seconds: float) -> str:
    """Seconds in words: "ten minutes", "a minute"."""
    return "a minute" if seconds == 60 else f"{spelled(seconds / 60)} minutes"


def days(length: timedelta | float) -> str:
    """Days in words: "two days", "a day"."""
    number = length.total_seconds() / DAY if isinstance(length, timedelta) else length / DAY
    return "a day" if number == 1 else f"{spelled(number)} days"


def _documented() -> dict[str, list[str]]:
    """Return the phrases that each document must contain, with the numbers in force."""
    account, in_force = REAL_ACCOUNT, numbers_in_force()
    rules = {name: rule for name, rule in throttle_rules().items() if name not in {"view", "view_change"}}
    assert len({rule.seconds for rule in rules.values()}) == 1
    address = minutes(rules["book"].seconds)
    assert guesses.WINDOW_SECONDS == 3600, "the documents say: an hour"
    for name in ("view", "view_change"):
        assert throttle_rules()[name].seconds == 60, "the documents say: a minute"
    kept_body, creations = f"{stored_body.BODY_RETENTION.days} days", in_force.settings["CREATIONS_PER_MINUTE"]
    a_minute = f"{in_force.settings['REQUESTS_PER_MINUTE']} requests and {creations} bookings a minute"
    return {
        "abuse.md": [
            f"lets {spelled(creations)} bookings a minute through",
            f"may send {account.bookings_per_address} contact forms",
            f"look up {account.lookups_per_address} bookings",
            f"may book or move {account.bookings_per_contact} times in ten minutes",
            f"and {account.bookings_per_contact_daily} times in a day",
            f"At most {spelled(queue.MAX_WAITING_PER_ADDRESS)} of an address are in the queue",
            f"change {account.changes_per_address} of them in {address}",
            f"read {account.manage_views_per_address} pages of bookings a minute",
            f"shows it as it was {spelled(booking_cache.VIEW_SECONDS)} seconds ago at most",
            f"may fail {account.lookups_per_number_and_address} times in an hour by one client address",
            f"and {account.lookups_per_number} times by anybody",
            f"Its /56 may do {spelled(client_address.OUTER_FACTORS[56])} times as much",
            f"its /48 {client_address.OUTER_FACTORS[48]} times",
            f"have {spelled(client_address.SITE_FACTOR)} times the limit",
            f"may cause {account.fetches_per_address} requests to Kordless in a minute",
            f"of more than {problems.LARGEST_FORM // 1024} KB",
        ],
        "funnel-and-admin.md": [
            f"the bodies of the last {kept_body}, at most {deliveries.MAX_DECRYPTED:,}",
            f"Bodies are kept for {kept_body}",
            f"at most every {buffered_counter.WRITE_EVERY_SECONDS:g} seconds",
            f"At most {buffered_counter.MAX_KEYS:,} different things are held",
            "(`?days={}`, `{}` or `{}`".format(*funnel.PERIODS),
        ],
        "mail.md": [
            f"no more than {reminders.MAX_LOOKUPS}",
            f"`REMINDER_HOURS` | {account.reminder_hours} by default",
            "after {}, {}, {}, {} and {} minutes and then hourly".format(*outbox.BACKOFF_MINUTES),
            f"with the next mail, for {days(outbox.GIVE_UP_AFTER)}",
            f"A mail about a move waits for {minutes(enqueue.RESCHEDULED_DELAY.total_seconds())}",
            f"tries again after {outbox.BUSY_SECONDS:g} seconds",
            f"`MAILS_PER_RECIPIENT` | {account.mails_per_recipient} by default",
            f"not accepted for {days(outbox.GIVE_UP_AFTER)}",
            f"Until {days(enqueue.RETENTION)} after its end",
        ],
        "operating.md": [
            f"differ by more than {signature.TOLERANCE_SECONDS} s",
            f"sends Kordless {spelled(upstream_check.MAX_REQUESTS)} requests at most",
            f"takes more than {shared_cache.SLOW_SECONDS * 1000:g} ms",
            f"the same, more than {minutes(gate.MAX_SKEW_SECONDS)} apart",
            f"with {REQUEST_ID[0]} to {REQUEST_ID[1]} letters, digits",
            f"more than {minutes(signature.TOLERANCE_SECONDS)} off",
            f"the background thread tries again after {outbox.BUSY_SECONDS:g} seconds",
            f"More than {webhook.MAX_BODY_BYTES // 1024} KiB",
            f"accepts or rejects it: seconds, {days(placement.RESEND_WINDOW)} at most",
            f"the body {kept_body}",
            f"{days(enqueue.RETENTION)} after its end",
            f"a keyed hash of the number | {minutes(changes.IN_PROGRESS_SECONDS)} |",
            f"keyed hashes of number and contact | {minutes(booking_cache.POLL_SECONDS)} |",
            f"| none | {days(in_force.organization.stale_if_error)} at most | expiry |",
            f"encrypted | form input | {minutes(form_input.TOKEN_SECONDS)} |",
            f"shown again for {minutes(form_input.TOKEN_SECONDS)} after a rejection",
            f"email or phone | {days(receipt.CONFIRMATION_SECONDS)}; a manage link",
            f"could be sent again ({days(targets.FORM_EXPIRES_AFTER)})",
            f"might send it again ({kept_body})",
        ],
        "running.md": [
            a_minute,
            f"asks once in {spelled(fallback_cache.RETRY_SECONDS)} seconds whether it is back",
            f"at most once {minutes(fallback_cache.LOG_INTERVAL_SECONDS)}",
            f"is claimed for {placement.LEASE.total_seconds():g} seconds",
            f"## More than {spelled(creations)} bookings a minute",
            f"The first {spelled(creations)} are sent at once",
            f"at least every {outcome.MAX_POLL_SECONDS} seconds",
            f"up to {waiting_list.MAX_PLACES} places are kept",
            f"{spelled(waiting_list.SECONDS_PER_ADDRESS)} seconds of waiting count as much",
            f"A closed tab loses its place after {waiting_list.PLACE_SECONDS} seconds",
            f"has caused {account.fetches_per_address} requests in a minute waits alone",
        ],
        "webhooks.md": [
            f"less than {checks.SECRET_BYTES} bytes is a warning",
            f"more than {minutes(signature.TOLERANCE_SECONDS)} off",
            f"More than {webhook.MAX_BODY_BYTES // 1024} KiB",
            f"The body {kept_body}",
        ],
        "upstream-failures.md": [
            f"At most {slot_page.MAX_TIMES_SHOWN} times of a day on one page",
            f"An answer of more than {parsing.MAX_SLOTS:,}",
            f"at most {spelled(slot_reading.PAGES_AHEAD)} more pages of {spelled(availability.WEEKS_SHOWN)} weeks",
            f"says `clock_skew` from {minutes(gate.MAX_SKEW_SECONDS)} on",
            f"a wait is never longer than {minutes(responses.MAX_WAIT_SECONDS)}",
            f"of its kind in {minutes(logs.QUIET_SECONDS[logging.ERROR])} ",
            f"({minutes(logs.QUIET_SECONDS[logging.CRITICAL])} for CRITICAL)",
        ],
        "settings.md": [
            f"may send in {address}; 0",
            f"look up a booking in {address}; 0",
            f"cancel or move in {address}; 0",
            "may fail in an hour, by anybody; 0",
            "may fail in an hour, by one client address; 0",
        ],
    }


REQUEST_ID = (8, 64)
"""Characters of a request id from a proxy, see the test of it."""


def throttle_rules() -> dict[str, address_limits.Rule]:
    """The throttles of a real account."""
    return address_limits.rules(SimpleNamespace(account=REAL_ACCOUNT))


def test_the_numbers_in_the_documents_are_those_in_force() -> None:
    """Whoever changes one is shown the phrases that have to follow."""
    missing = [
        (document, phrase)
        for document, phrases in _documented().items()
        for phrase in phrases
        if phrase not in " ".join((DOCS / document).read_text().split())
    ]
    assert missing == []


@pytest.mark.parametrize("length", range(REQUEST_ID[0] - 1, REQUEST_ID[1] + 2))
def test_a_request_id_has_as_many_characters_as_documented(length: int) -> None:
    """Shorter and longer ones are replaced."""
    taken = request._REQUEST_ID.fullmatch("x" * length) is not None
    assert taken == (REQUEST_ID[0] <= length <= REQUEST_ID[1])


def test_the_settings_allow_no_wait_that_outlasts_what_guards_it() -> None:
    """A call must end before its permit is handed out again and before its claim is."""
    for longest in (rate_limiter.MAX_CALL_SECONDS, placement.LEASE.total_seconds()):
        for name in ("BROWSE_SECONDS", "BOOKING_SECONDS"):
            assert conf.find_errors({**FLAT, name: longest}) != []


def test_no_draft_outlives_the_row_that_keeps_it_from_being_booked_twice() -> None:
    """A row is deleted once its form can't be sent anymore, so no setting may keep a form alive for longer."""
    assert conf.find_errors({**FLAT, "DRAFT_SECONDS": int(targets.FORM_EXPIRES_AFTER.total_seconds())}) != []
    assert timedelta(seconds=receipt.ATTEMPT_SECONDS) <= placement.RESEND_WINDOW


def test_a_manage_link_works_for_the_longest_time_that_can_be_set(clock: Traveller) -> None:
    """To the second."""
    assert conf.find_errors({**FLAT, "MANAGE_LINK_DAYS": MAX_MANAGE_LINK_DAYS}) == []
    assert conf.find_errors({**FLAT, "MANAGE_LINK_DAYS": MAX_MANAGE_LINK_DAYS + 1}) != []
    expires = int(NOW.timestamp()) + MAX_MANAGE_LINK_DAYS * DAY
    link = receipt.ManageLink(number="BOOK_AB12", contact="jane@example.com", expires=expires)
    token = link.to_token("default")
    assert receipt.ManageLink.from_token(token, "default", expires) == link
    with pytest.raises(tokens.InvalidToken):
        receipt.ManageLink.from_token(token, "default", expires + 1)


def test_a_permit_is_held_for_as_long_as_kordless_counts() -> None:
    """The queue and the rate limiter go by the same window, and so does what the settings promise."""
    assert queue.ROUND_SECONDS == rate_limiter.PERMIT_SECONDS
    assert queue.RATE_WINDOW.total_seconds() == rate_limiter.WINDOW_SECONDS == 60


def test_tokens_fit_where_they_travel() -> None:
    """A token cut down for a URL can be decrypted again, and a row holds more than a URL."""
    assert draft.MAX_TOKEN < tokens.MAX_URL_TOKEN < tokens.MAX_TOKEN < tokens.MAX_ROW_TOKEN


def test_columns_hold_what_the_settings_allow() -> None:
    """The longest name of an account, and what is cut to the width of its column."""
    models = [model for model in apps.get_app_config("kordless_booking").get_models() if not model._meta.proxy]
    fields = [field for model in models for field in model._meta.get_fields() if field.name == "account"]
    widths = {field.max_length for field in fields if isinstance(field, CharField)}
    [width] = widths
    name = "x" * (width or 0)
    assert conf.find_errors({"ACCOUNTS": {name: FLAT}}) == []
    assert conf.find_errors({"ACCOUNTS": {name + "x": FLAT}}) != []
    assert Appointment._meta.get_field("status").max_length == enqueue.MAX_STATUS_CHARS


def test_the_memory_of_a_process_is_bounded_as_documented():
    """docs/running.md says how many megabytes each kind of cached data has at most."""
    page = (DOCS / "running.md").read_text()
    bounds = {
        "Services and free times": read_through.MAX_LOCAL_BYTES,
        "Finished pages": response_cache.MAX_BYTES,
        "Skeletons of pages": skeletons.MAX_PAGES_BYTES,
        "Cached data and counters": memory_cache.MAX_LARGE_BYTES,
    }
    for name, size in bounds.items():
        [megabytes] = re.findall(rf"^\| {name}[^|]*\| (\d+) MB", page, re.MULTILINE)
        assert int(megabytes) * 1024 * 1024 == size
