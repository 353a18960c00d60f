"""Ids of the doctor's test deliveries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from kordless_booking.webhooks.probe import PROBE_SECONDS, build_probe_id, is_probe_id

NOW = 1_796_000_000


def test_an_id_of_the_doctor_is_known_for_as_long_as_a_signature() -> None:
    """Afterwards whoever has read it in a log can't keep a rejection out of the counts with it."""
    probe = build_probe_id(NOW)
    assert is_probe_id(probe, NOW + PROBE_SECONDS)
    assert not is_probe_id(probe, NOW + PROBE_SECONDS + 1)
    assert not is_probe_id(probe, NOW - PROBE_SECONDS - 1)


def test_an_id_of_another_site_is_not_known(settings: Settings) -> None:
    """The proof is made with SECRET_KEY."""
    probe = build_probe_id(NOW)
    settings.SECRET_KEY = "another-secret-key-of-another-site"
    assert not is_probe_id(probe, NOW)


@pytest.mark.parametrize(
    "forged", ["", "dlv_1", f"kordless-doctor-{NOW}", f"kordless-doctor-{NOW}-", f"kordless-doctor-{'9' * 5000}-0"]
)
def test_a_made_up_id_is_not_known(forged: str) -> None:
    """Also where it looks like one."""
    assert not is_probe_id(forged, NOW)


@given(st.text())
def test_no_text_fails_or_is_known(text: str) -> None:
    """The header is anybody's, in any characters."""
    assert not is_probe_id(text, NOW)
    assert not is_probe_id(f"kordless-doctor-{text}", NOW)
    assert not is_probe_id(f"kordless-doctor-{NOW}-{text}", NOW)
