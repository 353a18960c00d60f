"""Check of Kordless: it answers, accepts the key, knows the organization, and its clock agrees with ours.

Sends three requests at most, retries included, each with a permit from the account's rate limiter. Nothing is read from
the cache, which would describe the past.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from kordless_booking import exceptions
from kordless_booking.api.client import Kordless
from kordless_booking.api.resources import OrganizationDetail
from kordless_booking.doctor.finding import Finding, Findings, fix, note, ok, printable
from kordless_booking.upstream.gate import MAX_SKEW_SECONDS as MOST_SKEW
from kordless_booking.upstream.gate import seconds_ahead
from kordless_booking.upstream.registry import build_client, services_for
from kordless_booking.webhooks.signature import TOLERANCE_SECONDS

if TYPE_CHECKING:
    from kordless_booking.api.responses import ResponseMeta
    from kordless_booking.api.session import Gate
    from kordless_booking.conf import Account

MOST_REQUESTS: Final = 3
"""Requests to Kordless per account: the check must not use up the quota that visitors need."""
LOOKAHEAD: Final = timedelta(days=7)
"""Range in which free times are requested."""


@dataclass
class RecordingGate:
    """The account's own gate, which also records what passes through it, and stops after MOST_REQUESTS."""

    gate: Gate
    sent: int = 0
    """Requests sent so far."""
    milliseconds: int = 0
    """Duration of the last request."""
    answer: ResponseMeta | None = None
    """The last response; None when there was none."""
    ahead: float | None = None
    """Seconds by which Kordless's clock is ahead of ours; None until a response has a Date."""
    _began: float = field(default=0.0, repr=False)

    def before(self, operation: str) -> None:
        if self.sent >= MOST_REQUESTS:
            # Stops the client's retries too, since it asks the gate before each try.
            raise exceptions.NotSent(operation=operation, reason="asked_enough")
        self.gate.before(operation)
        self.sent += 1
        self._began = time.monotonic()

    def after(self, operation: str, answer: ResponseMeta | None) -> None:
        self.milliseconds = round((time.monotonic() - self._began) * 1000)
        self.answer = answer
        if answer is not None and answer.date is not None:
            self.ahead = seconds_ahead(answer, time.time())
        self.gate.after(operation, answer)


def examine(account: Account, witness: RecordingGate | None = None) -> Findings:
    """Request the organization, then the free times of one service."""
    witness = witness or RecordingGate(services_for(account).gate)
    with closing(build_client(account, witness)) as client:
        try:
            offer = client.organization()
        except exceptions.KordlessError as error:
            yield _finding_for_error(account, error)
            # A refusal has a Date as well, and a wrong clock may be part of the trouble.
            yield from _clock(account, witness)
            return
        yield _answered(account, witness)
        yield from _organization(offer)
        yield from _times(account, client, offer)
    yield from _quota(account, witness)
    yield from _clock(account, witness)


def _answered(account: Account, witness: RecordingGate) -> Finding:
    if account.sandbox and account.transport is None:
        advice = "bookings are made up until API_KEY and ORG_SLUG are set and SANDBOX is gone"
        return note("sandbox", "The embedded sandbox answers in place of Kordless", advice)
    text = f"Kordless at {urlsplit(account.base_url).netloc} answers in {witness.milliseconds} ms"
    # 500 ms for each second: half of the timeout.
    if witness.milliseconds > account.browse_seconds * 500:
        return note("slow", text, f"that is more than half of BROWSE_SECONDS ({account.browse_seconds:g} s)")
    return ok("reached", text)


def _organization(offer: OrganizationDetail) -> Findings:
    organization = offer.organization
    yield ok("key", f"The key opens {printable(organization.slug)} ({printable(organization.name)})")
    bookable = [service for service in offer.services if service.bookable]
    if not bookable:
        advice = "make a service public in Kordless, or visitors find nothing to book"
        yield fix("nothing_bookable", f"None of {len(offer.services)} services can be booked online", advice)
    else:
        yield ok("services", f"{len(bookable)} of {len(offer.services)} services can be booked online")


def _times(account: Account, client: Kordless, offer: OrganizationDetail) -> Findings:
    service = next((service for service in offer.services if service.bookable), None)
    if service is None:
        return
    start = datetime.now(UTC)
    try:
        slots = client.availability(service.slug, start, start + LOOKAHEAD)
    except exceptions.NotSent as error:
        # Not a fault of Kordless, but our own limit.
        if error.reason == "asked_enough":
            advice = "Kordless needed second tries; run this again when it is well"
            yield note("times_not_asked", "Free times were not asked for", advice)
            return
        yield _finding_for_error(account, error)
    except exceptions.KordlessError as error:
        yield _finding_for_error(account, error)
    else:
        days = LOOKAHEAD.days
        yield ok("times", f"Free times can be read: {len(slots)} of {printable(service.slug)} in the next {days} days")


def _quota(account: Account, witness: RecordingGate) -> Findings:
    limit = witness.answer.limit if witness.answer else None
    if limit is not None and limit < account.requests_per_minute:
        text = f"Kordless allows this key {limit} requests a minute, the settings say {account.requests_per_minute}"
        yield fix("allowance", text, f'set "REQUESTS_PER_MINUTE": {limit}')


def _clock(account: Account, witness: RecordingGate) -> Findings:
    ahead = witness.ahead
    if ahead is None:
        if witness.answer is not None and not account.sandbox:
            yield note("clock_unknown", "Kordless does not say what time it has, so the clocks were not compared")
    # Less than the webhook's TOLERANCE: this warns before deliveries are rejected.
    elif abs(ahead) > MOST_SKEW:
        text = f"This machine's clock is {abs(ahead):.0f} s {'behind' if ahead > 0 else 'ahead of'} Kordless's"
        advice = f"set it by NTP; webhooks are refused when the two differ by more than {TOLERANCE_SECONDS} s"
        yield fix("clock_skew", text, advice)
    else:
        yield ok("clock", f"This machine and Kordless have the same time to within {max(1, abs(round(ahead)))} s")


def _finding_for_error(account: Account, error: exceptions.KordlessError) -> Finding:
    """Describe an error and what an operator can do about it. Repeats no text of the response."""
    slug = printable(account.org_slug)
    match error:
        # 403: the key is valid, but belongs to another organization.
        case exceptions.KeyRefused(status=403):
            advice = "API_KEY and ORG_SLUG must be of the same organization"
            return fix("key_of_another", f"Kordless says that the key is not {slug}'s (403)", advice)
        case exceptions.KeyRefused():
            advice = "create a key in Kordless and set API_KEY; no visitor can book until then"
            return fix("key_refused", f"Kordless refuses the API key ({error.status})", advice)
        case exceptions.NotFound(operation="organization"):
            advice = "set ORG_SLUG to the last part of its booking address, and look at BASE_URL if that is set"
            return fix("org_not_found", f"Kordless knows no organization {slug} ({error.status})", advice)
        case exceptions.CircuitOpen():
            advice = "the lines of kordless_booking.api say why; run this again"
            wait = f"for {error.retry_after} s" if error.retry_after else "for a moment"
            return fix("circuit_open", f"Kordless is left alone {wait}: the last calls all failed", advice)
        case exceptions.TooMany():
            advice = f"wait {error.retry_after or 60} s and run this again"
            return fix("too_many", "The key's allowance for this minute is used up", advice)
        case exceptions.Unreachable():
            advice = _UNREACHED.get(error.reason, "look at this machine's way out: firewall, proxy, routes")
            where = urlsplit(account.base_url).netloc
            return fix("unreachable", f"No connection to {where} ({error.reason})", advice)
        case exceptions.OutcomeUnknown():
            advice = _UNUSABLE.get(error.reason, "Kordless is ill; what is remembered goes on being shown")
            status = f", status {error.status}" if error.status else ""
            return fix("no_usable_answer", f"Kordless gave no usable answer ({error.reason}{status})", advice)
    advice = "this version and Kordless may have grown apart: look for a newer one"
    return fix("refused", f"Kordless refuses {error.operation} ({error.status}, {printable(error.reason)})", advice)


_SLOW: Final = "Kordless is slow; BROWSE_SECONDS says how long a page waits for it"
_NOT_KORDLESS: Final = "something else than Kordless answers: look at BASE_URL, and at proxies on the way"
_UNREACHED: Final = {
    "dns": "the name can't be looked up: look at BASE_URL and at this machine's DNS",
    "tls": "the certificate can't be verified: look at BASE_URL, this machine's clock and SSL_CERT_FILE",
    "refused": "nothing listens there: look at BASE_URL and at the firewall",
    "connect_timeout": "nobody answers there: look at the firewall for outgoing connections",
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
    "mismatch": "another organization's answer came back: look at ORG_SLUG and at caches on the way",
}
