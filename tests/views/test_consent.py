"""CONSENT, PRIVACY_URL and TERMS_URL: what the form shows, what is kept, and where it goes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.booking.hashes import contact_hash, number_hash
from kordless_booking.consent import Consent, GivenConsent
from kordless_booking.models import BookingAttempt, ConsentProof
from kordless_booking.sandbox import Sandbox
from tests.support.clock import NOW
from tests.support.deliveries import NEW, delivery, event_body
from tests.support.signal_receiver import record_signals
from tests.support.visitor import JANE, Page, Visitor

pytestmark = pytest.mark.django_db

RULES = {"name": "rules", "label": "I have read the house rules.", "required": True, "version": "2026-01"}
NEWS = {
    "name": "news",
    "label": {"en": "Send me news by email.", "de": "Schicken Sie mir Neuigkeiten per E-Mail."},
    "version": "3",
    "marketing": True,
}
RULES_TICK = Consent(**RULES).fingerprint
NEWS_TICK = Consent(**NEWS).fingerprint
PRIVACY_SENTENCE = "Our privacy policy (opens in a new tab) explains how we use your details."
TERMS_SENTENCE = "By booking, you agree to our terms (opens in a new tab)."
TICKED = {"consent_rules": RULES_TICK, "consent_news": NEWS_TICK}


@pytest.fixture(autouse=True)
def asking(site: Settings) -> Settings:
    """Let the site ask for two boxes."""
    configure(site, CONSENT=[RULES, NEWS])
    return site


def configure(site: Settings, **given: Any) -> None:
    """Change settings of the site."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, **given}


def ticked(page: Page) -> list[str]:
    """Return the names of the boxes that are ticked."""
    return [node.attributes["name"] or "" for node in page.tree.css("input[type=checkbox][checked]")]


def without_tokens(page: Page) -> str:
    """Return the page without what is another one each time: signed and encrypted tokens, and ids of requests."""
    return re.sub(r"[\w:=%-]{24,}", "token", page.html)


def test_boxes_are_never_ticked_by_the_site(any_visitor: Visitor):
    """Neither at first nor from the address, nor by what a host page fills in."""
    page = any_visitor.choose()
    assert ticked(page) == []
    assert not page.tree.css(".kb-check [data-kb-prefill]")
    assert page.texts(".kb-check label") == ["I have read the house rules.", "Send me news by email. (optional)"]
    again = any_visitor.open(f"{page.url}&consent_rules={RULES_TICK}&consent_news={NEWS_TICK}")
    assert ticked(again) == []


def test_a_required_box_is_named_in_the_error_and_keeps_what_was_typed(any_visitor: Visitor, sandbox: Sandbox):
    """The error leads to the box; the other box and the fields stay as they were, and nothing is sent."""
    page = any_visitor.send(any_visitor.choose(), "Book appointment", **JANE, consent_news=NEWS_TICK)
    assert page.status == 422
    error = "Please check this box to book: “I have read the house rules.”"
    assert page.links("[role=alert] a") == {error: "#kb-consent_rules"}
    assert page.texts(".kb-check .kb-error") == ["Please check this box to book."]
    assert page.tree.css_first("#kb-consent_rules").attributes["aria-invalid"] == "true"
    assert ticked(page) == ["consent_news"]
    assert page.form("Book appointment")[2]["name"] == JANE["name"]
    assert not sandbox.bookings()
    page = any_visitor.send(page, "Book appointment", consent_rules=RULES_TICK)
    assert page.heading == "You’re booked"


def test_a_booking_leaves_a_proof_of_each_ticked_box(any_visitor: Visitor, sandbox: Sandbox):
    """Text, version, language, time and keyed hashes; nothing of it goes to Kordless, and nothing is in the clear."""
    with record_signals() as recorder:
        page = any_visitor.book(**TICKED)
    rules, news = ConsentProof.objects.order_by("-name")
    assert (rules.name, rules.version, rules.text, rules.language) == ("rules", "2026-01", RULES["label"], "en")
    assert (news.name, news.version, news.text) == ("news", "3", "Send me news by email.")
    assert rules.given_at == news.given_at == NOW
    assert (rules.account, rules.service) == ("default", "haircut")
    assert rules.number_hash == number_hash(page.number)
    assert rules.email_hash == contact_hash("jane@example.com")
    assert rules.phone_hash == ""
    created = next(request for request in sandbox.requests if request.operation == "create")
    assert "rules" not in created.body
    assert "news" not in created.body
    [change] = recorder.arguments
    assert [(given.name, given.version) for given in change["consents"]] == [("rules", "2026-01"), ("news", "3")]
    assert all(isinstance(given, GivenConsent) for given in change["consents"])


def test_a_box_that_was_not_ticked_leaves_no_proof(visitor: Visitor):
    """Only what was agreed to is recorded."""
    visitor.book(consent_rules=RULES_TICK)
    assert [row.name for row in ConsentProof.objects.all()] == ["rules"]
    # No other word is a tick, however a form was forged.
    page = visitor.send(visitor.choose(query="?day=2026-12-10"), "Book appointment", **JANE, consent_rules="on")
    assert page.status == 422


def test_the_text_of_the_pages_language_is_what_is_proved(visitor: Visitor):
    """What was shown is stored, in the visitor's language; a language without a text gets the site's own."""
    visitor.send(visitor.choose(query="?lang=de"), "Termin buchen", **JANE, **TICKED)
    news = ConsentProof.objects.get(name="news")
    assert (news.text, news.language) == ("Schicken Sie mir Neuigkeiten per E-Mail.", "de")
    page = visitor.choose(query="?lang=fr&day=2026-12-10")
    assert "Send me news by email." in page.text


def test_a_tick_for_another_text_counts_for_nothing(visitor: Visitor, site: Settings):
    """The site has changed the text between form and post: the visitor reads it and ticks again."""
    page = visitor.choose()
    configure(site, CONSENT=[{**RULES, "label": "I have read the new house rules."}, NEWS])
    page = visitor.send(page, "Book appointment", **JANE, **TICKED)
    assert page.status == 422
    assert ticked(page) == ["consent_news"]
    assert "I have read the new house rules." in page.alert


def test_what_was_ticked_is_kept_through_a_conflict_and_another_time(any_visitor: Visitor, sandbox: Sandbox):
    """The slot is lost, another one is chosen: the boxes are as the visitor left them, by POST and never in a URL."""
    page = any_visitor.choose(query="?day=2026-12-10")
    sandbox.faults.add("status", "create", status=409)
    lost = any_visitor.send(page, "Book appointment", **JANE, **TICKED)
    sandbox.faults.clear()
    assert lost.status == 409
    form = any_visitor.open(next(iter(lost.times.values())))
    assert ticked(form) == ["consent_rules", "consent_news"]
    assert RULES_TICK not in form.url
    other = any_visitor.open(form.link("Choose another time"))
    back = any_visitor.open(next(iter(other.times.values())))
    assert ticked(back) == ["consent_rules", "consent_news"]
    any_visitor.send(back, "Book appointment")
    assert ConsentProof.objects.count() == 2


def test_another_choice_of_boxes_under_a_used_key_is_a_different_request(visitor: Visitor, sandbox: Sandbox):
    """What was ticked belongs to what the visitor wants: the first post counts, and its proofs stay as they are."""
    form = visitor.choose()
    assert visitor.send(form, "Book appointment", **JANE, **TICKED).heading == "You’re booked"
    again = visitor.send(form, "Book appointment", **JANE, **TICKED)
    assert again.heading == "You’re booked"
    other = visitor.send(form, "Book appointment", **JANE, consent_rules=RULES_TICK)
    assert other.status == 409
    assert len(sandbox.bookings()) == 1
    assert ConsentProof.objects.count() == 2


def test_proofs_survive_an_unknown_outcome(visitor: Visitor, sandbox: Sandbox, clock: Traveller):
    """The response is lost, the waiting page resolves it: the boxes come from the row, with the time of the form."""
    form = visitor.choose(query="?day=2026-12-10")
    sandbox.faults.add("status", "create", status=502, carried_out=True)
    page = visitor.send(form, "Book appointment", **JANE, **TICKED)
    sandbox.faults.clear()
    assert not ConsentProof.objects.exists()
    clock.shift(35)
    with record_signals() as recorder:
        page = visitor.open(page.url)
    assert page.heading == "You’re booked"
    assert {row.given_at for row in ConsentProof.objects.all()} == {NOW}
    assert len(recorder.arguments[0]["consents"]) == 2
    assert "consents" not in str(BookingAttempt.objects.get().encrypted)


def test_the_webhook_that_is_quicker_records_the_proofs_once(
    visitor: Visitor, client: Client, sandbox: Sandbox, site: Settings, clock: Traveller
):
    """The delivery finds the open attempt, and publishes with its boxes; the page that follows adds no second proof."""
    configure(site, WEBHOOK_SECRETS=[NEW])
    form = visitor.choose(query="?day=2026-12-10")
    sandbox.faults.add("status", "create", status=502, carried_out=True)
    page = visitor.send(form, "Book appointment", **JANE, **TICKED)
    sandbox.faults.clear()
    [row] = sandbox.bookings()
    body = event_body(
        confirmation_number=row["number"],
        startsAt=datetime.fromtimestamp(row["starts"], UTC).isoformat(),
        endsAt=datetime.fromtimestamp(row["ends"], UTC).isoformat(),
        contact={"name": JANE["name"], "email": "Jane@Example.com"},
    )
    with record_signals() as recorder:
        assert delivery(body).post(client).status_code == 200
        assert ConsentProof.objects.count() == 2
        clock.shift(35)
        assert visitor.open(page.url).heading == "You’re booked"
    assert [len(change["consents"]) for change in recorder.arguments] == [2]
    assert ConsentProof.objects.count() == 2
    assert {proof.email_hash for proof in ConsentProof.objects.all()} == {contact_hash("jane@example.com")}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, ""),
        ({"PRIVACY_URL": "/privacy/"}, PRIVACY_SENTENCE),
        ({"TERMS_URL": "/terms/"}, TERMS_SENTENCE),
        (
            {"PRIVACY_URL": "https://salon.example/privacy?a=1&b=2", "TERMS_URL": "/terms/"},
            f"{TERMS_SENTENCE} {PRIVACY_SENTENCE}",
        ),
    ],
    ids=["none", "privacy", "terms", "both"],
)
def test_a_sentence_at_the_button_links_terms_and_privacy_policy(
    any_visitor: Visitor, site: Settings, given: dict[str, Any], sentence: str
):
    """Links open a new tab, where nothing typed is lost, and tell the other page nothing of this one."""
    configure(site, CONSENT=[], **given)
    page = any_visitor.choose()
    assert " ".join(page.texts(".kb-legal")).replace(" .", ".") == sentence
    links = page.tree.css(".kb-legal a")
    assert sorted(link.attributes["href"] or "" for link in links) == sorted(given.values())
    assert all(link.attributes["target"] == "_blank" for link in links)
    assert all(link.attributes["rel"] == "noopener noreferrer" for link in links)


def test_addresses_by_language_follow_the_page(visitor: Visitor, site: Settings):
    """A language without an address gets that of the site's own language."""
    configure(site, PRIVACY_URL={"en": "/privacy/", "de": "/datenschutz/"})
    for query, address in (("?lang=de", "/datenschutz/"), ("?lang=fr", "/privacy/"), ("", "/privacy/")):
        assert visitor.choose(query=query).hrefs(".kb-legal a") == [address]


def test_without_the_settings_no_byte_of_the_form_changes(visitor: Visitor, site: Settings):
    """An empty list and empty addresses are the same as none: in the form, and in one with errors."""

    def pages() -> list[str]:
        form = visitor.choose()
        wrong = visitor.send(form, "Book appointment", name="", email="", phone="1")
        return [without_tokens(page) for page in (form, wrong)]

    own = {name: value for name, value in site.KORDLESS_BOOKING.items() if name != "CONSENT"}
    site.KORDLESS_BOOKING = own
    before = pages()
    assert "consent" not in before[0]
    assert "kb-check" not in before[0]
    site.KORDLESS_BOOKING = {**own, "CONSENT": [], "PRIVACY_URL": "", "TERMS_URL": ""}
    assert pages() == before


@pytest.mark.parametrize("value", ["\0", "x" * 10_000, "\u202e", "💈", "1", "true"], ids=ascii)
def test_hostile_values_of_a_box_are_no_tick(visitor: Visitor, value: str):
    """None of them is an error of the server, and what was typed stays."""
    page = visitor.send(visitor.choose(), "Book appointment", **JANE, consent_rules=value, consent_news=value)
    assert page.status == 422
    assert ticked(page) == []
    assert page.form("Book appointment")[2]["email"] == JANE["email"]


def test_a_label_is_text_and_never_markup(visitor: Visitor, site: Settings):
    """A label with markup, percent signs and letters of another direction is shown as it is written."""
    label = '<b>100 %</b> %(x)s "אני מסכים" & more'
    configure(site, CONSENT=[{**RULES, "label": label}])
    page = visitor.send(visitor.choose(), "Book appointment", **JANE)
    assert page.texts(".kb-check label") == [label]
    assert f"“{label}”" in page.alert
    assert page.tree.css_first(".kb-check bdi") is not None


FOREIGN = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}


def test_another_sites_page_ticks_no_box(any_visitor: Visitor):
    """It may fill in a name, but a consent is the visitor's own."""
    page = any_visitor.open("/book/haircut/?day=2026-12-09", {"name": "x", **TICKED}, **FOREIGN)
    assert ticked(any_visitor.open(next(iter(page.times.values())))) == []


def test_another_sites_page_ticks_no_box_with_a_token_of_its_own(client: Client):
    """What somebody else has typed and ticked opens a form without ticks for whoever is sent there."""
    attacker = Visitor(client)
    form = attacker.choose("haircut", "?day=2026-12-09")
    fields = form.form("Book appointment")[2]
    times = attacker.open(str(form.link("Choose another time")), {**fields, "name": "x", **TICKED})
    button = next(iter(times.times.values()))
    assert ticked(Visitor(Client()).open(str(button), button.fields, **FOREIGN)) == []


def test_the_proof_has_the_text_that_was_shown(client: Client):
    """In the language of the form, also where the browser asks for another one by the time it is sent."""
    visitor = Visitor(client, {"Accept-Language": "de"})
    _, action, fields = visitor.choose().form("Termin buchen")
    visitor.headers = {"Accept-Language": "en"}
    visitor.open(action, {**fields, **JANE, **TICKED})
    assert {proof.language for proof in ConsentProof.objects.all()} == {"de"}
