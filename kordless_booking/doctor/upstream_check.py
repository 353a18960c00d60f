"""Check of Kordless: it answers, accepts the key, knows the organization, and its clock agrees with ours.

Reads what a page of times reads: the organization, one service, and the block of slots that the page opens with, in the
same parts. Sends eight requests at most, retries included, each with a permit from the account's rate limiter. No
answer is read from the cache, which would describe the past.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from kordless_booking import exceptions
from kordless_booking.api.client import Kordless
from kordless_booking.api.resources import OrganizationDetail, ServiceDetail
from kordless_booking.doctor import questions_check
from kordless_booking.doctor.finding import Finding, Findings, fix, note, ok, printable
from kordless_booking.presentation.timezones import business_timezone
from kordless_booking.questions.question import FOR_ALL
from kordless_booking.upstream.gate import MAX_SKEW_SECONDS, seconds_ahead
from kordless_booking.upstream.registry import build_client, build_slot_parts_client, services_for
from kordless_booking.upstream.slot_block import fetch_near_block
from kordless_booking.upstream.window import bookable_days, near_window
from kordless_booking.webhooks.signature import TOLERANCE_SECONDS

if TYPE_CHECKING:
    from kordless_booking.api.responses import ResponseMeta
    from kordless_booking.api.session import Gate
    from kordless_booking.conf import Account

MAX_REQUESTS: Final = 8
"""Requests to Kordless per account: the check must not use up the quota that visitors need. Three are usual."""

MAX_SLUGS: Final = 30
"""Slugs of services in the report: all of most businesses, and no more lines than a screen of others."""


@dataclass
class RecordingGate:
    """The account's own gate, which also records what passes through it, and stops after MAX_REQUESTS."""

    gate: Gate
    sent: int = 0
    """Requests sent so far."""
    milliseconds: int = 0
    """Duration of the last request."""
    response: ResponseMeta | None = None
    """The last response; None when there was none."""
    skipped: int = 0
    """Items of all responses that could not be parsed."""
    ahead: float | None = None
    """Seconds by which Kordless's clock is ahead of ours; None until a response has a Date."""
    _began: float = field(default=0.0, repr=False)

    def before(self, operation: str) -> None:
        if self.sent >= MAX_REQUESTS:
            # Stops the client's retries too, since it calls the gate before each attempt.
            raise exceptions.NotSent(operation=operation, reason="request_limit")
        self.gate.before(operation)
        self.sent += 1
        self._began = time.monotonic()

    def after(self, operation: str, response: ResponseMeta | None) -> None:
        self.milliseconds = round((time.monotonic() - self._began) * 1000)
        self.response = response
        self.skipped += response.skipped if response is not None else 0
        if response is not None and response.date is not None:
            self.ahead = seconds_ahead(response, time.time())
        self.gate.after(operation, response)

    def cancel(self, operation: str) -> None:
        self.sent -= 1
        self.gate.cancel(operation)


def examine(account: Account, gate: RecordingGate | None = None) -> Findings:
    """Request the organization, then one service and its free times."""
    gate = gate or RecordingGate(services_for(account).gate)
    with closing(build_client(account, gate)) as client:
        try:
            offer = client.organization()
        except exceptions.KordlessError as error:
            yield _finding_for_error(account, error)
            # A refusal has a Date as well, and a wrong clock may be part of the problem.
            yield from _clock(account, gate)
            return
        yield _answered(account, gate)
        # Nothing else was read yet, so what was skipped is services.
        yield from _organization(offer, skipped=gate.skipped)
        yield from _service_settings(account, offer)
        yield from questions_check.examine(account, [service.slug for service in offer.services if service.bookable])
        yield from _times(account, client, offer, gate)
    yield from _quota(account, gate)
    yield from _contact_operations(account)
    yield from _clock(account, gate)


def _answered(account: Account, gate: RecordingGate) -> Finding:
    if account.sandbox and account.transport is None:
        advice = "set API_KEY and ORG_SLUG, and remove SANDBOX, to take real bookings"
        return note("sandbox", "The embedded sandbox answers instead of Kordless", advice)
    text = f"Kordless at {urlsplit(account.base_url).netloc} answers in {gate.milliseconds} ms"
    # 500 ms for each second: half of the timeout.
    if gate.milliseconds > account.browse_seconds * 500:
        return note("slow", text, f"that is more than half of BROWSE_SECONDS ({account.browse_seconds:g} s)")
    return ok("reached", text)


def _organization(offer: OrganizationDetail, *, skipped: int) -> Findings:
    organization = offer.organization
    yield ok("key", f"The API key works for {printable(organization.slug)} ({printable(organization.name)})")
    bookable = [service for service in offer.services if service.bookable]
    count = len(offer.services) + skipped
    if not bookable:
        advice = "make a service public in Kordless, or visitors find nothing to book"
        yield fix("nothing_bookable", f"None of {count} services can be booked online", advice)
    else:
        text = f"{len(bookable)} of {count} services can be booked online"
        slugs = ", ".join(printable(service.slug) for service in bookable[:MAX_SLUGS])
        more = f" and {len(bookable) - MAX_SLUGS} more" if len(bookable) > MAX_SLUGS else ""
        yield ok("services", f"{text}: {slugs}{more}")
    if offer.left_out:
        names = ", ".join(map(printable, offer.left_out))
        advice = "give each a slug of its own in Kordless, without slashes and of at most 200 characters"
        yield fix("services_left_out", f"Services that can't be shown: {names}", advice)


def _service_settings(account: Account, offer: OrganizationDetail) -> Findings:
    """Report settings of services that aren't listed: a slug that is misspelled changes nothing."""
    listed = [service.slug for service in offer.services]
    questions = () if callable(account.questions) else account.questions
    for key, slugs in (("SERVICES", account.services), ("QUESTIONS", questions)):
        if unknown := [slug for slug in slugs if slug not in (*listed, FOR_ALL)]:
            # All services of a large business would be too many to read.
            known = ", ".join(map(printable, listed[:10]))
            text = f"{key} has settings for services that Kordless doesn't list: {', '.join(map(printable, unknown))}"
            yield note("service_settings_unused", text, f"write the slugs as in Kordless: {known}")


def _times(account: Account, client: Kordless, offer: OrganizationDetail, gate: RecordingGate) -> Findings:
    service = next((service for service in offer.services if service.bookable), None)
    if service is None:
        return
    slug, now, skipped = printable(service.slug), datetime.now(UTC), gate.skipped
    try:
        detail = client.service(service.slug)
        yield from _timezone(detail)
        ask = partial(build_slot_parts_client(account, client).availability, service.slug)
        days = bookable_days(detail.calendar.booking_window_days)
        start, end = near_window(now, days)
        block = fetch_near_block(ask, start, end, known=None, now=now.timestamp())
    except exceptions.NotSent as error:
        # Not a fault of Kordless, but our own limit.
        if error.reason == "request_limit":
            advice = "requests had to be retried, or the times come in many parts; run this again later"
            yield note("times_not_checked", "Free times were not checked", advice)
            return
        yield _finding_for_error(account, error)
    except exceptions.KordlessError as error:
        if error.reason == "too_large":
            advice = "visitors see none: offer fewer starts a day in Kordless, or split the service"
            yield fix("times_too_many", f"The free times of a day of {slug} don't fit into a response", advice)
            return
        yield _finding_for_error(account, error)
    else:
        # The block has a day more than can be booked.
        last = min(block.until - timedelta(days=1), start + timedelta(days=days))
        yield ok("times", f"Free times can be read: {len(block.slots)} of {slug} until {last:%Y-%m-%d}")
        if dropped := gate.skipped - skipped:
            advice = "visitors don't see them; the log line kordless_call says where the first one is"
            yield fix("times_skipped", f"{dropped} free times of {slug} can't be understood", advice)


def _timezone(detail: ServiceDetail) -> Findings:
    slug, zone = printable(detail.service.slug), detail.calendar.timezone
    advice = "set an IANA name such as America/New_York in Kordless; until then, times are in UTC for many visitors"
    if zone is None:
        yield note("timezone_missing", f"Kordless says no time zone for {slug}", advice)
    elif business_timezone(zone) is None:
        yield fix("timezone_unknown", f"The time zone {printable(zone)} of {slug} isn't known", advice)


def _quota(account: Account, gate: RecordingGate) -> Findings:
    limit = gate.response.limit if gate.response else None
    if limit is not None and limit < account.requests_per_minute:
        text = f"Kordless allows this key {limit} requests a minute, the settings say {account.requests_per_minute}"
        yield fix("quota", text, f'set "REQUESTS_PER_MINUTE": {limit}')


def _contact_operations(account: Account) -> Findings:
    """Report what the site has learned of lookups and changes, which carry no key. Sends none itself."""
    state = services_for(account).gate.state()
    if any(circuit.name == "contact" and circuit.state != "closed" for circuit in state.circuits):
        advice = "customers can't manage their bookings until one answers; see the log of kordless_booking.api"
        yield fix("contact_circuit_open", "Lookups and changes of bookings failed lately and are paused", advice)
    elif seconds := state.contact_usage.blocked_seconds:
        advice = "Kordless answered 429; if that happens often, lower LOOKUPS_PER_ADDRESS"
        yield note("contact_limited", f"Lookups and changes of bookings are paused for {seconds} s", advice)


def _clock(account: Account, gate: RecordingGate) -> Findings:
    ahead = gate.ahead
    if ahead is None:
        if gate.response is not None and not account.sandbox:
            yield note("clock_unknown", "Kordless sends no Date header, so the clocks were not compared")
    # Less than the webhook's TOLERANCE: this warns before deliveries are rejected.
    elif abs(ahead) > MAX_SKEW_SECONDS:
        text = f"This machine's clock is {abs(ahead):.0f} s {'behind' if ahead > 0 else 'ahead of'} Kordless's"
        advice = f"synchronize it by NTP; webhooks are rejected if the clocks differ by more than {TOLERANCE_SECONDS} s"
        yield fix("clock_skew", text, advice)
    else:
        yield ok("clock", f"The clocks of this machine and of Kordless agree to within {max(1, abs(round(ahead)))} s")


def _finding_for_error(account: Account, error: exceptions.KordlessError) -> Finding:
    """Describe an error and what an operator can do about it. Repeats no text of the response."""
    slug = printable(account.org_slug)
    match error:
        # 403: the key is valid, but belongs to another organization.
        case exceptions.KeyRefused(status=403):
            advice = "API_KEY and ORG_SLUG must belong to the same organization"
            return fix("key_of_other_organization", f"The API key is not valid for {slug} (403)", advice)
        case exceptions.KeyRefused():
            advice = "create a key in Kordless and set API_KEY; no visitor can book until then"
            return fix("key_refused", f"Kordless rejects the API key ({error.status})", advice)
        case exceptions.NotFound(operation="organization"):
            advice = "set ORG_SLUG to the last part of its booking address, and check BASE_URL if it is set"
            return fix("org_not_found", f"Kordless knows no organization {slug} ({error.status})", advice)
        case exceptions.CircuitOpen():
            advice = "see the log of kordless_booking.api for the cause, and run this again"
            wait = f"for {error.retry_after} s" if error.retry_after else "for a moment"
            return fix("circuit_open", f"The circuit breaker is open {wait}: the last calls all failed", advice)
        case exceptions.TooMany():
            advice = f"wait {error.retry_after or 60} s and run this again"
            return fix("too_many", "The quota of the API key for this minute is used up", advice)
        case exceptions.Unreachable():
            advice = _UNREACHABLE.get(error.reason, "check this machine's firewall, proxy and routes")
            where = urlsplit(account.base_url).netloc
            return fix("unreachable", f"No connection to {where} ({error.reason})", advice)
        case exceptions.OutcomeUnknown():
            advice = _UNUSABLE.get(error.reason, "Kordless has an outage; cached data is still shown")
            status = f", status {error.status}" if error.status else ""
            return fix("no_usable_answer", f"Kordless gave no usable answer ({error.reason}{status})", advice)
    advice = "this version may not fit Kordless's API: look for a newer one"
    return fix("refused", f"Kordless rejects {error.operation} ({error.status}, {printable(error.reason)})", advice)


_SLOW: Final = "Kordless is slow; BROWSE_SECONDS says how long a page waits for it"
_NOT_KORDLESS: Final = "something other than Kordless answers: check BASE_URL, and proxies on the way"
_UNREACHABLE: Final = {
    "dns": "the host name can't be resolved: check BASE_URL and this machine's DNS",
    "tls": "the certificate can't be verified: check BASE_URL, this machine's clock and SSL_CERT_FILE",
    "refused": "nothing listens there: check BASE_URL and the firewall",
    "connect_timeout": "no answer: check the firewall for outgoing connections",
}
_UNUSABLE: Final = {
    "read_timeout": _SLOW,
    "timeout": _SLOW,
    "deadline": _SLOW,
    "html": _NOT_KORDLESS,
    "not_json": _NOT_KORDLESS,
    "redirect": _NOT_KORDLESS,
    "bad_payload": _NOT_KORDLESS,
    "empty": _NOT_KORDLESS,
    "mismatch": "the response is for another organization: check ORG_SLUG, and caches on the way",
}
