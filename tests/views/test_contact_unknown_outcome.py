"""Sending the form again while the outcome of the first request is unknown."""

import pytest
from django.test import Client

from tests.support.visitor import JANE, Visitor

pytestmark = pytest.mark.django_db


def test_a_rejected_api_key_after_a_lost_response_never_leads_to_a_second_booking(site, sandbox, clock):
    """No page claims that nothing was booked: the same form stays the same attempt, and finds its booking."""
    any_visitor = Visitor(Client())
    form = any_visitor.choose()
    sandbox.faults.add("status", "create", times=1, status=500, carried_out=True)
    any_visitor.send(form, "Book appointment", **JANE)
    clock.shift(10)
    sandbox.faults.add("key_revoked", "create", times=1)
    page = any_visitor.send(form, "Book appointment", **JANE)
    assert "Nothing has been booked" not in page.text
    assert "Book appointment" not in page.text
    clock.shift(60)
    assert any_visitor.open(page.url).number
    assert len(sandbox.bookings()) == 1
