"""The demo's control page of the sandbox, at the business that the demo books at."""

from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client, RequestFactory
from pytest_django import Settings

from demo_site import sandbox_panel
from kordless_booking.sandbox import SEEDS, Sandbox
from tests.support.odd_businesses import use_odd_business
from tests.support.visitor import Visitor


def context(sandbox: Sandbox, query: str = "") -> dict[str, Any]:
    return sandbox_panel._context(RequestFactory().get(f"/sandbox/{query}"), sandbox)


@pytest.mark.parametrize("slug", [business.slug for business in SEEDS["odd"] if business.services])
def test_the_panel_shows_the_business_of_the_demo(site: Settings, sandbox: Sandbox, slug: str):
    """Its services, their free times, and its zone are those of the account; and one is booked by phone there."""
    use_odd_business(site, sandbox, slug)
    shown = context(sandbox)
    assert shown["chosen"].slug == shown["services"][0].slug
    assert shown["times"]
    form = QueryDict(mutable=True)
    form.update({"service": shown["chosen"].slug, "start": shown["times"][0][0]})
    request = RequestFactory().post("/sandbox/", form.urlencode(), content_type="application/x-www-form-urlencoded")
    sandbox_panel._by_phone(sandbox, request)
    assert [row["org"] for row in sandbox.bookings()] == [slug]
    assert context(sandbox)["bookings"]


def test_the_panel_of_a_business_without_services_offers_no_times(site: Settings, sandbox: Sandbox):
    """The widget says that nothing can be booked; the panel shows it all the same."""
    use_odd_business(site, sandbox, "empty")
    shown = context(sandbox)
    assert (shown["chosen"], shown["times"], shown["stage"]) == (None, [], "/book/")


def test_the_panel_shows_all_services_beside_one_that_has_no_page(site: Settings, sandbox: Sandbox):
    """A slug with a slash can't be in the widget's URL."""
    use_odd_business(site, sandbox, "odd-names")
    assert context(sandbox, "?service=cut/color")["stage"] == "/book/"
    assert context(sandbox, "?service=same-name")["stage"] == "/book/same-name/"


def test_every_trouble_of_the_panel_is_a_fault(sandbox: Sandbox):
    """Each choice under “Break things” can be set, and is then named as it was chosen."""
    for title, trouble in sandbox_panel.TROUBLES.values():
        sandbox.faults.clear()
        sandbox.faults.add(**trouble)
        assert [sandbox_panel._said(rule) for rule in sandbox.faults.rules()] == [title]


@pytest.mark.django_db
def test_the_panel_shows_the_notes_as_staff_read_them_in_kordless(site: Settings, sandbox: Sandbox, client: Client):
    """With the answers to questions and the guests, which arrive there."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "GUESTS": 2}
    Visitor(client).book(answer_guests="Ada ada@example.com")
    [row] = context(sandbox)["bookings"]
    assert row["notes"].endswith("Guests: Ada <ada@example.com>")
