"""Signatures: what is right passes in every written form, and whatever is broken does not."""

import ast
import inspect

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kordless_booking.webhooks import signature
from kordless_booking.webhooks.signature import (
    SCHEMES,
    BadSignature,
    SignatureScheme,
    StaleDelivery,
    parse_timestamp,
    sign,
    verify,
)
from tests.support.deliveries import NEW, OLD

NOW = 1_796_140_800.0
BODY = b'{"event": "booking.created"}'
AT = str(int(NOW))


def passes(signatures: str, *, body: bytes = BODY, at: str = AT, secrets=(NEW, OLD), scheme=None) -> bool:
    """Return True if a delivery with these headers is accepted; any error but the two expected ones is a failure."""
    try:
        verify(body, signatures=signatures, timestamp=at, secrets=secrets, scheme=scheme or SignatureScheme(), now=NOW)
    except (BadSignature, StaleDelivery):
        return False
    return True


def right(**changes) -> str:
    """The signature that passes."""
    return sign(BODY, timestamp=changes.pop("at", AT), secret=changes.pop("secret", NEW), **changes)


def test_schemes_are_what_other_tools_make():
    """Known answers, made with OpenSSL."""
    hexed = "1ba6b8171186efc613e8bcc0cbdab2748f24984d7c5a84faa2637afa0e40d224"
    assert sign(b"{}", timestamp="1", secret="key") == hexed
    based = "p3dyTZQ+tI3Gm8qKSm1XoE2z+ex+HeTlgehgJlvfMDI="
    assert sign(b"{}", timestamp="1", secret="key", scheme=SignatureScheme("body", "base64")) == based


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_every_scheme_passes_where_it_is_set(scheme: SignatureScheme):
    """And nowhere else; then the error knows which one it was."""
    made = right(scheme=scheme)
    assert passes(made, scheme=scheme)
    for other in SCHEMES:
        if other != scheme:
            with pytest.raises(BadSignature) as caught:
                verify(BODY, signatures=made, timestamp=AT, secrets=[NEW], scheme=other, now=NOW)
            assert caught.value.would_pass == scheme


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
@pytest.mark.parametrize("form", ["{}", "sha256={}", "v1={}", "v1,{}", "t=1,v1={}", "v1=bad, v1={}", "bad {}", " {} "])
def test_prefixes_and_company_do_not_matter(form: str, scheme: SignatureScheme):
    """A signature is accepted with other senders' prefixes around it, and among several in one header."""
    assert passes(form.format(right(scheme=scheme)), scheme=scheme)


@pytest.mark.parametrize(
    "broken",
    [
        lambda good: "",
        lambda good: good.upper(),
        lambda good: good[:-1],
        lambda good: good + "0",
        lambda good: good[::-1],
        lambda good: "sig\xe9",
        lambda good: "\ud800",
        lambda good: "x" * 1_000_000,
        lambda good: "bad," * 5000 + good,
        lambda good: "bad " * 20 + good,
        lambda good: f"sha512={good}",
        lambda good: f"'{good}'",
        lambda good: "v1=",
        lambda good: ",,,  ,",
    ],
)
def test_anything_else_is_rejected(broken):
    """Never with another error, however strange or long."""
    assert not passes(broken(right()))


def test_a_changed_bit_is_rejected():
    """In each byte of the body."""
    for place in range(len(BODY)):
        changed = bytearray(BODY)
        changed[place] ^= 1
        assert not passes(right(), body=bytes(changed))


def test_rotation():
    """Both secrets pass while both are set; the old one no longer when it is gone; no secret passes nothing."""
    old = right(secret=OLD)
    assert passes(old)
    assert passes(f"bad,{old}")
    assert not passes(old, secrets=[NEW])
    assert not passes(old, secrets=[])
    assert not passes(right(secret=""), secrets=[NEW])


@pytest.mark.parametrize(("off", "fine"), [(-301, False), (301, False), (-299, True), (299, True), (300, True)])
@pytest.mark.parametrize("thousand", [1, 1000], ids=["seconds", "milliseconds"])
def test_the_timestamp_may_be_five_minutes_off(off: int, thousand: int, *, fine: bool):
    """In either direction, in seconds or milliseconds."""
    at = str((int(NOW) + off) * thousand)
    assert passes(right(at=at), at=at) is fine


@pytest.mark.parametrize(
    "at",
    [
        "nan",
        "inf",
        "-1",
        "1e400",
        "",
        " ",
        "17_0",
        "9" * 5000,
        "0x10",
        "1.5",
        f"{AT}\n",
        f" {AT}",
        f"{AT},{AT}",
        f"+{AT}",
        "".join(chr(0x660 + int(digit)) for digit in AT),
        "\ud800",
    ],
)
def test_a_timestamp_is_ascii_digits(at: str):
    """Python itself reads much more as a number than a sender writes."""
    with pytest.raises(StaleDelivery):
        parse_timestamp(at)


def test_another_timestamp_is_another_signature():
    """By default the timestamp is signed too."""
    assert not passes(right(), at=str(int(NOW) + 1))


@given(signatures=st.text(max_size=200), at=st.text(max_size=30), body=st.binary(max_size=200))
def test_no_text_and_no_bytes_pass(signatures: str, at: str, body: bytes):
    """Arbitrary headers and bodies are rejected, never an exception."""
    assert not passes(signatures, at=at, body=body)


@given(body=st.binary(max_size=500), secret=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_what_is_signed_passes_and_nothing_longer(body: bytes, secret: str):
    """Whatever the body and the secret."""
    made = sign(body, timestamp=AT, secret=secret)
    assert passes(made, body=body, secrets=[secret])
    assert not passes(made, body=body + b"\0", secrets=[secret])


@given(one=st.text(max_size=80), other=st.text(max_size=80))
def test_only_the_same_secret_passes(one: str, other: str):
    """Secrets of different text never stand for each other, but for what HMAC itself can't tell apart."""
    try:
        keys = [each.encode().rstrip(b"\0") for each in (one, other)]
    except UnicodeEncodeError:
        return
    assume(keys[0] != keys[1] and max(map(len, keys)) <= 64)
    assert not passes(right(secret=one), secrets=[other])


def test_every_pair_is_compared_in_constant_time():
    """Signatures meet in `compare_digest` alone, in a list, so that a hit in the first saves no time."""
    tree = ast.parse(inspect.getsource(signature._matches))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Compare)]
    calls = [
        node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    assert calls.count("compare_digest") == 1
    assert [type(node) for node in ast.walk(tree) if isinstance(node, ast.GeneratorExp)] == []


def test_no_error_holds_a_secret():
    """Nor the body: errors end up in logs."""
    with pytest.raises(BadSignature) as caught:
        verify(BODY, signatures="x", timestamp=AT, secrets=[NEW], scheme=SignatureScheme(), now=NOW)
    assert NEW not in repr(caught.value)
    assert "booking" not in repr(caught.value)
