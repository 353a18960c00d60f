"""Labels on the admin's pages, in the active language."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from kordless_booking.conf import Account
from kordless_booking.models import BookingAttempt, FunnelCount, OutgoingMail, WebhookDelivery
from kordless_booking.presentation.locales import DEFAULT, best_supported_language
from kordless_booking.signals import ChangeSource
from kordless_booking.staff.read_only import Meaning
from kordless_booking.upstream.registry import services_for


def text_language() -> str:
    """Return the language of the package's texts on this page: the admin's where they have it, else English.

    Names of months are in it too: a Czech one would stand in an English sentence.
    """
    return best_supported_language(get_language() or "") or DEFAULT


def stage_label(stage: FunnelCount.Stage) -> str:
    """Return the label of what a stage counts, in the plural."""
    return {
        FunnelCount.Stage.VISIT: pgettext("label", "Visits"),
        FunnelCount.Stage.SERVICE: pgettext("label", "Services opened"),
        FunnelCount.Stage.SLOT: pgettext("label", "Times chosen"),
        FunnelCount.Stage.CONTACT: pgettext("label", "Forms sent"),
        FunnelCount.Stage.BOOKED: pgettext("label", "Booked"),
    }[stage]


def placement_label(source: str) -> str:
    """Return the label of a placement of the widget; unknown ones as they are."""
    labels = {
        FunnelCount.Placement.PAGE: _("Pages of the widget"),
        FunnelCount.Placement.INLINE: _("Inside pages of this site"),
        FunnelCount.Placement.EMBED: _("Frames on other sites"),
    }
    return labels[FunnelCount.Placement(source)] if source in list(FunnelCount.Placement) else source


def rejection_label(reason: str) -> str:
    """Return the label of a reason for rejecting a delivery; unknown ones as they are."""
    labels = {
        "webhook_without_secret": _("No secret is set"),
        "webhook_malformed": _("No readable event"),
        "webhook_stale": _("Timestamp too far off"),
        "webhook_signature_invalid": _("Signed with another secret"),
        "webhook_scheme_mismatch": _("Signed in a way other than the settings say"),
        "webhook_too_large": pgettext("label", "Too large"),
        "webhook_receiver_failed": _("A receiver of this site failed"),
        "webhook_not_recorded": _("The database failed"),
    }
    return labels.get(reason, reason)


def refusal_label(rejection: str) -> str:
    """Return in words why an attempt wasn't booked, by the name of its exception; unknown ones as they are."""
    return refusal_labels().get(rejection, rejection)


def refusal_labels() -> dict[str, str]:
    """Return the reasons for which an attempt isn't booked, by the names of the exceptions, in words."""
    return {
        "SlotTaken": pgettext("reason why nothing was booked", "Time was taken"),
        "Refused": pgettext("reason why nothing was booked", "Refused by Kordless"),
        "BadRequest": pgettext("reason why nothing was booked", "Details not accepted by Kordless"),
        "NotFound": pgettext("reason why nothing was booked", "Service no longer offered"),
        "KeyRefused": pgettext("reason why nothing was booked", "API key refused"),
        "ContactRefused": pgettext("reason why nothing was booked", "Contact refused"),
        "NotSent": pgettext("reason why nothing was booked", "Given up before it was sent"),
        "Unreachable": pgettext("reason why nothing was booked", "Kordless couldn’t be reached"),
        "CircuitOpen": pgettext("reason why nothing was booked", "Kordless was failing"),
        "TooMany": pgettext("reason why nothing was booked", "Too many requests"),
        "Unavailable": pgettext("reason why nothing was booked", "No usable answer"),
        "OutcomeUnknown": pgettext("reason why nothing was booked", "No usable answer"),
    }


#: Refusals that are about the site and not about the visitor's request: somebody has to look at them.
_FAILURES = frozenset({"BadRequest", "KeyRefused", "Unreachable", "CircuitOpen", "TooMany", "Unavailable"})


def attempt_outcome(row: BookingAttempt) -> tuple[str, str]:
    """Return in words what became of an attempt, and its tone."""
    if row.state == BookingAttempt.State.REJECTED and row.rejection:
        return refusal_label(row.rejection), "bad" if row.rejection in _FAILURES else "idle"
    return str(row.get_state_display()), _ATTEMPT_TONES.get(row.state, "idle")


_ATTEMPT_TONES: dict[str, str] = {BookingAttempt.State.PLACED: "good", BookingAttempt.State.OUTCOME_UNKNOWN: "fair"}


def attempt_meaning(row: BookingAttempt) -> str:
    """Return what the state of an attempt means; "" for one of another version."""
    return next((text for state, text in _attempt_meanings().items() if state == row.state), "")


def attempt_legend() -> list[Meaning]:
    """Return what the states of an attempt mean."""
    tones = _ATTEMPT_TONES
    return [Meaning(str(state.label), tones.get(state, "idle"), text) for state, text in _attempt_meanings().items()]


def _attempt_meanings() -> dict[BookingAttempt.State, str]:
    states = BookingAttempt.State
    return {
        states.PLACED: _("Kordless has accepted the booking."),
        states.REJECTED: _(
            "Nothing was booked, for the reason given. If the time was taken, the visitor was shown other times."
        ),
        states.PLACING: _("The request is on its way to Kordless right now."),
        states.WAITING: _(
            "More people booked within a minute than Kordless accepts. It is sent when its turn comes, as long as the "
            "visitor’s page is open."
        ),
        states.HELD: _(
            "Not due yet: the form came back very fast, or the same person has another request for this time under way."
        ),
        states.OUTCOME_UNKNOWN: _(
            "The request was sent, but no usable answer came back, so there may be a booking: check in Kordless. The "
            "visitor’s page asks again, and nothing is booked twice."
        ),
    }


_MAIL_TONES: dict[str, str] = {
    OutgoingMail.State.SENT: "good",
    OutgoingMail.State.OUTCOME_UNKNOWN: "fair",
    OutgoingMail.State.FAILED: "bad",
    OutgoingMail.State.WITHHELD: "fair",
}


def mail_tone(state: str) -> str:
    """Return the tone of a mail's state."""
    return _MAIL_TONES.get(state, "idle")


def mail_meaning(state: str, channel: str = OutgoingMail.Channel.EMAIL) -> str:
    """Return what the state of a mail, or of a message to a phone, means; "" for one of another version."""
    meanings = _message_meanings() if channel == OutgoingMail.Channel.PHONE else _mail_meanings()
    return next((text for each, text in meanings.items() if each == state), "")


def mail_legend(*, has_messages: bool = False) -> list[Meaning]:
    """Return what the states of a mail mean; with `has_messages`, in words that are true of messages too."""
    meanings = _message_meanings() if has_messages else _mail_meanings()
    return [Meaning(str(state.label), mail_tone(state), text) for state, text in meanings.items()]


def _message_meanings() -> dict[OutgoingMail.State, str]:
    states = OutgoingMail.State
    return {
        states.SENT: _("It was accepted for delivery."),
        states.QUEUED: _("It is sent when it is due. If that fails, it is tried again for two days."),
        states.SENDING: _("It is being sent right now."),
        states.FAILED: _("It was refused for good, or couldn’t be sent for two days. It wasn’t sent."),
        states.WITHHELD: _(
            "It wasn’t sent: its recipient was sent as many within 24 hours as MAILS_PER_RECIPIENT allows."
        ),
        states.OUTCOME_UNKNOWN: _(
            "The connection broke while it was being sent. It isn’t sent again, because it may have arrived."
        ),
        states.SUPERSEDED: _("A newer one about the same booking took its place, or the appointment had begun."),
    }


def _mail_meanings() -> dict[OutgoingMail.State, str]:
    states = OutgoingMail.State
    return {
        states.SENT: _("The mail server has accepted it."),
        states.QUEUED: _(
            "It is sent when it is due. If the mail server doesn’t accept it, it is tried again for two days."
        ),
        states.SENDING: _("It is being handed to the mail server right now."),
        states.FAILED: _("The mail server refused it for good, or didn’t accept it for two days. It wasn’t sent."),
        states.WITHHELD: _(
            "It wasn’t sent: its recipient had as many mails within 24 hours as MAILS_PER_RECIPIENT allows."
        ),
        states.OUTCOME_UNKNOWN: _(
            "The connection broke while it was being sent. It isn’t sent again, because it may have arrived."
        ),
        states.SUPERSEDED: _("A newer mail about the same booking took its place, or the appointment had begun."),
    }


def delivery_tone(outcome: str) -> str:
    """Return the tone of a delivery's outcome."""
    return "good" if outcome == WebhookDelivery.Outcome.PROCESSED else "idle"


def delivery_legend() -> list[Meaning]:
    """Return what the outcomes of a delivery mean. Duplicates aren't recorded, so the list never has one."""
    outcomes = WebhookDelivery.Outcome
    meanings = {
        outcomes.PROCESSED: _("A booking was made, rescheduled or canceled, and this site’s receivers were notified."),
        outcomes.SUPERSEDED: _("The same change was known already, or a newer one: no receiver was notified again."),
        outcomes.OTHER: _("An event of a kind that this version doesn’t know. Nothing was done."),
    }
    return [Meaning(str(outcome.label), delivery_tone(outcome), text) for outcome, text in meanings.items()]


def event_label(kind: str) -> str:
    """Return the label of a kind of event; unknown ones as they are."""
    labels = {
        "booking.created": pgettext("event", "Booking made"),
        "booking.updated": pgettext("event", "Booking rescheduled"),
        "booking.cancelled": pgettext("event", "Booking canceled"),
    }
    return labels.get(kind, kind)


def source_label(source: str) -> str:
    """Return the label of the place where a change was made; "" when nothing was published."""
    labels = {
        ChangeSource.WIDGET.value: pgettext("place of a change", "On this site"),
        ChangeSource.WEBHOOK.value: pgettext("place of a change", "Elsewhere"),
    }
    return labels.get(source, source)


def format_age(seconds: float) -> str:
    """Format an age in the largest unit that fits: seconds up to two minutes, minutes up to two hours, else hours."""
    number = int(seconds)
    if number < 120:
        return _("%(number)s s") % {"number": number}
    if number < 7200:
        return _("%(number)s min") % {"number": number // 60}
    return _("%(number)s h") % {"number": number // 3600}


def service_names(accounts: Iterable[Account]) -> dict[str, str]:
    """Return names of services by slug, as far as the cache has them. Kordless isn't asked."""
    offers = [services_for(account).catalog.cached_organization() for account in accounts]
    return {service.slug: service.name for offer in offers if offer for service in offer.services}
