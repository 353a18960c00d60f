"""Builds one mail: plain text, HTML and a calendar file, in the customer's language and time zone. Or one text message.

Mails are built when they are sent, never when they are queued, so that a mail that waited says what is true now.
Templates can be overridden by the site; their context is public API and documented in docs/mail.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.utils import formataddr, parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import Context
from django.template.backends.django import Template
from django.template.loader import select_template
from django.utils import translation
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from kordless_booking import conf
from kordless_booking.api.deadline import deadline
from kordless_booking.api.parsing import is_same_service
from kordless_booking.api.resources import Booking, Organization, ServiceDetail
from kordless_booking.booking.choices import Choices
from kordless_booking.booking.preferences import VisitorPreferences
from kordless_booking.booking.receipt import ManageLink
from kordless_booking.conf import Account
from kordless_booking.exceptions import KordlessError
from kordless_booking.mail.appointment_data import AppointmentData, usable_email
from kordless_booking.mail.channels import usable_phone
from kordless_booking.mail.staff_text import build_staff_text
from kordless_booking.mail.text_message import build_text
from kordless_booking.mail.texts import greeting_name, labeled_line, mail_texts, one_line, subject_line
from kordless_booking.models import OutgoingMail
from kordless_booking.presentation import texts as booking_texts
from kordless_booking.presentation import timezones
from kordless_booking.presentation.calendar_event import calendar_file, event_for_booking
from kordless_booking.presentation.clocks import clock_city
from kordless_booking.presentation.formatting import time_in_zone
from kordless_booking.presentation.locales import best_supported_language, default_language
from kordless_booking.presentation.palette import build_palette
from kordless_booking.questions.answers import Answer
from kordless_booking.questions.question import FOR_ALL, Questions
from kordless_booking.upstream.registry import services_for
from kordless_booking.urlconf import absolute_url


@dataclass(frozen=True)
class BookingDetails:
    """Catalog data about a booking, as far as it is available."""

    organization: Organization | None = None
    detail: ServiceDetail | None = None
    service_name: str = ""
    """Empty when neither the booking nor the catalog names the service."""


def booking_details(account: Account, booking: Booking) -> BookingDetails:
    """Return the catalog data, from the read-through cache as for a page.

    Raises no KordlessError: while Kordless fails, mails are sent with less in them.
    """
    catalog = services_for(account).catalog
    # Seconds for both reads together; without a limit a slow Kordless would hold up all mails behind this one.
    with deadline(account.browse_seconds):
        try:
            offer = catalog.organization().value
        except KordlessError:
            return BookingDetails(service_name=booking.service_name or "")
        ids = [each for each in (booking.service_slug, booking.service_id) if each]
        # Webhooks write `srv_haircut` where the API writes `haircut`, and a booking may have the slug, the id or both.
        found = next(
            (s for s in offer.services if any(is_same_service(i, key) for i in ids for key in (s.slug, s.key))), None
        )
        name = booking.service_name or (found.name if found else "")
        try:
            detail = catalog.service(found.slug).value if found else None
        except KordlessError:
            detail = None
        return BookingDetails(offer.organization, detail, name)


def compose(mail: OutgoingMail, now: datetime) -> EmailMultiAlternatives:
    """Build the mail as it would be sent at `now` (UTC).

    Raises InvalidToken when the appointment can't be decrypted, and whatever a template of the site raises.
    """
    account = conf.get_account(mail.appointment.account)
    data = AppointmentData.from_row(mail.appointment)
    details = booking_details(account, data.booking)
    if mail.channel == OutgoingMail.Channel.STAFF:
        with translation.override(default_language()):
            return _build_staff_message(account, mail, data, details)
    preferences = _preferences(data, details)
    with translation.override(preferences.language):
        return _build_message(account, mail, data, details, preferences, now)


def _build_staff_message(
    account: Account, mail: OutgoingMail, data: AppointmentData, details: BookingDetails
) -> EmailMultiAlternatives:
    """Build the mail to staff: plain text in the site's language, by the business's clock."""
    booking, language = data.booking, default_language()
    candidates = (details.detail.calendar.timezone if details.detail else None, booking.timezone, settings.TIME_ZONE)
    zone = next((found for name in candidates if (found := timezones.business_timezone(name))), "UTC")
    # Without the customer's zone and hours: staff are at the business.
    as_staff = VisitorPreferences(language=language, timezone=zone, hours=None)
    text = build_staff_text(
        OutgoingMail.Kind(mail.kind),
        data,
        business=_business_name(account, booking, details),
        service=_service_name(details),
        when=booking_texts.format_range(booking.start, booking.end, zone, language),
        zone=booking_texts.format_timezone(zone, language, booking.start),
        before=_before(mail, as_staff, zone, says_zone=False),
        subject_time=booking_texts.format_short(booking.start, booking.end, zone, language),
        questions=_questions(account, booking, details),
        find_url=absolute_url(account, "manage-find") if account.site_url else "",
    )
    sender = parseaddr(account.mail_from or settings.DEFAULT_FROM_EMAIL)
    direction = "rtl" if translation.get_language_info(language)["bidi"] else "ltr"
    business = _business_name(account, booking, details)
    return EmailMultiAlternatives(
        subject=subject_line(text.subject, direction),
        body=text.body,
        from_email=formataddr((sender[0] or one_line(business, 70), sender[1])),
        to=list(account.staff_email),
        # An answer goes to the customer.
        reply_to=[data.email] if data.email else [],
        headers=_headers(mail, sender[1]),
    )


def _questions(account: Account, booking: Booking, details: BookingDetails) -> Questions:
    """Return the questions of the booking's service as the settings have them; none where a function knows them."""
    if callable(account.questions):
        return ()
    slug = details.detail.service.slug if details.detail else booking.service_slug or ""
    return account.questions.get(slug, account.questions.get(FOR_ALL, ()))


@dataclass(frozen=True)
class TextMessage:
    """Message to a phone, as the function in MESSENGER gets it."""

    to: str
    """E.164; "" when the number is none that a message can be sent to."""
    text: str
    kind: str
    booking: Booking | None
    """None in a message of an extension that is about no booking."""
    parts: int
    """Number of messages that a phone company makes of it."""

    def __repr__(self) -> str:
        # Personal data: it must not appear in a traceback or a log.
        return "TextMessage(…)"


def compose_text_message(mail: OutgoingMail, now: datetime) -> TextMessage:
    """Build the message as it would be sent at `now` (UTC). Raises InvalidToken, and NoReverseMatch without a mount."""
    account = conf.get_account(mail.appointment.account)
    data = AppointmentData.from_row(mail.appointment)
    details = booking_details(account, data.booking)
    preferences = _preferences(data, details)
    with translation.override(preferences.language):
        text, parts = build_text(
            OutgoingMail.Kind(mail.kind),
            data.booking.status,
            business=_business_name(account, data.booking, details),
            service=_service_name(details),
            when=_short_times(data, details, preferences).when,
            url=absolute_url(account, "short-link", data.link_code),
        )
    to = usable_phone(data.contact.phone, account.phone_region)
    return TextMessage(to, text, OutgoingMail.Kind(mail.kind).value, data.booking, parts)


def _business_name(account: Account, booking: Booking, details: BookingDetails) -> str:
    organization = details.organization
    return booking_texts.business_name(organization) if organization else booking.organization_name or account.org_slug


def _service_name(details: BookingDetails) -> str:
    return details.service_name or pgettext("label", "Booking")


@dataclass(frozen=True)
class _ShortTimes:
    """Times of a booking, in full and in short."""

    clocks: booking_texts.DisplayTimes
    says_zone: bool
    """A time has to say whose clock it is on."""
    when: str
    """The start in short, by the clock that is shown first."""


def _short_times(data: AppointmentData, details: BookingDetails, preferences: VisitorPreferences) -> _ShortTimes:
    booking = data.booking
    is_visitors = data.preferences is not None and timezones.canonical_timezone(data.preferences.timezone) is not None
    place = booking_texts.booking_place_clock(booking, details.detail)
    clocks = booking_texts.display_times(
        booking.start,
        booking.end,
        preferences.timezone or "UTC",
        place,
        preferences.language,
        preferences.hours,
        is_visitors=is_visitors,
    )
    # A time alone says too little where there are two clocks, and where nobody knows the customer's zone and they don't
    # come to a place that has this one.
    says_zone = bool(clocks.other) or not (is_visitors or (place and place.counts))
    when = _subject_time(booking, preferences, clocks.timezone, says_zone=says_zone)
    return _ShortTimes(clocks, says_zone, when)


def _preferences(data: AppointmentData, details: BookingDetails) -> VisitorPreferences:
    """Return the customer's preferences, with the business's own as fallback for customers who booked elsewhere."""
    known = data.preferences
    business_zone = details.detail.calendar.timezone if details.detail else None
    # First match wins: the visitor's choice, the zone Kordless has for the booking, the service's zone, the site's.
    candidates = (known.timezone if known else None, data.booking.timezone, business_zone, settings.TIME_ZONE)
    return VisitorPreferences(
        # `known.language` may have been removed from the site's LANGUAGES since.
        language=(best_supported_language(known.language) if known else None) or default_language(),
        timezone=next((found for name in candidates if (found := timezones.business_timezone(name))), "UTC"),
        hours=known.hours if known else None,
        terms=known.terms if known else None,
    )


def _build_message(
    account: conf.Account,
    mail: OutgoingMail,
    data: AppointmentData,
    details: BookingDetails,
    preferences: VisitorPreferences,
    now: datetime,
) -> EmailMultiAlternatives:
    booking, kind = data.booking, OutgoingMail.Kind(mail.kind)
    zone, language = preferences.timezone or "UTC", preferences.language
    organization = details.organization
    business, service = _business_name(account, booking, details), _service_name(details)
    # A canceled booking has nothing to manage: its mail links to the services instead.
    is_canceled = kind is OutgoingMail.Kind.CANCELLED
    times = _short_times(data, details, preferences)
    clocks, says_zone = times.clocks, times.says_zone
    mail_text = mail_texts(kind, booking.status, service, times.when)
    link = None if is_canceled else _manage_link(account, data, preferences, now)
    sender = parseaddr(account.mail_from or settings.DEFAULT_FROM_EMAIL)
    palette = build_palette(account.color_of(organization))
    direction = "rtl" if translation.get_language_info(language)["bidi"] else "ltr"
    before = _before(mail, preferences, clocks.timezone, says_zone=says_zone)
    context: dict[str, Any] = {
        "kind": kind.value,
        "lang": language,
        "dir": direction,
        # For programs that drop `dir`, or know no `text-align: start`.
        "align": "right" if direction == "rtl" else "left",
        "subject": mail_text.subject,
        "headline": mail_text.headline,
        "about": mail_text.about,
        "enclosed": mail_text.enclosed,
        "greeting": _greeting(data),
        "business": business,
        "tones": palette.light,
        "dark": palette.dark,
        "booking": _booking(booking, details, preferences, clocks, service, before, now, data.answers),
        "answers": data.answers,
        "before": before,
        "manage_url": link,
        "again_url": _again_link(account, details, preferences) if is_canceled else None,
        "support_email": account.support_email,
        "support_phone": account.support_phone,
        "why": _("You’re receiving this email because you booked with %(business)s.") % {"business": business},
    }
    message = EmailMultiAlternatives(
        # A template file ends with a line break, which Django refuses in a header.
        subject=subject_line(_render("subject.txt", kind, context), direction),
        body=_render("mail.txt", kind, context).strip() + "\n",
        # Without a name in MAIL_FROM the business's is shown, with 70 characters at most.
        from_email=formataddr((sender[0] or one_line(business, 70), sender[1])),
        to=[data.email],
        # The setting takes what mail programs may read as two addresses, or as one that no mail reaches.
        reply_to=[support] if (support := usable_email(account.support_email)) else [],
        headers=_headers(mail, sender[1]),
    )
    message.attach_alternative(_render("mail.html", kind, context), "text/html")
    entry = event_for_booking(
        booking,
        org_slug=account.org_slug,
        title=service,
        business=booking.organization_name or (organization.name if organization else ""),
        timezone=zone,
        location=booking_texts.booking_location(booking, details.detail),
        url=link,
        sequence=mail.appointment.sequence,
        # RFC 5546: METHOD:CANCEL needs an organizer, and an organizer has an email address.
        organizer_email=account.support_email or sender[1],
        # PUBLISH, not REQUEST: a request would ask the customer's calendar for a reply.
        method="CANCEL" if is_canceled else "PUBLISH",
        # RFC 5546 (3.2.5) demands an attendee of a CANCEL, and forbids one in a PUBLISH (3.2.1).
        attendee_email=data.email if is_canceled else "",
        host=(preferences.terms.host_name or "") if preferences.terms else "",
        team=(preferences.terms.team_name or "") if preferences.terms else "",
        party=booking_texts.party_text(preferences.terms.party_size) if preferences.terms else "",
    )
    file = calendar_file(entry, now=now).decode()
    # Mail clients read the method from this parameter; it must equal the METHOD in the file.
    message.attach("booking.ics", file, f"text/calendar; method={entry.method}")
    return message


def _render(name: str, kind: OutgoingMail.Kind, context: dict[str, Any]) -> str:
    """Render the template for this kind of mail, or else the one for all kinds. Plain text isn't escaped."""
    folder = "kordless_booking/mail"
    found = select_template([f"{folder}/{kind.value}_{name}", f"{folder}/{name}"])
    # Django's engine escapes whatever the file's extension. Other engines, such as Jinja2, decide by themselves.
    if name.endswith(".txt") and isinstance(found, Template):
        return found.template.render(Context(context, autoescape=False))
    return str(found.render(context))


def _booking(
    booking: Booking,
    details: BookingDetails,
    preferences: VisitorPreferences,
    clocks: booking_texts.DisplayTimes,
    service: str,
    before: str,
    now: datetime,
    answers: tuple[Answer, ...],
) -> dict[str, Any]:
    detail, terms = details.detail, preferences.terms
    policy = detail.calendar.cancellation_policy if detail else None
    until = (
        booking_texts.changeable_until(policy, booking.start, now, clocks, preferences.language, preferences.hours)
        if booking.status != "canceled"
        else ""
    )
    party = booking_texts.party_text(terms.party_size) if terms else ""
    rows = [
        (label, text)
        for label, text in (
            (pgettext("before a person's name", "With"), _provider(preferences)),
            (pgettext("label", "People"), party),
            # What was chosen, and nothing that was typed: anybody can write to somebody else with it, from the
            # business's address.
            *((answer.title, answer.text) for answer in answers if not answer.is_free_text),
            (pgettext("label", "Confirmation number"), booking.confirmation_number),
        )
        if text
    ]
    where = booking_texts.describe_location(booking_texts.booking_location(booking, detail))
    times = [(clocks.when, clocks.zone), (clocks.other, clocks.other_zone)]
    place = where.text if where else ""
    if where and where.kind == "meet_url" and where.url:
        # On a line of its own: in a right-to-left line its slashes would change sides.
        place = f"{place}\n{where.url}"
    lines = [(pgettext("label", "Previous time"), before), (pgettext("label", "Where"), place), *rows]
    return {
        "number": booking.confirmation_number,
        "status": booking.status,
        "service": service,
        "clocks": clocks,
        "where": where,
        "rows": rows,
        "times": [time_in_zone(when, zone) for when, zone in times if when],
        # "2 people" says by itself what it is.
        "lines": [text if text == party else labeled_line(label, text) for label, text in lines if text],
        "policy": booking_texts.policy_text(policy, says_until=bool(until)),
        "until": until,
    }


def _subject_time(booking: Booking, preferences: VisitorPreferences, zone: str, *, says_zone: bool) -> str:
    """Return the time in short, with the city where the customer has to know whose clock it is on."""
    language = preferences.language
    when = booking_texts.format_short(booking.start, booking.end, zone, language, preferences.hours)
    start = booking.start.astimezone(timezones.get_timezone(zone))
    if timezones.is_ambiguous(start):
        return time_in_zone(when, booking_texts.format_timezone(zone, language, start))
    if not says_zone:
        return when
    return time_in_zone(when, clock_city(zone, language, start))


def _provider(preferences: VisitorPreferences) -> str:
    """Return the names of host and team, as far as they are known."""
    terms = preferences.terms
    return booking_texts.provider_text(terms.host_name, terms.team_name) if terms else ""


def _before(mail: OutgoingMail, preferences: VisitorPreferences, zone: str, *, says_zone: bool) -> str:
    if mail.before_start is None or mail.before_end is None or mail.before_start == mail.appointment.start:
        # Unknown, or moved back to where it was: "before" would repeat the current time.
        return ""
    start, end = mail.before_start, mail.before_end
    when = booking_texts.format_range(start, end, zone, preferences.language, preferences.hours)
    return time_in_zone(when, booking_texts.format_timezone(zone, preferences.language, start)) if says_zone else when


def _again_link(account: conf.Account, details: BookingDetails, preferences: VisitorPreferences) -> str:
    """Return the link to book the same again: the service's times with the same host, or else the services."""
    choices = Choices(lang=preferences.language, hours=preferences.hours)
    if details.detail is None or not details.detail.service.bookable:
        return absolute_url(account, "services", **dict(choices.query_items()))
    if preferences.terms:
        choices = preferences.terms.choices_to_book_again(choices)
    # By this name a service is found whatever its slug is.
    return absolute_url(account, "slots-named", details.detail.service.slug, **dict(choices.query_items()))


def _greeting(data: AppointmentData) -> str:
    name = greeting_name(data.contact.name)
    return _("Hello %(name)s,") % {"name": name} if name else pgettext("greeting", "Hello,")


def _manage_link(account: conf.Account, data: AppointmentData, preferences: VisitorPreferences, now: datetime) -> str:
    link = ManageLink.for_terms(
        preferences.terms,
        number=data.booking.confirmation_number,
        # As Kordless has it, which may compare the texts; `data.email` is its canonical spelling.
        contact=data.contact.email or "",
        expires=int(now.timestamp()) + account.manage_link_days * 86400,
        timezone=_link_timezone(data, preferences),
    )
    return absolute_url(
        account, "manage", link.to_token(account.name), lang=preferences.language, hours=preferences.hours
    )


def _link_timezone(data: AppointmentData, preferences: VisitorPreferences) -> str | None:
    """Return the zone for the manage link, which its page takes for the customer's own.

    None where that isn't known, and the page finds the booking's zone by itself.
    """
    if data.preferences and timezones.canonical_timezone(data.preferences.timezone):
        return preferences.timezone
    return None if timezones.business_timezone(data.booking.timezone) else preferences.timezone


def _headers(mail: OutgoingMail, sender: str) -> dict[str, str]:
    """Return the threading headers and the markers of automatic mail."""
    # No mail has this id. It makes mail clients show all mails about the booking as one thread.
    first = _message_id(mail, "", sender)
    # Another mail than the customer's of the same change.
    channel = "staff." if mail.channel == OutgoingMail.Channel.STAFF else ""
    return {
        # The same each time the mail is tried, so that a server that gets it twice may notice.
        "Message-ID": _message_id(mail, f"{channel}{mail.kind}.{mail.revision}", sender),
        "References": first,
        # RFC 3834: no vacation responder should answer.
        "Auto-Submitted": "auto-generated",
        # Exchange looks at this one instead.
        "X-Auto-Response-Suppress": "All",
    }


def _message_id(mail: OutgoingMail, change: str, sender: str) -> str:
    # Keyed, because a plain hash could be compared with those of guessed numbers.
    about = f"{mail.appointment.account}\0{mail.appointment.number_hash}\0{change}"
    name = salted_hmac("kordless_booking.message_id", about, algorithm="sha256").hexdigest()[:32]
    return f"<{name}@{sender.rpartition('@')[2] or 'localhost'}>"
