"""Builds the mail or the text message about a free time, in the visitor's language and time zone, when it is sent."""

from __future__ import annotations

from datetime import datetime
from email.utils import formataddr, parseaddr
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import Context
from django.template.backends.django import Template
from django.template.loader import get_template
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from kordless_booking.api.resources import Booking
from kordless_booking.booking.choices import Choices
from kordless_booking.booking.hashes import link_hash
from kordless_booking.conf import Account
from kordless_booking.contrib.waitlist.entries import EntryData
from kordless_booking.contrib.waitlist.models import WaitlistEntry
from kordless_booking.mail.appointment_data import usable_email
from kordless_booking.mail.channels import usable_phone
from kordless_booking.mail.message import BookingDetails, TextMessage, booking_details
from kordless_booking.mail.text_message import fit_text
from kordless_booking.mail.texts import MAX_SUBJECT_SERVICE_CHARS, labeled_line, one_line, shorten, subject_line
from kordless_booking.presentation import texts as booking_texts
from kordless_booking.presentation.clocks import clock_city, place_clock
from kordless_booking.presentation.formatting import time_in_zone
from kordless_booking.presentation.locales import best_supported_language, default_language
from kordless_booking.presentation.palette import build_palette
from kordless_booking.presentation.timezones import get_timezone
from kordless_booking.urlconf import absolute_url
from kordless_booking.views.cells import format_start

KIND: Final = "free_time"
"""Kind of the messages, for the function in MESSENGER."""
_FOLDER: Final = "kordless_waitlist/mail"


def contact_link(data: EntryData, service: str, start: datetime, end: datetime) -> tuple[str, str, dict[str, str]]:
    """Return name, argument and query of the page that books a time for the visitor of this entry.

    Nothing personal is in it: the page asks for the contact.
    """
    query = dict(data.choices.query_items()) | {"start": format_start(start), "end": format_start(end)}
    return "contact-named", service, query


def compose(account: Account, entry: WaitlistEntry, data: EntryData, now: datetime) -> EmailMultiAlternatives:
    """Build the mail as it would be sent at `now` (UTC). Raises whatever a template of the site raises."""
    language = best_supported_language(data.language) or default_language()
    details = _details(account, entry)
    with translation.override(language):
        return _build_mail(account, entry, data, details, language)


def compose_text_message(account: Account, entry: WaitlistEntry, data: EntryData, now: datetime) -> TextMessage:
    """Build the message to a phone. Raises NoReverseMatch without a mount."""
    language = best_supported_language(data.language) or default_language()
    details = _details(account, entry)
    with translation.override(language):
        _clocks, when = _times(entry, data, details, language)
        url = absolute_url(account, "waitlist-entry", data.message_code)
        # Translators: last line of a text message, as short as possible. The page books the time, or stops messages.
        labeled = pgettext("text message", "Book or stop: %(url)s") % {"url": url}
        text, parts = fit_text(
            lambda name: (
                # Translators: text message, as short as possible, such as "Free now: Haircut, Wed, Dec 9, 9:00 AM.
                # First come, first served."
                pgettext("text message", "Free now: %(service)s, %(when)s. First come, first served.")
                % {"service": name, "when": when}
            ),
            business=_business_name(account, details),
            service=details.service_name or entry.service,
            url=url,
            labeled_url=labeled,
        )
    return TextMessage(usable_phone(data.contact, account.phone_region), text, KIND, None, parts)


def _details(account: Account, entry: WaitlistEntry) -> BookingDetails:
    start, end = entry.offered_start, entry.offered_end
    assert start is not None and end is not None  # noqa: S101, PT018 (the outbox sends only what is about a time)
    # The time as a booking that nobody has made yet: what the catalog knows of it is read as for any other mail.
    return booking_details(
        account, Booking(confirmation_number="", status="", start=start, end=end, service_slug=entry.service)
    )


def _business_name(account: Account, details: BookingDetails) -> str:
    return booking_texts.business_name(details.organization) if details.organization else account.org_slug


def _times(
    entry: WaitlistEntry, data: EntryData, details: BookingDetails, language: str
) -> tuple[booking_texts.DisplayTimes, str]:
    """Return the time in full and in short, by the clock that the page of times shows first."""
    start, end = entry.offered_start, entry.offered_end
    assert start is not None and end is not None  # noqa: S101, PT018 (as above)
    calendar = details.detail.calendar if details.detail else None
    place = place_clock(calendar.location, calendar.timezone) if calendar else None
    clocks = booking_texts.display_times(
        start, end, data.timezone or data.zone, place, language, data.hours, is_visitors=data.timezone is not None
    )
    when = booking_texts.format_short(start, end, clocks.timezone, language, data.hours)
    if clocks.other:
        when = time_in_zone(when, clock_city(clocks.timezone, language, start.astimezone(get_timezone(data.zone))))
    return clocks, when


def _build_mail(
    account: Account, entry: WaitlistEntry, data: EntryData, details: BookingDetails, language: str
) -> EmailMultiAlternatives:
    assert entry.offered_start is not None and entry.offered_end is not None  # noqa: S101, PT018 (as above)
    business, service = _business_name(account, details), details.service_name or entry.service
    clocks, when = _times(entry, data, details, language)
    name, slug, query = contact_link(data, entry.service, entry.offered_start, entry.offered_end)
    stop_url = absolute_url(account, "waitlist-entry", data.message_code, lang=language)
    day = Choices.replace(data.choices, day=entry.offered_start.astimezone(get_timezone(data.zone)).date())
    palette = build_palette(account.color_of(details.organization))
    direction = "rtl" if translation.get_language_info(language)["bidi"] else "ltr"
    party = booking_texts.party_text(data.party_size)
    rows = [
        (label, text)
        for label, text in (
            (pgettext("before a person's name", "With"), data.provider_name),
            (pgettext("label", "People"), party),
        )
        if text
    ]
    # Translators: subject of an email, such as "Haircut, Wed, Dec 9, 9:00 AM: free now".
    subject = pgettext("subject of an email", "%(service)s, %(when)s: free now") % {
        "service": shorten(one_line(service), MAX_SUBJECT_SERVICE_CHARS),
        "when": when,
    }
    context: dict[str, Any] = {
        "kind": KIND,
        "lang": language,
        "dir": direction,
        "align": "right" if direction == "rtl" else "left",
        "subject": subject,
        "greeting": pgettext("greeting", "Hello,"),
        "headline": _("A time is free"),
        "about": _("You asked us to tell you when a time that suits you is free. Here is one."),
        "fairness": _("First come, first served: the time is yours once you have booked it."),
        "business": business,
        "tones": palette.light,
        "dark": palette.dark,
        "service": service,
        "clocks": clocks,
        "times": [
            time_in_zone(text, zone)
            for text, zone in ((clocks.when, clocks.zone), (clocks.other, clocks.other_zone))
            if text
        ],
        "rows": rows,
        "lines": [text if text == party else labeled_line(label, text) for label, text in rows],
        "book_url": absolute_url(account, name, slug, **query),
        "times_url": absolute_url(account, "slots-named", entry.service, **dict(day.query_items())),
        "stop_url": stop_url,
        "why": _("You’re receiving this email because this address was entered at %(business)s to hear of free times.")
        % {"business": business},
    }
    sender = parseaddr(account.mail_from or settings.DEFAULT_FROM_EMAIL)
    message = EmailMultiAlternatives(
        subject=subject_line(_render("subject.txt", context), direction),
        body=_render("free_time.txt", context).strip() + "\n",
        from_email=formataddr((sender[0] or one_line(business, 70), sender[1])),
        to=[data.contact],
        reply_to=[support] if (support := usable_email(account.support_email)) else [],
        headers={
            # The same each time that the message is tried.
            "Message-ID": f"<{link_hash(data.code)[:24]}.{entry.claim}@{sender[1].rpartition('@')[2] or 'localhost'}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
            # RFC 8058: mail programs show a button, and send a POST.
            "List-Unsubscribe": f"<{stop_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )
    message.attach_alternative(_render("free_time.html", context), "text/html")
    return message


def _render(name: str, context: dict[str, Any]) -> str:
    """Render a template of the mail. Plain text isn't escaped."""
    found = get_template(f"{_FOLDER}/{name}")
    if name.endswith(".txt") and isinstance(found, Template):
        return found.template.render(Context(context, autoescape=False))
    return str(found.render(context))
