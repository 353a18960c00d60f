"""Masking: the parts of a body that are shown before somebody asks for all of it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.staff.deliveries import MASK, format_body, mask_body
from tests.support.deliveries import event_body


def test_nothing_about_a_person_is_shown():
    """Name, addresses, phone, number and id are masked; what, when and how it stands are not."""
    text = mask_body(event_body(notes="canary-notes", unknown={"canary key!": ["canary-value"]}).decode())
    for personal in ("canary", "Canary", "BOOK_AB12CD34", "book_ab12cd34", "12125550147"):
        assert personal not in text
    shown = json.loads(text)
    assert shown["event"] == "booking.created"
    assert shown["data"]["booking"]["startsAt"] == "2026-12-02T15:00:00Z"
    assert shown["data"]["booking"]["serviceId"] == "srv_haircut"
    assert shown["data"]["booking"]["contact"] == {"email": MASK, "name": MASK, "phone": MASK}


def test_a_harmless_name_with_a_strange_value_is_masked():
    """A person's name may stand anywhere."""
    shown = json.loads(
        mask_body('{"status": "Jane Doe", "timezone": "jane@example.com", "partySize": 2, "start": null}')
    )
    assert shown == {"status": MASK, "timezone": MASK, "partySize": 2, "start": None}


def test_what_is_no_json_is_masked_as_a_whole():
    """And shown as it is to who asks."""
    assert json.loads(mask_body("canary <b>")) == MASK
    assert format_body("canary <b>") == "canary <b>"
    assert json.loads(format_body('{"name":"Żaneta"}')) == {"name": "Żaneta"}
    assert "Żaneta" in format_body('{"name":"Żaneta"}')


NAMES = st.text().map(lambda text: f"x{text}")


def texts(value: Any) -> list[Any]:
    """All that stands in a document beside its names."""
    if isinstance(value, dict):
        return [text for inner in value.values() for text in texts(inner)]
    return [text for inner in value for text in texts(inner)] if isinstance(value, list) else [value]


@pytest.mark.long
@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner)))
def test_nothing_of_an_unknown_name_survives(document: Any):
    """Whatever the shape."""
    assert set(texts(json.loads(mask_body(json.dumps({"unknown": document}))))) <= {MASK}
