"""Which service an event is about: by slug or id, in any spelling, and all of them rather than none."""

from datetime import timedelta
from typing import Any

import pytest

from kordless_booking.api.resources import Booking, Service
from kordless_booking.webhooks.invalidation import _slugs
from tests.support.clock import NOW

OFFER = (
    Service(key="haircut", name="Haircut", slug="haircut"),
    Service(key="srv_9f2", name="Color", slug="full-color"),
    Service(key="trim", name="Trim", slug="beard-trim"),
)
EVERY = {"haircut", "full-color", "beard-trim"}


@pytest.mark.parametrize(
    ("names", "slugs"),
    [
        ({"service_id": "srv_haircut"}, {"haircut"}),
        ({"service_id": "haircut"}, {"haircut"}),
        ({"service_id": "SRV_HAIRCUT"}, {"haircut"}),
        ({"service_id": "9f2"}, {"full-color"}),
        ({"service_slug": "beard-trim"}, {"beard-trim"}),
        ({"service_id": "srv_trim", "service_slug": "haircut"}, {"haircut", "beard-trim"}),
        ({"service_id": "srv_somethingelse"}, EVERY),
        ({}, EVERY),
    ],
)
def test_the_service_that_is_meant(names: dict[str, Any], slugs: set[str]):
    """Webhooks write srv_ in front of what the API calls the service."""
    booking = Booking(confirmation_number="BOOK_1", status="", start=NOW, end=NOW + timedelta(hours=1), **names)
    assert _slugs(booking, OFFER) == slugs


def test_without_a_list_the_name_itself_must_do():
    """Nothing is asked of Kordless for it."""
    booking = Booking(
        confirmation_number="BOOK_1", status="", start=NOW, end=NOW + timedelta(hours=1), service_id="srv_haircut"
    )
    assert _slugs(booking, ()) == {"haircut"}
