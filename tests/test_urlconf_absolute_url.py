"""Whole addresses, wherever the widget is mounted."""

import pytest
from django.test import RequestFactory
from django.urls import get_script_prefix, include, path, set_script_prefix
from pytest_django import Settings

from kordless_booking.conf import Account
from kordless_booking.urlconf import absolute_url, public_url

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


@pytest.mark.parametrize(
    ("site_url", "prefix", "path", "url"),
    [
        ("https://salon.example", "/", "/book/?lang=de", "https://salon.example/book/?lang=de"),
        ("https://salon.example/shop", "/shop/", "/shop/book/", "https://salon.example/shop/book/"),
        ("https://salon.example", "/inside/", "/inside/book/", "https://salon.example/book/"),
        ("", "/shop/", "/shop/book/?lang=de", "https://asked.example/shop/book/?lang=de"),
    ],
)
def test_what_leaves_the_site_has_the_sites_own_address(
    settings: Settings, site_url: str, prefix: str, path: str, url: str
):
    """It begins with the settings' SITE_URL, in which a prefix stands once; without one, with the request's host."""
    settings.ALLOWED_HOSTS = ["asked.example"]
    request = RequestFactory().get(path, headers={"host": "asked.example"}, secure=True)
    set_script_prefix(prefix)
    try:
        assert public_url(Account(site_url=site_url), request, path) == url
    finally:
        set_script_prefix("/")
