"""Simulator of crowds on a quota: what each rule between visitors and Kordless is worth, in virtual time.

`python -m benchmarks.simulator` prints the tables that docs/running.md quotes. Pure Python and deterministic: the same
seed gives the same crowd, and a rule that is switched changes nothing else. A run of thousands of visitors takes less
than a second, where the same crowd takes minutes on a real site. `benchmarks/bars.py` runs some of these crowds for
real and prints both results.

What it knows: visitors with an address each, the items that a page needs, the ages up to which an item is served, and
permits that are taken when a call begins and free again 61 seconds after it ends. What it leaves out: processes,
sockets, the time that a page takes to render, and answers that fail. So it is right about who gets a page and how many
calls that costs, and says nothing about milliseconds.
"""

from __future__ import annotations

import argparse
import heapq
import random
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import NamedTuple

WINDOW_SECONDS = 60.0
PERMIT_SECONDS = 61.0
"""Seconds that a permit stays taken after its call ended."""
MAX_STALE_SECONDS = {"organization": 3600.0, "service": 3600.0, "slots": 300.0}
"""Ages up to which an item is served without waiting, while it is refreshed."""
FRESH_SECONDS = {"organization": 300.0, "service": 300.0, "slots": 15.0}
STALE_IF_ERROR_SECONDS = {"organization": 86400.0, "service": 86400.0, "slots": 1800.0}
"""Ages up to which an item is served when Kordless can't be asked."""
LAST_KNOWN_SECONDS = 86400.0
CALL_SECONDS = {"organization": 0.05, "service": 0.05, "slots": 0.3}
"""As long as the sandbox of the benchmark takes for each."""
NEAR_DAYS = 62
"""Days from today that one request for times covers, with the rule."""
REFRESH_RETRY_SECONDS = 5.0
WARM_CALLS = 20
WARM_ABOVE_FREE = 25
"""Calls a minute that warming may take, and how many permits for pages must be free for it."""
FETCHES_PER_ADDRESS = 15
NEWCOMERS_PART = 3
"""Fetches that one address may cause a minute, and the part of the permits (a third) for those who caused few."""
LENT_CREATIONS = 8
"""Permits of creations that pages may take while nobody fills in a form: of ten, two are never lent."""
MAX_RELOAD_SECONDS = 30.0
RELOAD_JITTER_SECONDS = 3.0
PROMPT_SECONDS = 4.0
"""A page within this counts as had at once: it is the time limit of a page that waits for Kordless."""
PATIENCE_SECONDS = 1800.0
"""Seconds after which a run ends for everybody who still waits."""

Item = tuple[str, ...]


@dataclass(frozen=True)
class Rules:
    """Rules between visitors and the quota, each of which can be switched."""

    parties: bool = False
    """One answer for all party sizes."""
    near_months: bool = False
    """One answer for the next 62 days."""
    skip_service: bool = False
    """No call for the service's details while permits are short."""
    refreshes_yield: bool = False
    """No refreshes in the minute after somebody was refused."""
    last_known: bool = False
    """Times of up to a day's age rather than none."""
    warming: bool = False
    """What is wanted most and oldest is fetched before it is asked for."""
    waiting: bool = False
    """A page that reloads itself instead of an error, and what most addresses want goes first."""
    own_ledger: bool = False
    """Lookups and changes have a quota of their own, so that pages get the permits that were kept for them."""
    lending: bool = False
    """Permits of creations, while nobody fills in a form."""
    per_address: bool = False
    """A limit on the fetches that one address causes, and a reserve for the others."""

    @classmethod
    def all_on(cls) -> Rules:
        """Return the rules with everything switched on."""
        return cls(**dict.fromkeys(cls.names(), True))

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of the rules."""
        return [each.name for each in fields(cls)]

    def switch(self, name: str, on: bool) -> Rules:
        """Return these rules with one of them switched."""
        return replace(self, **{name: on})


RULE_TITLES = {
    "parties": "one answer for all party sizes",
    "near_months": "one answer for the next 62 days",
    "skip_service": "skip the service call while permits are short",
    "refreshes_yield": "refreshes yield",
    "last_known": "last-known times for a day",
    "warming": "warming",
    "waiting": "wait instead of being turned away, most wanted first",
    "own_ledger": "a quota of their own for lookups and changes",
    "lending": "lend permits of creations",
    "per_address": "fetches per address, reserve for newcomers",
}


class Visit(NamedTuple):
    """One visitor: when, from which address, and the page that is asked for. The outcome is that of the `counted`."""

    at: float
    address: str
    service: int
    month: int = 0
    party: int = 1
    counted: bool = True


@dataclass(frozen=True)
class Scenario:
    """Crowd, and the state in which it finds the site."""

    name: str
    title: str
    build: Callable[[random.Random], list[Visit]]
    """Builds the visits. The crowd's begin at second 0; those before it find the site as it was."""
    window_days: int = 60
    drafts: bool = False
    """Somebody fills in a form all the time, so that nothing is lent."""
    cached_age: float | None = None
    """Age of everything in the cache when it begins; None for an empty cache."""
    services: int = 100


@dataclass
class Outcome:
    """What became of a crowd."""

    visitors: int = 0
    waits: list[float] = field(default_factory=list)
    """Seconds from coming to the page of times, sorted; one for each visitor who got it."""
    turned_away: int = 0
    """Visitors who got an error page instead, or still waited when the run ended."""
    calls: Counter[str] = field(default_factory=Counter)
    """Calls to Kordless by operation, from second 0 on."""
    moments: list[float] = field(default_factory=list)
    """When each call began, also before second 0."""
    ages: list[float] = field(default_factory=list)
    """Age of the times on each page, when it was shown."""

    @property
    def served(self) -> int:
        """Visitors who got the page, at once or later."""
        return len(self.waits)

    @property
    def prompt(self) -> float:
        """Share of the visitors who had the page within `PROMPT_SECONDS`."""
        return sum(wait <= PROMPT_SECONDS for wait in self.waits) / max(1, self.visitors)

    @property
    def p95(self) -> float:
        """Wait of the 95th of a hundred visitors; infinite when that one got no page."""
        place = self.visitors * 95 // 100
        return self.waits[place] if place < len(self.waits) else float("inf")

    @property
    def most_in_a_minute(self) -> int:
        """The most calls that began in any 60 seconds."""
        moments = sorted(self.moments)
        return max((bisect_left(moments, begin + WINDOW_SECONDS) - at for at, begin in enumerate(moments)), default=0)


class Permits:
    """Permits of the key, as in `kordless_booking.upstream.rate_limiter`: a part for pages, less for refreshes."""

    def __init__(self, requests: int, creations: int, *, lent: int, own_ledger: bool, rng: random.Random) -> None:
        others = requests - creations
        # Without a ledger of their own, lookups and changes need some of the permits of pages.
        browsing = others if own_ledger else max(1, min(requests * 3 // 4, others - 1))
        self._browse = [*range(browsing), *range(others, others + max(0, min(lent, creations - 2)))]
        self._refresh = range(max(1, others * 3 // 5 if own_ledger else browsing * 2 // 3))
        self._free_at = [float("-inf")] * requests
        self._rng = rng

    def pool(self, *, refresh: bool) -> range | list[int]:
        """Return the numbers of the permits for this purpose."""
        return self._refresh if refresh else self._browse

    def free(self, now: float, *, refresh: bool = False) -> list[int]:
        """Return the numbers that could be taken now."""
        return [number for number in self.pool(refresh=refresh) if self._free_at[number] <= now]

    def take(self, now: float, call_seconds: float, *, refresh: bool = False, leave: int = 0) -> bool:
        """Take one for a call of so many seconds and return True, unless only `leave` or fewer are free."""
        free = self.free(now, refresh=refresh)
        if len(free) <= leave:
            return False
        self._free_at[self._rng.choice(free)] = now + call_seconds + PERMIT_SECONDS
        return True

    def next_free(self, now: float) -> float:
        """Return the seconds until the next permit for a page is free."""
        return max(0.0, min(self._free_at[number] for number in self._browse) - now)


class _Simulation:
    def __init__(self, scenario: Scenario, rules: Rules, *, seed: int, requests: int, creations: int) -> None:
        self._scenario, self._rules = scenario, rules
        lent = LENT_CREATIONS if rules.lending and not scenario.drafts else 0
        # Generators of their own, so that a rule which draws a number doesn't change the crowd.
        chance = random.Random(f"permits {seed}")  # noqa: S311 (nothing secret)
        self._permits = Permits(requests, creations, lent=lent, own_ledger=rules.own_ledger, rng=chance)
        self._jitter = random.Random(f"jitter {seed}")  # noqa: S311 (nothing secret)
        self._visits = scenario.build(random.Random(f"crowd {seed}"))  # noqa: S311 (nothing secret)
        begin = min((visit.at for visit in self._visits), default=0.0)
        self._fetched: dict[Item, float] = {}
        if scenario.cached_age is not None:
            self._fetched = dict.fromkeys(self._everything(), begin - scenario.cached_age)
        self._in_flight: dict[Item, list[tuple[float, Visit]]] = {}
        self._refresh_at: dict[Item, float] = {}
        self._popularity: Counter[Item] = Counter()
        self._line: dict[Item, dict[str, None]] = {}
        self._caused: dict[str, list[float]] = defaultdict(list)
        self._refused_at = float("-inf")
        self._warmed: list[float] = []
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._number = 0
        self.outcome = Outcome(visitors=sum(visit.counted for visit in self._visits))

    def run(self) -> Outcome:
        for visit in self._visits:
            self._at(visit.at, lambda now, visit=visit: self._come(visit, now, first=True))  # type: ignore[misc]
        while self._events:
            now, _number, event = heapq.heappop(self._events)
            if now > PATIENCE_SECONDS:
                break
            event(now)
        outcome = self.outcome
        outcome.waits.sort()
        outcome.turned_away = outcome.visitors - outcome.served
        return outcome

    def _at(self, moment: float, event: Callable[[float], None]) -> None:
        self._number += 1
        heapq.heappush(self._events, (moment, self._number, event))

    def _everything(self) -> Iterator[Item]:
        yield ("organization",)
        for service in range(self._scenario.services):
            yield ("service", str(service))
            for month in range(months_of(self._scenario.window_days)):
                yield self._slots(service, month, 1)

    def _slots(self, service: int, month: int, party: int) -> Item:
        last = min(self._scenario.window_days, 30 * month + 15)
        near = self._rules.near_months and last <= NEAR_DAYS
        return (
            "slots", str(service), "near" if near else str(month), "1" if self._rules.parties else str(party)
        )  # fmt: skip

    def _needed(self, visit: Visit, now: float) -> list[Item]:
        service: Item = ("service", str(visit.service))
        items: list[Item] = [("organization",), service, self._slots(visit.service, visit.month, visit.party)]
        if self._rules.skip_service and service not in self._fetched and self._is_short(now):
            items.remove(service)
        return items

    def _is_short(self, now: float) -> bool:
        free, pool = self._permits.free(now), self._permits.pool(refresh=False)
        return now - self._refused_at < WINDOW_SECONDS or len(free) < len(pool) / 2

    def _age(self, item: Item, now: float) -> float:
        return now - self._fetched[item] if item in self._fetched else float("inf")

    def _come(self, visit: Visit, now: float, *, first: bool = False) -> None:
        items = self._needed(visit, now)
        if first:
            self._popularity.update(items)
        missing = [item for item in items if self._age(item, now) > MAX_STALE_SECONDS[item[0]]]
        own_limit = not self._get(missing, visit.address, now)
        waits_for = [item for item in missing if item in self._in_flight]
        if len(waits_for) == len(missing):
            if missing:
                # The page waits for the call that takes longest, its own or another visitor's.
                last = max(waits_for, key=lambda item: CALL_SECONDS[item[0]])
                self._in_flight[last].append((visit.at, visit))
            else:
                self._show(visit, items, now)
                self._refresh(items, now)
        elif self._has_old_values(missing, now):
            self._show(visit, items, now)
        elif self._rules.waiting and visit.counted:
            wait = min(self._permits.next_free(now), MAX_RELOAD_SECONDS)
            wait += self._jitter.uniform(1, RELOAD_JITTER_SECONDS)
            self._at(now + wait, lambda later: self._come(visit, later))
        if len(waits_for) < len(missing) and not own_limit:
            self._refused_at = now
        if self._rules.warming:
            self._warm(now)

    def _get(self, missing: list[Item], address: str, now: float) -> bool:
        """Start the calls for what is missing, as far as permits last. False when the address is over its own limit."""
        wanted = [item for item in missing if item not in self._in_flight]
        if self._rules.waiting:
            # Whoever asks drives the line: what most addresses want is fetched first, whoever asks.
            within = not wanted or self._may_cause(address, now)
            if within:
                for item in wanted:
                    self._line.setdefault(item, {})[address] = None
            self._serve_line(now)
            return within
        for item in wanted:
            if not self._may_cause(address, now):
                return False
            if not self._call(item, address, now):
                return True
        return True

    def _serve_line(self, now: float) -> None:
        free = len(self._permits.free(now))
        for item in sorted(self._line, key=lambda item: -len(self._line[item])) if free else ():
            if free == 0:
                return
            # Who has caused least is named as the cause; what greedy addresses alone want stays behind.
            cause = min(self._line[item], key=lambda each: len(self._caused[each])) if self._rules.per_address else ""
            if self._may_cause(cause, now) and self._call(item, cause, now):
                free -= 1

    def _may_cause(self, address: str, now: float) -> bool:
        return not self._rules.per_address or self._recent(address, now) < FETCHES_PER_ADDRESS

    def _recent(self, address: str, now: float) -> int:
        recent = [moment for moment in self._caused[address] if now - moment < WINDOW_SECONDS]
        self._caused[address] = recent
        return len(recent)

    def _call(self, item: Item, address: str, now: float, *, refresh: bool = False) -> bool:
        # A cold page needs three calls at once.
        is_limited = self._rules.per_address and not refresh and self._recent(address, now) >= 3
        leave = len(self._permits.pool(refresh=False)) // NEWCOMERS_PART if is_limited else 0
        if item in self._in_flight:
            self._line.pop(item, None)
            return True
        seconds = CALL_SECONDS[item[0]]
        if not self._permits.take(now, seconds, refresh=refresh, leave=leave):
            return False
        if not refresh:
            self._caused[address].append(now)
        self._line.pop(item, None)
        self._in_flight[item] = []
        self.outcome.moments.append(now)
        if now >= 0:
            self.outcome.calls[item[0]] += 1
        self._at(now + seconds, lambda end: self._answer(item, now, end))
        return True

    def _answer(self, item: Item, asked: float, now: float) -> None:
        self._fetched[item] = asked
        for _came, visit in self._in_flight.pop(item):
            self._come(visit, now)

    def _has_old_values(self, missing: list[Item], now: float) -> bool:
        limit = LAST_KNOWN_SECONDS if self._rules.last_known else 0.0
        return all(self._age(item, now) <= max(limit, STALE_IF_ERROR_SECONDS[item[0]]) for item in missing)

    def _show(self, visit: Visit, items: list[Item], now: float) -> None:
        if visit.counted:
            self.outcome.waits.append(now - visit.at)
            self.outcome.ages.append(self._age(items[-1], now))

    def _refresh(self, items: list[Item], now: float) -> None:
        if self._rules.refreshes_yield and now - self._refused_at < WINDOW_SECONDS:
            return
        for item in items:
            is_due = self._age(item, now) > FRESH_SECONDS[item[0]] and now >= self._refresh_at.get(item, now)
            if is_due and item not in self._in_flight and not self._call(item, "", now, refresh=True):
                self._refresh_at[item] = now + REFRESH_RETRY_SECONDS

    def _warm(self, now: float) -> None:
        self._warmed = [moment for moment in self._warmed if now - moment < WINDOW_SECONDS]
        if len(self._warmed) >= WARM_CALLS or len(self._permits.free(now)) <= WARM_ABOVE_FREE:
            return
        old = [
            (count * min(self._age(item, now), MAX_STALE_SECONDS[item[0]]), item)
            for item, count in self._popularity.items()
            if item not in self._in_flight and self._age(item, now) > FRESH_SECONDS[item[0]]
        ]
        if old and self._call(max(old)[1], "", now, refresh=True):
            self._warmed.append(now)


def simulate(scenario: Scenario, rules: Rules, *, seed: int = 1, requests: int = 60, creations: int = 10) -> Outcome:
    """Let the scenario's crowd come under these rules, on a quota of `requests` a minute."""
    return _Simulation(scenario, rules, seed=seed, requests=requests, creations=creations).run()


def months_of(window_days: int) -> int:
    """Return how many calendar months a window spans that begins in the middle of one."""
    return (window_days + 15 - 1) // 30 + 1


def zipf(number: int) -> list[float]:
    """Return so many weights by Zipf's law: the second is wanted half as often as the first, the third a third."""
    return [1 / rank for rank in range(1, number + 1)]


def crowd(
    visitors: int,
    seconds: float,
    *,
    services: int = 100,
    months: int = 3,
    parties: int = 1,
    popular: bool = False,
    warm_minutes: int = 0,
) -> Callable[[random.Random], list[Visit]]:
    """Return a builder of visitors who come evenly, each from an address of their own.

    `popular` weighs services and months by Zipf's law, else all are wanted alike. `warm_minutes`: so long before them,
    others come at a hundred a minute.
    """

    def build(rng: random.Random) -> list[Visit]:
        weights, monthly = (zipf(services), zipf(months)) if popular else ([1.0] * services, [1.0] * months)

        def visit(at: float, number: int) -> Visit:
            [service], [month] = rng.choices(range(services), weights), rng.choices(range(months), monthly)
            party = rng.randint(1, parties)
            return Visit(at, f"visitor {number}", service, month, party, counted=at >= 0)

        early = [visit(-60.0 * warm_minutes + 0.6 * number, -number - 1) for number in range(100 * warm_minutes)]
        return early + [visit(seconds * number / visitors, number) for number in range(visitors)]

    return build


def greedy(honest: int, seconds: float, *, each_second: float) -> Callable[[random.Random], list[Visit]]:
    """Return a builder of two addresses that ask for ever other pages, and of visitors who come a minute later."""

    def build(rng: random.Random) -> list[Visit]:
        def attack(at: float, number: int) -> Visit:
            asked = rng.randrange(100), rng.randrange(3), rng.randint(1, 12)
            return Visit(at, f"attacker {number % 2}", *asked, counted=False)

        attacks = [attack(number / each_second - 60.0, number) for number in range(int((60 + seconds) * each_second))]
        services = rng.sample(range(100), honest)
        return attacks + [Visit(seconds * at / honest, f"visitor {at}", service) for at, service in enumerate(services)]

    return build


SCENARIOS = {
    each.name: each
    for each in (
        Scenario("uniform", "1,000 visitors in 55 s, cold, 100 services x 3 months", crowd(1000, 55)),
        Scenario(
            "zipf", "1,000 visitors in 55 s, cold, services and months by Zipf's law", crowd(1000, 55, popular=True)
        ),
        Scenario(
            "parties",
            "2,200 visitors in 55 s over 300 keys of service and party, while others book",
            crowd(2200, 55, services=10, months=1, parties=30),
            drafts=True,
            services=10,
        ),
        Scenario("warm", "the uniform crowd after five warm minutes", crowd(1000, 55, warm_minutes=5)),
        Scenario("next day", "the uniform crowd, everything cached two hours ago", crowd(1000, 55), cached_age=7200.0),
        Scenario("large", "10,000 visitors in 10 minutes, by Zipf's law", crowd(10_000, 600, popular=True)),
        Scenario("far", "1,000 visitors in 55 s, cold, windows of 90 days", crowd(1000, 55, months=4), window_days=90),
        Scenario(
            "greedy",
            "30 visitors in 60 s, while two addresses ask for ten pages a second",
            greedy(30, 60, each_second=10),
        ),
    )
}

CALM = Scenario("calm", "600 visitors in half an hour, by Zipf's law", crowd(600, 1800, popular=True))


def tables(seed: int = 1) -> str:
    """Return the simulator's tables as markdown: the rules together, each rule, and other quotas."""
    return "\n\n".join(
        (_table_of_rules(seed), _table_of_each_rule(seed), table_of_a_calm_site(seed), table_of_quotas(seed))
    )


def _table_of_rules(seed: int) -> str:
    rows = [
        "| Crowd | Without the rules | With all rules | 95 of 100 after | Most calls in a minute |",
        "|---|---|---|---|---|",
    ]
    for scenario in SCENARIOS.values():
        none, every = simulate(scenario, Rules(), seed=seed), simulate(scenario, Rules.all_on(), seed=seed)
        most = str(every.most_in_a_minute)
        cells = [f"*{scenario.name}*: {scenario.title}", _shares(none), _shares(every), _seconds(every.p95), most]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _table_of_each_rule(seed: int) -> str:
    rows = [f"| Rule | {' | '.join(SCENARIOS)} |", "|---" * (len(SCENARIOS) + 1) + "|"]
    for name in Rules.names():
        cells = []
        for scenario in SCENARIOS.values():
            alone = simulate(scenario, Rules().switch(name, on=True), seed=seed)
            others = simulate(scenario, Rules.all_on().switch(name, on=False), seed=seed)
            cells.append(f"{_percent(alone.prompt)}, {_percent(others.prompt)} {_seconds(others.p95)}")
        rows.append(f"| {RULE_TITLES[name]} | {' | '.join(cells)} |")
    for label, rules in (("none", Rules()), ("all", Rules.all_on())):
        found = [simulate(scenario, rules, seed=seed) for scenario in SCENARIOS.values()]
        rows.append(f"| *{label}* | {' | '.join(f'{_percent(one.prompt)} {_seconds(one.p95)}' for one in found)} |")
    return "\n".join(rows)


def table_of_quotas(seed: int = 1) -> str:
    """Return what quotas other than Kordless's usual one carry, with all rules on."""
    rows = [
        "| Requests a minute | Refreshes a minute | Uniform, cold | Zipf, cold | 10,000 by Zipf |",
        "|---|---|---|---|---|",
    ]
    for requests in (30, 60, 120, 300, 600):
        creations = requests // 6
        permits = Permits(requests, creations, lent=0, own_ledger=True, rng=random.Random(0))  # noqa: S311 (only counted)
        found = [
            simulate(SCENARIOS[name], Rules.all_on(), seed=seed, requests=requests, creations=creations)
            for name in ("uniform", "zipf", "large")
        ]
        cells = [f"{_percent(one.prompt)}, 95 of 100 after {_seconds(one.p95)}" for one in found]
        rows.append(f"| {requests} | {len(permits.pool(refresh=True))} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _shares(outcome: Outcome) -> str:
    return f"{_percent(outcome.prompt)} at once, {_percent(outcome.served / max(1, outcome.visitors))} in the end"


def _percent(share: float) -> str:
    return f"{share:.0%}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < float("inf") else "never"


def table_of_a_calm_site(seed: int = 1) -> str:
    """Return what warming is worth where nothing is short: who waits for Kordless, and how old the times are."""
    titles = ("600 visitors in half an hour, by Zipf's law", "Wait for Kordless", "95% of the times are at most")
    rows = [f"| {' | '.join(titles)} |", "|---|---|---|"]
    every = Rules.all_on()
    for title, rules in (("none", Rules()), ("all but warming", every.switch("warming", on=False)), ("all", every)):
        outcome = simulate(CALM, rules, seed=seed)
        waited = sum(wait > 0 for wait in outcome.waits) / max(1, outcome.visitors)
        age = sorted(outcome.ages)[outcome.served * 95 // 100]
        rows.append(f"| {title} | {_percent(waited)} | {_seconds(age)} old |")
    return "\n".join(rows)


def main() -> None:
    """Print the tables as markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulator", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="another crowd of the same kind (default: %(default)s)")
    print(tables(parser.parse_args().seed))


if __name__ == "__main__":
    main()
