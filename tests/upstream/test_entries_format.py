"""Format of the cache entries."""

from __future__ import annotations

import json
import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking import exceptions
from kordless_booking.exceptions import KordlessError, TooMany
from kordless_booking.upstream import entries
from kordless_booking.upstream.entries import VERSION, Envelope, Failure, decode, encode


def test_an_envelope_comes_back_as_it_went() -> None:
    """With its payload byte for byte."""
    envelope = Envelope(
        version=VERSION, fetched_at=1.5, fresh=15.0, generation="m", payload=msgspec.Raw(b'[1,"\xc3\xa9"]')
    )
    raw = encode(envelope)
    again = decode(raw)
    assert again is not None
    assert bytes(again.payload) == b'[1,"\xc3\xa9"]'
    assert (again.fetched_at, again.fresh, again.generation) == (1.5, 15.0, "m")
    assert json.loads(raw)["payload"] == [1, "é"]


@given(raw=st.one_of(st.binary(), st.text(), st.none(), st.integers(), st.lists(st.integers())))
def test_nothing_in_the_cache_can_raise(raw: object) -> None:
    """Whatever somebody else put there counts as nothing."""
    assert decode(raw) is None


def test_a_large_envelope_is_small_in_the_cache() -> None:
    """15,000 slots are 3.6 MB of JSON; Memcached refuses more than 1 MB."""
    payload = msgspec.Raw(json.dumps([{"host": {"id": f"host {n % 12}"}, "start": n} for n in range(15_000)]).encode())
    raw = encode(Envelope(version=VERSION, fetched_at=1.5, fresh=15.0, payload=payload))
    assert len(raw) < 200_000 < len(bytes(payload))
    again = decode(raw)
    assert again is not None
    assert bytes(again.payload) == bytes(payload)
    for cut in (1, 2, len(raw) // 2, len(raw) - 1):
        assert decode(raw[:cut]) is None


def test_a_bomb_in_the_cache_does_not_go_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry that unpacks to more than we ever write counts as nothing, and is not unpacked to its end."""
    monkeypatch.setattr(entries, "_MAX_DECOMPRESSED_BYTES", 1_000_000)
    whole = Envelope(version=VERSION, fetched_at=1.5, fresh=15.0, payload=msgspec.Raw(b'"' + b" " * 999_000 + b'"'))
    assert decode(encode(whole)) is not None
    assert decode(b"z" + zlib.compress(msgspec.json.encode(whole) + b" " * 100_000)) is None


def test_another_version_counts_as_nothing() -> None:
    """Two releases may run side by side for a while."""
    envelope = Envelope(version=VERSION + 1, fetched_at=1.5, fresh=15.0)
    assert decode(encode(envelope)) is None


@pytest.mark.parametrize("name", exceptions.__all__)
def test_every_error_can_be_raised_in_another_process(name: str) -> None:
    """Kind and facts travel; the message, which may say more, stays."""
    kind: type[KordlessError] = getattr(exceptions, name)
    error = kind("as it was", operation="service", status=418, reason="teapot", retry_after=7)
    again = msgspec.json.decode(msgspec.json.encode(Failure.from_error(error)), type=Failure).error()
    assert type(again) is kind
    assert (again.operation, again.status, again.reason, again.retry_after) == ("service", 418, "teapot", 7)
    assert "as it was" not in str(again)


@pytest.mark.parametrize("kind", ["Nonsense", "__all__", "annotations", ""])
def test_an_unknown_kind_of_error_is_an_outage(kind: str) -> None:
    """Another release may know more kinds."""
    assert type(Failure(kind).error()) is exceptions.Unavailable


def test_the_same_failure_is_a_new_exception_each_time() -> None:
    """Raised in several threads, one instance would carry all their tracebacks."""
    failure = Failure.from_error(TooMany())
    assert failure.error() is not failure.error()


def test_a_value_from_the_future_is_old() -> None:
    """A clock put back must not keep it fresh."""
    envelope = Envelope(version=VERSION, fetched_at=1000.0, fresh=15.0)
    assert [envelope.age(now) for now in (990.0, 1000.0, 1020.0)] == [10.0, 0.0, 20.0]


@pytest.mark.parametrize("depth", [900, 1200, 100_000])
def test_deeply_nested_json_is_no_envelope_or_holds_none_of_our_values(depth: int) -> None:
    """Somebody else's value costs a fetch, never a page."""
    raw = b'{"version":%d,"fetched_at":1,"fresh":1,"payload":%s%s}' % (VERSION, b"[" * depth, b"]" * depth)
    envelope = decode(raw)
    assert envelope is None or bytes(envelope.payload).startswith(b"[[")
