"""Erasure of proofs of consent: by contact, by a booking that was found otherwise, and by age."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from kordless_booking.booking.hashes import contact_hash, number_hash
from kordless_booking.erasure.base import Person
from kordless_booking.erasure.targets import ConsentProofs
from kordless_booking.models import ConsentProof
from tests.support.clock import NOW

pytestmark = pytest.mark.django_db

JANE = Person(frozenset({"jane@example.com"}))


def prove(number: str, **changes: Any) -> None:
    """Store a proof of a booking."""
    values = {"account": "default", "name": "rules", "version": "1", "text": "Rules", "given_at": NOW}
    ConsentProof.objects.create(number_hash=number_hash(number), **values | changes)


def test_proofs_go_with_their_contact_and_with_their_booking():
    """Also one that has no contact, when a table before it has found the booking's number; nobody else's."""
    prove("A1", email_hash=contact_hash("Jane@Example.com"))
    prove("A2")
    prove("A3", email_hash=contact_hash("other@example.com"))
    prove("A4", email_hash=contact_hash("jane@example.com"), account="elsewhere")
    person = Person(JANE.contacts, numbers={"a2"})
    result = ConsentProofs().erase_person(person, NOW, accounts=["default"], including_open=False)
    assert (result.deleted, result.emptied, result.kept) == (2, 0, {})
    left = {number_hash("A3"), number_hash("A4")}
    assert set(ConsentProof.objects.values_list("number_hash", flat=True)) == left


def test_proofs_are_found_under_a_rotated_key(settings: Any):
    """With the old key in SECRET_KEY_FALLBACKS, as in the other tables."""
    prove("A1", email_hash=contact_hash("jane@example.com"))
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a-new-secret-key-for-this-test-0123456789"
    assert [row["name"] for row in ConsentProofs().export_person(JANE, accounts=None)] == ["rules"]
    assert ConsentProofs().erase_person(JANE, NOW, accounts=None, including_open=False).deleted == 1


def test_old_proofs_go_by_the_time_at_which_consent_was_given():
    """Of the accounts that are named."""
    for days in (1, 40):
        prove(f"A{days}", given_at=NOW - timedelta(days=days))
        prove(f"B{days}", given_at=NOW - timedelta(days=days), account="elsewhere")
    moment = NOW - timedelta(days=30)
    assert ConsentProofs().erase_older_than(moment, NOW, accounts=["default"]).deleted == 1
    assert ConsentProofs().erase_older_than(moment, NOW, accounts=None).deleted == 1
    assert ConsentProof.objects.count() == 2
