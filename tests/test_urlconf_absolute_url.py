"""Whole addresses, wherever the widget is mounted."""

import pytest
from django.urls import get_script_prefix, include, path, set_script_prefix
from pytest_django import Settings

from kordless_booking.conf import Account
from kordless_booking.urlconf import absolute_url

HERE = Account(name="default", site_url="https://salon.example")
NORTH = Account(name="north", site_url="https://salon.example")


def mounted(namespace: str | None):
    """A URLconf with the widget one level down, in somebody else's namespace."""
    inner = [path("book/", include("kordless_booking.urls", namespace=namespace))]
    return (path("shop/", include((inner, "shop"))),)


@pytest.mark.parametrize(("account", "namespace"), [(HERE, None), (HERE, "anything"), (NORTH, "north")])
def test_an_address_below_somebody_elses(settings: Settings, account: Account, namespace: str | None):
    """The namespace is found, however deep."""
    settings.ROOT_URLCONF = mounted(namespace)
    assert absolute_url(account, "services") == "https://salon.example/shop/book/"


def test_each_account_has_its_own(settings: Settings):
    """And a query where there is one."""
    settings.ROOT_URLCONF = "tests.projects.several.urls"
    assert (
        absolute_url(NORTH, "manage", "tok", lang="de", hours=None) == "https://salon.example/north/manage/tok/?lang=de"
    )


def test_a_requests_prefix_is_left_alone():
    """It is the same after as before."""
    set_script_prefix("/app/")
    try:
        assert absolute_url(HERE, "services") == "https://salon.example/book/"
        assert get_script_prefix() == "/app/"
    finally:
        set_script_prefix("/")
