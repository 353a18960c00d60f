"""Mails in the admin: what became of each, to a masked address, and once more where it was certainly not sent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.test import Client
from pytest_django import Settings

from kordless_booking.mail import outbox
from kordless_booking.models import OutgoingMail
from tests.support.clock import NOW
from tests.support.mail_settings import MAIL
from tests.support.phone_messages import PHONE, TEXTING, clear_messages, texted
from tests.support.staff import Hire
from tests.support.visitor import Page, Visitor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "shop")]

URL = "/admin/kordless_booking/outgoingmail/"
VIEW, LOOK, RESEND = "view_outgoingmail", "view_personal_data", "resend_outgoingmail"
STATES = OutgoingMail.State


@pytest.fixture
def row(shop: Settings, account_settings: dict[str, Any], client: Client) -> OutgoingMail:
    """The confirmation of a booking, which waits."""
    shop.KORDLESS_BOOKING = {**shop.KORDLESS_BOOKING, **MAIL}
    assert Visitor(client).book(email="canary@example.com").number
    return OutgoingMail.objects.get()


def seen(client: Client, path: str = "") -> Page:
    """A page of the mails."""
    page = Page(f"{URL}{path}", client.get(f"{URL}{path}"))
    assert page.status == 200
    return page


def test_mails_are_listed_with_masked_addresses(row: OutgoingMail, hire: Hire) -> None:
    """With kind, service, state and a legend; the filter finds those of one state."""
    client = hire(VIEW)
    page = seen(client)
    assert {"Confirmation", "c…@example.com", "Haircut"} <= set(page.texts("#result_list td"))
    assert "canary" not in page.html
    assert page.texts(".kb-legend dt") == [str(state.label) for state in (
        STATES.SENT, STATES.QUEUED, STATES.SENDING, STATES.FAILED, STATES.WITHHELD, STATES.OUTCOME_UNKNOWN,
        STATES.SUPERSEDED,
    )]  # fmt: skip
    OutgoingMail.objects.update(state=STATES.FAILED)
    assert "Given up" in seen(client, "?state__exact=failed").texts("#result_list td")
    assert seen(client, "?state__exact=sent").texts("#result_list td") == []


def test_the_address_of_a_mail_is_shown_to_those_who_may_and_noted(row: OutgoingMail, hire: Hire) -> None:
    """By POST alone, so that a link shows nothing."""
    client = hire(VIEW, LOOK)
    page = seen(client, f"{row.pk}/change/")
    assert "canary" not in page.html
    _, action, fields = page.form("Show the address")
    full = Page("", client.post(action, fields))
    assert "canary@example.com" in full.text
    assert "no-store" in full.response["Cache-Control"]
    assert [entry.get_change_message() for entry in LogEntry.objects.all()] == ["Looked at the address."]
    history = seen(client, f"{row.pk}/history/")
    assert "Looked at the address." in history.text
    assert "canary" not in history.html
    assert client.get(f"{URL}{row.pk}/address/").status_code == 405
    assert hire(VIEW).post(f"{URL}{row.pk}/address/").status_code == 403
    assert "Show the address" not in seen(hire(VIEW), f"{row.pk}/change/").text


@pytest.mark.parametrize("state", [STATES.FAILED, STATES.WITHHELD])
def test_a_mail_that_was_not_sent_can_be_sent_once_more(
    row: OutgoingMail, hire: Hire, state: OutgoingMail.State
) -> None:
    """By those who may; then it is an ordinary mail that waits, for another two days."""
    old = NOW - timedelta(days=3)
    OutgoingMail.objects.update(state=state, queued_at=old, tries=7)
    client = hire(VIEW, RESEND)
    _, action, fields = seen(client, f"{row.pk}/change/").form("Send once more")
    assert "The mail is queued" in Page("", client.post(action, fields, follow=True)).text
    row.refresh_from_db()
    assert (row.state, row.queued_at, row.due_at) == (STATES.QUEUED, NOW, NOW)
    mail.outbox.clear()
    assert outbox.send_due()[STATES.SENT] == 1
    assert [sent.to for sent in mail.outbox] == [["canary@example.com"]]
    assert hire(VIEW).post(action).status_code == 403


@pytest.mark.parametrize("state", [STATES.SENT, STATES.SENDING, STATES.OUTCOME_UNKNOWN, STATES.SUPERSEDED])
def test_a_mail_that_may_have_arrived_is_never_sent_again(
    row: OutgoingMail, owner: Client, state: OutgoingMail.State
) -> None:
    """There is no button, and a post from a page that is out of date changes nothing."""
    OutgoingMail.objects.update(state=state)
    assert "Send once more" not in seen(owner, f"{row.pk}/change/").text
    assert "can’t be sent anymore" in Page("", owner.post(f"{URL}{row.pk}/resend/", follow=True)).text
    row.refresh_from_db()
    assert row.state == state


def test_an_outdated_mail_is_not_sent_again(row: OutgoingMail, owner: Client) -> None:
    """Of an appointment that has changed since, or has begun."""
    OutgoingMail.objects.update(state=STATES.FAILED)
    row.appointment.revision += 1
    row.appointment.save()
    assert "Send once more" not in seen(owner, f"{row.pk}/change/").text
    row.appointment.revision, row.appointment.start = row.revision, NOW - timedelta(minutes=1)
    row.appointment.save()
    assert "Send once more" not in seen(owner, f"{row.pk}/change/").text


def test_a_mail_that_cannot_be_decrypted_has_a_page(row: OutgoingMail, owner: Client) -> None:
    """After a change of SECRET_KEY: a dash stands for the address."""
    row.appointment.encrypted = "damaged"
    row.appointment.save()
    assert "Confirmation" in seen(owner).text
    assert "Confirmation" in seen(owner, f"{row.pk}/change/").text


@pytest.mark.parametrize("number", ["0", "999999", "x", "1e3"])
def test_mails_that_are_not_there(row: OutgoingMail, owner: Client, number: str) -> None:
    """Are not found."""
    assert owner.get(f"{URL}{number}/change/").status_code == 404


def test_nobody_changes_a_mail(row: OutgoingMail, owner: Client, hire: Hire) -> None:
    """By hand; and the list is for those who may see it."""
    assert owner.get(f"{URL}add/").status_code == 403
    assert owner.get(f"{URL}{row.pk}/delete/").status_code == 403
    assert owner.post(f"{URL}{row.pk}/change/", {"state": "sent"}).status_code == 403
    assert hire().get(URL).status_code == 403


def test_mails_of_two_businesses_can_be_told_apart(two_accounts: Settings, owner: Client) -> None:
    """By a filter that a site with one business doesn't have."""
    two_accounts.ROOT_URLCONF = "tests.projects.plain.urls"
    assert "north" in seen(owner, "?account=north").texts("#changelist-filter li")


@pytest.mark.parametrize("kind", ["outgoingmail", "webhookdelivery", "bookingattempt"])
@pytest.mark.parametrize("number", ["9" * 19, "9" * 20, "9" * 5000, "\u0661" * 5000, "\u00b2", "-1", "x"])
def test_a_number_of_any_length_in_an_admin_address_is_not_found(hire: Hire, kind: str, number: str) -> None:
    """Python reads no integer of thousands of digits; the page must answer as for any other unknown one."""
    client = hire(f"view_{kind}")
    assert client.get(f"/admin/kordless_booking/{kind}/{number}/change/").status_code == 404


@pytest.fixture
def message(shop: Settings, client: Client) -> OutgoingMail:
    """A message to a phone about a booking, which waits."""
    clear_messages()
    shop.KORDLESS_BOOKING = {**shop.KORDLESS_BOOKING, **TEXTING}
    assert Visitor(client).book(email="", phone=PHONE).number
    return OutgoingMail.objects.get()


def test_the_list_names_the_channel_only_where_there_are_messages(
    row: OutgoingMail, shop: Settings, owner: Client
) -> None:
    """A site without MESSENGER has neither the column nor the filter."""
    assert "Sent by" not in seen(owner).text
    assert "mail server" in seen(owner).text
    shop.KORDLESS_BOOKING = {**shop.KORDLESS_BOOKING, **TEXTING}
    page = seen(owner, "?channel__exact=email")
    assert {"Email", "c…@example.com"} <= set(page.texts("#result_list td"))
    assert "mail server" not in page.text
    assert seen(owner, "?channel__exact=phone").texts("#result_list td") == []


def test_a_message_is_listed_with_its_masked_number(message: OutgoingMail, hire: Hire) -> None:
    """In full for those who may, which is noted."""
    client = hire(VIEW, LOOK)
    assert {"Text message", "…47"} <= set(seen(client).texts("#result_list td"))
    page = seen(client, f"{message.pk}/change/")
    assert "5550147" not in page.html
    assert "Text message" in page.text
    _, action, fields = page.form("Show the phone number")
    assert PHONE in Page("", client.post(action, fields)).text
    assert LogEntry.objects.count() == 1


def test_a_message_that_was_not_sent_can_be_sent_once_more(message: OutgoingMail, hire: Hire) -> None:
    """Once, as a mail."""
    OutgoingMail.objects.update(state=STATES.FAILED)
    client = hire(VIEW, RESEND)
    _, action, fields = seen(client, f"{message.pk}/change/").form("Send once more")
    assert "The message is queued" in Page("", client.post(action, fields, follow=True)).text
    assert len(texted()) == 1
    assert "can’t be sent anymore" in Page("", client.post(action, fields, follow=True)).text
    assert len(texted()) == 1


def test_the_overview_counts_messages_apart(message: OutgoingMail, owner: Client) -> None:
    """Those that were given up or withheld need attention, in words that don't blame a mail server."""
    overview = "/admin/kordless_booking/overview/"
    assert "Mails and text messages" in Page("", owner.get(overview)).text
    for state, text in ((STATES.FAILED, "1 message to a phone was given up"), (STATES.WITHHELD, "was withheld")):
        OutgoingMail.objects.update(state=state)
        page = Page("", owner.get(overview))
        assert text in page.text
        assert "mail server" not in page.text


def test_a_mail_to_staff_is_listed_with_the_addresses_of_the_settings(
    shop: Settings, client: Client, owner: Client
) -> None:
    """They are nobody's secret; the page of the mail doesn't offer the customer's address in their place."""
    shop.KORDLESS_BOOKING = {**shop.KORDLESS_BOOKING, **MAIL, "MAIL": False, "STAFF_EMAIL": "desk@salon.example"}
    assert Visitor(client).book(email="canary@example.com").number
    OutgoingMail.objects.update(state=STATES.FAILED)
    assert {"Email to staff", "desk@salon.example"} <= set(seen(owner).texts("#result_list td"))
    page = seen(owner, f"{OutgoingMail.objects.get().pk}/change/")
    assert "desk@salon.example" in page.text
    assert "Show the address" not in page.text
    assert "1 mail was given up" in Page("", owner.get("/admin/kordless_booking/overview/")).text
    _, action, fields = page.form("Send once more")
    assert "is queued" in Page("", owner.post(action, fields, follow=True)).text
    outbox.send_due()
    assert [message.to for message in mail.outbox] == [["desk@salon.example"]]
