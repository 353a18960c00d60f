"""Bodies are read within limits, and only strict JSON is accepted."""

import contextlib
import gzip
import json
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.api.deadline import deadline
from kordless_booking.api.responses import MAX_BODY_BYTES, parse_json_strict, read_body
from kordless_booking.exceptions import OutcomeUnknown


def test_chunks_are_joined() -> None:
    """A plain body is its chunks."""
    assert read_body([b"ab", b"", b"c"]) == b"abc"


@pytest.mark.parametrize("encoding", ["gzip", " GZIP ", "x-gzip"])
def test_gzip_is_unpacked(encoding: str) -> None:
    """A gzip body, byte by byte, is what was packed."""
    packed = gzip.compress(b"hello" * 100, mtime=0)
    assert read_body([packed[i : i + 1] for i in range(len(packed))], encoding=encoding) == b"hello" * 100


def test_deflate_is_unpacked() -> None:
    """A deflate body is what was packed."""
    assert read_body([zlib.compress(b"hello")], encoding="deflate") == b"hello"


def test_the_limit_itself_may_come() -> None:
    """Exactly 16 MiB pass."""
    assert len(read_body([b" " * MAX_BODY_BYTES])) == MAX_BODY_BYTES


def endless() -> Iterator[bytes]:
    """64 KiB again and again; reading more than needed of it would fill the memory."""
    for _ in range(1000):
        yield b" " * 65536
    raise AssertionError("read too much")


def test_an_endless_body_is_cut() -> None:
    """More than 16 MiB is OutcomeUnknown, long before the end."""
    with pytest.raises(OutcomeUnknown) as caught:
        read_body(endless())
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_does_not_go_off(encoding: str) -> None:
    """A small body that unpacks to 100 MB stops at 16 MiB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31 if encoding == "gzip" else 15)
    bomb = b"".join(packer.compress(b"0" * 1_000_000) for _ in range(100)) + packer.flush()
    with pytest.raises(OutcomeUnknown) as caught:
        read_body([bomb], encoding=encoding)
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize(
    ("body", "encoding", "reason"),
    [
        (b"hello", "gzip", "encoding"),
        (b"hello", "br", "encoding"),
        (b"hello", "gzip, gzip", "encoding"),
        (gzip.compress(b"hello", mtime=0)[:-4], "gzip", "cut"),
        (b"", "gzip", "cut"),
    ],
)
def test_a_strange_encoding_is_no_answer(body: bytes, encoding: str, reason: str) -> None:
    """A body that can't be decompressed completely is OutcomeUnknown."""
    with pytest.raises(OutcomeUnknown) as caught:
        read_body([body], encoding=encoding)
    assert caught.value.reason == reason


def test_a_body_ends_with_the_deadline() -> None:
    """However the chunks come, none is taken after the deadline."""
    with deadline(-1), pytest.raises(OutcomeUnknown) as caught:
        read_body(endless())
    assert caught.value.reason == "deadline"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b" \r\n\t", "empty"),
        (b"<!doctype html><title>502</title>", "html"),
        (b"  <html>", "html"),
        (b"hello", "not_json"),
        (b'{"a": 1', "not_json"),
        (b'{"a": 1} {"b": 2}', "not_json"),
        (b'{"a": NaN}', "not_json"),
        (b'{"a": Infinity}', "not_json"),
        (b'{"a": -Infinity}', "not_json"),
        (b'{"a": 1, "a": 2}', "not_json"),
        (b'[{"x": {"a": 1, "a": 1}}]', "not_json"),
        (b'\xef\xbb\xbf{"a": 1}', "not_json"),
        ('{"a": 1}'.encode("utf-16"), "not_json"),
        (b'{"a": "\xff"}', "not_json"),
        (b"[" * 200_000 + b"]" * 200_000, "not_json"),
        (b"9" * 10_000, "not_json"),
        (b"1e99999999999999999999", "not_json"),
    ],
)
def test_what_is_no_json_is_no_answer(body: bytes, reason: str) -> None:
    """NaN, names twice, a byte order mark, HTML, half a document, absurd numbers and depths: OutcomeUnknown."""
    with pytest.raises(OutcomeUnknown) as caught:
        parse_json_strict(body)
    assert caught.value.reason == reason
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@given(JSON)
def test_real_json_comes_back(document: object) -> None:
    """Whatever JSON is written is read."""
    assert parse_json_strict(json.dumps(document).encode()) == document


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_no_answer(body: bytes) -> None:
    """Arbitrary bytes give a document or OutcomeUnknown, never anything else."""
    with contextlib.suppress(OutcomeUnknown):
        parse_json_strict(body)
