"""A saved delivery is read as bytes from anywhere: it is one, or the reason is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError
from hypothesis import example, given
from hypothesis import strategies as st

from kordless_booking.doctor.contract.delivery import MAX_FILE_BYTES, DeliveryUnreadable, SavedDelivery
from tests.support.contract import run_comparison

HEAD = b"X-Kordless-Signature: a\nx-kordless-timestamp:1\n"


@given(st.binary(max_size=200), st.sampled_from([b"", HEAD, b"POST / HTTP/1.1\n" + HEAD + b"\n"]))
def test_any_bytes_are_a_delivery_or_unreadable(raw: bytes, before: bytes):
    """No other error, and the reason repeats nothing of the file."""
    reason = ""
    try:
        SavedDelivery.parse(before + raw).document()
    except DeliveryUnreadable as error:
        reason = str(error)
    assert reason.startswith(("it has no x-kordless-", "no empty line")) or not reason


@given(st.binary(max_size=200), st.sampled_from([b"\n", b"\r\n"]))
@example(b"\r\n\r\n", b"\n")
@example(b"\n\n", b"\r\n")
def test_the_body_of_a_saved_delivery_is_unchanged(body: bytes, line_end: bytes):
    """Also where it contains empty lines itself: what is signed is each byte."""
    head = (HEAD + b"X-Kordless-Webhook-Id: dlv_1\n\n").replace(b"\n", line_end)
    saved = SavedDelivery.parse(head + body)
    assert (saved.body, saved.signatures, saved.timestamp, saved.delivery_id) == (body, "a", "1", "dlv_1")


def test_a_file_that_is_too_large_is_unreadable():
    """A log that was named by mistake isn't read as a whole."""
    with pytest.raises(DeliveryUnreadable, match="bytes"):
        SavedDelivery.parse(b"x" * (MAX_FILE_BYTES + 1))


@pytest.mark.django_db
def test_the_command_says_why_a_file_is_unreadable(tmp_path: Path):
    """And sends nothing."""
    path = tmp_path / "delivery.txt"
    path.write_bytes(b"X-Kordless-Signature: canary\n\n{}")
    with pytest.raises(CommandError, match="x-kordless-timestamp") as raised:
        run_comparison("--delivery", str(path))
    assert "canary" not in str(raised.value)
