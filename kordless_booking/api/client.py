"""Client of the Kordless Booking API: one method for each of the seven documented operations.

Operations 1 to 4 (organization, service, availability, create) are authenticated by the API key. Operations 5 to 7
(lookup, cancel, reschedule) are authenticated by confirmation number and contact, for any organization's booking:
see `Kordless.cancel`.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Concatenate, NoReturn, ParamSpec, TypeVar
from urllib.parse import quote, urlencode

from kordless_booking import __version__
from kordless_booking.api import parsing
from kordless_booking.api.documented import (
    BOOKING_SECONDS,
    BROWSE_SECONDS,
    CREATIONS_PER_MINUTE,
    QUOTA_SECONDS,
    REQUESTS_PER_MINUTE,
)
from kordless_booking.api.requests import (
    Operation,
    booking_path,
    contact_query,
    create_body,
    encode_json,
    path_segment,
    utc_range,
    validated_party_size,
)
from kordless_booking.api.session import Gate, Session, Transport
from kordless_booking.api.typed_slots import parse_typed_slots
from kordless_booking.exceptions import KordlessError, NotFound, OutcomeUnknown

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from kordless_booking.api.resources import Booking, NewBooking, OrganizationDetail, ServiceDetail, Slot

__all__ = [
    "BOOKING_SECONDS",
    "BROWSE_SECONDS",
    "CREATIONS_PER_MINUTE",
    "QUOTA_SECONDS",
    "REQUESTS_PER_MINUTE",
    "Kordless",
]

P = ParamSpec("P")
T = TypeVar("T")


def _without_argument_frames(method: Callable[Concatenate[Kordless, P], T]) -> Callable[Concatenate[Kordless, P], T]:
    """Strip the traceback of a KordlessError from `method`.

    Its frames hold contacts and idempotency keys as local variables, and error reports print those.
    """

    @functools.wraps(method)
    def call(self: Kordless, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(self, *args, **kwargs)
        except KordlessError as error:
            failure = error.with_traceback(None)
        # Raising adds this frame to the traceback again, so its variables have to go first.
        del args, kwargs
        raise failure

    return call


class Kordless:
    """Client for the account of one organization. Create one per process and share it: it is thread-safe and fork-safe.

    - `base_url`: https, or http on a loopback host.
    - `transport`: replaces the network, for example `session.wsgi_transport(app)`.
    - `gate`: admits and observes every HTTP request.
    - `browse_seconds`: deadline of reads. `booking_seconds`: deadline of create, cancel and reschedule. Both include a
      retry; each method takes `seconds` to override them.

    Methods raise subclasses of KordlessError. Naive times, and an unusable API key, base URL or organization slug,
    raise ValueError before anything is sent. Source: Kordless's public documentation of the Booking API.
    """

    def __init__(
        self,
        *,
        api_key: str,
        org_slug: str,
        base_url: str,
        transport: Transport | None = None,
        gate: Gate | None = None,
        browse_seconds: float = BROWSE_SECONDS,
        booking_seconds: float = BOOKING_SECONDS,
        user_agent: str = f"kordless-booking/{__version__}",
    ) -> None:
        try:
            self._org_path = f"/org/{path_segment(org_slug, 'organization')}"
        except NotFound:
            # This slug comes from the settings, not from a visitor, so it is a programming error.
            raise ValueError("The organization's slug can't stand in a path.") from None
        self.org_slug = org_slug
        self._browse_seconds = browse_seconds
        self._booking_seconds = booking_seconds
        self._service_keys: dict[str, str] = {}  # service slug to service key; see _own
        self._wire = Session(base_url=base_url, api_key=api_key, transport=transport, gate=gate, user_agent=user_agent)

    def __repr__(self) -> str:
        return f"Kordless({self.org_slug!r}, {self._wire!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A client is never pickled or copied: make another one.")

    def close(self) -> None:
        """Close idle connections. A later call opens new ones."""
        self._wire.close()

    def organization(self, *, seconds: float | None = None) -> OrganizationDetail:
        """Fetch the organization and its services. Raises KeyRefused, NotFound or Unavailable."""

        def read(document: object, dropped: parsing.SkippedItems) -> OrganizationDetail:
            return parsing.parse_organization(document, dropped, org_slug=self.org_slug)

        offer = self._send_read(Operation("organization", "GET", self._org_path, read), seconds)
        self._service_keys.update({service.slug: service.key for service in offer.services})
        return offer

    def service(self, slug: str, *, seconds: float | None = None) -> ServiceDetail:
        """Fetch one service with its calendar settings. Raises KeyRefused, NotFound or Unavailable."""

        def read(document: object, dropped: parsing.SkippedItems) -> ServiceDetail:
            return parsing.parse_service_detail(document, dropped, org_slug=self.org_slug, slug=slug)

        path = f"{self._org_path}/service/{path_segment(slug, 'service')}"
        detail = self._send_read(Operation("service", "GET", path, read), seconds)
        self._service_keys[slug] = detail.service.key
        return detail

    def availability(
        self,
        service_slug: str,
        start: datetime,
        end: datetime,
        *,
        party_size: int = 1,
        seconds: float | None = None,
    ) -> tuple[Slot, ...]:
        """Fetch the slots that start in [`start`, `end`), both truncated to whole seconds.

        Sorted by start, then host id. A time with several hosts is one slot per host. Full slots are included if
        Kordless lists them. Raises BadRequest (range too long), KeyRefused, NotFound or Unavailable.
        """
        path_segment(service_slug, "availability")  # only for its NotFound: the slug is sent in the query
        since, until = utc_range(start.replace(microsecond=0), end.replace(microsecond=0))
        query = {
            "org_slug": self.org_slug,
            "service_slug": service_slug,
            "from": since,
            "to": until,
            "partySize": str(validated_party_size(party_size)),
        }
        call = Operation(
            "availability",
            "GET",
            "/availability",
            parsing.parse_slots,
            parse_typed=parse_typed_slots,
            query=urlencode(query, quote_via=quote, safe=""),
        )
        slots = self._send_read(call, seconds)
        return self._slots_of_service(slots, service_slug, seconds)

    @_without_argument_frames
    def create(self, new: NewBooking, *, idempotency_key: str, seconds: float | None = None) -> Booking:
        """Create a booking.

        After Unavailable, retry only with an equal `new` and the same `idempotency_key`: anything else may book
        twice. Raises SlotTaken, Refused, BadRequest, KeyRefused, NotFound, NotSent (nothing happened) or
        OutcomeUnknown (it may have happened).
        """

        def read(document: object, _dropped: parsing.SkippedItems) -> Booking:
            return parsing.parse_booking(
                document, org_slug=self.org_slug, service_slug=new.service_slug, start=new.start, end=new.end
            )

        call = Operation(
            "create",
            "POST",
            "/bookings",
            read,
            body=create_body(new, self.org_slug),
            idempotency_key=idempotency_key,
        )
        return self._send_write(call, seconds)

    @_without_argument_frames
    def lookup(self, number: str, contact: str, *, seconds: float | None = None) -> Booking:
        """Fetch the booking with this confirmation number (any case) and this email or phone.

        Raises NotFound (also for another organization's booking), ContactRefused or Unavailable. A visitor must not
        be able to tell NotFound and ContactRefused apart: that would reveal which numbers exist.
        """
        call = self._booking_operation("lookup", "GET", number, contact)
        return self._send_read(call, seconds)

    @_without_argument_frames
    def cancel(self, number: str, contact: str, *, seconds: float | None = None) -> Booking:
        """Cancel a booking and return it.

        Call `lookup` first: Kordless can't know which site asks, and would cancel another organization's booking too.
        Raises Refused (already canceled, too late), NotFound, ContactRefused, NotSent or OutcomeUnknown. After
        OutcomeUnknown, call `lookup` to see what happened.
        """
        call = self._booking_operation("cancel", "POST", number, contact, then="/cancel")
        return self._send_write(call, seconds)

    @_without_argument_frames
    def reschedule(
        self,
        number: str,
        contact: str,
        *,
        start: datetime,
        end: datetime,
        timezone: str | None = None,
        notes: str | None = None,
        idempotency_key: str | None = None,
        seconds: float | None = None,
    ) -> Booking:
        """Move a booking to another slot of the same service and length. Call `lookup` before, as for `cancel`.

        Raises SlotTaken, Refused, NotFound, ContactRefused, NotSent or OutcomeUnknown. After OutcomeUnknown, call
        `lookup` to see what happened.
        """
        # Spelled start_at and end_at here, but starts_at and ends_at in create: as documented.
        starts, ends = utc_range(start, end)
        body = encode_json({"start_at": starts, "end_at": ends, "timezone": timezone, "notes": notes})
        call = self._booking_operation(
            "reschedule",
            "POST",
            number,
            contact,
            then="/reschedule",
            body=body,
            idempotency_key=idempotency_key,
            start=start,
            end=end,
        )
        return self._send_write(call, seconds)

    def _send_read(self, call: Operation[T], seconds: float | None) -> T:
        return self._wire.send(call, self._browse_seconds if seconds is None else seconds)

    def _send_write(self, call: Operation[T], seconds: float | None) -> T:
        return self._wire.send(call, self._booking_seconds if seconds is None else seconds)

    def _booking_operation(
        self,
        operation: str,
        method: str,
        number: str,
        contact: str,
        *,
        then: str = "",
        body: bytes | None = None,
        idempotency_key: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Operation[Booking]:
        def read(document: object, _dropped: parsing.SkippedItems) -> Booking:
            # After a lookup, another organization is NotFound (below). After a write it is a mismatch, and thus
            # OutcomeUnknown: something has happened.
            org_slug = None if operation == "lookup" else self.org_slug
            booking = parsing.parse_booking(document, number=number.strip(), org_slug=org_slug, start=start, end=end)
            if (booking.organization_slug or self.org_slug).casefold() != self.org_slug.casefold():
                raise NotFound("another organization's booking", reason="other_organization")
            return booking

        return Operation(
            operation,
            method,
            booking_path(number, operation) + then,
            read,
            query=contact_query(contact, operation),
            body=body,
            idempotency_key=idempotency_key,
        )

    def _slots_of_service(self, slots: tuple[Slot, ...], slug: str, seconds: float | None) -> tuple[Slot, ...]:
        """Return the slots that belong to the requested service.

        Slots carry the service's key. It usually equals the slug; where it doesn't, and the key isn't known yet, this
        fetches the service once. Raises OutcomeUnknown (reason "mismatch") if all slots are another service's.
        """

        ids = {slot.service_id for slot in slots}

        def own(key: str) -> tuple[Slot, ...]:
            # By the few ids, not slot by slot: there may be thousands.
            same = {id_ for id_ in ids if id_ is None or parsing.is_same_service(id_, key)}
            return slots if same == ids else tuple(slot for slot in slots if slot.service_id in same)

        # No slots at all is an ordinary result, and needs no second request.
        found = own(slug) or own(self._service_keys.get(slug, slug))
        if slots and not found and slug not in self._service_keys:
            found = own(self.service(slug, seconds=seconds).service.key)
        if slots and not found:
            raise OutcomeUnknown(
                "the slots are another service's", operation="availability", status=200, reason="mismatch"
            )
        return found
