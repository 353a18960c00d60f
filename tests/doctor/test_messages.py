"""The doctor's report on messages to phones."""

import pytest
from pytest_django import Settings

from tests.support.doctor import run_as_json
from tests.support.phone_messages import TEXTING, clear_messages, received
from tests.support.smtp_server import mail_server, use

pytestmark = pytest.mark.django_db


def test_without_messages_nothing_is_reported(site: Settings):
    """Most sites send none."""
    assert run_as_json().of("messages") == {}


def test_a_messenger_is_imported_and_never_called(site: Settings):
    """Nobody gets a message from a check."""
    clear_messages()
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, **TEXTING}
    report = run_as_json()
    assert report.of("messages") == {"messenger": "ok"}
    assert received() == []


@pytest.mark.parametrize("path", ["nowhere.send", "tests.support.phone_messages.send_async"])
def test_a_messenger_that_cannot_be_called_is_to_be_fixed(site: Settings, path: str):
    """No customer hears of a booking otherwise, and nobody learns it."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, **TEXTING, "MESSENGER": path}
    assert run_as_json().of("messages") == {"messenger": "fix"}


def test_a_long_link_is_noted_with_its_length(site: Settings):
    """It costs a second message each time."""
    long = "https://book.the-longest-name-of-all-salons-in-town.example/en/services"
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, **TEXTING, "SITE_URL": long}
    report = run_as_json()
    assert report.of("messages") == {"messenger": "ok", "message_link": "note"}
    assert f"{len(long) + len('/book/m/') + 16} characters" in report.line("message_link")


def test_mail_to_staff_is_reported_with_its_addresses(site: Settings):
    """And with what it lacks without SITE_URL."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "STAFF_EMAIL": "desk@salon.example", "SITE_URL": ""}
    report = run_as_json()
    assert report.of("messages") == {"staff_mail": "ok", "staff_mail_link": "note"}
    assert "desk@salon.example" in report.line("staff_mail")
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "SITE_URL": "https://salon.example"}
    assert run_as_json().of("messages") == {"staff_mail": "ok"}


def test_a_mail_server_is_connected_to_and_sent_nothing(site: Settings):
    """A wrong name or password would otherwise show with the first booking that isn't confirmed."""
    site.KORDLESS_BOOKING = {
        **site.KORDLESS_BOOKING,
        "STAFF_EMAIL": "desk@salon.example",
        "SITE_URL": "https://s.example",
    }
    with mail_server() as server:
        use(site, server.port)
        report = run_as_json()
        assert report.of("messages") == {"mail_server": "ok", "staff_mail": "ok"}
        assert (server.sessions, server.accepted) == (1, [])
    with mail_server(CONNECT="554 no") as server:
        use(site, server.port)
        report = run_as_json()
    assert report.of("messages")["mail_server_failed"] == "fix"
    assert f"127.0.0.1:{server.port} can't be used" in report.line("mail_server_failed")
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "STAFF_EMAIL": "", "MAIL": False}
    assert run_as_json().of("messages") == {}
