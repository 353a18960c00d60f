"""Sender of the comparison's requests: paced, counted, each with a permit of the account's rate limiter.

Each answer is judged for what all of them show: error documents and header fields.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import quote, urlencode

from kordless_booking import exceptions
from kordless_booking.api.raw import RawResponse, RawSession, build_raw_operation
from kordless_booking.api.requests import booking_path, encode_json
from kordless_booking.api.responses import CONTACT_AUTHENTICATED
from kordless_booking.upstream.gate import MAX_SKEW_SECONDS
from kordless_booking.upstream.registry import SANDBOX_ORG, build_raw_session, services_for

if TYPE_CHECKING:
    from kordless_booking.api.responses import ResponseMeta
    from kordless_booking.api.session import Gate
    from kordless_booking.conf import Account
    from kordless_booking.doctor.contract.facts import Findings

PACE_SECONDS: Final = 1.5
"""Seconds between two requests: 40 a minute, so that a third of the usual quota is left to visitors."""
MAX_REQUESTS: Final = 60
"""Requests of a run, retries included. 16 are usual, and 26 with a booking."""
_UNKNOWN_KEY: Final = "kordless-contract-check-without-a-key"
_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
"""Word of Kordless's that is safe to print: no name, no sentence, no address."""
_RATE_FIELDS: Final = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
_ERROR_TYPES: Final = {
    400: "validation_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found",
    409: "conflict",
    422: "unprocessable",
    429: "rate_limited",
}


class Stopped(Exception):
    """The run ends early, because of this reason."""


class NoAnswer(Stopped):
    """A request was sent, or may have been, and got no complete answer."""


@dataclass
class _CountingGate:
    """The account's own gate, which also counts what passes through it."""

    gate: Gate
    sent: int = 0

    def before(self, operation: str) -> None:
        if self.sent >= MAX_REQUESTS:
            raise exceptions.NotSent(operation=operation, reason="request_limit")
        self.gate.before(operation)
        self.sent += 1

    def after(self, operation: str, response: ResponseMeta | None) -> None:
        self.gate.after(operation, response)

    def cancel(self, operation: str) -> None:
        self.sent -= 1
        self.gate.cancel(operation)


@dataclass
class Prober:
    """Sender of one run."""

    account: Account
    findings: Findings
    pace: float = PACE_SECONDS
    pause: Callable[[float], None] = time.sleep
    remaining: int | None = None
    """X-RateLimit-Remaining of the last answer to a request with the key."""
    reset: str = ""
    """X-RateLimit-Reset of the same answer."""
    _gate: _CountingGate = field(init=False)
    _session: RawSession = field(init=False)
    _session_without_key: RawSession = field(init=False)

    def __post_init__(self) -> None:
        self._gate = _CountingGate(services_for(self.account).gate)
        self._session = build_raw_session(self.account, self._gate)
        self._session_without_key = build_raw_session(self.account, self._gate, _UNKNOWN_KEY)

    @property
    def requests(self) -> int:
        """Requests sent so far."""
        return self._gate.sent

    @property
    def org_slug(self) -> str:
        """Slug of the account's organization."""
        return self.account.org_slug or SANDBOX_ORG

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
        self._session_without_key.close()

    def organization(self) -> RawResponse:
        """Request the organization."""
        return self.send("organization", "GET", f"/org/{quote(self.org_slug, safe='')}")

    def service(self, slug: str) -> RawResponse:
        """Request a service."""
        return self.send("service", "GET", f"/org/{quote(self.org_slug, safe='')}/service/{quote(slug, safe='')}")

    def availability(self, slug: str, start: datetime, end: datetime, **more: str) -> RawResponse:
        """Request the times of a service. `more` are further parameters, and `with_key="no"` sends an invented key."""
        with_key = more.pop("with_key", "yes") == "yes"
        query = {"org_slug": self.org_slug, "service_slug": slug, "from": utc(start), "to": utc(end)} | more
        return self.send("availability", "GET", "/availability", query=query, with_key=with_key)

    def booking_path(self, number: str) -> str:
        """Return the path of a booking."""
        try:
            return booking_path(number, "lookup")
        except exceptions.NotFound:
            raise Stopped("a confirmation number can't stand in a path") from None

    def send(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        document: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        with_key: bool = True,
    ) -> RawResponse:
        """Send a request and return its answer, whatever its status but 429.

        Raises Stopped where nothing was sent and for a 429, and NoAnswer where the outcome is unknown.
        """
        if self.pace and self._gate.sent:
            self.pause(self.pace)
        call = build_raw_operation(
            operation,
            method,
            path,
            query=urlencode(query or {}, quote_via=quote, safe=""),
            body=None if document is None else encode_json(document),
            idempotency_key=idempotency_key,
        )
        session = self._session if with_key else self._session_without_key
        seconds = self.account.browse_seconds if method == "GET" else self.account.booking_seconds
        failure: Stopped
        try:
            response = cast("RawResponse", session.send(call, seconds))
        except exceptions.NotSent as error:
            failure = Stopped(f"nothing more could be sent ({type(error).__name__}: {_word(error.reason)})")
        except exceptions.KordlessError as error:
            failure = NoAnswer(f"a request got no answer ({type(error).__name__}: {_word(error.reason)})")
        else:
            self._judge(operation, response, with_key=with_key)
            if response.status == 429:
                raise Stopped("Kordless answered with 429")
            return response
        # Raised outside of the handlers: the frames of the cause hold the contact.
        raise failure

    def _judge(self, operation: str, response: RawResponse, *, with_key: bool) -> None:
        if response.status in _ERROR_TYPES:
            self._judge_error(response)
        _judge_date(self.findings, response.headers)
        if response.status == 429:
            has = "retry-after" in response.headers
            self.findings.judge("retry_after", has, f"a 429 {'with' if has else 'without'} Retry-After")
        if with_key and operation not in CONTACT_AUTHENTICATED:
            self._judge_rate_limit(operation, response.headers)

    def _judge_error(self, response: RawResponse) -> None:
        document = response.document if isinstance(response.document, dict) else {}
        missing = [name for name in ("detail", "status", "type") if name not in document]
        observation = f"a {response.status} without {', '.join(missing)}" if missing else "each error has them"
        self.findings.judge("error_shape", not missing, observation)
        word = _word(document.get("type"))
        fits = word == _ERROR_TYPES[response.status]
        self.findings.judge(f"error_{response.status}", fits, f"{response.status} {word}")

    def _judge_rate_limit(self, operation: str, headers: Mapping[str, str]) -> None:
        if missing := [name for name in _RATE_FIELDS if name not in headers]:
            self.findings.judge("rate_fields", False, f"an answer ({operation}) without {', '.join(missing)}")
            return
        self.findings.judge("rate_fields", True, "each answer to the key has them")
        limit, self.remaining = _count(headers[_RATE_FIELDS[0]]), _count(headers[_RATE_FIELDS[1]])
        self.reset = headers[_RATE_FIELDS[2]]
        is_creation = operation == "create"
        expected = self.account.creations_per_minute if is_creation else self.account.requests_per_minute
        named = "a limit that is no number" if limit is None else f"a limit of {limit}"
        code = "creation_limit" if is_creation else "rate_limit"
        self.findings.judge(code, limit == expected, f"{named}, and the setting is {expected}")
        reset = _count(self.reset)
        # A day: windows of an hour or a day would be Unix seconds, too.
        is_unix = reset is not None and abs(reset - time.time()) < 86_400
        self.findings.judge("rate_reset", is_unix, "Unix seconds" if is_unix else "another form")


def _judge_date(findings: Findings, headers: Mapping[str, str]) -> None:
    if "date" not in headers:
        return
    try:
        sent = parsedate_to_datetime(headers["date"][:64])
        ahead = sent.replace(tzinfo=sent.tzinfo or UTC).timestamp() - time.time()
    except (ValueError, TypeError, IndexError, OverflowError):
        findings.judge("date", False, "a Date that is no HTTP date")
        return
    agrees = abs(ahead) <= MAX_SKEW_SECONDS
    observation = "they agree" if agrees else f"{abs(ahead):.0f} seconds {'ahead' if ahead > 0 else 'behind'}"
    findings.judge("date", agrees, observation)


def utc(moment: datetime) -> str:
    """Format a time as `2026-12-01T14:00:00Z`."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat()}Z"


def _word(value: object) -> str:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else "of another type"


def _count(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text.strip(), re.ASCII) else None
