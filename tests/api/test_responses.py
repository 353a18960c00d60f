"""Every status maps to its exception, and no rate-limit header can break the parsing."""

import email.utils
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking import exceptions
from kordless_booking.api.responses import ResponseMeta, error_from_response, parse_response_meta
from tests.support.api_clients import CALLS, CONTACT, RecordingGate, client, refusing

NOW = 1_796_000_000.0
KEYED = ("organization", "service", "availability", "create")
WITH_CONTACT = ("lookup", "cancel", "reschedule")

DOCUMENTED: list[tuple[str, int, str, type[exceptions.KordlessError]]] = [
    *((name, 400, "validation_error", exceptions.BadRequest) for name in CALLS),
    *((name, 401, "authentication_error", exceptions.KeyRefused) for name in KEYED),
    *((name, 403, "permission_error", exceptions.KeyRefused) for name in KEYED),
    *((name, 403, "permission_error", exceptions.ContactRefused) for name in WITH_CONTACT),
    *((name, 404, "not_found", exceptions.NotFound) for name in CALLS),
    *((name, 409, "conflict", exceptions.SlotTaken) for name in ("create", "reschedule")),
    *((name, 422, "unprocessable", exceptions.Refused) for name in ("create", "cancel", "reschedule")),
    *((name, 429, "rate_limited", exceptions.TooMany) for name in CALLS),
]


@pytest.mark.parametrize(("operation", "status", "kind", "expected"), DOCUMENTED)
def test_each_documented_error_has_its_exception(
    operation: str, status: int, kind: str, expected: type[exceptions.KordlessError]
) -> None:
    """Every documented status of every operation raises exactly the class that the decision needs."""
    with pytest.raises(exceptions.KordlessError) as caught:
        CALLS[operation](client(refusing(status, kind)))
    assert type(caught.value) is expected
    assert (caught.value.operation, caught.value.status, caught.value.reason) == (operation, status, kind)


BY_CLASS: list[tuple[int, type[exceptions.KordlessError], str]] = [
    (300, exceptions.OutcomeUnknown, "redirect"),
    (301, exceptions.OutcomeUnknown, "redirect"),
    (307, exceptions.OutcomeUnknown, "redirect"),
    (402, exceptions.BadRequest, "bad_request"),
    (405, exceptions.BadRequest, "bad_request"),
    (408, exceptions.OutcomeUnknown, "request_timeout"),
    (410, exceptions.NotFound, "gone"),
    (413, exceptions.BadRequest, "bad_request"),
    (418, exceptions.BadRequest, "bad_request"),
    (425, exceptions.OutcomeUnknown, "too_early"),
    (500, exceptions.OutcomeUnknown, "server_error"),
    (501, exceptions.OutcomeUnknown, "server_error"),
    (502, exceptions.OutcomeUnknown, "server_error"),
    (503, exceptions.OutcomeUnknown, "server_error"),
    (504, exceptions.OutcomeUnknown, "server_error"),
    (599, exceptions.OutcomeUnknown, "server_error"),
]


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize(("status", "expected", "reason"), BY_CLASS)
def test_unknown_errors_are_decided_by_their_class(
    operation: str, status: int, expected: type[exceptions.KordlessError], reason: str
) -> None:
    """A status that nobody documented is decided by its class, the same for every operation."""
    with pytest.raises(exceptions.KordlessError) as caught:
        CALLS[operation](client(refusing(status)))
    assert type(caught.value) is expected
    assert (caught.value.status, caught.value.reason) == (status, reason)


@pytest.mark.parametrize("kind", ["idempotency_in_progress", "in_progress", "processing"])
def test_a_first_try_still_running_is_no_conflict(kind: str) -> None:
    """A 409 that says the same key is being worked on leaves the outcome open instead of "taken"."""
    with pytest.raises(exceptions.OutcomeUnknown, match="in_progress"):
        CALLS["create"](client(refusing(409, kind)))


@pytest.mark.parametrize(
    ("operation", "expected"),
    [("cancel", exceptions.Refused), ("lookup", exceptions.BadRequest), ("availability", exceptions.BadRequest)],
)
def test_a_conflict_without_a_slot_takes_no_slot(operation: str, expected: type[exceptions.KordlessError]) -> None:
    """Only operations that ask for a time can find it taken."""
    with pytest.raises(expected):
        CALLS[operation](client(refusing(409)))


@pytest.mark.parametrize(
    "body", [b"", b"<html>Too many</html>", b"{", b"[]", b'{"type": 7}', b'{"type": "x y\\nz"}', b"\xff"]
)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 503])
def test_the_status_decides_whatever_the_body_says(status: int, body: bytes) -> None:
    """HTML, half JSON or nothing at all under an error status change neither the class nor the reason."""
    answer = parse_response_meta(status, {}, now=NOW)
    plain, other = error_from_response("create", answer, b""), error_from_response("create", answer, body)
    assert type(plain) is type(other)
    assert plain is not None
    assert other is not None
    assert other.reason in {plain.reason, "7"}


def test_the_message_repeats_nothing_of_the_body() -> None:
    """`detail` may hold what a visitor typed, so it is in no message."""
    with pytest.raises(exceptions.BadRequest) as caught:
        CALLS["create"](client(refusing(400, "validation_error")))
    assert CONTACT not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("20", 20),
        (" 20 ", 20),
        ("1.2", 2),
        ("0", 1),
        ("-1", 1),
        ("99999999", 120),
        ("9" * 400, 30),
        ("abc", 30),
        ("nan", 30),
        ("inf", 30),
        ("1e9", 30),
        ("٢٠", 30),
        ("20, 30", 30),
        ("", 30),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 1),
        (email.utils.formatdate(NOW + 45, usegmt=True), 45),
        (email.utils.formatdate(NOW + 9999, usegmt=True), 120),
        ("Wed, 99 Foo 2015 07:28:00 GMT", 30),
        ("Mon, 01 Jan 0000 00:00:00 GMT", 1),
    ],
)
def test_retry_after_is_honored_within_reason(header: str, seconds: int) -> None:
    """Seconds and HTTP dates count, clamped to 1 to 120; hostile values fall back to 30."""
    assert parse_response_meta(429, {"retry-after": header}, now=NOW).retry_after == seconds


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (f"{NOW + 40:.0f}", 40),
        (f"{(NOW + 40) * 1000:.0f}", 40),
        ("40", 40),
        ("2026-11-30T00:00:40Z", None),
        (email.utils.formatdate(NOW + 40, usegmt=True), 40),
        ("0", None),
        ("-5", None),
        (f"{NOW - 5:.0f}", None),
        (f"{NOW + 4000:.0f}", None),
        ("soon", None),
        ("", None),
        ("9" * 400, None),
    ],
)
def test_a_reset_is_believed_when_sane(header: str, seconds: int | None) -> None:
    """Unix seconds, milliseconds, a delta and dates become a moment within two minutes, all else nothing."""
    answer = parse_response_meta(429, {"x-ratelimit-reset": header}, now=NOW)
    assert answer.reset == (None if seconds is None else NOW + seconds)
    assert answer.retry_after == (seconds or 30)


def test_a_reset_in_iso_8601_is_believed() -> None:
    """ISO 8601 with an offset is one more way to say when."""
    assert parse_response_meta(200, {"x-ratelimit-reset": "2026-11-30T01:00:40+01:00"}, now=1_795_996_800.0).reset == (
        1_795_996_840.0
    )


def test_a_skewed_upstream_clock_does_no_harm() -> None:
    """The reset is measured against the answer's own Date, so ten minutes of skew cancel out."""
    headers = {"x-ratelimit-reset": f"{NOW + 640:.0f}", "date": email.utils.formatdate(NOW + 600, usegmt=True)}
    answer = parse_response_meta(200, headers, now=NOW)
    assert answer.reset == NOW + 40
    assert answer.date == NOW + 600


def test_the_gate_gets_the_rate_limit() -> None:
    """Limit, remaining and wait of an answer reach the gate as numbers."""
    watch = RecordingGate()
    headers = {"X_RateLimit_Limit": "60", "X_RateLimit_Remaining": "0", "Retry_After": "17"}
    with pytest.raises(exceptions.TooMany) as caught:
        CALLS["organization"](client(refusing(429, **headers), gate=watch))
    assert caught.value.retry_after == 17
    assert watch.finished == [
        ("organization", ResponseMeta(status=429, limit=60, remaining=0, retry_after=17, failed=False)),
    ]


@pytest.mark.parametrize("value", ["-1", "x", "1.5", "", "9" * 30, "٣"])
def test_a_count_that_is_none_is_unknown(value: str) -> None:
    """A limit that is no plain whole number is no limit."""
    assert parse_response_meta(200, {"x-ratelimit-limit": value}, now=NOW).limit is None


def contradicting(limit: int, remaining: int) -> bool:
    """Return True for counts that can't be true of a request that was just answered."""
    return limit < 1 or remaining < 0 or remaining > limit


COUNTS = st.integers(-3, 70)


@given(limit=COUNTS, remaining=COUNTS, status=st.sampled_from([200, 201, 404, 429]))
def test_rate_limit_headers_that_contradict_their_own_answer_mean_nothing(
    limit: int, remaining: int, status: int
) -> None:
    """A limit of 0 or -1, a negative remainder and one above the limit are ignored, and so is the other count."""
    headers = {"x-ratelimit-limit": str(limit), "x-ratelimit-remaining": str(remaining)}
    answer = parse_response_meta(status, headers, now=NOW)
    expected = (None, None) if contradicting(limit, remaining) else (limit, remaining)
    assert (answer.limit, answer.remaining) == expected
    assert (answer.retry_after is not None) == (status == 429)


HEADERS = ("date", "retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
VALUES = st.one_of(
    st.text(max_size=40),
    st.integers().map(str),
    st.floats().map(str),
    st.datetimes().map(email.utils.format_datetime),
    st.from_regex(r"[A-Z][a-z]{2}, [0-9]{1,4} [A-Z][a-z]{2} [0-9]{1,6} [0-9:]{1,12} [A-Z]{1,5}", fullmatch=True),
)


@given(
    status=st.integers(100, 999),
    headers=st.dictionaries(st.sampled_from(HEADERS), VALUES),
    operation=st.sampled_from(sorted(CALLS)),
    body=st.binary(max_size=60),
)
def test_no_answer_upsets_anything(status: int, headers: dict[str, Any], operation: str, body: bytes) -> None:
    """Any status, headers and body give a sane Answer and either nothing or a KordlessError."""
    answer = parse_response_meta(status, headers, now=NOW)
    assert answer.retry_after is None or 1 <= answer.retry_after <= 120
    assert answer.reset is None or NOW < answer.reset <= NOW + 120
    error = error_from_response(operation, answer, body)
    assert (error is None) == (200 <= status < 300)
