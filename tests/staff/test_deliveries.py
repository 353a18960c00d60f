"""Deliveries in the admin: nothing personal before it is asked for, by those who may, and that is written down."""

from __future__ import annotations

import logging
import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from kordless_booking.models import WebhookDelivery
from tests.support.deliveries import delivery, event_body
from tests.support.signal_receiver import SignalRecorder
from tests.support.staff import Hire
from tests.support.visitor import Page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "shop")]

URL = "/admin/kordless_booking/webhookdelivery/"
PERSONAL = ("canary", "Canary", "BOOK_AB12CD34", "12125550147")
VIEW, LOOK, REPLAY = "view_webhookdelivery", "view_personal_data", "replay_webhookdelivery"


@pytest.fixture
def row(client: Client) -> WebhookDelivery:
    """A delivery that was taken in."""
    assert delivery(delivery_id="dlv_first").post(client).status_code == 200
    return WebhookDelivery.objects.get()


def logged() -> list[str]:
    """Return the messages of the admin's change history."""
    return [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]


def is_masked(page: Page) -> bool:
    return not any(word in page.html for word in PERSONAL)


def test_the_list_has_nothing_personal(row: WebhookDelivery, hire: Hire) -> None:
    """And can be searched by the id, and filtered by what there is."""
    client = hire(VIEW)
    page = Page(URL, client.get(URL))
    assert page.status == 200
    assert "dlv_first" in page.text
    assert is_masked(page)
    assert "dlv_first" in Page(URL, client.get(f"{URL}?q=dlv_fir")).text
    for query in ("?q=dlv_other", "?kind__exact=booking.cancelled", "?outcome__exact=known", "?received_at__day=2"):
        assert "dlv_first" not in Page(URL, client.get(f"{URL}{query}")).text, query
    assert "dlv_first" in Page(URL, client.get(f"{URL}?received_at__year=2026&received_at__month=12")).text


def test_nobody_changes_it(row: WebhookDelivery, owner: Client) -> None:
    """Not even who may do everything."""
    assert owner.get(f"{URL}add/").status_code == 403
    assert owner.get(f"{URL}{row.pk}/delete/").status_code == 403
    assert owner.post(f"{URL}{row.pk}/change/", {"kind": "other"}).status_code == 403
    owner.post(URL, {"action": "delete_selected", "_selected_action": [row.pk]})
    assert WebhookDelivery.objects.values().get() == WebhookDelivery.objects.filter(pk=row.pk).values()[0]


def test_one_is_masked_until_it_is_asked_for(row: WebhookDelivery, hire: Hire) -> None:
    """Then it is shown in full, once, cached by nobody on the way, and the history says who looked."""
    client = hire(VIEW, LOOK)
    page = Page("", client.get(f"{URL}{row.pk}/change/"))
    assert is_masked(page)
    assert "booking.created" in page.text
    assert "2026-12-02T15:00:00Z" in page.text
    assert logged() == []
    _, action, fields = page.form("Show personal data")
    full = Page("", client.post(action, fields))
    for word in PERSONAL[1:]:
        assert word in full.text
    assert "no-store" in full.response["Cache-Control"]
    assert logged() == ["Looked at the personal data."]
    assert is_masked(Page("", client.get(f"{URL}{row.pk}/change/")))
    history = Page("", client.get(f"{URL}{row.pk}/history/"))
    assert "Looked at the personal data." in history.text
    assert is_masked(history)


def test_it_takes_a_permission(row: WebhookDelivery, hire: Hire) -> None:
    """To see the list, to see personal data, and to replay: each its own."""
    assert hire().get(URL).status_code == 403
    assert hire(LOOK, REPLAY).get(f"{URL}{row.pk}/change/").status_code == 403
    looker = hire(VIEW)
    page = Page("", looker.get(f"{URL}{row.pk}/change/"))
    assert "Show personal data" not in page.text
    assert "Replay" not in page.text
    assert looker.post(f"{URL}{row.pk}/personal/").status_code == 403
    assert looker.get(f"{URL}find/").status_code == 403
    assert looker.post(f"{URL}find/", {"search_term": "canary@example.com"}).status_code == 403
    for method in (looker.get, looker.post):
        assert method(f"{URL}{row.pk}/replay/").status_code == 403
    assert hire(LOOK).post(f"{URL}{row.pk}/personal/").status_code == 403
    assert Client().get(f"{URL}{row.pk}/replay/").status_code == 302
    assert logged() == []


def test_looking_is_never_a_get(row: WebhookDelivery, owner: Client) -> None:
    """An address that somebody follows shows nothing, and a form of another site is rejected."""
    assert owner.get(f"{URL}{row.pk}/personal/").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = owner.cookies
    assert strict.post(f"{URL}{row.pk}/personal/").status_code == 403
    assert strict.post(f"{URL}{row.pk}/replay/", {"source": "webhook"}).status_code == 403


@pytest.mark.parametrize("number", ["0", "999", "x", "1e3"])
def test_what_is_not_there(row: WebhookDelivery, owner: Client, number: str) -> None:
    """Is not there."""
    assert owner.get(f"{URL}{number}/change/").status_code == 404
    assert owner.get(f"{URL}{number}/replay/").status_code in {302, 404}


@pytest.mark.parametrize(
    "search_term",
    [
        *(
            "BOOK_AB12CD34",
            " book_ab12cd34 ",
            "BOOK-AB12CD34",
            "bookab12cd34",
            "#BOOK_AB12CD34.",
            "Confirmation number: BOOK_AB12CD34",
        ),
        *("canary@example.com", "Canary@Example.com", "can\u200bary\uff20example.com"),
        *("+1 212 555-0147", "5550147"),
    ],
)
def test_somebody_is_found(row: WebhookDelivery, hire: Hire, client: Client, search_term: str) -> None:
    """By number, e-mail or phone, although all of it is stored encrypted; what is found is still masked."""
    delivery(
        event_body(confirmation_number="BOOK_OTHER000", contact={"name": "Other", "email": "other@example.com"})
    ).post(client)
    page = Page("", hire(VIEW, LOOK).post(f"{URL}find/", {"search_term": search_term}))
    assert page.texts("tbody code") == ["dlv_first"]
    assert "12125550147" not in page.text
    assert "no-store" in page.response["Cache-Control"]


@pytest.mark.parametrize("search_term", ["nobody@example.com", "0147", "BOOK", "Canary Bird", "%", "", "x" * 300])
def test_nobody_is_found(row: WebhookDelivery, owner: Client, search_term: str) -> None:
    """By parts, by names, by nothing."""
    page = Page("", owner.post(f"{URL}find/", {"search_term": search_term}))
    assert page.status == 200
    assert page.texts("tbody code") == []


def test_what_is_looked_for_stays_out_of_addresses_and_logs(
    row: WebhookDelivery, owner: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """A search by GET does nothing with it."""
    with caplog.at_level(logging.DEBUG):
        owner.post(f"{URL}find/", {"search_term": "canary@example.com"})
        assert owner.get(f"{URL}find/?search_term=canary@example.com").content.count(b"dlv_first") == 0
    form = Page("", owner.get(f"{URL}find/")).tree.css_first("form.kb-find")
    assert form.attributes["method"] == "post"
    assert "canary" not in caplog.text
    assert logged() == []


def test_a_body_that_is_gone(row: WebhookDelivery, owner: Client, clock: time_machine.Traveller) -> None:
    """Said, without a button that leads nowhere."""
    clock.shift(timedelta(days=31))
    owner.force_login(User.objects.get(username="owner"))
    page = Page("", owner.get(f"{URL}{row.pk}/change/"))
    assert "The body is gone" in page.text
    assert "Replay" not in page.text
    answer = owner.get(f"{URL}{row.pk}/replay/", follow=True)
    assert "can’t be replayed" in answer.content.decode()


def replayed(client: Client, row: WebhookDelivery, **changes: str) -> Page:
    """The page after going through the confirmation."""
    question = Page("", client.get(f"{URL}{row.pk}/replay/"))
    assert question.status == 200
    _, _, fields = question.form("Replay to receivers")
    chosen = question.tree.css_first("input[type=radio][checked]")
    source = {"source": chosen.attributes["value"] or ""} if chosen else {}
    answer = client.post(f"{URL}{row.pk}/replay/", {**fields, **source, **changes}, follow=True)
    return Page("", answer)


def test_a_replay_is_confirmed_published_and_recorded(
    row: WebhookDelivery, hire: Hire, recorder: SignalRecorder
) -> None:
    """Looking at the question tells nobody anything."""
    client = hire(VIEW, REPLAY)
    client.get(f"{URL}{row.pk}/replay/")
    assert recorder.names == []
    page = replayed(client, row)
    assert "The receivers were notified again." in page.text
    assert is_masked(page)
    assert [(arguments["replay"], str(arguments["source"])) for arguments in recorder.arguments] == [(True, "webhook")]
    assert logged() == ["Replayed as made at the webhook."]
    replayed(client, row, source="widget")
    assert str(recorder.arguments[-1]["source"]) == "widget"


def test_a_replay_that_fails_says_where(row: WebhookDelivery, owner: Client, recorder: SignalRecorder) -> None:
    """Without the error's own words, which may hold what the receiver was given."""
    recorder.failures = 1
    page = replayed(owner, row)
    assert re.search(r"A receiver failed.* LookupError tests\.support\.signal_receiver:", page.text)
    assert "canary" not in page.html
    assert logged() == ["Replayed as made at the webhook; a receiver failed."]


def test_a_replay_of_what_is_outdated_is_warned_of(
    row: WebhookDelivery, owner: Client, client: Client, clock: time_machine.Traveller
) -> None:
    """And is done all the same when somebody wants it."""
    assert "Newer information" not in Page("", owner.get(f"{URL}{row.pk}/replay/")).text
    clock.shift(60)
    delivery(event_body("booking.cancelled", "2026-12-01T15:00:30Z")).post(client)
    assert "Newer information" in Page("", owner.get(f"{URL}{row.pk}/replay/")).text
    assert "notified again" in replayed(owner, row).text


@pytest.mark.parametrize("source", ["", "nowhere"])
def test_a_replay_without_a_source_asks_again(
    row: WebhookDelivery, owner: Client, recorder: SignalRecorder, source: str
) -> None:
    """Nothing is told."""
    page = replayed(owner, row, source=source)
    assert page.tree.css(".errorlist")
    assert recorder.names == []


def test_an_unknown_kind_can_be_replayed(owner: Client, client: Client, recorder: SignalRecorder) -> None:
    """Without a question that makes no sense for it."""
    delivery(b'{"event": "invoice.paid", "timestamp": "2026-12-01T14:59:00Z"}').post(client)
    row = WebhookDelivery.objects.get()
    assert not Page("", owner.get(f"{URL}{row.pk}/replay/")).tree.css("input[type=radio]")
    assert "notified again" in replayed(owner, row).text
    assert recorder.events == ["invoice.paid"] * 2


def test_a_delivery_of_an_account_that_is_gone(row: WebhookDelivery, owner: Client, two_accounts: Settings) -> None:
    """Can be looked at, and not replayed."""
    two_accounts.ROOT_URLCONF = "tests.projects.plain.urls"
    assert owner.get(f"{URL}{row.pk}/change/").status_code == 200
    assert "can’t be replayed" in owner.get(f"{URL}{row.pk}/replay/", follow=True).content.decode()
    assert "By Account" in Page("", owner.get(URL)).text


def test_the_newest_stands_first(
    row: WebhookDelivery, owner: Client, client: Client, clock: time_machine.Traveller
) -> None:
    """As operators look for it."""
    clock.shift(60)
    delivery(event_body("booking.cancelled", "2026-12-01T15:00:30Z"), delivery_id="dlv_second").post(client)
    page = Page("", owner.get(URL))
    assert page.texts("#result_list td.field-delivery_id") == ["dlv_second", "dlv_first"]
