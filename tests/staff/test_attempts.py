"""Attempts in the admin: how they stand, and nothing of whose they are."""

from __future__ import annotations

import pytest
from django.test import Client

from kordless_booking.models import BookingAttempt
from tests.support.clock import NOW
from tests.support.staff import Hire
from tests.support.visitor import Page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "shop")]

URL = "/admin/kordless_booking/bookingattempt/"


@pytest.fixture
def row() -> BookingAttempt:
    """One that nobody knows the outcome of."""
    return BookingAttempt.objects.create(
        key="canary-key",
        account="default",
        service="haircut",
        body_hash="canary-hash",
        state=BookingAttempt.State.OUTCOME_UNKNOWN,
        encrypted="canary-encrypted",
        claimed_until=NOW,
        created_at=NOW,
        changed_at=NOW,
    )


def test_it_says_how_it_stands(row: BookingAttempt, hire: Hire) -> None:
    """In the list and by itself, without key, hash or what is encrypted."""
    client = hire("view_bookingattempt")
    for url in (URL, f"{URL}{row.pk}/change/", f"{URL}?state__exact=outcome_unknown"):
        page = Page(url, client.get(url))
        assert page.status == 200
        assert "haircut" in page.text
        assert "Outcome Unknown" in page.text
        assert "canary" not in page.html
    assert "haircut" not in Page(URL, client.get(f"{URL}?state__exact=placed")).texts("#result_list td")


def test_each_choice_of_a_filter_has_a_label(row: BookingAttempt, hire: Hire) -> None:
    """Most attempts were never rejected, and an empty text is no link."""
    client = hire("view_bookingattempt")
    links = Page(URL, client.get(URL)).links("#changelist-filter li a")
    assert "" not in links
    assert "haircut" in Page(URL, client.get(URL + links["-"])).text


def test_nobody_changes_it(row: BookingAttempt, owner: Client, hire: Hire) -> None:
    """It decides whether something is booked twice."""
    assert owner.get(f"{URL}add/").status_code == 403
    assert owner.get(f"{URL}{row.pk}/delete/").status_code == 403
    assert owner.post(f"{URL}{row.pk}/change/", {"state": "placed"}).status_code == 403
    assert hire().get(URL).status_code == 403
    assert BookingAttempt.objects.get().state == "outcome_unknown"
