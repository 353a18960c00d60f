"""Where the widget is mounted, and the account that a request is for."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory
from django.urls import NoReverseMatch, ResolverMatch, clear_url_caches, include, path
from pytest_django import Settings

from kordless_booking.conf import get_account
from kordless_booking.urlconf import absolute_url, account_for, mounted_namespaces, namespaces_of

SANDBOX = {"API_KEY": "key", "ORG_SLUG": "acme", "SITE_URL": "https://salon.example"}


def mount(settings: Settings, *namespaces: str) -> None:
    """Mount the widget under these namespaces, one level down in those before the last colon."""
    settings.ROOT_URLCONF = tuple(
        path(
            f"{number}/",
            include(([path("book/", include("kordless_booking.urls", namespace=inner))], outer), namespace=outer)
            if outer
            else include("kordless_booking.urls", namespace=inner),
        )
        for number, (outer, _colon, inner) in enumerate(name.rpartition(":") for name in namespaces)
    )
    clear_url_caches()


@pytest.fixture
def two_accounts(settings: Settings) -> Settings:
    """Two accounts, north and south."""
    settings.KORDLESS_BOOKING = {"ACCOUNTS": {"north": SANDBOX, "south": SANDBOX}}
    return settings


def test_mounts_are_found_in_namespaces_of_the_site(two_accounts: Settings) -> None:
    """Each by its full namespace, in the order of the URLconf."""
    mount(two_accounts, "north", "shop:south")
    assert mounted_namespaces() == ["north", "shop:south"]
    assert namespaces_of(get_account("north")) == ["north"]
    assert namespaces_of(get_account("south")) == ["shop:south"]


def test_a_single_account_has_every_mount_and_prefers_its_own_name(settings: Settings) -> None:
    """Links use the first namespace, and that one names the account."""
    settings.KORDLESS_BOOKING = {"ACCOUNTS": {"north": SANDBOX}}
    mount(settings, "anything", "shop:north")
    assert namespaces_of(get_account(None)) == ["shop:north", "anything"]


def test_an_unmounted_account_has_no_absolute_url(two_accounts: Settings) -> None:
    """A link to another account's page would open nothing there."""
    mount(two_accounts, "north")
    assert namespaces_of(get_account("south")) == []
    with pytest.raises(NoReverseMatch):
        absolute_url(get_account("south"), "services")


@pytest.mark.parametrize("namespace", ["south", "shop:south", "a:b:south"])
def test_a_request_is_for_the_account_that_its_namespace_ends_with(two_accounts: Settings, namespace: str) -> None:
    """However deep the widget is mounted."""
    request = RequestFactory().get("/")
    request.resolver_match = ResolverMatch(print, (), {}, namespaces=namespace.split(":"))
    assert account_for(request).name == "south"


@pytest.mark.parametrize("match", [None, ResolverMatch(print, (), {}), ResolverMatch(print, (), {}, namespaces=["x"])])
def test_a_request_without_an_account_of_its_own(settings: Settings, match: ResolverMatch | None) -> None:
    """A single account takes it; among several, none does."""
    request = RequestFactory().get("/")
    request.resolver_match = match
    assert account_for(request).name == "default"
    settings.KORDLESS_BOOKING = {"ACCOUNTS": {"north": SANDBOX, "south": SANDBOX}}
    with pytest.raises(ImproperlyConfigured):
        account_for(request)
