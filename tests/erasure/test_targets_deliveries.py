"""Erasure of deliveries: the body goes, the digest stays for as long as a duplicate may come."""

from datetime import timedelta

import pytest
from django.test import Client
from time_machine import Traveller

from kordless_booking.erasure.base import ErasureResult, Person
from kordless_booking.erasure.targets import Deliveries
from kordless_booking.models import WebhookDelivery
from tests.support.clock import NOW
from tests.support.deliveries import delivery
from tests.support.personal_data import CANARY, OTHER, deliver_event, everything_stored

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hooked")]

DAY = timedelta(days=1)


def person(contact: str = "canary@example.com") -> Person:
    """Somebody in a site where numbers are American."""
    return Person.from_texts([contact], frozenset({"US"}))


def erase(who: Person, accounts: list[str] | None = None) -> ErasureResult:
    """Now."""
    return Deliveries().erase_person(who, NOW, accounts=accounts, including_open=False)


@pytest.mark.parametrize("contact", ["CANARY@example.com", "+1 212 555 0147"])
def test_bodies_are_emptied_by_either_contact(client: Client, contact: str):
    """All that were about this person, and nobody else's; numbers are passed on."""
    deliver_event(client, "BOOK_AAAA0001")
    deliver_event(client, "BOOK_AAAA0001", kind="booking.cancelled")
    deliver_event(client, "BOOK_AAAA0002", OTHER)
    who = person(contact)
    assert erase(who, ["north"]) == ErasureResult()
    assert erase(who) == ErasureResult(emptied=2)
    assert who.numbers == {"BOOK_AAAA0001"}
    assert "canary" not in everything_stored()
    assert "other@example.com" in everything_stored()
    assert WebhookDelivery.objects.count() == 3


def test_a_contact_anywhere_in_an_unknown_event(client: Client):
    """However deep it stands there."""
    sent = delivery(b'{"event": "customer.created", "data": [{"reach": {"mail": "canary@example.com"}}]}')
    assert sent.post(client).status_code == 200
    assert erase(person()) == ErasureResult(emptied=1)


def test_a_duplicate_is_still_known(client: Client):
    """An erased delivery is not signaled again."""
    sent = delivery()
    sent.post(client)
    erase(person())
    assert sent.post(client).json() == {"received": "duplicate"}


def test_a_body_that_can_not_be_opened(client: Client):
    """Nobody can say whose it is; it is reported, and deleted by its age."""
    deliver_event(client, "BOOK_AAAA0001", CANARY)
    WebhookDelivery.objects.update(encrypted="damaged")
    report = erase(person())
    assert (report.emptied, report.kept_personal) == (0, 1)
    assert Deliveries().erase_older_than(NOW + DAY, NOW + DAY, accounts=None) == ErasureResult(emptied=1)


def test_what_is_old(client: Client, clock: Traveller):
    """Emptied, and deleted after a month."""
    deliver_event(client, "BOOK_AAAA0001")
    clock.shift(10 * 86400)
    deliver_event(client, "BOOK_AAAA0002")
    kind = Deliveries()
    now = NOW + 29 * DAY
    assert kind.erase_older_than(now - 28 * DAY, now, accounts=["north"]) == ErasureResult()
    assert kind.erase_older_than(now - 28 * DAY, now, accounts=None) == ErasureResult(emptied=1)
    now = NOW + 31 * DAY
    assert kind.erase_older_than(now - 28 * DAY, now, accounts=None) == ErasureResult(deleted=1)
    assert "canary" in everything_stored()
