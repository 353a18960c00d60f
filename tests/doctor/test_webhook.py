"""The doctor's check of the webhook: each secret under each signature scheme, by the code that accepts deliveries."""

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.webhooks.signature import SCHEMES, SignatureScheme
from tests.support.deliveries import NEW, OLD, delivery
from tests.support.doctor import run_as_json

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_each_secret_is_tried_under_the_set_signature_scheme(well: Settings, scheme: SignatureScheme):
    """Whatever the scheme is."""
    well.KORDLESS_BOOKING |= {
        "WEBHOOK_SIGNED_PAYLOAD": scheme.signed_payload,
        "WEBHOOK_SIGNATURE_ENCODING": scheme.encoding,
    }
    well.KORDLESS_BOOKING = dict(well.KORDLESS_BOOKING)
    report = run_as_json()
    assert report.of("webhook") == {"signature_scheme": "ok", "no_delivery": "note"}
    assert report.line("signature_scheme").startswith("Deliveries signed with each of 2 secrets are accepted")
    assert scheme.signed_payload in report.line("signature_scheme")


def test_no_secret(well: Settings):
    """A site may do without a webhook."""
    well.KORDLESS_BOOKING = {**well.KORDLESS_BOOKING, "WEBHOOK_SECRETS": []}
    report = run_as_json()
    assert report.of("webhook") == {"no_webhook": "note"}
    assert report.status == 0


@pytest.mark.parametrize(
    ("secrets", "fixes", "notes"),
    [
        ("canary-short", ["W003"], []),
        ("", ["E004"], []),
        (["canary-" * 9, ""], ["E004"], []),
        ([NEW, NEW], [], ["secret_duplicate"]),
    ],
)
def test_secrets_that_are_weak_or_none(well: Settings, secrets: object, fixes: list[str], notes: list[str]):
    """Each has its line, and none is shown."""
    well.KORDLESS_BOOKING = {**well.KORDLESS_BOOKING, "WEBHOOK_SECRETS": secrets}
    report = run_as_json()
    assert report.fixes() == fixes
    assert [code for code in notes if report.of("webhook").get(code) != "note"] == []


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=3), "3 h ago"),
        (timedelta(days=9), "9 days ago"),
    ],
)
def test_when_something_was_delivered_last(
    well: Settings, client: Client, clock: Traveller, age: timedelta, words: str
):
    """However long that is ago: perhaps nobody has booked."""
    assert delivery(secret=OLD).post(client).status_code == 200
    clock.shift(age)
    report = run_as_json()
    assert report.of("webhook")["last_delivery"] == "ok"
    assert words in report.line("last_delivery")
