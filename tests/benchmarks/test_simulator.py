"""The simulator keeps the promises of the rate limiter, loses no visitor, and agrees with runs on real sites."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import simulator
from benchmarks.simulator import RULE_TITLES, SCENARIOS, Permits, Rules, Scenario, crowd, simulate, table_of_quotas
from kordless_booking.upstream.rate_limiter import PERMIT_SECONDS, WINDOW_SECONDS, Priority, Quota
from kordless_booking.upstream.read_through import RETRY_AFTER_FAILURE
from kordless_booking.upstream.warming_limiter import CALLS_PER_MINUTE, RESERVED_FOR_PAGES
from kordless_booking.upstream.window import NEAR_DAYS
from kordless_booking.views.problems import JITTER_SECONDS, MAX_RELOAD_SECONDS
from tests.support.in_force import REAL_ACCOUNT

DOCS = Path(__file__).resolve().parents[2] / "docs"
QUICK = [name for name in SCENARIOS if name != "large"]
RULES = st.builds(Rules, **{name: st.booleans() for name in Rules.names()})
CROWDS = st.builds(
    crowd,
    st.integers(1, 150),
    st.floats(0.5, 200),
    services=st.integers(1, 60),
    months=st.integers(1, 4),
    parties=st.integers(1, 12),
    popular=st.booleans(),
    warm_minutes=st.integers(0, 1),
)


@given(CROWDS, RULES, st.integers(3, 90), st.integers(0, 1000), st.sampled_from([30, 60, 90]), st.booleans())
@settings(max_examples=30)
def test_no_crowd_gets_more_calls_than_the_quota_in_any_minute(
    build: object, rules: Rules, requests: int, seed: int, window_days: int, drafts: bool
):
    """Whatever the crowd, the rules and the quota: never more, and every visitor is either served or turned away."""
    scenario = Scenario("any", "any crowd", build, window_days=window_days, drafts=drafts)  # type: ignore[arg-type]
    creations = max(1, requests // 6)
    outcome = simulate(scenario, rules, seed=seed, requests=requests, creations=creations)
    assert outcome.most_in_a_minute <= requests
    assert outcome.served + outcome.turned_away == outcome.visitors
    assert outcome.turned_away >= 0
    assert outcome.waits == sorted(outcome.waits)
    assert all(wait >= 0 for wait in outcome.waits)
    assert 0 <= outcome.prompt <= 1
    assert simulate(scenario, rules, seed=seed, requests=requests, creations=creations) == outcome


@pytest.mark.long
@pytest.mark.parametrize("name", QUICK)
def test_a_rule_that_is_switched_on_never_serves_fewer(name: str):
    """Alone and as the last of all, each rule gives the page to as many visitors as before, or more."""
    scenario = SCENARIOS[name]
    none, every = simulate(scenario, Rules()).served, simulate(scenario, Rules.all_on()).served
    for rule in Rules.names():
        assert simulate(scenario, Rules().switch(rule, on=True)).served >= none, rule
        assert simulate(scenario, Rules.all_on().switch(rule, on=False)).served <= every, rule


@pytest.mark.parametrize("name", QUICK)
def test_all_rules_together_turn_nobody_away(name: str):
    """Every visitor gets the page in the end, without touching the last two permits of creations."""
    outcome = simulate(SCENARIOS[name], Rules.all_on())
    assert outcome.turned_away == 0
    assert outcome.most_in_a_minute <= 58


@pytest.mark.parametrize(("name", "measured"), [("uniform", 0.094), ("zipf", 0.44), ("parties", 0.14)])
def test_without_the_rules_the_simulator_agrees_with_real_runs(name: str, measured: float):
    """The share of visitors who got a page when such crowds came to a site in two processes, without these rules.

    The crowds were drawn anew, which alone moves the share of a popular one by some points.
    """
    found = [simulate(SCENARIOS[name], Rules(), seed=seed).prompt for seed in range(1, 6)]
    assert sum(found) / len(found) == pytest.approx(measured, abs=0.09)


@pytest.mark.parametrize(("name", "measured"), [("uniform", 0.43), ("zipf", 0.80), ("parties", 1.0)])
def test_with_the_first_rules_the_simulator_agrees_with_the_prototype(name: str, measured: float):
    """One answer for parties and near months, no service call: as measured with the same 45 calls."""
    rules = Rules(parties=True, near_months=True, skip_service=True)
    found = [simulate(SCENARIOS[name], rules, seed=seed).prompt for seed in range(1, 6)]
    assert sum(found) / len(found) == pytest.approx(measured, abs=0.09)


def test_the_bars_are_within_reach_of_the_rules():
    """What `make bench` asks of real runs, the simulator reaches: else a bar would ask for the impossible."""
    warm, cold, popular = (simulate(SCENARIOS[name], Rules.all_on()) for name in ("warm", "uniform", "zipf"))
    assert warm.prompt >= 0.9
    assert cold.p95 <= 90
    assert popular.prompt >= 0.75


def test_a_larger_quota_never_makes_anybody_wait_longer():
    """The table of quotas in docs/running.md grows in one direction."""
    found = [simulate(SCENARIOS["uniform"], Rules.all_on(), requests=n, creations=n // 6) for n in (30, 60, 120, 300)]
    assert [one.prompt for one in found] == sorted(one.prompt for one in found)
    assert [one.p95 for one in found] == sorted((one.p95 for one in found), reverse=True)


@pytest.mark.long
def test_the_table_of_quotas_in_the_documents_is_the_simulators():
    """docs/running.md has the table that the simulator computes now."""
    assert table_of_quotas() in (DOCS / "running.md").read_text(encoding="utf-8")


def test_permits_are_divided_as_the_rate_limiter_divides_them():
    """Of the usual quota, pages and refreshes have as many permits as in the package."""
    shared, own = (
        Permits(60, 10, lent=0, own_ledger=own_ledger, rng=Random(0))  # noqa: S311 (only counted)
        for own_ledger in (False, True)
    )
    quota = Quota()
    assert len(shared.pool(refresh=True)) == len(own.pool(refresh=True)) == len(quota.permits(Priority.REFRESH))
    assert len(quota.permits(Priority.BROWSE)) in {len(shared.pool(refresh=False)), len(own.pool(refresh=False))}


def test_the_simulator_goes_by_the_numbers_in_force():
    """Ages, windows and limits are those of the package and of an account's defaults."""
    account = REAL_ACCOUNT
    assert (simulator.WINDOW_SECONDS, simulator.PERMIT_SECONDS) == (WINDOW_SECONDS, PERMIT_SECONDS)
    assert simulator.FRESH_SECONDS["slots"] == account.slots_fresh_seconds
    assert simulator.MAX_STALE_SECONDS["slots"] == account.slots_stale_seconds
    assert simulator.STALE_IF_ERROR_SECONDS["slots"] == account.slots_stale_if_error_seconds
    for what in ("organization", "service"):
        assert simulator.FRESH_SECONDS[what] == account.catalog_fresh_seconds
        assert simulator.MAX_STALE_SECONDS[what] == account.catalog_stale_seconds
        assert simulator.STALE_IF_ERROR_SECONDS[what] == account.catalog_stale_if_error_seconds
    assert account.slots_last_known_seconds == simulator.LAST_KNOWN_SECONDS
    assert account.fetches_per_address == simulator.FETCHES_PER_ADDRESS
    assert simulator.NEAR_DAYS == NEAR_DAYS
    assert simulator.REFRESH_RETRY_SECONDS == RETRY_AFTER_FAILURE
    assert (simulator.WARM_CALLS, simulator.WARM_ABOVE_FREE) == (CALLS_PER_MINUTE, RESERVED_FOR_PAGES)
    assert len(Quota().lendable()) == simulator.LENT_CREATIONS
    assert (simulator.MAX_RELOAD_SECONDS, simulator.RELOAD_JITTER_SECONDS) == (MAX_RELOAD_SECONDS, JITTER_SECONDS)


def test_each_rule_has_a_row_in_the_table():
    """No rule is simulated that the table doesn't name."""
    assert list(RULE_TITLES) == Rules.names()
    assert replace(Rules(), **dict.fromkeys(RULE_TITLES, True)) == Rules.all_on()
