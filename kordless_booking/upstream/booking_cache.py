"""Short-lived cache of bookings that their customers look at, so that a page that is opened often costs few lookups.

For pages that only show a booking: what changes one asks Kordless. Nothing personal is stored: the keys are keyed
hashes of number and contact, and what the values lack, the number, is in the link of whoever reads them.

A change of the booking, on our pages or by webhook, changes its generation. An entry counts only under the generation
that was read before its lookup, so a lookup that was under way during the change can't bring the old booking back.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

import msgspec

from kordless_booking.api.deadline import seconds_left
from kordless_booking.api.msgspec_warmup import warm_up
from kordless_booking.api.resources import Booking
from kordless_booking.booking.hashes import contact_hash, number_hash, number_hashes
from kordless_booking.exceptions import Unavailable

from .keys import cache_key
from .single_flight import SingleFlight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from kordless_booking.clock import Clock

    from .fallback_cache import FallbackCache
    from .memory_cache import Storable

VIEW_SECONDS: Final = 10
"""Age up to which a page shows a booking without asking Kordless. Reloading a page costs six lookups a minute at most,
and a change that was made elsewhere is seen soon, also where no webhook tells of it."""
POLL_SECONDS: Final = 600
"""Age up to which an open page is kept current with it. Such a page has shown the booking already, and whatever it
leads to asks Kordless."""
_GENERATION_SECONDS: Final = POLL_SECONDS + 60
"""Longer than an entry lasts and than its lookup takes: an entry never outlives the generation that replaced its own.
"""


class _Entry(msgspec.Struct, frozen=True):
    """Booking as it is cached, as JSON."""

    generation: str
    """Generation of the booking under each SECRET_KEY, read before the lookup."""
    looked_up_at: float
    """When the lookup began, in Unix seconds."""
    spelling: str
    """Key in `_spellings` of the number as Kordless writes it."""
    booking: Booking
    """Without anything personal."""


warm_up(_Entry)


def _spellings(number: str) -> dict[str, str]:
    """Return the ways in which Kordless may write the number of a link."""
    return {"upper": number.strip().upper(), "same": number.strip(), "lower": number.strip().lower()}


def _generation(keys: Iterable[str], found: Mapping[str, Storable]) -> str:
    return " ".join(str(found.get(key, "")) for key in keys)


class BookingCache:
    """Cache of the bookings of one account.

    `is_shared` returns True while every process of the site reads this cache. Otherwise nothing is cached, because a
    change could not be made known to the others. `max_wait_seconds`: how long a page waits for a lookup that another
    one has begun.
    """

    def __init__(
        self,
        cache: FallbackCache,
        *,
        account: str,
        clock: Clock,
        is_shared: Callable[[], bool],
        max_wait_seconds: float,
    ) -> None:
        self._cache = cache
        self._account = account
        self._clock = clock
        self._is_shared = is_shared
        self._max_wait_seconds = max_wait_seconds
        self._single_flight: SingleFlight[Booking] = SingleFlight(cache, account=account, clock=clock)

    def get(self, number: str, contact: str, *, max_age_seconds: int = VIEW_SECONDS) -> Booking | None:
        """Return the booking as it was looked up at most `max_age_seconds` ago, or None. One cache round trip.

        Without its contact, its id and its calendar file.
        """
        if not self._is_shared():
            return None
        key, generations = self._entry_key(number, contact), self._generation_keys(number)
        found = self._cache.get_many([key, *generations])
        stored = found.get(key)
        try:
            entry = msgspec.json.decode(stored, type=_Entry) if isinstance(stored, bytes) else None
        except msgspec.MsgspecError:  # written by another version of this package
            return None
        if entry is None or self._clock.now() > entry.looked_up_at + max_age_seconds:
            return None
        if entry.generation != _generation(generations, found):
            return None
        spelled = _spellings(number).get(entry.spelling)
        return None if spelled is None else msgspec.structs.replace(entry.booking, confirmation_number=spelled)

    def fetch(self, number: str, contact: str, look_up: Callable[[], Booking]) -> Booking:
        """Look the booking up and cache it; of all who want it at this moment, one does. Raises what `look_up` raises.

        Raises Unavailable when the lookup of another takes too long.
        """
        if not self._is_shared():
            return look_up()

        def work() -> Booking:
            # Another process may just have done it.
            return self.get(number, contact) or self.refresh(number, contact, look_up)

        found = self._single_flight.do(
            ("booking", number_hash(number), contact_hash(contact)),
            self._clock.monotonic() + min(self._max_wait_seconds, seconds_left()),
            work=work,
            poll=lambda: self.get(number, contact),
        )
        if found is None:
            raise Unavailable(operation="lookup", reason="wait_timed_out")
        return found

    def refresh(self, number: str, contact: str, look_up: Callable[[], Booking]) -> Booking:
        """Look the booking up now, whatever is cached, and cache it. Raises what `look_up` raises."""
        if not self._is_shared():
            return look_up()
        generations = self._generation_keys(number)
        generation = _generation(generations, self._cache.get_many(generations))
        looked_up_at = self._clock.now()
        booking = look_up()
        for spelling, spelled in _spellings(number).items():
            # Else the number would have to be stored: it opens the booking together with the contact.
            if spelled == booking.confirmation_number:
                anonymous = msgspec.structs.replace(booking, confirmation_number="", id="", contact=None, ics_url=None)
                entry = _Entry(generation, looked_up_at, spelling, anonymous)
                self._cache.set(self._entry_key(number, contact), msgspec.json.encode(entry), POLL_SECONDS)
                break
        return booking

    def invalidate(self, number: str) -> None:
        """Stop serving what is cached of a booking, in all processes: it was changed, or may have been."""
        for key in self._generation_keys(number):
            self._cache.set(key, secrets.token_hex(8), _GENERATION_SECONDS)
        # Nobody who comes now waits for a lookup that began before the change.
        self._single_flight.forget(("booking", number_hash(number)))

    def _entry_key(self, number: str, contact: str) -> str:
        return cache_key(self._account, "booking", number_hash(number), contact_hash(contact))

    def _generation_keys(self, number: str) -> list[str]:
        # Under each SECRET_KEY: while a rotation is rolled out, page and webhook may run with different ones.
        return [cache_key(self._account, "booking_generation", each) for each in sorted(number_hashes([number]))]
