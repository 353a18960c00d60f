"""Template context of a booking: before it is placed (parts/summary.html) and after (parts/booking.html)."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from kordless_booking import exceptions
from kordless_booking.mail.enqueue import is_mailed_about, is_texted_about
from kordless_booking.presentation import formatting
from kordless_booking.presentation.clocks import place_clock
from kordless_booking.presentation.texts import (
    DisplayTimes,
    FoldedText,
    LocationText,
    booking_location,
    booking_place_clock,
    changeable_until,
    describe_location,
    fold_long_text,
    mailed_text,
    mask_contact,
    party_text,
    policy_text,
    price_text,
    provider_text,
    short_times,
    status_texts,
    texted_text,
    whole,
)
from kordless_booking.views.display import display_times

if TYPE_CHECKING:
    from datetime import datetime

    from kordless_booking.api.resources import Booking, ServiceDetail
    from kordless_booking.booking.terms import Terms
    from kordless_booking.questions.answers import Answer
    from kordless_booking.views.request import WidgetRequest


@dataclass(frozen=True, kw_only=True)
class TermsSummary:
    """Context of parts/summary.html: what is about to be booked. Empty rows are left out."""

    service: str
    """Name; the slug when Kordless can't be asked."""
    clocks: DisplayTimes
    host: str
    """Name of host, team or both, or ""."""
    party: str
    short_times: list[str] = field(default_factory=list)
    """The start in short, with the end of a long one, for the folded summary: a line for each clock."""
    where: LocationText | None = None
    duration: str = ""
    price: str = ""
    policy: str = ""
    """Cancellation policy."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """The service's, for a site's own templates."""

    @property
    def folded_policy(self) -> FoldedText:
        """The cancellation policy, folded where it is long."""
        return fold_long_text(self.policy)


def terms_summary(
    visit: WidgetRequest, terms: Terms, detail: ServiceDetail | None, *, with_offer: bool = True
) -> TermsSummary:
    """Return the summary of the terms. Without `detail`, it has only what the terms know.

    `with_offer` adds place, duration, price and policy.
    """
    place = place_clock(detail.calendar.location, detail.calendar.timezone) if detail else None
    offer = detail if with_offer else None
    return TermsSummary(
        service=detail.service.name if detail else terms.service,
        clocks=display_times(visit, terms.start, terms.end, terms.timezone, place),
        host=provider_text(terms.host_name, terms.team_name),
        party=party_text(terms.party_size),
        short_times=short_times(terms.start, terms.end, terms.timezone, place, visit.language, visit.choices.hours),
        where=describe_location(offer.calendar.location) if offer else None,
        duration=formatting.length_text(terms.end - terms.start, visit.language) if with_offer else "",
        price=price_text(offer.service.price, terms.party_size, visit.account.price_per, visit.language)
        if offer
        else "",
        policy=policy_text(offer.calendar.cancellation_policy) if offer else "",
        metadata=dict(detail.service.metadata) if detail else {},
    )


def flat_summary(summary: TermsSummary) -> dict[str, Any]:
    """Return what parts/summary.html reads of a summary, for a skeleton: no value is computed from another one.

    Times are SafeString, which the filter `whole` leaves as they are. The metadata is for a site's own templates alone.
    """
    values = {each.name: getattr(summary, each.name) for each in fields(summary)}
    clocks, where = summary.clocks, summary.where
    return values | {
        "clocks": replace(clocks, when=whole(clocks.when), other=clocks.other and whole(clocks.other)),
        "short_times": [whole(line) for line in summary.short_times],
        "where": where and {"folded": where.folded},
        "folded_policy": summary.folded_policy,
        "metadata": {},
    }


@dataclass(frozen=True, kw_only=True)
class BookingView:
    """Context of parts/booking.html: a booking as Kordless has it."""

    number: str
    """Confirmation number."""
    status: str
    status_text: str
    headline: str
    lead_text: str
    service: str
    """Name, or "" when it is unknown."""
    clocks: DisplayTimes
    where: LocationText | None
    host: str = ""
    """Name of host, team or both. Kordless returns neither these nor the party size, so they are empty unless the
    visitor's terms are known."""
    party: str = ""
    contact: str = ""
    """Email or phone of the customer, masked; "" where the page is not about a new booking, or `mailed` has it."""
    only_contact: str = ""
    """"email" or "phone" where the site's forms ask for only one of them, else ""."""
    mailed: str = ""
    """A sentence that says where the details were mailed to, or the link was texted to, with the masked contact; ""
    where nothing was sent."""
    policy: str = ""
    """Cancellation policy."""
    until: str = ""
    """A sentence that says until when it can be changed; "" where that isn't known, or has passed."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """The service's, for a site's own templates."""
    answers: tuple[Answer, ...] = ()
    """Answers of the customer to the business's questions, where the booking was just made."""

    @property
    def folded_policy(self) -> FoldedText:
        """The cancellation policy, folded where it is long."""
        return fold_long_text(self.policy)


def booking_view(
    visit: WidgetRequest,
    booking: Booking,
    detail: ServiceDetail | None,
    timezone: str,
    *,
    terms: Terms | None = None,
    fallback_name: str = "",
    is_visitors_zone: bool = True,
    new_contact: str = "",
    answers: tuple[Answer, ...] = (),
) -> BookingView:
    """Return the view of a booking, in the visitor's time zone, or without `is_visitors_zone` in the booking's.

    `detail` is its service, when Kordless still has it; `fallback_name` is shown when nothing else names the service.
    `new_contact` is the customer's where the booking was just made. It is shown masked, and "confirmed" isn't.
    """
    texts = status_texts(booking.status)
    is_mailed = "@" in new_contact and is_mailed_about(visit.account, booking.status)
    is_texted = bool(new_contact) and "@" not in new_contact
    is_texted = is_texted and is_texted_about(visit.account, booking.status, new_contact)
    sent = mailed_text(new_contact) if is_mailed else texted_text(new_contact) if is_texted else ""
    clocks = display_times(
        visit,
        booking.start,
        booking.end,
        timezone,
        booking_place_clock(booking, detail),
        is_visitors=is_visitors_zone,
    )
    policy = detail.calendar.cancellation_policy if detail else None
    until = (
        changeable_until(policy, booking.start, visit.now, clocks, visit.language, visit.choices.hours)
        if is_changeable(booking, visit.now)
        else ""
    )
    return BookingView(
        number=booking.confirmation_number,
        status=booking.status,
        status_text="" if new_contact and booking.status == "confirmed" else texts.status,
        headline=texts.headline,
        lead_text=texts.lead,
        service=booking.service_name or (detail.service.name if detail else fallback_name),
        clocks=clocks,
        where=describe_location(booking_location(booking, detail)),
        host=provider_text(terms.host_name, terms.team_name) if terms else "",
        party=party_text(terms.party_size) if terms else "",
        contact="" if sent else mask_contact(new_contact),
        only_contact=asked[0] if len(asked := visit.account.asked_contacts()) == 1 else "",
        mailed=sent,
        policy=policy_text(policy, says_until=bool(until)),
        until=until,
        metadata=dict(detail.service.metadata) if detail else {},
        answers=answers,
    )


def is_changeable(booking: Booking, now: datetime) -> bool:
    """Return True for a booking that can be moved or canceled, as far as its status and its time tell."""
    # "": Kordless didn't say, and decides about each change anyway.
    return booking.status in {"confirmed", "pending", ""} and booking.start > now


def find_service(visit: WidgetRequest, slug: str | None) -> ServiceDetail | None:
    """Return the service, or None when Kordless doesn't have it anymore or can't be asked."""
    if not slug:
        return None
    try:
        return visit.catalog.service(slug).value
    except exceptions.KordlessError:
        return None
