"""Forgetting what was told of bookings: when their time has passed, since it keeps old news from being told."""

from datetime import timedelta

import pytest
from django.test import Client

from kordless_booking.erasure.base import Person, Tally
from kordless_booking.erasure.known import KnownBookings
from kordless_booking.models import KnownBooking
from tests.conftest import NOW
from tests.erasure.living import tell

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hooked")]

DAY = timedelta(days=1)


def test_a_person_whose_numbers_are_known(client: Client):
    """What is still to come stays, and holds nothing of anybody."""
    tell(client, "BOOK_AAAA0001")
    tell(client, "BOOK_AAAA0002")
    person = Person(frozenset({"canary@example.com"}), numbers={"book_aaaa0001"})
    kind = KnownBookings()
    kept = kind.of(person, NOW, accounts=None, including_open=True)
    assert (kept.deleted, kept.remains, list(kept.kept.values())) == (0, 0, [1])
    assert kind.of(person, NOW + 9 * DAY, accounts=["north"], including_open=False) == Tally()
    assert kind.of(person, NOW + 9 * DAY, accounts=None, including_open=False) == Tally(deleted=1)
    assert KnownBooking.objects.count() == 1


def test_what_is_old(client: Client):
    """Counted from its newest change, and not before its time."""
    tell(client, "BOOK_AAAA0001")
    tell(client, "BOOK_AAAA0002", startsAt="2027-12-01T15:00:00Z", endsAt="2027-12-01T16:00:00Z")
    now, kind = NOW + 91 * DAY, KnownBookings()
    assert kind.older_than(NOW - DAY, now, accounts=None) == Tally()
    assert kind.older_than(now - 90 * DAY, now, accounts=["north"]) == Tally()
    assert kind.older_than(now - 90 * DAY, now, accounts=None) == Tally(deleted=1)
    assert KnownBooking.objects.get().start.year == 2027
