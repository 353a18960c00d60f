"""Popularity of services: the page views that the funnel sees, halved every hour.

In memory, by the names of account and service alone, and different in each process. An idle site forgets: that is what
keeps a cache from being refreshed for nobody.
"""

from __future__ import annotations

import time
from typing import Final

HALF_LIFE_SECONDS: Final = 3600.0
"""Seconds after which a page view counts half."""
MAX_SERVICES: Final = 1000
"""Services in memory, about 200 KB. The one that wasn't viewed for the longest time is dropped for a new one."""
MIN_POPULARITY: Final = 0.5
"""Popularity below which a service is forgotten: that of one page view, an hour later."""


class Popularity:
    """Page views by account and service. Threads may share it.

    There is no lock: of two threads that count the same service at once, one view may be lost, which changes nothing.
    """

    def __init__(self) -> None:
        #: (popularity, Unix seconds of the last view) by account and service, the last viewed at the end.
        self._views: dict[tuple[str, str], tuple[float, float]] = {}

    def add(self, account: str, service: str) -> None:
        """Count one page view. `service` is empty for the list of services."""
        key, now = (account, service), time.time()
        popularity, at = self._views.pop(key, (0.0, now))
        self._views[key] = (_decayed(popularity, now - at) + 1, now)
        if len(self._views) > MAX_SERVICES:
            # A default, because another thread may have dropped it meanwhile.
            self._views.pop(next(iter(self._views)), None)

    def services(self, account: str) -> dict[str, float]:
        """Return the popularity of each service of an account that has some. Forgets those that have none anymore."""
        now, found = time.time(), {}
        for key, (popularity, at) in list(self._views.items()):
            left = _decayed(popularity, now - at)
            if left < MIN_POPULARITY:
                self._views.pop(key, None)
            elif key[0] == account:
                found[key[1]] = left
        return found

    def clear(self) -> None:
        """Forget all. For tests."""
        self._views.clear()


def _decayed(popularity: float, seconds: float) -> float:
    left: float = popularity * 0.5 ** (max(0.0, seconds) / HALF_LIFE_SECONDS)
    return left


popularity: Final = Popularity()
"""Popularity of the services of all accounts, in this process."""
