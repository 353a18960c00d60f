"""Customers in the admin: masked, filtered, and shown in full to those who may, which is noted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from pytest_django import Settings

from kordless_booking.changes import BookingChange
from kordless_booking.contrib.customers.admin import mask_name
from kordless_booking.contrib.customers.models import Customer
from kordless_booking.staff.read_only import NOTHING
from tests.support.clock import NOW
from tests.support.customers import NEAR, only_customer, report
from tests.support.staff import Hire
from tests.support.visitor import Page, Visitor

pytestmark = [pytest.mark.django_db, pytest.mark.long, pytest.mark.usefixtures("clock")]

URL = "/admin/kordless_customers/customer/"
VIEW, LOOK = "view_customer", "view_personal_data"
PHONE = "+12125550147"


def seen(client: Client, path: str = "") -> Page:
    """A page of the customers."""
    page = Page(f"{URL}{path}", client.get(f"{URL}{path}"))
    assert page.status == 200
    return page


def test_customers_are_listed_masked(customers: Settings, client: Client, hire: Hire):
    """With visits, latest appointment and cancellations; no hash, and no account where there is one."""
    Visitor(client).book(name="Jane Marie Doe", email="canary@example.com", phone=PHONE)
    row = only_customer()
    page = seen(hire(VIEW))
    assert page.texts("#result_list th.field-masked_name") == ["J… M… D…"]
    assert {"c…@example.com", "1", NOTHING, "Dec. 1, 2026"} <= set(page.texts("#result_list td"))
    hidden = ("canary", "Marie", "5550147", row.identity_hash, row.phone_hash, row.encrypted)
    assert not [text for text in hidden if text in page.html]
    assert "Account" not in page.texts("#result_list th")
    report("BOOK_2", None, PHONE)
    Customer.objects.update(encrypted="broken")
    assert page.texts("#result_list th.field-masked_name") == ["J… M… D…"]
    assert seen(hire(VIEW)).texts("#result_list th.field-masked_name") == [NOTHING]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"new", "back", "gone", "late"}),
        ("visits=new", {"new", "gone", "late"}),
        ("visits=returning", {"back"}),
        ("latest=absent", {"gone", "late"}),
        ("latest=recent", {"new", "back"}),
        ("late=some", {"late"}),
        ("late=none", {"new", "back", "gone"}),
        ("visits=returning&latest=absent", set()),
        ("visits=made-up", {"new", "back", "gone", "late"}),
    ],
)
def test_customers_are_filtered(customers: Settings, client: Client, hire: Hire, query: str, found: set[str]):
    """New, returning, without a visit in 90 days, with late cancellations; also two at once."""
    client.get("/book/haircut/")
    report("BOOK_1", "new@new.example")
    report("BOOK_2", "back@back.example")
    report("BOOK_3", "back@back.example")
    long_ago = NOW - timedelta(days=100)
    report("BOOK_4", "gone@gone.example", start=long_ago, now=long_ago)
    report("BOOK_5", "late@late.example", start=NEAR)
    report("BOOK_5", "late@late.example", start=NEAR, change=BookingChange.CANCELLED)
    contacts = seen(hire(VIEW), f"?{query}").texts("#result_list .field-masked_contact")
    assert {each.partition("@")[2].partition(".")[0] for each in contacts} == found


def test_personal_data_is_shown_to_those_who_may_and_noted(customers: Settings, client: Client, hire: Hire):
    """By POST alone, so that a link shows nothing, and the history names nobody."""
    Visitor(client).book(name="Jane Doe", email="canary@example.com", phone=PHONE)
    row, staff = only_customer(), hire(VIEW, LOOK)
    page = seen(staff, f"{row.pk}/change/")
    assert "Jane" not in page.html
    assert "canary" not in page.html
    assert {"J… D…", "c…@example.com", "…47", "English"} <= set(page.texts("dd"))
    assert page.texts("#content tbody td") == ["Booked", "On this site"]
    assert page.texts("#content tbody .kb-quiet") == ["Haircut"]
    _, action, fields = page.form("Show personal data")
    full = Page("", staff.post(action, fields))
    assert {"Jane Doe", "canary@example.com", PHONE} <= set(full.texts("dd"))
    assert "no-store" in full.response["Cache-Control"]
    assert [entry.get_change_message() for entry in LogEntry.objects.all()] == ["Looked at the personal data."]
    history = seen(staff, f"{row.pk}/history/")
    assert "Looked at the personal data." in history.text
    assert not [text for text in ("canary", "Jane", row.identity_hash) if text in history.html]
    assert staff.get(f"{URL}{row.pk}/personal/").status_code == 405
    assert hire(VIEW).post(f"{URL}{row.pk}/personal/").status_code == 403
    assert hire(LOOK).post(f"{URL}{row.pk}/personal/").status_code == 403
    assert "Show personal data" not in seen(hire(VIEW), f"{row.pk}/change/").text


@pytest.mark.parametrize("search_term", ["Canary@Example.com", "(212) 555-0147", PHONE, "book_1"])
def test_a_customer_is_found_by_contact_or_number(customers: Settings, client: Client, hire: Hire, search_term: str):
    """In any spelling; what is searched for is in no address, and the results are masked."""
    client.get("/book/haircut/")
    report("BOOK_1", "canary@example.com", PHONE)
    report("BOOK_2", "john@example.com")
    staff = hire(VIEW, LOOK)
    _, action, fields = seen(staff).form("Find")
    page = Page("", staff.post(action, fields | {"search_term": search_term}))
    assert page.texts("#content caption") == ["1 customer found"]
    assert page.texts("#content tbody td")[0] == "c…@example.com"
    assert page.hrefs("#content tbody a") == [f"{URL}{Customer.objects.order_by('pk')[0].pk}/change/"]
    assert "None was found." in Page("", staff.post(action, fields | {"search_term": "nobody@example.com"})).text
    assert hire(VIEW).post(action, fields | {"search_term": search_term}).status_code == 403


def test_the_states_of_a_customers_bookings_are_in_words(customers: Settings, client: Client, hire: Hire):
    """Late cancellations are told from others, and what was reported without its creation has no source."""
    client.get("/book/haircut/")
    report("BOOK_1", attribution={"utm_source": "newsletter"})
    report("BOOK_2", start=NEAR)
    report("BOOK_2", start=NEAR, change=BookingChange.CANCELLED)
    report("BOOK_3", start=NEAR + timedelta(days=30), change=BookingChange.CANCELLED)
    page = seen(hire(VIEW), f"{only_customer().pk}/change/")
    assert [page.texts("#content tbody td")[row * 2 : row * 2 + 2] for row in range(3)] == [
        ["Canceled", NOTHING],
        ["Booked", "On this site newsletter"],
        ["Canceled late", "On this site"],
    ]
    assert "1 visit" in page.texts("h2")
    assert "2, 1 late" in seen(hire(VIEW)).texts("#result_list td")


def test_the_overview_links_to_the_customers_for_those_who_may_see_them(customers: Settings, hire: Hire):
    """By permission."""
    overview = "/admin/kordless_booking/overview/"
    for permissions, is_linked in ((["view_overview", VIEW], True), (["view_overview"], False)):
        page = Page("", hire(*permissions).get(overview))
        assert (URL in page.hrefs()) is is_linked


def test_nobody_adds_changes_or_deletes_a_customer(customers: Settings, owner: Client):
    """Not even a superuser: the rows are what bookings made of them."""
    report("BOOK_1")
    row = only_customer()
    assert owner.get(f"{URL}add/").status_code == 403
    assert owner.post(f"{URL}{row.pk}/change/", {"booked": 9}).status_code == 403
    assert owner.post(f"{URL}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert owner.get(f"{URL}999999/change/").status_code == 404
    assert only_customer().booked == 1


@pytest.mark.parametrize(
    ("name", "masked"), [("Jane", "J…"), ("Jane  van Doe", "J… v… D…"), ("", NOTHING), ("a b c d e", "a… b… c… d…")]
)
def test_a_name_is_masked_to_its_initials(name: str, masked: str):
    """Of four words at most."""
    assert mask_name(name) == masked
