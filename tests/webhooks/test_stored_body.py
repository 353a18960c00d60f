"""The stored body of a delivery: encrypted, readable for a month, and after that only for erasure."""

from datetime import datetime, timedelta

import pytest
from pytest_django import Settings

from kordless_booking.models import WebhookDelivery
from kordless_booking.webhooks.stored_body import BODY_RETENTION, BodyUnavailable, decrypt_body, encrypt_body
from tests.support.clock import NOW

pytestmark = pytest.mark.usefixtures("clock")

BODY = '{"booking": {"email": "ada@example.com"}}'


def stored() -> WebhookDelivery:
    """One that comes now."""
    return WebhookDelivery(account="default", encrypted=encrypt_body("default", BODY.encode()))


def test_a_stored_body_is_encrypted_and_opens_unchanged() -> None:
    """Nothing of it stands in the database in the clear."""
    row = stored()
    assert "ada" not in row.encrypted
    assert decrypt_body(row, NOW) == BODY


def test_after_a_month_only_who_empties_it_can_open_it() -> None:
    """Staff can't anymore; a person's data is found for erasure however old it is."""
    row, late = stored(), NOW + BODY_RETENTION + timedelta(seconds=1)
    with pytest.raises(BodyUnavailable):
        decrypt_body(row, late)
    assert decrypt_body(row, None) == BODY


@pytest.mark.parametrize("now", [NOW, None])
@pytest.mark.parametrize("spoilt", ["emptied", "cut", "another account", "another key"])
def test_a_body_that_can_not_be_decrypted_is_gone(settings: Settings, spoilt: str, now: datetime | None) -> None:
    """Whatever is the matter with it."""
    row = stored()
    match spoilt:
        case "emptied":
            row.encrypted = ""
        case "cut":
            row.encrypted = row.encrypted[:-9]
        case "another account":
            row.account = "north"
        case _:
            settings.SECRET_KEY = "another"
    with pytest.raises(BodyUnavailable):
        decrypt_body(row, now)
