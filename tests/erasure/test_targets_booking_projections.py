"""Erasure of booking projections: after the booking's end, since until then they prevent repeated signals."""

from datetime import timedelta

import pytest
from django.test import Client

from kordless_booking.erasure.base import ErasureResult, Person
from kordless_booking.erasure.targets import BookingProjections
from kordless_booking.models import BookingProjection
from tests.support.clock import NOW
from tests.support.personal_data import deliver_event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hooked")]

DAY = timedelta(days=1)


def test_a_person_whose_numbers_are_known(client: Client):
    """The projection of an upcoming booking stays, without personal data, and is deleted once the booking is over."""
    deliver_event(client, "BOOK_AAAA0001")
    deliver_event(client, "BOOK_AAAA0002")
    person = Person(frozenset({"canary@example.com"}), numbers={"book_aaaa0001"})
    kind = BookingProjections()
    kept = kind.erase_person(person, NOW, accounts=None, including_open=True)
    assert (kept.deleted, kept.kept_personal, list(kept.kept.values())) == (0, 0, [1])
    assert kind.erase_person(person, NOW + 9 * DAY, accounts=["north"], including_open=False) == ErasureResult()
    assert kind.erase_person(person, NOW + 9 * DAY, accounts=None, including_open=False) == ErasureResult(deleted=1)
    assert BookingProjection.objects.count() == 1


def test_what_is_old(client: Client):
    """Counted from its newest change, and not before its time."""
    deliver_event(client, "BOOK_AAAA0001")
    deliver_event(client, "BOOK_AAAA0002", startsAt="2027-12-01T15:00:00Z", endsAt="2027-12-01T16:00:00Z")
    now, kind = NOW + 91 * DAY, BookingProjections()
    assert kind.erase_older_than(NOW - DAY, now, accounts=None) == ErasureResult()
    assert kind.erase_older_than(now - 90 * DAY, now, accounts=["north"]) == ErasureResult()
    assert kind.erase_older_than(now - 90 * DAY, now, accounts=None) == ErasureResult(deleted=1)
    assert BookingProjection.objects.get().start.year == 2027
