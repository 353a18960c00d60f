"""Proofs of consent in the admin: what was agreed to, found by those who may search, and nothing of whose they are."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

from kordless_booking.booking.hashes import contact_hash, number_hash
from kordless_booking.models import ConsentProof
from tests.support.clock import NOW
from tests.support.staff import Hire
from tests.support.visitor import Page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "shop")]

URL = "/admin/kordless_booking/consentproof/"
OVERVIEW = "/admin/kordless_booking/overview/"
BOX = {"name": "rules", "label": "I have read the rules.", "version": "1"}


@pytest.fixture
def row() -> ConsentProof:
    """A proof of a booking of Jane's."""
    return ConsentProof.objects.create(
        account="default",
        service="haircut",
        name="rules",
        version="2026-01",
        text="I have read <b>all</b> the rules." + " More of it." * 20,
        language="en",
        given_at=NOW,
        number_hash=number_hash("BOOK_AB12"),
        email_hash=contact_hash("jane@example.com"),
    )


def test_the_list_and_the_page_show_what_was_agreed_to_and_no_hash(row: ConsentProof, hire: Hire):
    """In both: box, version, text, time; the text is text, and nothing says whose it is."""
    client = hire("view_consentproof")
    listed = Page(URL, client.get(URL))
    assert listed.status == 200
    assert listed.texts("#result_list td")[:2] == ["rules", "2026-01"]
    page = Page(URL, client.get(f"{URL}{row.pk}/change/"))
    assert page.status == 200
    assert row.text in page.text
    assert "2026-01" in page.text
    for one in (listed, page):
        assert "<b>all" not in one.html
        for column in ("number_hash", "email_hash"):
            assert getattr(row, column) not in one.html
    assert not page.tree.css("input[name=search_term]")


def test_nobody_changes_a_proof(row: ConsentProof, hire: Hire):
    """Neither by post, nor with every permission of the model; without the permission nothing is shown."""
    client = hire("view_consentproof", "change_consentproof", "delete_consentproof", "add_consentproof")
    assert client.post(f"{URL}{row.pk}/change/", {"name": "x"}).status_code == 403
    assert client.get(f"{URL}add/").status_code == 403
    assert client.post(f"{URL}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"{URL}999/change/").status_code == 404
    other = hire("view_bookingattempt")
    for address in (URL, f"{URL}{row.pk}/change/", f"{URL}find/"):
        assert other.get(address).status_code == 403


def test_proofs_are_found_by_person_or_number_by_post_alone(row: ConsentProof, hire: Hire):
    """Only by those who may see personal data; nothing that was searched for stands in a URL, nor is it stored."""
    client = hire("view_consentproof", "view_personal_data")
    assert Page(URL, client.get(URL)).tree.css("input[name=search_term]")
    for search_term in ("Jane@Example.com", " book_ab12 "):
        found = client.post(f"{URL}find/", {"search_term": search_term})
        page = Page(URL, found)
        assert "1 proof found" in page.text
        assert "2026-01" in page.text
        assert "no-store" in found["Cache-Control"]
    assert "None was found." in Page(URL, client.post(f"{URL}find/", {"search_term": "other@example.com"})).text
    assert hire("view_consentproof").post(f"{URL}find/", {"search_term": "jane@example.com"}).status_code == 403


def test_the_filter_knows_the_boxes_of_the_settings(row: ConsentProof, hire: Hire, shop: Settings):
    """And a value that isn't one of them may stand in the URL all the same."""
    shop.KORDLESS_BOOKING = {**shop.KORDLESS_BOOKING, "CONSENT": [BOX]}
    client = hire("view_consentproof")
    links = Page(URL, client.get(URL)).links("#changelist-filter li a")
    assert "rules" in Page(URL, client.get(URL + links["rules"])).texts("#result_list td")
    assert client.get(f"{URL}?name=gone%00").status_code == 200


def test_the_overview_links_the_proofs_where_boxes_are_asked_for(owner: Client, shop: Settings):
    """A site without boxes has one button less."""
    link = "Proofs of consent"
    assert link not in Page(OVERVIEW, owner.get(OVERVIEW)).links("a.button")
    shop.KORDLESS_BOOKING = {**shop.KORDLESS_BOOKING, "CONSENT": [BOX]}
    assert Page(OVERVIEW, owner.get(OVERVIEW)).links("a.button")[link] == URL
