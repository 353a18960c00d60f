"""The demo's mail viewer: only its own mails, only on the sandbox."""

from pathlib import Path

import pytest
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.http import Http404
from django.test import RequestFactory
from pytest_django import Settings

from demo_site import mail_viewer
from kordless_booking.api.resources import Booking
from tests.support.clock import NOW

DJANGO = "django.template.backends.django.DjangoTemplates"
GET = RequestFactory().get("/mail/", headers={"Host": "127.0.0.1"})


@pytest.fixture(autouse=True)
def _for_this_machine(settings: Settings) -> None:
    """The demo without a public name."""
    settings.PUBLIC_HOSTS = []


def put(subject: str = "Booked") -> None:
    """Write a mail with HTML and a calendar file."""
    message = EmailMultiAlternatives(subject, "plain", "a@salon.example", ["b@example.com"])
    message.attach_alternative("<html><head></head><p>Booked <script>alert(1)</script></p></html>", "text/html")
    message.attach("booking.ics", "BEGIN:VCALENDAR", "text/calendar; method=PUBLISH")
    assert mail_viewer.Folder().send_messages([message]) == 1


def test_mails_are_stored_and_shown(settings: Settings, tmp_path: Path):
    """As HTML that may do nothing, and as a calendar file; the oldest go when there are too many."""
    settings.SANDBOX_MAIL = tmp_path / "mail"
    for number in range(mail_viewer.KEPT + 2):
        put(f"Letter {number}")
    names = sorted(file.stem for file in settings.SANDBOX_MAIL.iterdir())
    assert len(names) == mail_viewer.KEPT
    shown = mail_viewer.mail_html(GET, names[-1])
    assert b'<base target="_blank">' in shown.content
    assert "default-src 'none'" in shown["Content-Security-Policy"]
    assert "allow-scripts" not in shown["Content-Security-Policy"]
    assert b"BEGIN:VCALENDAR" in mail_viewer.calendar(GET, names[-1]).content


@pytest.mark.parametrize("name", ["../settings", "..%2f", "", "x", "1234567890-0", "1" * 30])
def test_nothing_else_is_shown(settings: Settings, tmp_path: Path, name: str):
    """No other file, no mail that isn't there."""
    settings.SANDBOX_MAIL = tmp_path
    with pytest.raises(Http404):
        mail_viewer.mail_html(GET, name)


def test_with_a_real_account_there_is_no_mail_viewer():
    """Nobody's mail is shown."""
    with pytest.raises(Http404):
        mail_viewer.mailbox(GET)


def test_messages_to_phones_are_shown_between_the_mails(settings: Settings, tmp_path: Path):
    """With the text as it was sent, its length as phone companies count it, and no calendar file."""
    settings.SANDBOX_MAIL = tmp_path / "mail"
    settings.ROOT_URLCONF = "demo_site.urls"
    templates = Path(mail_viewer.__file__).parent.parent / "templates"
    settings.TEMPLATES = [{"BACKEND": DJANGO, "DIRS": [templates], "APP_DIRS": True}]
    put("Booked by mail")
    text = "Acme Salon\nConfirmed: Haircut <b>, Wed, Dec 9, 9:00 AM.\nhttp://127.0.0.1/book/m/0123456789abcdef"
    booking = Booking(confirmation_number="BOOK_1", status="confirmed", start=NOW, end=NOW)
    mail_viewer.send_message("+12125550147", text, "confirmed", booking)
    shown = mail_viewer.mailbox(GET).content.decode()
    assert "Message to <bdi>+12125550147</bdi>" in shown
    assert "Confirmed: Haircut &lt;b&gt;, Wed, Dec 9, 9:00 AM.\n" in shown
    assert 'href="http://127.0.0.1/book/m/0123456789abcdef"' in shown
    assert f"1 message: {len(text)} characters, of which one message takes 160." in shown
    assert "Booked by mail" in shown
    assert "booking.ics" not in shown


def test_a_mail_to_staff_is_shown_as_the_plain_text_that_it_is(settings: Settings, tmp_path: Path):
    """Without a frame for HTML and a link to a calendar file that it doesn't have."""
    settings.SANDBOX_MAIL = tmp_path / "mail"
    settings.ROOT_URLCONF = "demo_site.urls"
    templates = Path(mail_viewer.__file__).parent.parent / "templates"
    settings.TEMPLATES = [{"BACKEND": DJANGO, "DIRS": [templates], "APP_DIRS": True}]
    mail_viewer.Folder().send_messages(
        [EmailMessage("New booking", "Name: Eve <b>", "a@a.example", ["desk@a.example"])]
    )
    shown = mail_viewer.mailbox(GET).content.decode()
    assert "Name: Eve &lt;b&gt;" in shown
    assert "iframe" not in shown
    assert "booking.ics" not in shown
