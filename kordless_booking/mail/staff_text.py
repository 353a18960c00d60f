"""Text of the mail to staff about a change of a booking, in the active language.

It goes to addresses of the site's own settings. So it may hold what a visitor has typed, which a mail to a customer
never does: anybody can type a customer's address.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from django.template.loader import render_to_string
from django.utils.translation import get_language, gettext, pgettext

from kordless_booking.mail.appointment_data import AppointmentData
from kordless_booking.mail.texts import MAX_SUBJECT_SERVICE_CHARS, labeled_line, one_line, shorten
from kordless_booking.models import OutgoingMail
from kordless_booking.normalization import visible_text
from kordless_booking.presentation.formatting import time_in_zone
from kordless_booking.presentation.site_texts import text_in
from kordless_booking.presentation.texts import party_text, provider_text
from kordless_booking.questions.answers import Answer
from kordless_booking.questions.fields import GUESTS
from kordless_booking.questions.question import ANSWER_SEPARATOR, Questions, heading_of


class StaffText(NamedTuple):
    """Subject and body. The subject may be longer than a header's line."""

    subject: str
    body: str


def build_staff_text(
    kind: OutgoingMail.Kind,
    data: AppointmentData,
    *,
    business: str,
    service: str,
    when: str,
    zone: str,
    before: str,
    subject_time: str,
    questions: Questions,
    find_url: str,
) -> StaffText:
    """Return what happened, to which booking of whom.

    `when` is the time by the business's clock, `zone` that clock's name, `before` the time that a moved booking had, or
    "". `questions` are the service's, as far as they are known; `find_url` is the page on which a booking is looked up,
    or "".
    """
    subject, headline = _subject_and_headline(kind, data.booking.status)
    context = {
        "headline": headline,
        "service": one_line(service),
        "when": time_in_zone(when, zone),
        "lines": list(_lines(data, before)),
        "answers": [labeled_line(*_answer_row(answer, questions)) for answer in data.answers],
        "find_url": find_url,
        "why": gettext("You’re receiving this email because %(business)s has bookings sent to this address.")
        % {"business": one_line(business)},
    }
    values = {"service": shorten(one_line(service), MAX_SUBJECT_SERVICE_CHARS), "when": subject_time}
    return StaffText(subject % values, render_to_string("kordless_booking/mail/staff.txt", context).strip() + "\n")


def _subject_and_headline(kind: OutgoingMail.Kind, status: str) -> tuple[str, str]:
    match kind:
        case OutgoingMail.Kind.CANCELLED:
            # Translators: subject of an email to the business.
            return pgettext("subject of an email to staff", "Canceled: %(service)s, %(when)s"), pgettext(
                "heading of an email to staff", "Booking canceled"
            )
        case OutgoingMail.Kind.RESCHEDULED:
            # Translators: subject of an email to the business; the date and time are the new ones.
            return pgettext("subject of an email to staff", "Rescheduled: %(service)s, %(when)s"), pgettext(
                "heading of an email to staff", "Booking rescheduled"
            )
    if status == "pending":
        # Translators: subject of an email to the business, which has to accept the booking.
        return pgettext("subject of an email to staff", "New request: %(service)s, %(when)s"), pgettext(
            "heading of an email to staff", "New request. Please accept or decline it in Kordless."
        )
    # Translators: subject of an email to the business.
    return pgettext("subject of an email to staff", "New booking: %(service)s, %(when)s"), pgettext(
        "heading of an email to staff", "New booking"
    )


def _lines(data: AppointmentData, before: str) -> Iterator[str]:
    contact, terms = data.contact, data.preferences.terms if data.preferences else None
    if terms and (party := party_text(terms.party_size)):
        # "2 people" says by itself what it is.
        yield party
    rows = (
        (pgettext("label", "Previous time"), before),
        (pgettext("before a person's name", "With"), provider_text(terms.host_name, terms.team_name) if terms else ""),
        (pgettext("label", "Name"), contact.name),
        (pgettext("label", "Email"), contact.email),
        (pgettext("label", "Phone"), contact.phone),
        (pgettext("label", "Reason"), data.reason),
        (pgettext("label", "Confirmation number"), data.booking.confirmation_number),
    )
    for label, text in rows:
        if line := _single_line(text or ""):
            yield labeled_line(label, line)


def _answer_row(answer: Answer, questions: Questions) -> tuple[str, str]:
    """Return title and text of an answer: in the active language where the question is known, else the visitor's."""
    language = get_language() or ""
    question = next((each for each in questions if (each.name, each.kind) == (answer.name, answer.kind)), None)
    if question is None:
        if answer.name == GUESTS:
            return pgettext("label", "Guests"), _single_line(answer.text)
        return heading_of(_single_line(answer.title)), _single_line(answer.text)
    title, labels = question.heading, dict(question.choices)
    match answer.kind, answer.value:
        case "choice", str(value) if value in labels:
            text = text_in(labels[value], language)
        case "choices", list(values) if all(isinstance(each, str) and each in labels for each in values):
            text = ANSWER_SEPARATOR.join(text_in(labels[str(each)], language) for each in values)
        case "yes_no", bool(value):
            text = pgettext("answer", "Yes") if value else pgettext("answer", "No")
        case "number" | "date", value:
            # The same in each language, as in the notes.
            text = str(value)
        case _:
            text = answer.text
    return _single_line(title), _single_line(text)


def _single_line(text: str) -> str:
    """Return a text as one line, whatever a visitor has typed, so that none of it can look like another line."""
    return " / ".join(filter(None, (" ".join(visible_text(line).split()) for line in text.splitlines())))
