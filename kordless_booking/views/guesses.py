"""Limit of failed lookups: nobody guesses the contact of a booking, and nobody locks its owner out.

A lookup takes its permits before Kordless is asked, because parallel lookups would otherwise all be let through, and
gives them back unless it fails. While a number has used up its own failures, an address without a failure still has one
lookup: with the right contact it always gets through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kordless_booking.views.client_address import Bucket, client_buckets
from kordless_booking.views.throttle import PermitKeys, Use, read_permits, refuse_use, take_use

if TYPE_CHECKING:
    from kordless_booking.views.request import WidgetRequest

WINDOW_SECONDS: Final = 3600
"""Seconds for which a failed lookup counts."""


def take_guess(visit: WidgetRequest, number: str) -> Use:
    """Count a lookup of a number as a failed one, until it is given back. Return the use, which may be refused.

    Give it back when the contact was right, or when Kordless didn't say.
    `number` is what all spellings of the confirmation number have in common.
    """
    account, cache, now = visit.account, visit.access.cache.throttle_view(), visit.now.timestamp()
    by_anybody, by_address = [], []
    if account.lookups_per_number:
        scope = f"{account.name}\0number"
        by_anybody = [PermitKeys.build(scope, Bucket(number), account.lookups_per_number)]
    # The address's own bucket is needed in any case: it says whether the address has failed before.
    limit = account.lookups_per_number_and_address or account.lookups_per_number
    if limit:
        scope = f"{account.name}\0number_and_address"
        buckets = client_buckets(visit.request, account.trusted_proxies)
        by_address = [
            PermitKeys.build(scope, Bucket(f"{number}\0{bucket.identity}", bucket.factor), limit) for bucket in buckets
        ]
    found = read_permits(cache, [*by_anybody, *by_address])
    if not any(each.is_full(found) for each in by_anybody):
        return take_use(cache, [*by_anybody, *by_address], seconds=WINDOW_SECONDS, now=now, found=found)
    own = by_address[0]
    if not own.is_empty(found):
        return refuse_use(by_anybody, found, seconds=WINDOW_SECONDS, now=now)
    # One key alone: of several lookups at the same moment, one gets it.
    only_one = [PermitKeys(own.keys[:1]), *by_address[1:]]
    return take_use(cache, only_one, seconds=WINDOW_SECONDS, now=now, found=found)
