"""Texts of messages to phones: short in every language, and never without what, when and the link."""

from __future__ import annotations

import re

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from kordless_booking.booking.preferences import VisitorPreferences
from kordless_booking.changes import BookingChange
from kordless_booking.mail.message import compose_text_message
from kordless_booking.mail.text_message import (
    MAX_GSM,
    MAX_UCS2,
    build_text,
    count_messages,
    fits,
    gsm_length,
    utf16_length,
)
from kordless_booking.models import OutgoingMail
from kordless_booking.presentation.locales import supported_languages
from kordless_booking.sandbox import Sandbox
from tests.support.clock import NOW
from tests.support.mail_events import page
from tests.support.phone_messages import PHONE

KINDS = OutgoingMail.Kind
URL = "https://salon.example/book/m/0123456789abcdef"


def text_for(kind: str = "confirmed", status: str = "confirmed", **values: str) -> str:
    """Return a message about a haircut, with other values where the test has some."""
    defaults = {"business": "Acme Salon", "service": "Haircut", "when": "Wed, Dec 9, 9:00\u202fAM", "url": URL}
    return build_text(KINDS(kind), status, **{**defaults, **values})[0]


@pytest.mark.parametrize(
    ("text", "gsm", "parts"),
    [
        ("", 0, 1),
        ("a" * 160, 160, 1),
        ("a" * 161, 161, 2),
        ("a" * 306, 306, 2),
        ("a" * 307, 307, 3),
        ("€" * 80, 160, 1),
        ("€" * 81, 162, 2),
        ("äöüß ÄÖÜ éèàù ñ ¿¡ Ç", 20, 1),
        ("ç", None, 1),
        ("я" * 70, None, 1),
        ("я" * 71, None, 2),
        ("я" * 134, None, 2),
        ("я" * 135, None, 3),
        ("💇" * 35, None, 1),
        ("💇" * 36, None, 2),
    ],
)
def test_a_message_is_counted_as_phone_companies_count(text: str, gsm: int | None, parts: int):
    """3GPP TS 23.038 and 23.040: 160 or 153 characters of GSM, 70 or 67 units of UTF-16."""
    assert (gsm_length(text), count_messages(text)) == (gsm, parts)


def test_all_details_are_in_the_text_where_there_is_room():
    """Business, kind, service, time, and what the link is for; without the typography that would cost half."""
    assert text_for() == f"Acme Salon\nConfirmed: Haircut, Wed, Dec 9, 9:00 AM.\nChange or cancel: {URL}"
    assert gsm_length(text_for()) is not None


@pytest.mark.parametrize(
    ("kind", "status", "begin", "label"),
    [
        ("requested", "pending", "Request received", "Change or cancel"),
        ("confirmed", "confirmed", "Confirmed", "Change or cancel"),
        ("rescheduled", "confirmed", "New time", "Change or cancel"),
        ("rescheduled", "pending", "New time, not accepted yet", "Change or cancel"),
        ("cancelled", "canceled", "Canceled", "Book again"),
        ("reminder", "confirmed", "Reminder", "Change or cancel"),
    ],
)
def test_each_kind_says_what_happened(kind: str, status: str, begin: str, label: str):
    """In the second line; the link is the last."""
    _, sentence, link = text_for(kind, status).split("\n")
    assert sentence == f"{begin}: Haircut, Wed, Dec 9, 9:00 AM."
    assert link == f"{label}: {URL}"


def test_what_does_not_fit_is_cut_in_order():
    """The words before the link, the end of the business's name, the end of the service's, the business."""
    long = "Hair and beard of the whole family with coffee"
    begins = []
    for extra in range(70):
        text = text_for(business="Acme Salon of Hair and Beards", service=long, url=URL + "x" * extra)
        assert fits(text)
        assert text.endswith(f"{URL}{'x' * extra}")
        if begins[-1:] != [begin := text.partition("https")[0]]:
            begins.append(begin)
    assert begins == [
        "Acme Salon of Hair and Beards\nConfirmed: Hair and beard of the whole family with..., Wed, Dec 9, 9:00 AM.\n",
        "Acme Salon of Hair...\nConfirmed: Hair and beard of the whole family with..., Wed, Dec 9, 9:00 AM.\n",
        "Acme Salon of Hair...\nConfirmed: Hair and beard of..., Wed, Dec 9, 9:00 AM.\n",
        "Acme Salon of Hair...\nConfirmed: Hair and..., Wed, Dec 9, 9:00 AM.\n",
        "Confirmed: Hair and..., Wed, Dec 9, 9:00 AM.\n",
    ]
    assert "Change or cancel: https" in text_for(business="Acme Salon", service="Hair and beard")


def test_an_address_that_is_too_long_is_never_cut():
    """The site gets more messages instead, which the doctor warns of."""
    url = "https://" + "long." * 60 + "example/book/m/0123456789abcdef"
    text, parts = build_text(KINDS.CONFIRMED, "confirmed", business="A", service="B", when="C", url=url)
    assert text == f"Confirmed: B, C.\n{url}"
    assert parts == 3


def test_symbols_in_names_do_not_double_the_price():
    """An emoji would make one message of 160 characters three of 67."""
    assert text_for(business="💇 Acme ✂️ Salon ™", service="💅 Nails").startswith("Acme Salon\nConfirmed: Nails, ")


@pytest.mark.parametrize("hostile", ["a\nb", "a\r\nb", "a\u2028b", "\u202ea b", "a\x00 b", "a\tb"])
def test_a_name_stays_in_its_line(hostile: str):
    """And turns nothing round."""
    lines = text_for(business=hostile, service=hostile).split("\n")
    assert lines[0] == "a b"
    assert lines[1].startswith("Confirmed: a b, ")
    assert len(lines) == 3


def test_right_to_left_lines_begin_in_that_direction():
    """Whatever the business is called; the link stays as it is."""
    with translation.override("ar"):
        text = text_for(business="Acme", service="Haircut")
    assert text.startswith("\u200fAcme\n")
    assert re.search(rf"(^|\s){re.escape(URL)}$", text)


@given(
    kind=st.sampled_from(KINDS),
    business=st.text(max_size=200),
    service=st.text(max_size=200),
    language=st.sampled_from(["en", "de", "ru", "ar", "ja"]),
)
def test_no_name_makes_a_message_too_long(kind: OutgoingMail.Kind, business: str, service: str, language: str):
    """Time and link are always whole, and a link of usual length leaves room for them."""
    with translation.override(language):
        text, parts = build_text(kind, "confirmed", business=business, service=service, when="9 дек., 09:00", url=URL)
    assert text.endswith(URL)
    assert "9 дек., 09:00" in text
    assert utf16_length(text) <= MAX_UCS2
    assert parts <= 2


@given(text=st.text(max_size=400))
def test_counting_takes_any_text(text: str):
    """A message of GSM is never counted shorter than it is, and what fits is what two parts hold."""
    length = gsm_length(text)
    assert length is None or len(text) <= length <= 2 * len(text)
    assert fits(text) == ((length <= MAX_GSM) if length is not None else utf16_length(text) <= MAX_UCS2)
    assert count_messages(text) >= 1


@pytest.mark.django_db
@pytest.mark.parametrize("language", supported_languages())
def test_a_message_in_every_language_is_short(texting: Settings, sandbox: Sandbox, language: str):
    """One message in the alphabet of GSM, two in any other, and 160 characters at most, with what, when and link."""
    for number, zone in enumerate(("America/New_York", "Europe/Kyiv")):
        preferences = VisitorPreferences(language=language, timezone=zone)
        page(BookingChange.CREATED, preferences, confirmation_number=f"BOOK_{number}")
    for kind in KINDS:
        OutgoingMail.objects.update(kind=kind, channel="phone")
        for row in OutgoingMail.objects.select_related("appointment"):
            message = compose_text_message(row, NOW)
            is_gsm = gsm_length(message.text) is not None
            assert message.to == PHONE
            assert len(message.text) <= 160
            assert message.parts <= (1 if is_gsm else 2), message.text
            assert "Haircut" in message.text
            assert "https://salon.example/book/m/" in message.text.rpartition("\n")[2]
            assert not {"\u202f", "\xa0", "\u2019"} & set(message.text)
