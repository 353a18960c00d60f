"""Services of a process for Kordless: one client for each account, made once, which never shows its key."""

import contextlib
import subprocess
import sys
from dataclasses import replace
from threading import Thread

import httpx
import pytest
from django.core.cache import caches

from kordless_booking.conf import get_account
from kordless_booking.exceptions import KeyRefused, TooMany
from kordless_booking.sandbox import SANDBOX_KEY, SANDBOX_ORG
from kordless_booking.upstream.registry import SANDBOX_KEY as OUR_KEY
from kordless_booking.upstream.registry import SANDBOX_ORG as OUR_ORG
from kordless_booking.upstream.registry import embedded_sandbox, sandbox_path, services_for
from tests.support.in_force import REAL_ACCOUNT, numbers_in_force
from tests.support.site_cache import empty_cache

REDIS_THAT_IS_DOWN = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}


def test_one_is_made_and_shared_by_all_threads(site):
    """Building one costs 40 ms; equal accounts are the same."""
    account = get_account(None)
    made = []
    threads = [Thread(target=lambda: made.append(services_for(replace(account)))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(each) for each in made}) == 1
    assert made[0] is services_for(account)


def test_it_reads_and_books_for_its_account(site, sandbox):
    """The catalog and the client both reach the same Kordless with the account's key."""
    reached = services_for(get_account(None))
    assert reached.catalog.organization().value.organization.slug == SANDBOX_ORG
    assert reached.client.organization().organization.slug == SANDBOX_ORG
    assert {request.headers["x-kordless-key"] for request in sandbox.requests} == {SANDBOX_KEY}


def test_accounts_mix_nothing_up(two_accounts):
    """Each has its own client, catalog and place in the cache."""
    north, south = services_for(get_account("north")), services_for(get_account("south"))
    assert north.client is not south.client
    names = [each.catalog.organization().value.organization.name for each in (north, south, north)]
    assert names == ["North Dental", "Acme Salon", "North Dental"]


def test_two_organizations_of_one_key_share_no_cache_entries(site, account_settings):
    """The same key and another slug: another organization."""
    assert services_for(get_account(None)).catalog.organization().value.organization.slug == SANDBOX_ORG
    site.KORDLESS_BOOKING = {**account_settings, "ORG_SLUG": "north-dental"}
    with pytest.raises(KeyRefused):
        services_for(get_account(None)).catalog.organization()


@pytest.mark.parametrize("setting", ["KORDLESS_BOOKING", "CACHES", "SECRET_KEY"])
def test_a_changed_setting_makes_a_new_one(site, setting):
    """No old object is used again."""
    account = get_account(None)
    first = services_for(account)
    setattr(site, setting, {**getattr(site, setting)} if setting != "SECRET_KEY" else "another, 8sKq2LmV0x")
    assert services_for(account) is not first


def exceeds_its_limit(client) -> bool:
    """Ask nine times; whether it was too often."""
    with contextlib.suppress(TooMany):
        for _ in range(9):
            client.organization()
        return False
    return True


def test_the_quota_of_the_settings_is_enforced(site, account_settings, sandbox):
    """Requests beyond the quota are never sent."""
    site.KORDLESS_BOOKING = {**account_settings, "REQUESTS_PER_MINUTE": 4, "CREATIONS_PER_MINUTE": 1}
    client = services_for(get_account(None)).client
    assert exceeds_its_limit(client)
    assert 1 <= len(sandbox.requests) <= 4


def test_accounts_that_share_a_key_share_its_quota(site, account_settings, sandbox):
    """Kordless counts keys, whatever we call the accounts."""
    shared = {**account_settings, "REQUESTS_PER_MINUTE": 6, "CREATIONS_PER_MINUTE": 1}
    site.KORDLESS_BOOKING = {"ACCOUNTS": {"one": shared, "two": shared}}
    for name in ("one", "two"):
        assert exceeds_its_limit(services_for(get_account(name)).client)
    assert len(sandbox.requests) <= 6


@pytest.mark.parametrize("redis", [True, False], ids=["Redis down", "no Redis"])
def test_a_process_that_counts_alone_takes_its_part_of_the_quota(site, account_settings, sandbox, redis):
    """Without a shared cache, also while that is down, four processes may send no more than one may."""
    site.CACHES = {**site.CACHES, "down": REDIS_THAT_IS_DOWN}
    cache = {"CACHE": "down"} if redis else {}
    limits = {"REQUESTS_PER_MINUTE": 16, "CREATIONS_PER_MINUTE": 4, "PROCESSES": 4}
    site.KORDLESS_BOOKING = {**account_settings, **limits, **cache}
    assert exceeds_its_limit(services_for(get_account(None)).client)
    assert 1 <= len(sandbox.requests) <= 4


def test_what_fails_is_complained_of_once_for_all_accounts(two_accounts, caplog):
    """One shared cache is one line in the log, however many businesses use it."""
    two_accounts.CACHES = {**two_accounts.CACHES, "down": REDIS_THAT_IS_DOWN}
    two_accounts.KORDLESS_BOOKING = {**two_accounts.KORDLESS_BOOKING, "CACHE": "down"}
    for name in ("north", "south"):
        services_for(get_account(name)).catalog.organization()
    assert caplog.text.count("cache_unavailable") == 1


def test_a_transport_or_a_wsgi_application_may_stand_in(site, account_settings, sandbox):
    """For tests of a site: httpx's transports as they are, a WSGI callable by itself."""
    site.KORDLESS_BOOKING = {**account_settings, "TRANSPORT": sandbox}
    assert services_for(get_account(None)).client.organization().organization.slug == SANDBOX_ORG
    refused = httpx.MockTransport(lambda request: httpx.Response(401))
    site.KORDLESS_BOOKING = {**account_settings, "TRANSPORT": refused}
    with pytest.raises(KeyRefused):
        services_for(get_account(None)).client.organization()


def test_the_key_is_in_no_repr_and_in_no_cache_key(site):
    """Neither in the repr of the services nor in any key that they write."""
    reached = services_for(get_account(None))
    reached.catalog.organization()
    cached = vars(caches["default"])["_cache"]
    assert cached
    assert not [name for name in cached if SANDBOX_KEY in name or SANDBOX_ORG in name]
    assert SANDBOX_KEY not in f"{reached!r} {reached.client!r} {reached.catalog!r} {get_account(None)!r}"


def test_the_sandbox_is_known_without_loading_it(site):
    """The constants here are those of the sandbox; a site with a real account never imports it."""
    assert (OUR_KEY, OUR_ORG) == (SANDBOX_KEY, SANDBOX_ORG)
    code = (
        "import django, sys; django.setup();"
        "from kordless_booking.upstream.registry import services_for; from kordless_booking.conf import Account;"
        "services_for(Account(api_key='k', org_slug='acme'));"
        "sys.exit('kordless_booking.sandbox' in sys.modules)"
    )
    environment = {"DJANGO_SETTINGS_MODULE": "tests.projects.plain.settings", "PYTHONPATH": "."}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0  # noqa: S603 (ours)


def test_without_a_key_the_embedded_sandbox_answers(settings, tmp_path):
    """In the file that the setting names, one for each file and process."""
    empty_cache()
    path = str(tmp_path / "sandbox.sqlite3")
    settings.KORDLESS_BOOKING = {"SANDBOX": path}
    reached = services_for(get_account(None))
    assert reached.client.organization().organization.slug == SANDBOX_ORG
    assert embedded_sandbox(path) is embedded_sandbox(path)
    assert (tmp_path / "sandbox.sqlite3").exists()
    embedded_sandbox(path).close()
    empty_cache()


def test_the_sandboxs_file_is_the_projects_own(settings):
    """True puts it into the temporary folder, under a name that depends on SECRET_KEY and doesn't show it."""
    settings.KORDLESS_BOOKING = {"SANDBOX": True}
    first = sandbox_path(get_account(None))
    assert first.endswith(".sqlite3")
    assert settings.SECRET_KEY not in first
    settings.SECRET_KEY = "another one, 4aG7pQ9sWz2k"
    assert sandbox_path(get_account(None)) != first


def test_each_number_of_the_settings_reaches_the_services_of_its_account():
    """None is replaced on the way, and none stands twice: each differs from its default and from the others."""
    defaults = numbers_in_force().settings
    others = {name: value + 0.001 * (1 + index) for index, (name, value) in enumerate(defaults.items())}
    others |= {"REQUESTS_PER_MINUTE": 77, "CREATIONS_PER_MINUTE": 7}
    account = replace(REAL_ACCOUNT, **{name.lower(): value for name, value in others.items()})
    in_force = numbers_in_force(account)
    assert in_force.settings == others
    assert in_force.service == in_force.organization
