"""Slots read in parts, where those of a range are more than one response can hold.

Kordless has no paging, so a part is a shorter range of days. Each costs a permit of the rate limiter, so a range is
split only after a response was too large. The number of days that fit is then remembered in the cache, for all
processes, so that the next refresh asks in parts at once.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from kordless_booking.api.deadline import seconds_left, with_same_deadline
from kordless_booking.api.parsing import merge_slots
from kordless_booking.exceptions import OutcomeUnknown, Unavailable
from kordless_booking.limits import MAX_WINDOW_DAYS
from kordless_booking.logs import log_event

from .keys import cache_key
from .window import DAY
from .worker import in_background

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from kordless_booking.api.resources import OrganizationDetail, ServiceDetail, Slot

    from .catalog import Client
    from .fallback_cache import FallbackCache

logger = logging.getLogger(__name__)

MEMORY_SECONDS: Final = 7 * 86_400
"""Seconds for which the days of a part are remembered. After that, a range is tried as a whole again."""


def split_range(start: datetime, end: datetime, days: int) -> list[tuple[datetime, datetime]]:
    """Split [start, end) into as few parts of at most `days` days as possible, of about the same length."""
    whole = -(-(end - start) // DAY)
    count = max(1, -(-whole // max(1, days)))
    # Whole days, so the cuts are at midnight UTC if `start` is.
    cuts = [start + DAY * (whole * index // count) for index in range(count)] + [end]
    return list(pairwise(cuts))


class SlotPartsClient:
    """Client for the catalog that reads slots in parts where a range is too large for one response.

    - `run`: runs a job in another thread and returns True, or returns False if it declines. Used for all parts but one,
      while a page waits for them.
    """

    def __init__(
        self,
        client: Client,
        cache: FallbackCache,
        *,
        account: str,
        run: Callable[[Callable[[], object]], bool] = lambda _job: False,
    ) -> None:
        self._client = client
        self._cache = cache
        self._account = account
        self._run = run

    def organization(self) -> OrganizationDetail:
        """Fetch the organization and its services."""
        return self._client.organization()

    def service(self, slug: str) -> ServiceDetail:
        """Fetch one service with its calendar settings."""
        return self._client.service(slug)

    def availability(self, service_slug: str, start: datetime, end: datetime) -> tuple[Slot, ...]:
        """Fetch the slots that start in [`start`, `end`), complete or not at all.

        Raises OutcomeUnknown (reason "too_large") if those of a single day are too many, or if the time was too short
        to find out how many days fit.
        """
        too_large: list[OutcomeUnknown] = []

        def read(start: datetime, end: datetime) -> tuple[Slot, ...]:
            fitting, days = self._known_days(service_slug), -(-(end - start) // DAY)
            if days > fitting:
                return self._read_all([partial(read, *part) for part in split_range(start, end, fitting)])
            try:
                return self._client.availability(service_slug, start, end)
            except OutcomeUnknown as error:
                if error.reason != "too_large":
                    raise
                if days <= 1:
                    # No part fits. Else the next page would send a request for each day, side by side, in vain.
                    self._forget_days(service_slug)
                    raise
                too_large.append(error)
            self._remember_days(service_slug, -(-days // 2))
            # One part alone, which may be too large as well: the others are requested once a length is known to fit.
            cut = split_range(start, end, -(-days // 2))[0][1]
            return merge_slots([*read(start, cut), *read(cut, end)])

        try:
            return read(start, end)
        except Unavailable:
            # The cause is the size: without the large responses there would have been time.
            if too_large and seconds_left() <= 0:
                raise too_large[0] from None
            raise

    def _read_all(self, reads: list[Callable[[], tuple[Slot, ...]]]) -> tuple[Slot, ...]:
        """Read all parts, side by side where threads are free. Raises what a part raises; no part is left out."""
        futures: list[Future[tuple[Slot, ...]]] = [Future() for _ in reads]
        # A background refresh reads one part after another: nobody waits, and in another thread its requests would
        # take the permits of visitors.
        if not in_background.get():
            for read, future in list(zip(reads, futures, strict=True))[1:]:
                if not self._run(with_same_deadline(partial(_complete, future, read))):
                    break
        found: list[Slot] = []
        try:
            for read, future in zip(reads, futures, strict=True):
                # `cancel` succeeds if the part still waits for a thread. Then this thread reads it, because waiting
                # for a thread that may itself wait for one could be for ever.
                found.extend(read() if future.cancel() else future.result())
        finally:
            # After an error, the parts that no thread has begun would cost permits in vain.
            for future in futures:
                future.cancel()
        return merge_slots(found)

    def _known_days(self, service_slug: str) -> int:
        """Return the most days of a part that are known to fit; a year if any range fitted so far."""
        known = self._cache.get(self._key(service_slug))
        return known if isinstance(known, int) and 1 <= known <= MAX_WINDOW_DAYS else MAX_WINDOW_DAYS

    def _remember_days(self, service_slug: str, days: int) -> None:
        if days < self._known_days(service_slug):
            self._cache.set(self._key(service_slug), days, MEMORY_SECONDS)
            log_event(logger, logging.INFO, "slots_split", service=service_slug, days=days)

    def _forget_days(self, service_slug: str) -> None:
        self._cache.delete_many([self._key(service_slug)])

    def _key(self, service_slug: str) -> str:
        return cache_key(self._account, "part_days", service_slug)


def _complete(future: Future[tuple[Slot, ...]], read: Callable[[], tuple[Slot, ...]]) -> None:
    """Read a part for whoever waits for `future`, unless they have taken it over."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        slots = read()
    except BaseException as error:  # noqa: BLE001 (raised again by whoever waits, who must not wait for ever)
        future.set_exception(error)
    else:
        future.set_result(slots)
