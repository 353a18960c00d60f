"""Attempts in the admin: how they stand, found by those who may search, and nothing of whose they are."""

from __future__ import annotations

import pytest
from django.test import Client

from kordless_booking import exceptions
from kordless_booking.booking.tokens import encrypt_token
from kordless_booking.erasure.base import Person
from kordless_booking.erasure.run import erase_person
from kordless_booking.models import BookingAttempt
from kordless_booking.sandbox import Sandbox
from kordless_booking.staff.labels import attempt_legend, refusal_labels
from tests.support.clock import NOW
from tests.support.staff import Hire
from tests.support.visitor import JANE, Page, Visitor

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
        assert "No answer yet" in page.text
        assert "canary" not in page.html
    assert "haircut" not in Page(URL, client.get(f"{URL}?state__exact=placed")).texts("#result_list td")


def test_each_choice_of_a_filter_has_a_label(row: BookingAttempt, hire: Hire) -> None:
    """Most attempts were never rejected, and an empty text is no link."""
    client = hire("view_bookingattempt")
    links = Page(URL, client.get(URL)).links("#changelist-filter li a")
    assert "" not in links
    assert "haircut" in Page(URL, client.get(URL + links["None"])).text
    assert "Time was taken" in links


def test_the_list_of_attempts_says_outcomes_in_words(row: BookingAttempt, hire: Hire) -> None:
    """No name of a class, no cross for what is as it should be, and a legend for each state."""
    values = {"account": "default", "service": "haircut", "body_hash": "x", "claimed_until": NOW, "changed_at": NOW}
    for state, rejection in (("rejected", "SlotTaken"), ("rejected", "KeyRefused"), ("placed", ""), ("held", "")):
        BookingAttempt.objects.create(
            key=f"{state}{rejection}", state=state, rejection=rejection, created_at=NOW, **values
        )
    page = Page(URL, hire("view_bookingattempt").get(URL))
    outcomes = {cell.text().strip(): cell.attributes["class"] for cell in page.tree.css("#result_list .kb-tone")}
    assert outcomes == {
        "Time was taken": "kb-tone kb-idle",
        "API key refused": "kb-tone kb-bad",
        "Booked": "kb-tone kb-good",
        "On hold": "kb-tone kb-idle",
        "No answer yet": "kb-tone kb-fair",
    }
    assert not page.tree.css("#result_list img")
    assert set(page.texts(".kb-legend dt")) == {str(state.label) for state in BookingAttempt.State}


def test_every_reason_and_state_has_words() -> None:
    """Each exception that an attempt can end with, and each state, has its text."""
    assert refusal_labels().keys() == set(exceptions.__all__) - {"KordlessError"}
    assert len(attempt_legend()) == len(BookingAttempt.State)


def test_an_attempt_that_may_be_booked_says_so(row: BookingAttempt, hire: Hire) -> None:
    """Also where a later send was refused."""
    BookingAttempt.objects.update(state="rejected", rejection="KeyRefused", outcome_unknown=True)
    page = Page("", hire("view_bookingattempt").get(f"{URL}{row.pk}/change/"))
    assert "Check in Kordless whether there is a booking." in page.text
    assert "Nothing was booked" not in page.text


@pytest.fixture
def number(client: Client) -> str:
    """The confirmation number of Jane's booking; somebody else has booked, too."""
    Visitor(Client()).book(time=1, email="other@example.com", phone="+12125550999")
    return str(Visitor(client).book(phone="+12125550123").number)


@pytest.mark.parametrize(
    "search_term", ["number", "number typed", "JANE@example.com ", "(212) 555-0123", "+1 212 555 0123"]
)
def test_an_attempt_is_found_by_number_or_contact(number: str, hire: Hire, search_term: str) -> None:
    """In any spelling, by POST, and what is found reveals nobody."""
    client = hire("view_bookingattempt", "view_personal_data")
    _, action, fields = Page(URL, client.get(URL)).form("Find")
    typed = {"number": f" {number.lower()} ", "number typed": number.replace("_", " ")}
    page = Page("", client.post(action, {**fields, "search_term": typed.get(search_term, search_term)}))
    assert len(page.texts(".kb-scroll tbody th")) == 1
    assert "Booked" in page.texts(".kb-scroll tbody td")
    assert JANE["name"] not in page.text
    assert "no-store" in page.response["Cache-Control"]


@pytest.mark.parametrize("search_term", ["nobody@example.com", "BOOK", "555", "", "%", "\0", "x" * 300])
def test_no_attempt_is_found_by_anything_else(number: str, owner: Client, search_term: str) -> None:
    """Not by a part, and nothing fails."""
    page = Page("", owner.post(f"{URL}find/", {"search_term": search_term}))
    assert page.status == 200
    assert page.texts(".kb-scroll tbody th") == []


def test_an_erased_person_is_found_no_more(number: str, owner: Client) -> None:
    """Neither by the number nor by the contact, though the row still guards against a second booking."""
    erase_person(Person.from_texts([JANE["email"]], frozenset({"US"})), NOW)
    assert BookingAttempt.objects.count() == 2
    for search_term in (number, JANE["email"], "+12125550123"):
        assert Page("", owner.post(f"{URL}find/", {"search_term": search_term})).texts(".kb-scroll tbody th") == []


def test_searching_attempts_takes_a_permission(row: BookingAttempt, hire: Hire) -> None:
    """It says whether somebody has booked, which is personal."""
    client = hire("view_bookingattempt")
    assert "search_term" not in Page(URL, client.get(URL)).html
    assert client.post(f"{URL}find/", {"search_term": "jane@example.com"}).status_code == 403
    assert hire("view_personal_data").post(f"{URL}find/", {"search_term": "x"}).status_code == 403


def test_searching_attempts_asks_kordless_nothing(number: str, owner: Client, sandbox: Sandbox) -> None:
    """The country of a number without its code comes from the cache."""
    request_count = len(sandbox.requests)
    owner.post(f"{URL}find/", {"search_term": "(212) 555-0123"})
    assert len(sandbox.requests) == request_count


def test_nobody_changes_it(row: BookingAttempt, owner: Client, hire: Hire) -> None:
    """It decides whether something is booked twice."""
    assert owner.get(f"{URL}add/").status_code == 403
    assert owner.get(f"{URL}{row.pk}/delete/").status_code == 403
    assert owner.post(f"{URL}{row.pk}/change/", {"state": "placed"}).status_code == 403
    assert hire().get(URL).status_code == 403
    assert BookingAttempt.objects.get().state == "outcome_unknown"


def test_staff_who_may_see_personal_data_see_the_metadata(row: BookingAttempt, hire: Hire) -> None:
    """The page's own words about a booking, such as an order; of the rest of the row nothing, and no cache keeps it."""
    stored = {"booking": {"confirmation_number": "canary-number"}, "metadata": {"order": 17, "cart": "summer <b>"}}
    BookingAttempt.objects.update(state="placed", encrypted=encrypt_token("answer", "default", stored))
    url = f"{URL}{row.pk}/change/"
    response = hire("view_bookingattempt", "view_personal_data").get(url)
    page = Page(url, response)
    assert page.texts("[aria-labelledby=kb-metadata] dt, [aria-labelledby=kb-metadata] dd") == [
        "order",
        "17",
        "cart",
        "summer <b>",
    ]
    assert "canary" not in page.html
    assert "no-store" in response["Cache-Control"]
    assert "summer" not in Page(url, hire("view_bookingattempt").get(url)).html
