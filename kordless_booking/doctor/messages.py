"""Check of messages to phones, and of mail to staff: the site's function can be called, and links are there and short.

Nothing is sent; the mail server is connected to.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from django.urls import NoReverseMatch

from kordless_booking.doctor.finding import Findings, fix, note, ok
from kordless_booking.mail.connection import try_mail_server
from kordless_booking.mail.short_link import CODE_LENGTH
from kordless_booking.messenger import find_messenger_problem
from kordless_booking.urlconf import absolute_url

if TYPE_CHECKING:
    from kordless_booking.conf import Account

MAX_LINK_CHARS: Final = 70
"""Characters of a link that leave room for what and when in two joined messages of 67."""


def examine(account: Account) -> Findings:
    """Examine MESSENGER, STAFF_EMAIL and the mail server. Finds nothing where the site sends nothing."""
    yield from _mail_server(account)
    yield from _staff_mail(account)
    if not account.messenger:
        return
    if problem := find_messenger_problem(account.messenger):
        advice = "name a function send(to, text, kind, booking) by its dotted path"
        yield fix("messenger", f"No message reaches a phone: MESSENGER can't be used, {problem}", advice)
        return
    yield ok("messenger", f"{account.messenger} can be imported; it wasn't called")
    # The check of URLs reports a widget that is mounted nowhere.
    with suppress(NoReverseMatch):
        length = len(absolute_url(account, "short-link", "0" * CODE_LENGTH))
        if length > MAX_LINK_CHARS:
            advice = "mount the widget at a shorter path, or be charged for more than one message each time"
            yield note("message_link", f"The link in messages has {length} characters", advice)


def _mail_server(account: Account) -> Findings:
    if not (account.mail or account.staff_email) or (tried := try_mail_server()) is None:
        return
    address, error = tried
    if error is None:
        yield ok("mail_server", f"The mail server {address} can be reached, and accepts the login")
        return
    # Its own words may repeat the name that logs in.
    advice = (
        "check its address, its encryption, and name and password; until then mails wait, and are given up in the end"
    )
    yield fix("mail_server_failed", f"The mail server {address} can't be used ({type(error).__name__})", advice)


def _staff_mail(account: Account) -> Findings:
    if not account.staff_email:
        return
    yield ok("staff_mail", f"Each change of a booking is mailed to {', '.join(account.staff_email)}")
    if not account.site_url:
        advice = 'set "SITE_URL" to the URL of your site'
        yield note("staff_mail_link", "Mail to staff has no link to the page on which they look a booking up", advice)
